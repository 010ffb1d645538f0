//! Every kind of value crosses the boundary and comes back unchanged, on every backend, typed and untyped.

use airssys_wasm_test_support as common;

use airssys_wasm::Error;
use airssys_wasm::component::Val;
use common::{call, engines, strings, types_instance};

fn some(value: Val) -> Val {
    Val::Option(Some(Box::new(value)))
}

fn none() -> Val {
    Val::Option(None)
}

fn point(x: i32, y: i32) -> Val {
    Val::Record(vec![("x".into(), Val::S32(x)), ("y".into(), Val::S32(y))])
}

fn text(text: &str) -> Val {
    Val::String(text.into())
}

fn person(name: &str, age: u32, email: Option<&str>) -> Val {
    Val::Record(vec![
        ("name".into(), text(name)),
        ("age".into(), Val::U32(age)),
        (
            "email".into(),
            Val::Option(email.map(|email| Box::new(text(email)))),
        ),
    ])
}

fn group() -> Val {
    let shapes = vec![
        Val::Variant("circle".into(), Some(Box::new(Val::Float64(1.5)))),
        Val::Variant(
            "labelled".into(),
            Some(Box::new(Val::Tuple(vec![text("ß"), Val::U8(9)]))),
        ),
        Val::Variant("at".into(), Some(Box::new(point(-1, i32::MIN)))),
        Val::Variant("none".into(), None),
    ];
    let colours = vec![
        Val::List(vec![Val::Enum("red".into()), Val::Enum("blue".into())]),
        Val::List(vec![]),
        Val::List(vec![Val::Enum("green".into())]),
    ];
    Val::Record(vec![
        ("title".into(), text("a group 🦀")),
        (
            "members".into(),
            Val::List(vec![person("Ada", 36, Some("a@b")), person("", 0, None)]),
        ),
        ("centre".into(), some(point(1, 2))),
        ("shapes".into(), Val::List(shapes)),
        ("colours".into(), Val::List(colours)),
        (
            "outcome".into(),
            Val::Result(Err(Some(Box::new(some(text("why")))))),
        ),
        ("rights".into(), Val::Flags(vec!["read".into(), "execute".into()])),
    ])
}

/// Functions and values; each value must come back equal.
fn echoes() -> Vec<(&'static str, Vec<Val>)> {
    let wide = Val::Record(vec![
        ("a".into(), Val::U8(255)),
        ("b".into(), Val::U64(u64::MAX)),
        ("c".into(), Val::U16(0xffff)),
        ("d".into(), Val::Float64(-0.0)),
        ("e".into(), Val::Bool(true)),
        ("f".into(), Val::Char('🦀')),
        ("g".into(), text("x")),
        ("h".into(), Val::List(vec![Val::U16(1), Val::U16(65_535)])),
    ]);
    let all_flags = (0..32).map(|flag| format!("f{flag}").into()).collect();
    let nested = Val::List(vec![
        none(),
        some(Val::Tuple(vec![text("k"), Val::Bytes(vec![0, 1, 255])])),
        some(Val::Tuple(vec![text(""), Val::Bytes(vec![])])),
    ]);
    vec![
        ("echo-bool", vec![Val::Bool(true), Val::Bool(false)]),
        ("echo-u8", vec![Val::U8(0), Val::U8(255)]),
        ("echo-s8", vec![Val::S8(-128), Val::S8(127)]),
        ("echo-u16", vec![Val::U16(0), Val::U16(65_535)]),
        ("echo-s16", vec![Val::S16(i16::MIN), Val::S16(i16::MAX)]),
        ("echo-u32", vec![Val::U32(0), Val::U32(u32::MAX)]),
        ("echo-s32", vec![Val::S32(i32::MIN), Val::S32(-1)]),
        ("echo-u64", vec![Val::U64(0), Val::U64(u64::MAX)]),
        ("echo-s64", vec![Val::S64(i64::MIN), Val::S64(-1)]),
        (
            "echo-f32",
            vec![
                Val::Float32(1.5),
                Val::Float32(f32::INFINITY),
                Val::Float32(f32::NAN),
            ],
        ),
        (
            "echo-f64",
            vec![
                Val::Float64(-2.5),
                Val::Float64(f64::MIN_POSITIVE),
                Val::Float64(f64::NAN),
            ],
        ),
        (
            "echo-char",
            vec![Val::Char('a'), Val::Char('\u{d7ff}'), Val::Char('\u{10ffff}')],
        ),
        (
            "echo-string",
            vec![
                text(""),
                text("a\0b"),
                text("Žluťoučký kůň 🐎"),
                text(&"x".repeat(70_000)),
            ],
        ),
        (
            "echo-bytes",
            vec![Val::Bytes(vec![]), Val::Bytes((0..=255).collect())],
        ),
        ("echo-strings", vec![strings(&[]), strings(&["", "ä", "🦀"])]),
        (
            "echo-u32s",
            vec![Val::List(vec![Val::U32(1), Val::U32(u32::MAX)])],
        ),
        (
            "echo-f64s",
            vec![Val::List(vec![
                Val::Float64(0.1),
                Val::Float64(f64::NEG_INFINITY),
            ])],
        ),
        (
            "echo-bools",
            vec![Val::List(vec![
                Val::Bool(true),
                Val::Bool(false),
                Val::Bool(true),
            ])],
        ),
        (
            "echo-chars",
            vec![Val::List(vec![Val::Char('a'), Val::Char('🦀')])],
        ),
        ("echo-point", vec![point(i32::MAX, i32::MIN)]),
        (
            "echo-person",
            vec![person("Grace", 85, Some("g@h")), person("", 0, None)],
        ),
        (
            "echo-people",
            vec![Val::List(vec![person("a", 1, None), person("b", 2, Some(""))])],
        ),
        ("echo-wide", vec![wide]),
        ("echo-option", vec![none(), some(Val::U32(7))]),
        ("echo-option-string", vec![none(), some(text("s"))]),
        (
            "echo-nested-option",
            vec![none(), some(none()), some(some(Val::U8(1)))],
        ),
        (
            "echo-result",
            vec![
                Val::Result(Ok(Some(Box::new(Val::U32(1))))),
                Val::Result(Err(Some(Box::new(text("e"))))),
            ],
        ),
        (
            "echo-result-empty",
            vec![Val::Result(Ok(None)), Val::Result(Err(None))],
        ),
        (
            "echo-result-ok-only",
            vec![
                Val::Result(Ok(Some(Box::new(Val::U64(1 << 40))))),
                Val::Result(Err(None)),
            ],
        ),
        (
            "echo-result-err-only",
            vec![
                Val::Result(Ok(None)),
                Val::Result(Err(Some(Box::new(Val::Float32(0.5))))),
            ],
        ),
        (
            "echo-shape",
            vec![
                Val::Variant("square".into(), Some(Box::new(Val::Float64(2.0)))),
                Val::Variant(
                    "labelled".into(),
                    Some(Box::new(Val::Tuple(vec![text("l"), Val::U8(3)]))),
                ),
                Val::Variant("at".into(), Some(Box::new(point(3, 4)))),
                Val::Variant("none".into(), None),
            ],
        ),
        (
            "echo-colour",
            vec![Val::Enum("red".into()), Val::Enum("blue".into())],
        ),
        (
            "echo-permissions",
            vec![Val::Flags(vec![]), Val::Flags(vec!["write".into()])],
        ),
        (
            "echo-many-flags",
            vec![Val::Flags(all_flags), Val::Flags(vec!["f31".into()])],
        ),
        (
            "echo-tuple",
            vec![Val::Tuple(vec![Val::U8(1), text("two"), Val::S64(-3)])],
        ),
        ("echo-one-tuple", vec![Val::Tuple(vec![Val::U32(1)])]),
        ("echo-nested", vec![nested, Val::List(vec![])]),
        ("echo-group", vec![group()]),
    ]
}

#[test]
fn every_kind_of_value_comes_back_as_it_was() {
    for engine in engines() {
        let (mut store, instance) = types_instance(&engine);
        for (function, values) in echoes() {
            for value in values {
                let back = call(
                    &mut store,
                    &instance,
                    "echoes",
                    function,
                    std::slice::from_ref(&value),
                )
                .unwrap_or_else(|error| panic!("{}: {function}: {error}", engine.backend()));
                assert_eq!(back.as_ref(), Some(&value), "{}: {function}", engine.backend());
            }
        }
    }
}

#[test]
fn every_echo_of_the_fixture_is_called() {
    let (_, instance) = types_instance(&common::default_engine());
    let exports = instance.component().exports();
    let (_, echoes_type) = exports
        .iter()
        .find(|(name, _)| name == "fixtures:types/echoes")
        .expect("exported");
    let airssys_wasm::component::ExternType::Instance(items) = echoes_type else {
        panic!("an instance")
    };
    let called: Vec<&str> = echoes().iter().map(|(name, _)| *name).collect();
    for (name, _) in items.iter().filter(|(name, _)| name.starts_with("echo-")) {
        assert!(called.contains(&name.as_str()), "`{name}` is not called");
    }
}

#[test]
fn parameters_and_results_beyond_the_flat_limits_go_through_memory() {
    for engine in engines() {
        let (mut store, instance) = types_instance(&engine);
        let many = [
            Val::U8(1),
            Val::U16(2),
            Val::U32(3),
            Val::U64(4),
            Val::S8(-5),
            Val::S16(-6),
            Val::S32(-7),
            Val::S64(-8),
            Val::Float32(0.5),
            Val::Float64(0.25),
            Val::Bool(true),
            Val::Char('a'),
            Val::U32(10),
            Val::U32(11),
            Val::U32(12),
            Val::U32(13),
            Val::U32(14),
        ];
        let sum = 1 + 2 + 3 + 4 - 5 - 6 - 7 - 8 + 1 + 97 + 10 + 11 + 12 + 13 + 14;
        let result = call(&mut store, &instance, "echoes", "sum-many", &many).unwrap();
        assert_eq!(result, Some(Val::Float64(f64::from(sum) + 0.75)));
        let sixteen: Vec<Val> = (0..16).map(Val::U32).collect();
        let result = call(&mut store, &instance, "echoes", "sum-sixteen", &sixteen).unwrap();
        assert_eq!(result, Some(Val::U64(120)));
        let result = call(
            &mut store,
            &instance,
            "echoes",
            "divide",
            &[Val::U32(17), Val::U32(5)],
        )
        .unwrap();
        assert_eq!(result, Some(Val::Tuple(vec![Val::U32(3), Val::U32(2)])));
    }
}

#[test]
fn typed_calls_agree_with_untyped_ones() {
    for engine in engines() {
        let (mut store, instance) = types_instance(&engine);
        macro_rules! echo {
            ($name:literal, $value:expr, $ty:ty, $val:expr) => {{
                let path = ["fixtures:types/echoes", $name];
                let func = instance
                    .get_typed_func::<($ty,), ($ty,)>(&mut store, &path)
                    .expect($name);
                let value: $ty = $value;
                let (back,) = func.call(&mut store, (value.clone(),)).expect($name);
                assert_eq!(back, value, "{}", $name);
                let argument: Val = $val;
                let untyped = call(
                    &mut store,
                    &instance,
                    "echoes",
                    $name,
                    std::slice::from_ref(&argument),
                )
                .unwrap();
                assert_eq!(untyped, Some(argument), "{}", $name);
            }};
        }
        let boxed = |val: Val| Some(Box::new(val));
        let number = Val::U32;
        echo!("echo-bool", true, bool, Val::Bool(true));
        echo!("echo-u64", u64::MAX, u64, Val::U64(u64::MAX));
        echo!("echo-s8", -1, i8, Val::S8(-1));
        echo!("echo-f64", 0.1, f64, Val::Float64(0.1));
        echo!("echo-char", 'ß', char, Val::Char('ß'));
        echo!("echo-string", "Grüße".to_owned(), String, text("Grüße"));
        echo!("echo-bytes", vec![1, 2, 3], Vec<u8>, Val::Bytes(vec![1, 2, 3]));
        echo!(
            "echo-u32s",
            vec![1, u32::MAX],
            Vec<u32>,
            Val::List(vec![number(1), number(u32::MAX)])
        );
        echo!(
            "echo-strings",
            vec!["a".to_owned(), String::new()],
            Vec<String>,
            strings(&["a", ""])
        );
        echo!("echo-option", Some(3), Option<u32>, some(number(3)));
        echo!(
            "echo-nested-option",
            Some(None),
            Option<Option<u8>>,
            some(Val::Option(None))
        );
        echo!("echo-result", Err("no".to_owned()), Result<u32, String>, Val::Result(Err(boxed(text("no")))));
        echo!("echo-result-empty", Ok(()), Result<(), ()>, Val::Result(Ok(None)));
        echo!("echo-result-ok-only", Err(()), Result<u64, ()>, Val::Result(Err(None)));
        echo!(
            "echo-tuple",
            (1, "two".to_owned(), -3),
            (u8, String, i64),
            Val::Tuple(vec![Val::U8(1), text("two"), Val::S64(-3)])
        );
        echo!("echo-one-tuple", (1,), (u32,), Val::Tuple(vec![number(1)]));
        echo!(
            "echo-nested",
            vec![None, Some(("k".to_owned(), vec![7]))],
            Vec<Option<(String, Vec<u8>)>>,
            Val::List(vec![
                Val::Option(None),
                some(Val::Tuple(vec![text("k"), Val::Bytes(vec![7])])),
            ])
        );
    }
}

#[test]
fn a_typed_function_of_the_wrong_type_is_refused_when_it_is_looked_up() {
    let (mut store, instance) = types_instance(&common::default_engine());
    let path = ["fixtures:types/echoes", "echo-u32"];
    let error = instance
        .get_typed_func::<(u64,), (u32,)>(&mut store, &path)
        .unwrap_err();
    assert!(matches!(error, Error::TypeMismatch { .. }), "{error}");
    assert!(
        error.to_string().contains("u64") && error.to_string().contains("u32"),
        "{error}"
    );
    assert!(
        error.to_string().contains("`fixtures:types/echoes#echo-u32`"),
        "{error}"
    );
    assert!(
        instance
            .get_typed_func::<(u32, u32), (u32,)>(&mut store, &path)
            .is_err()
    );
    assert!(instance.get_typed_func::<(u32,), ()>(&mut store, &path).is_err());
}

#[test]
fn wrong_arguments_are_refused_and_leave_the_instance_as_it_was() {
    let (mut store, instance) = types_instance(&common::default_engine());
    let wrong: [&[Val]; 4] = [
        &[],
        &[Val::U64(1)],
        &[Val::U32(1), Val::U32(2)],
        &[Val::Bytes(vec![1])],
    ];
    for args in wrong {
        let error = call(&mut store, &instance, "echoes", "echo-u32", args).unwrap_err();
        assert!(matches!(error, Error::Argument(_)), "{error}");
    }
    let back = call(&mut store, &instance, "echoes", "echo-u32", &[Val::U32(5)]).unwrap();
    assert_eq!(back, Some(Val::U32(5)));
}

#[test]
fn calls_from_the_guest_reach_the_host() {
    for engine in engines() {
        let (mut store, instance) = types_instance(&engine);
        let mut calling =
            |function, args: &[Val]| call(&mut store, &instance, "calling", function, args).unwrap();
        assert_eq!(
            calling("call-add", &[Val::U32(2), Val::U32(40)]),
            Some(Val::U32(42))
        );
        assert_eq!(
            calling("call-concat", &[strings(&["a", "ß", "🦀"])]),
            Some(text("aß🦀"))
        );
        assert_eq!(
            calling("call-fail", &[some(text("because"))]),
            Some(Val::Result(Err(Some(Box::new(text("because"))))))
        );
        assert_eq!(calling("call-nothing", &[]), None);
        assert_eq!(calling("call-add-often", &[Val::U32(1000)]), Some(Val::U32(1000)));
        assert_eq!(store.data().nothings, 1);
    }
}
