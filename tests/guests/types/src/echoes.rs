use crate::Types;
use crate::bindings::exports::fixtures::types::echoes::*;
use std::cell::Cell;

thread_local! {
    static NOTHINGS: Cell<u32> = const { Cell::new(0) };
}

macro_rules! echo {
    ($($name:ident: $type:ty,)*) => { $(fn $name(value: $type) -> $type { value })* };
}

impl Guest for Types {
    echo! {
        echo_bool: bool,
        echo_u8: u8,
        echo_s8: i8,
        echo_u16: u16,
        echo_s16: i16,
        echo_u32: u32,
        echo_s32: i32,
        echo_u64: u64,
        echo_s64: i64,
        echo_f32: f32,
        echo_f64: f64,
        echo_char: char,
        echo_string: String,
        echo_bytes: Vec<u8>,
        echo_strings: Vec<String>,
        echo_u32s: Vec<u32>,
        echo_f64s: Vec<f64>,
        echo_bools: Vec<bool>,
        echo_chars: Vec<char>,
        echo_point: Point,
        echo_person: Person,
        echo_people: Vec<Person>,
        echo_wide: Wide,
        echo_option: Option<u32>,
        echo_option_string: Option<String>,
        echo_nested_option: Option<Option<u8>>,
        echo_result: Result<u32, String>,
        echo_result_empty: Result<(), ()>,
        echo_result_ok_only: Result<u64, ()>,
        echo_result_err_only: Result<(), f32>,
        echo_shape: Shape,
        echo_colour: Colour,
        echo_permissions: Permissions,
        echo_many_flags: ManyFlags,
        echo_tuple: (u8, String, i64),
        echo_one_tuple: (u32,),
        echo_nested: Vec<Option<(String, Vec<u8>)>>,
        echo_group: Group,
    }

    fn sum_many(
        a: u8,
        b: u16,
        c: u32,
        d: u64,
        e: i8,
        f: i16,
        g: i32,
        h: i64,
        i: f32,
        j: f64,
        k: bool,
        l: char,
        m: u32,
        n: u32,
        o: u32,
        p: u32,
        q: u32,
    ) -> f64 {
        let unsigned = [
            a.into(),
            b.into(),
            c.into(),
            d as f64,
            k.into(),
            u32::from(l).into(),
        ];
        let signed = [e.into(), f.into(), g.into(), h as f64, i.into(), j];
        let rest = [m, n, o, p, q].map(f64::from);
        unsigned.iter().chain(&signed).chain(&rest).sum()
    }

    fn sum_sixteen(
        a: u32,
        b: u32,
        c: u32,
        d: u32,
        e: u32,
        f: u32,
        g: u32,
        h: u32,
        i: u32,
        j: u32,
        k: u32,
        l: u32,
        m: u32,
        n: u32,
        o: u32,
        p: u32,
    ) -> u64 {
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
            .map(u64::from)
            .iter()
            .sum()
    }

    fn divide(dividend: u32, divisor: u32) -> (u32, u32) {
        (dividend / divisor, dividend % divisor)
    }

    fn make_bytes(length: u32) -> Vec<u8> {
        (0..length).map(|index| index as u8).collect()
    }

    fn nothing() {
        NOTHINGS.set(NOTHINGS.get() + 1);
    }

    fn nothings() -> u32 {
        NOTHINGS.get()
    }
}
