//! Derived types against a component with these types: type checks, conversions, refusals.

use airssys_wasm_test_support as common;
use airssys_wasm_test_support::echo;

use airssys_wasm::component::{
    Component, ComponentType, Instance, Lift, Linker, Lower, Store, StoreContextMut, Val, flags,
};
use airssys_wasm::engine::Engine;
use common::default_engine;
use wit_component::StringEncoding;

const WIT: &str = r#"
    package test:derive;

    interface types {
        record person { full-name: string, age: u8, %type: option<kind>, cx: u64, flat: list<u16>, at: char, plan: bool }
        variant shape { circle(f64), named(person), many(list<kind>), pair(tuple<u8, s64>), none }
        enum kind { first, second-one, %enum }
        flags rights { read, write, run-it }
        variant empty { a, b, c }
        record one { rights: rights }
        record wide { a: u64, b: u8, c: u64, d: string, e: s16, f: f32, g: f64, h: option<u8>, i: list<string>,
            j: result<u32, f32>, k: u8 }
        record generic { first: string, second: list<u64>, shape: shape }
        variant either { left(person), right(u32) }

    }

    interface host {
        use types.{person, shape, kind, rights, empty, one, wide, generic, either};
        probe: func(memory: list<u8>);
        fill: func() -> list<u8>;
        echo-person: func(value: person) -> person;
        echo-shape: func(value: shape) -> shape;
        echo-kind: func(value: kind) -> kind;
        echo-empty: func(value: empty) -> empty;
        echo-one: func(value: one) -> one;
        echo-wide: func(value: wide) -> wide;
        echo-generic: func(value: generic) -> generic;
        echo-either: func(value: either) -> either;
    }

    interface guest {
        use types.{person, shape, kind, rights, empty, one, wide, generic, either};
        echo-person: func(value: person) -> person;
        echo-shape: func(value: shape) -> shape;
        echo-kind: func(value: kind) -> kind;
        echo-empty: func(value: empty) -> empty;
        echo-one: func(value: one) -> one;
        echo-wide: func(value: wide) -> wide;
        echo-generic: func(value: generic) -> generic;
        echo-either: func(value: either) -> either;
        make-shape: func() -> shape;
        make-kind: func() -> kind;
    }

    world w { import host; export guest; }
"#;

/// Fields named like the local variables of derived code, and like a keyword.
#[derive(ComponentType, Lower, Lift, Clone, PartialEq, Debug)]
#[component(record)]
struct Person {
    #[component(name = "full-name")]
    full_name: String,
    age: u8,
    r#type: Option<Kind>,
    cx: u64,
    flat: Vec<u16>,
    at: char,
    plan: bool,
}

#[derive(ComponentType, Lower, Lift, Clone, PartialEq, Debug)]
#[component(variant)]
enum Shape {
    #[component(name = "circle")]
    Circle(f64),
    #[component(name = "named")]
    Named(Person),
    #[component(name = "many")]
    Many(Vec<Kind>),
    #[component(name = "pair")]
    Pair((u8, i64)),
    #[component(name = "none")]
    None,
}

#[derive(ComponentType, Lower, Lift, Clone, Copy, PartialEq, Debug)]
#[component(enum)]
#[allow(
    non_camel_case_types,
    reason = "a case that is called as its identifier is written"
)]
enum Kind {
    first,
    #[component(name = "second-one")]
    Second,
    r#enum,
}

#[derive(ComponentType, Lower, Lift, Clone, Copy, PartialEq, Debug)]
#[component(variant)]
enum Empty {
    #[component(name = "a")]
    A,
    #[component(name = "b")]
    B,
    #[component(name = "c")]
    C,
}

flags! {
    Rights {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
        #[component(name = "run-it")]
        const RUN_IT;
    }
}

#[derive(ComponentType, Lower, Lift, Clone, PartialEq, Debug)]
#[component(record)]
struct One {
    rights: Rights,
}

#[derive(ComponentType, Lower, Lift, Clone, PartialEq, Debug)]
#[component(record)]
struct Wide {
    a: u64,
    b: u8,
    c: u64,
    d: String,
    e: i16,
    f: f32,
    g: f64,
    h: Option<u8>,
    i: Vec<String>,
    j: Result<u32, f32>,
    k: u8,
}

/// A type with parameters, bounds and a default.
#[derive(ComponentType, Lower, Lift, Clone, PartialEq, Debug)]
#[component(record)]
struct Generic<T, U = Vec<u64>>
where
    T: Clone,
{
    first: T,
    second: U,
    shape: Shape,
}

/// Borrowed data is lowered in place.
#[derive(ComponentType, Lower, Debug)]
#[component(record)]
struct Borrowed<'a, T: ?Sized> {
    first: &'a str,
    second: &'a T,
    shape: &'a Shape,
}

#[derive(ComponentType, Lower, Lift, Clone, PartialEq, Debug)]
#[component(variant)]
enum Either<L, R> {
    #[component(name = "left")]
    Left(L),
    #[component(name = "right")]
    Right(R),
}

/// The crate under another name.
mod elsewhere {
    use ::airssys_wasm as host;

    #[derive(host::component::ComponentType, host::component::Lower, host::component::Lift)]
    #[component(enum)]
    #[component(crate = self::host)]
    pub(super) enum Kind {
        #[component(name = "first")]
        First,
        #[component(name = "second-one")]
        Second,
        #[component(name = "enum")]
        Enum,
    }
}

/// Derived code does not rely on names of the prelude.
mod hostile_names {
    #![allow(dead_code, reason = "they are there to be confused with")]

    struct Result;
    struct Option;
    struct String;
    struct Ok;
    struct Err;
    struct Layout;
    struct Plan;
    struct From;
    trait Into {}
    const INDEX: u8 = 0;

    #[derive(super::ComponentType, super::Lower, super::Lift)]
    #[component(variant)]
    pub(super) enum Empty {
        #[component(name = "a")]
        Ok,
        #[component(name = "b")]
        Err,
        #[component(name = "c")]
        Some,
    }
}

/// The result of `fill`.
type Fill = Vec<u8>;

fn linker() -> Linker<Fill> {
    let mut linker = Linker::new(&default_engine());
    let mut host = linker.instance("test:derive/host").unwrap();
    type Cx<'a> = StoreContextMut<'a, Fill>;
    host.func_wrap("probe", |_: Cx<'_>, (_,): (Vec<u8>,)| Ok(()))
        .unwrap();
    host.func_wrap("fill", |cx: Cx<'_>, (): ()| Ok((cx.data().clone(),)))
        .unwrap();
    host.func_wrap("echo-person", |_: Cx<'_>, (value,): (Person,)| Ok((value,)))
        .unwrap();
    host.func_wrap("echo-shape", |_: Cx<'_>, (value,): (Shape,)| Ok((value,)))
        .unwrap();
    host.func_wrap("echo-kind", |_: Cx<'_>, (value,): (Kind,)| Ok((value,)))
        .unwrap();
    host.func_wrap("echo-empty", |_: Cx<'_>, (value,): (Empty,)| Ok((value,)))
        .unwrap();
    host.func_wrap("echo-one", |_: Cx<'_>, (value,): (One,)| Ok((value,)))
        .unwrap();
    host.func_wrap("echo-wide", |_: Cx<'_>, (value,): (Wide,)| Ok((value,)))
        .unwrap();
    host.func_wrap("echo-generic", |_: Cx<'_>, (value,): (Generic<String>,)| {
        Ok((value,))
    })
    .unwrap();
    host.func_wrap("echo-either", |_: Cx<'_>, (value,): (Either<Person, u32>,)| {
        Ok((value,))
    })
    .unwrap();
    linker
}

struct Guest {
    store: Store<Fill>,
    instance: Instance,
}

impl Guest {
    fn new() -> Guest {
        let engine: Engine = default_engine();
        let (resolve, world) = echo::world(WIT, "w");
        let bytes = echo::component(&resolve, world, StringEncoding::UTF8);
        let component = Component::from_binary(&engine, &bytes).expect("the guest loads");
        let mut store = Store::new(&engine, Fill::new());
        let instance = linker()
            .instantiate(&mut store, &component)
            .expect("the types fit");
        Guest { store, instance }
    }

    fn func(&mut self, name: &str) -> airssys_wasm::component::Func {
        self.instance
            .get_func(&mut self.store, ["test:derive/guest", name])
            .expect("exported")
    }

    /// Calls `name` with a typed value; returns the typed result.
    fn echo<P: Lower, R: Lift>(&mut self, name: &str, value: P) -> R {
        let func = self
            .func(name)
            .typed::<(P,), (R,)>(&self.store)
            .expect("the types fit");
        let (back,) = func.call(&mut self.store, (value,)).expect("an echo");
        back
    }

    /// Returns the reason for which the types do not fit.
    fn refused<P: Lower, R: Lift>(&mut self, name: &str) -> String {
        let typed = self.func(name).typed::<(P,), (R,)>(&self.store);
        typed.expect_err("other types").to_string()
    }

    /// Returns the result of a function that returns these bytes.
    fn made<R: Lift>(name: &str, bytes: &[u8]) -> airssys_wasm::Result<R> {
        let mut guest = Guest::new();
        let mut fill = vec![0; echo::RESULT - echo::DUMP];
        fill.extend(bytes);
        *guest.store.data_mut() = fill;
        let func = guest
            .func(name)
            .typed::<(), (R,)>(&guest.store)
            .expect("the types fit");
        func.call(&mut guest.store, ()).map(|(value,)| value)
    }
}

fn person() -> Person {
    Person {
        full_name: "Ada L.".into(),
        age: 36,
        r#type: Some(Kind::r#enum),
        cx: u64::MAX,
        flat: vec![1, 65_535],
        at: '🦀',
        plan: true,
    }
}

fn shapes() -> Vec<Shape> {
    vec![
        Shape::Circle(-0.0),
        Shape::Named(person()),
        Shape::Named(Person {
            r#type: None,
            ..person()
        }),
        Shape::Many(vec![Kind::first, Kind::Second, Kind::r#enum]),
        Shape::Many(vec![]),
        Shape::Pair((255, i64::MIN)),
        Shape::None,
    ]
}

fn wide() -> Wide {
    Wide {
        a: 1,
        b: 2,
        c: 3,
        d: "d".into(),
        e: -4,
        f: 0.5,
        g: -0.25,
        h: Some(7),
        i: vec!["x".into(), String::new()],
        j: Err(1.5),
        k: 9,
    }
}

#[test]
fn values_come_back_as_they_were() {
    let mut guest = Guest::new();
    assert_eq!(guest.echo::<_, Person>("echo-person", person()), person());
    for shape in shapes() {
        assert_eq!(guest.echo::<_, Shape>("echo-shape", &shape), shape);
    }
    for kind in [Kind::first, Kind::Second, Kind::r#enum] {
        assert_eq!(guest.echo::<_, Kind>("echo-kind", kind), kind);
    }
    for empty in [Empty::A, Empty::B, Empty::C] {
        assert_eq!(guest.echo::<_, Empty>("echo-empty", empty), empty);
    }
    let one = One {
        rights: Rights::READ | Rights::RUN_IT,
    };
    assert_eq!(guest.echo::<_, One>("echo-one", &one), one);
    for j in [Ok(u32::MAX), Err(f32::MIN)] {
        let wide = Wide { j, ..wide() };
        assert_eq!(guest.echo::<_, Wide>("echo-wide", &wide), wide);
    }
}

#[test]
fn parameters_of_a_type_take_part() {
    let mut guest = Guest::new();
    for shape in shapes() {
        let generic = Generic {
            first: String::from("f"),
            second: vec![1, 2],
            shape,
        };
        assert_eq!(
            guest.echo::<_, Generic<String>>("echo-generic", &generic),
            generic
        );
        let borrowed = Borrowed {
            first: "f",
            second: &[1_u64, 2][..],
            shape: &generic.shape,
        };
        assert_eq!(
            guest.echo::<_, Generic<String>>("echo-generic", borrowed),
            generic
        );
    }
    for either in [Either::Left(person()), Either::Right(7)] {
        assert_eq!(
            guest.echo::<_, Either<Person, u32>>("echo-either", &either),
            either
        );
    }
}

#[test]
fn a_derived_type_and_a_dynamic_value_are_the_same_to_the_guest() {
    let mut guest = Guest::new();
    let func = guest.func("echo-shape");
    let pair = Val::Tuple(vec![Val::U8(1), Val::S64(-2)]);
    let value = Val::Variant("pair".into(), Some(Box::new(pair)));
    let back = func
        .call_dynamic(&mut guest.store, std::slice::from_ref(&value))
        .unwrap();
    assert_eq!(back, Some(value));
}

#[test]
fn hygiene_and_other_paths() {
    let mut guest = Guest::new();
    use elsewhere::Kind as Elsewhere;
    for kind in [Elsewhere::First, Elsewhere::Second, Elsewhere::Enum] {
        let number = match &kind {
            Elsewhere::First => 0,
            Elsewhere::Second => 1,
            Elsewhere::Enum => 2,
        };
        assert_eq!(guest.echo::<_, Kind>("echo-kind", kind) as u32, number);
    }
    use hostile_names::Empty as Hostile;
    assert!(matches!(guest.echo("echo-empty", Hostile::Err), Hostile::Err));
    assert!(matches!(guest.echo("echo-empty", Empty::A), Hostile::Ok));
    assert!(matches!(guest.echo("echo-empty", Hostile::Some), Empty::C));
}

#[test]
fn what_differs_is_said() {
    #[derive(ComponentType, Lower, Lift)]
    #[component(record)]
    struct Narrow {
        rights: Rights,
        more: u8,
    }

    #[derive(ComponentType, Lower, Lift)]
    #[component(record)]
    struct Renamed {
        right: Rights,
    }

    #[derive(ComponentType, Lower, Lift)]
    #[component(record)]
    struct Retyped {
        rights: u8,
    }

    #[derive(ComponentType, Lower, Lift)]
    #[component(variant)]
    enum Payloads {
        #[component(name = "a")]
        A,
        #[component(name = "b")]
        B(u8),
        #[component(name = "c")]
        C,
    }

    #[derive(ComponentType, Lower, Lift)]
    #[component(variant)]
    enum NoPayload {
        #[component(name = "left")]
        Left(Person),
        #[component(name = "right")]
        Right,
    }

    #[derive(ComponentType, Lower, Lift)]
    #[component(enum)]
    enum Order {
        #[component(name = "second-one")]
        Second,
        #[component(name = "first")]
        First,
        #[component(name = "enum")]
        Enum,
    }

    let mut guest = Guest::new();
    let message = guest.refused::<Narrow, One>("echo-one");
    assert!(
        message.contains("the host has 2 fields, the component has 1"),
        "{message}"
    );
    let message = guest.refused::<Renamed, One>("echo-one");
    assert!(
        message.contains("field `right` where the component has `rights`"),
        "{message}"
    );
    let message = guest.refused::<Retyped, One>("echo-one");
    assert!(message.contains("field `rights`: the host has `u8`"), "{message}");
    let message = guest.refused::<Payloads, Empty>("echo-empty");
    assert!(
        message.contains("case `b`: expected a payload, found none"),
        "{message}"
    );
    let message = guest.refused::<NoPayload, Either<Person, u32>>("echo-either");
    assert!(message.contains("case `right`: the host has `()`"), "{message}");
    let message = guest.refused::<Order, Kind>("echo-kind");
    assert!(
        message.contains("case `second-one` where the component has `first`"),
        "{message}"
    );
    let message = guest.refused::<Empty, Kind>("echo-kind");
    assert!(message.contains("Empty"), "{message}");
}

#[test]
fn discriminants_are_checked_before_payloads() {
    let shape = |discriminant, bytes: &[u8]| {
        let mut value = vec![0; 64];
        value[0] = discriminant;
        value[8..8 + bytes.len()].copy_from_slice(bytes);
        Guest::made::<Shape>("make-shape", &value).map_err(|error| error.to_string())
    };
    assert_eq!(shape(0, &1.5_f64.to_le_bytes()), Ok(Shape::Circle(1.5)));
    assert_eq!(
        shape(4, &[0xff; 32]),
        Ok(Shape::None),
        "a payload that is none is not looked at"
    );
    let error = shape(5, &[0xff; 32]).unwrap_err();
    assert!(
        error.contains("discriminant 5 is out of range: there are 5 cases"),
        "{error}"
    );
    let error = shape(2, &[0xff; 32]).unwrap_err();
    assert!(error.contains("exceeds the maximum"), "{error}");
    assert_eq!(
        Guest::made::<Kind>("make-kind", &[1, 0, 0, 0]).unwrap(),
        Kind::Second
    );
    let error = Guest::made::<Kind>("make-kind", &[3, 1, 0, 0])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("discriminant 259 is out of range: there are 3 cases"),
        "{error}"
    );
}

#[test]
fn a_value_too_long_is_found_where_it_is() {
    let mut guest = Guest::new();
    // Zeroed and never touched, so it uses no memory.
    let long = || vec![0_u16; 1 << 27];
    let bytes = 1_u32 << 28;
    let person = Person {
        flat: long(),
        ..person()
    };
    let mut refused = |name: &str, value: Either<&Person, Shape>| {
        let func = guest.func(name);
        let error = match value {
            Either::Left(person) => func
                .typed::<(&Person,), (Person,)>(&guest.store)
                .unwrap()
                .call(&mut guest.store, (person,))
                .err(),
            Either::Right(shape) => func
                .typed::<(Shape,), (Shape,)>(&guest.store)
                .unwrap()
                .call(&mut guest.store, (shape,))
                .err(),
        };
        error.expect("too long").to_string()
    };
    let error = refused("echo-person", Either::Left(&person));
    assert!(
        error.contains(&format!(
            "argument 0: field \"flat\": the value takes {bytes} bytes"
        )),
        "{error}"
    );
    let error = refused("echo-shape", Either::Right(Shape::Named(person)));
    assert!(
        error.contains(&format!(
            "argument 0: case \"named\": field \"flat\": the value takes {bytes} bytes"
        )),
        "{error}"
    );
    let func = guest
        .func("echo-kind")
        .typed::<(Kind,), (Kind,)>(&guest.store)
        .unwrap();
    let (kind,) = func
        .call(&mut guest.store, (Kind::first,))
        .expect("the instance is as it was");
    assert_eq!(kind, Kind::first);
}
