//! Values in linear memory, byte for byte.

use airssys_wasm_abi::{AbiError, FuncPlan, Type};

use crate::guest::TestGuest;
use crate::shorthand::{
    Val, fixed, flags, func, i32, labels, lift, list, lower, option, set, some, string, there_and_back, tuple,
};

use Type::{Bool, Char, S8, S16, S32, S64, U8, U16, U32, U64};

#[track_caller]
fn heap(element: Type, expected: Vec<Val>, at: (u32, u32), memory: &[u8]) {
    let (ptr, length) = at;
    there_and_back(
        TestGuest::with_memory(memory),
        &list(element),
        &[i32(ptr), i32(length)],
        &Val::List(expected),
    );
}

fn tuple_of(vals: Vec<Val>) -> Val {
    Val::Tuple(vals)
}

#[test]
fn lists_of_scalars() {
    let bools = || [true, false, true].map(Val::Bool).to_vec();
    heap(Bool, bools(), (0, 3), &[1, 0, 1]);
    heap(Bool, bools(), (0, 3), &[1, 0, 2]);
    heap(Bool, bools(), (3, 3), &[0xff, 0xff, 0xff, 1, 0, 1]);
    heap(U16, [1, 2, 3].map(Val::U16).to_vec(), (0, 3), &[1, 0, 2, 0, 3, 0]);
    heap(
        U32,
        [1, 2].map(Val::U32).to_vec(),
        (0, 2),
        &[1, 0, 0, 0, 2, 0, 0, 0],
    );
    heap(U64, [1].map(Val::U64).to_vec(), (0, 1), &[1, 0, 0, 0, 0, 0, 0, 0]);
    heap(
        S8,
        [-1, -2, -3].map(Val::S8).to_vec(),
        (0, 3),
        &[0xff, 0xfe, 0xfd],
    );
    heap(
        S16,
        [-1, -2].map(Val::S16).to_vec(),
        (0, 2),
        &[0xff, 0xff, 0xfe, 0xff],
    );
    heap(S32, [-1].map(Val::S32).to_vec(), (0, 1), &[0xff; 4]);
    heap(
        S64,
        [-2].map(Val::S64).to_vec(),
        (0, 1),
        &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    );
    heap(
        Char,
        ['A', 'c'].map(Val::Char).to_vec(),
        (0, 2),
        &[65, 0, 0, 0, 99, 0, 0, 0],
    );
}

#[test]
fn lists_of_flags_ignore_unknown_bits() {
    heap(
        flags(2),
        vec![set(&[]), set(&["1"]), set(&["0", "1"])],
        (0, 3),
        &[0, 2, 3],
    );
    heap(
        flags(2),
        vec![set(&[]), set(&["1"]), set(&[])],
        (0, 3),
        &[0, 2, 4],
    );
    let all = |n| vec![Val::Flags(labels(n).into_vec()), set(&[])];
    heap(flags(9), all(9), (0, 2), &[0xff, 0x1, 0, 0]);
    heap(flags(9), all(9), (0, 2), &[0xff, 0x3, 0, 0]);
    heap(flags(17), all(17), (0, 2), &[0xff, 0xff, 0x1, 0, 0, 0, 0, 0]);
    heap(flags(17), all(17), (0, 2), &[0xff, 0xff, 0x3, 0, 0, 0, 0, 0]);
    heap(flags(32), all(32), (0, 2), &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
}

#[test]
fn a_list_of_u8_is_bytes_and_may_be_lowered_from_either_form() {
    let ty = list(U8);
    there_and_back(
        TestGuest::with_memory(&[1, 2, 3]),
        &ty,
        &[i32(0), i32(3)],
        &Val::Bytes(vec![1, 2, 3]),
    );
    let lifted = lift(&mut TestGuest::with_memory(&[1, 2, 3]), &ty, &[i32(1), i32(2)]).unwrap();
    assert!(matches!(&lifted, Val::Bytes(bytes) if bytes == &[2, 3]));
    for val in [Val::Bytes(vec![7, 8]), Val::List(vec![Val::U8(7), Val::U8(8)])] {
        let mut guest = TestGuest::new();
        assert_eq!(lower(&mut guest, &ty, &val), Ok(vec![i32(0), i32(2)]));
        assert_eq!(guest.memory, [7, 8]);
    }
}

#[test]
fn lists_of_sequences() {
    let u8s = |bytes: &[u8]| Val::Bytes(bytes.to_vec());
    let memory = [
        24, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 27, 0, 0, 0, 2, 0, 0, 0, 3, 4, 5, 6, 7,
    ];
    heap(
        list(U8),
        vec![u8s(&[3, 4, 5]), u8s(&[]), u8s(&[6, 7])],
        (0, 3),
        &memory,
    );
    let memory = [8, 0, 0, 0, 2, 0, 0, 0, 5, 0, 6, 0];
    heap(
        list(U16),
        vec![Val::List(vec![Val::U16(5), Val::U16(6)])],
        (0, 1),
        &memory,
    );
    let memory = [
        16, 0, 0, 0, 2, 0, 0, 0, 21, 0, 0, 0, 3, 0, 0, 0, b'h', b'i', 0xf, 0xf, 0xf, b'w', b'a', b't',
    ];
    heap(Type::String, vec![string("hi"), string("wat")], (0, 2), &memory);
    let fixed_of = |bytes: &[u8]| Val::FixedLengthList(bytes.iter().map(|byte| Val::U8(*byte)).collect());
    heap(
        fixed(U8, 2),
        vec![fixed_of(&[1, 2]), fixed_of(&[3, 4])],
        (0, 2),
        &[1, 2, 3, 4],
    );
    let memory = [6, 0xff, 7, 0, 8, 0xff, 0xff, 0xff, 9, 0, 0, 0];
    let val = tuple_of(vec![Val::U8(6), Val::U16(7), Val::U8(8), Val::U32(9)]);
    heap(tuple(&[U8, U16, U8, U32]), vec![val], (0, 1), &memory);
    let val = |a, b| tuple_of(vec![Val::U16(a), Val::U8(b)]);
    heap(
        tuple(&[U16, U8]),
        vec![val(6, 7), val(8, 9)],
        (0, 2),
        &[6, 0, 7, 0xff, 8, 0, 9, 0xff],
    );
    let nested = tuple(&[tuple(&[U16, U8]), U8]);
    let val = |a, b, c| tuple_of(vec![val(a, b), Val::U8(c)]);
    let memory = [4, 0, 5, 0xff, 6, 0xff, 7, 0, 8, 0xff, 9, 0xff];
    heap(nested, vec![val(4, 5, 6), val(7, 8, 9)], (0, 2), &memory);
}

#[test]
fn lowering_writes_only_the_bytes_of_the_value() {
    let mut guest = TestGuest::with_memory(&[0xee; 3]);
    let ty = list(tuple(&[U8, U32, option(U16)]));
    let element = tuple_of(vec![Val::U8(1), Val::U32(0x0403_0201), some(Val::U16(5))]);
    let none = tuple_of(vec![Val::U8(2), Val::U32(6), Val::Option(None)]);
    assert_eq!(
        lower(&mut guest, &ty, &Val::List(vec![element, none])),
        Ok(vec![i32(4), i32(2)])
    );
    // 0xaa is the fill byte of the test's allocator.
    let first = [1, 0xaa, 0xaa, 0xaa, 1, 2, 3, 4, 1, 0xaa, 5, 0];
    let second = [2, 0xaa, 0xaa, 0xaa, 6, 0, 0, 0, 0, 0xaa, 0xaa, 0xaa];
    assert_eq!(guest.memory[..4], [0xee, 0xee, 0xee, 0xaa]);
    assert_eq!(guest.memory[4..], [first, second].concat());
    assert_eq!(guest.allocations, [(4, 24)]);
}

#[test]
fn many_parameters_go_through_memory() {
    let plan = FuncPlan::new(&func(&[const { U16 }; 17], None)).unwrap();
    let args: Vec<Val> = (0..17).map(Val::U16).collect();
    let mut guest = TestGuest::with_memory(&[0xee]);
    // Content of an earlier call.
    let mut flat = vec![i32(99)];
    plan.lower_params(&mut guest, &args, &mut flat).unwrap();
    assert_eq!(flat, [i32(2)]);
    assert_eq!(guest.allocations, [(2, 34)]);
    assert_eq!(guest.memory[2..6], [0, 0, 1, 0]);
    assert_eq!(plan.lift_params(&mut guest, &flat), Ok(args));
}

#[test]
fn results_go_through_memory_in_both_directions() {
    let ty = tuple(&[U8, Type::String]);
    let plan = FuncPlan::new(&func(&[U64], Some(ty))).unwrap();
    let val = tuple_of(vec![Val::U8(9), string("hey")]);
    let mut guest = TestGuest::with_memory(&[0xee; 16]);
    let args = [crate::shorthand::i64(5), i32(4)];
    // The return pointer is not an argument ...
    assert_eq!(plan.lift_params(&mut guest, &args), Ok(vec![Val::U64(5)]));
    // ... but where the result goes.
    assert_eq!(plan.lower_result(&mut guest, Some(&val), &args), Ok(None));
    assert_eq!(
        guest.memory[4..16],
        [9, 0xee, 0xee, 0xee, 16, 0, 0, 0, 3, 0, 0, 0]
    );
    assert_eq!(guest.memory[16..], *b"hey");
    assert_eq!(plan.lift_result(&mut guest, &[i32(4)]), Ok(Some(val)));
}

#[test]
fn flat_results_need_no_memory() {
    let mut guest = TestGuest::new();
    let plan = FuncPlan::new(&func(&[], Some(U8))).unwrap();
    assert_eq!(
        plan.lower_result(&mut guest, Some(&Val::U8(3)), &[]),
        Ok(Some(i32(3)))
    );
    assert_eq!(plan.lift_result(&mut guest, &[i32(0x103)]), Ok(Some(Val::U8(3))));
    let plan = FuncPlan::new(&func(&[], None)).unwrap();
    assert_eq!(plan.lower_result(&mut guest, None, &[]), Ok(None));
    assert_eq!(plan.lift_result(&mut guest, &[]), Ok(None));
    assert_eq!(plan.lift_params(&mut guest, &[]), Ok(vec![]));
    assert_eq!(guest.allocations, []);
}

#[test]
fn results_must_be_there_exactly_when_the_type_says_so() {
    let mut guest = TestGuest::new();
    let with = FuncPlan::new(&func(&[], Some(U8))).unwrap();
    let without = FuncPlan::new(&func(&[], None)).unwrap();
    let missing = AbiError::MissingResult {
        expected: "u8".to_owned(),
    };
    assert_eq!(with.lower_result(&mut guest, None, &[]), Err(missing));
    let unexpected = AbiError::UnexpectedResult { got: "u8" };
    assert_eq!(
        without.lower_result(&mut guest, Some(&Val::U8(1)), &[]),
        Err(unexpected)
    );
}
