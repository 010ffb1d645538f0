//! Flat values of each type, lifted and lowered again.

use std::sync::Arc;

use airssys_wasm_abi::{AbiError, CoreValue, EnumType, FlagsType, FuncPlan, Type};

use crate::guest::TestGuest;
use crate::shorthand::{
    Val, case, f32, f64, fixed, flags, func, i32, i64, labels, lift, lower, name, option, record, result,
    set, some, there_and_back, tuple, variant,
};

use Type::{Bool, Char, Float32, Float64, S8, S16, S32, S64, U8, U16, U32, U64};

#[track_caller]
fn pairs(ty: &Type, pairs: &[(CoreValue, Val)]) {
    for (flat, val) in pairs {
        there_and_back(TestGuest::new(), ty, &[*flat], val);
    }
}

#[test]
fn integers_ignore_the_bits_above_their_own() {
    let bool_pairs = [(0, false), (1, true), (2, true), (256, true), (u32::MAX, true)];
    pairs(&Bool, &bool_pairs.map(|(flat, val)| (i32(flat), Val::Bool(val))));
    let minus = |n: u32| u32::MAX - (n - 1);
    let u8s = [
        (127, 127),
        (128, 128),
        (255, 255),
        (256, 0),
        (u32::MAX, 255),
        (minus(128), 128),
        (minus(129), 127),
    ];
    pairs(&U8, &u8s.map(|(flat, val)| (i32(flat), Val::U8(val))));
    let s8s = [
        (127, 127),
        (128, -128),
        (255, -1),
        (256, 0),
        (u32::MAX, -1),
        (minus(128), -128),
        (minus(129), 127),
    ];
    pairs(&S8, &s8s.map(|(flat, val)| (i32(flat), Val::S8(val))));
    let u16s = [
        (32767, 32767),
        (32768, 32768),
        (65535, 65535),
        (65536, 0),
        (u32::MAX, 65535),
        (minus(32769), 32767),
    ];
    pairs(&U16, &u16s.map(|(flat, val)| (i32(flat), Val::U16(val))));
    let s16s = [
        (32767, 32767),
        (32768, -32768),
        (65535, -1),
        (65536, 0),
        (minus(32768), -32768),
        (minus(32769), 32767),
    ];
    pairs(&S16, &s16s.map(|(flat, val)| (i32(flat), Val::S16(val))));
    pairs(&U32, &[0, 1 << 31, u32::MAX].map(|n| (i32(n), Val::U32(n))));
    pairs(
        &S32,
        &[0, i32::MAX, i32::MIN, -1].map(|n| (CoreValue::I32(n), Val::S32(n))),
    );
    pairs(&U64, &[0, 1 << 63, u64::MAX].map(|n| (i64(n), Val::U64(n))));
    pairs(
        &S64,
        &[0, i64::MAX, i64::MIN, -1].map(|n| (CoreValue::I64(n), Val::S64(n))),
    );
}

#[test]
fn signed_integers_lower_sign_extended() {
    for (ty, val) in [(S8, Val::S8(-1)), (S16, Val::S16(-1)), (S32, Val::S32(-1))] {
        assert_eq!(
            lower(&mut TestGuest::new(), &ty, &val),
            Ok(vec![CoreValue::I32(-1)])
        );
    }
    assert_eq!(
        lower(&mut TestGuest::new(), &U8, &Val::U8(255)),
        Ok(vec![i32(255)])
    );
    assert_eq!(
        lower(&mut TestGuest::new(), &U16, &Val::U16(65535)),
        Ok(vec![i32(65535)])
    );
}

#[test]
fn floats_keep_their_value_and_lose_their_nan_bits() {
    pairs(
        &Float32,
        &[1.1f32, -0.0, f32::INFINITY].map(|n| (f32(n), Val::Float32(n))),
    );
    pairs(
        &Float64,
        &[1.1f64, -0.0, f64::INFINITY].map(|n| (f64(n), Val::Float64(n))),
    );
    for bits in [
        0x7fc0_0000,
        0x7fc0_0001,
        0x7fe0_0000,
        0x7fff_ffff,
        0xffff_ffff,
        0x7f80_0001,
    ] {
        let Ok(Val::Float32(lifted)) = lift(&mut TestGuest::new(), &Float32, &[CoreValue::F32(bits)]) else {
            panic!()
        };
        assert_eq!(lifted.to_bits(), 0x7fc0_0000);
        let lowered = lower(
            &mut TestGuest::new(),
            &Float32,
            &Val::Float32(f32::from_bits(bits)),
        );
        assert_eq!(lowered, Ok(vec![CoreValue::F32(0x7fc0_0000)]));
    }
    for bits in [0x7ff8_0000_0000_0001, 0x7ffc_0000_0000_0000, u64::MAX] {
        let Ok(Val::Float64(lifted)) = lift(&mut TestGuest::new(), &Float64, &[CoreValue::F64(bits)]) else {
            panic!()
        };
        assert_eq!(lifted.to_bits(), 0x7ff8_0000_0000_0000);
        let lowered = lower(
            &mut TestGuest::new(),
            &Float64,
            &Val::Float64(f64::from_bits(bits)),
        );
        assert_eq!(lowered, Ok(vec![CoreValue::F64(0x7ff8_0000_0000_0000)]));
    }
}

#[test]
fn chars_are_scalar_values() {
    for char in ['\0', 'A', '\u{d7ff}', '\u{e000}', '\u{10ffff}'] {
        pairs(&Char, &[(i32(u32::from(char)), Val::Char(char))]);
    }
    for bad in [0xd800, 0xdbff, 0xdc00, 0xdfff, 0x11_0000, u32::MAX] {
        let error = lift(&mut TestGuest::new(), &Char, &[i32(bad)]).unwrap_err();
        assert_eq!(error, AbiError::InvalidChar(bad));
        assert!(error.is_guest_fault());
    }
}

#[test]
fn enums() {
    let ty = Type::Enum(Arc::new(EnumType {
        names: Box::new([name("a"), name("b")]),
    }));
    pairs(
        &ty,
        &[(i32(0), Val::Enum(name("a"))), (i32(1), Val::Enum(name("b")))],
    );
    for bad in [2, 256, u32::MAX] {
        let error = AbiError::InvalidDiscriminant { got: bad, cases: 2 };
        assert_eq!(lift(&mut TestGuest::new(), &ty, &[i32(bad)]), Err(error));
    }
}

#[test]
fn flags_ignore_unknown_bits() {
    let ty = Type::Flags(Arc::new(FlagsType {
        names: Box::new([name("a"), name("b")]),
    }));
    pairs(
        &ty,
        &[
            (i32(0), set(&[])),
            (i32(1), set(&["a"])),
            (i32(2), set(&["b"])),
            (i32(3), set(&["a", "b"])),
            (i32(4), set(&[])),
            (i32(u32::MAX), set(&["a", "b"])),
        ],
    );
    pairs(
        &flags(32),
        &[
            (i32(u32::MAX), Val::Flags(labels(32).into_vec())),
            (i32(1 << 31), set(&["31"])),
        ],
    );
    assert_eq!(
        lower(&mut TestGuest::new(), &ty, &set(&["b", "a", "b"])),
        Ok(vec![i32(3)])
    );
}

#[test]
fn sequences() {
    let ty = record(&[("x", U8), ("y", U16), ("z", U32)]);
    let val = Val::Record(vec![
        (name("x"), Val::U8(1)),
        (name("y"), Val::U16(2)),
        (name("z"), Val::U32(3)),
    ]);
    there_and_back(TestGuest::new(), &ty, &[i32(1), i32(2), i32(3)], &val);
    let ty = tuple(&[tuple(&[U8, U8]), U8]);
    let val = Val::Tuple(vec![Val::Tuple(vec![Val::U8(1), Val::U8(2)]), Val::U8(3)]);
    there_and_back(TestGuest::new(), &ty, &[i32(1), i32(2), i32(3)], &val);
    let bytes = |bytes: &[u8]| Val::FixedLengthList(bytes.iter().map(|byte| Val::U8(*byte)).collect());
    there_and_back(
        TestGuest::new(),
        &fixed(U8, 3),
        &[i32(1), i32(2), i32(3)],
        &bytes(&[1, 2, 3]),
    );
    let val = Val::FixedLengthList(vec![bytes(&[1, 2]), bytes(&[3, 4]), bytes(&[5, 6])]);
    there_and_back(
        TestGuest::new(),
        &fixed(fixed(U8, 2), 3),
        &[1, 2, 3, 4, 5, 6].map(i32),
        &val,
    );
}

#[test]
fn variants() {
    let ty = variant(&[("x", Some(U8)), ("y", Some(Float32)), ("z", None)]);
    there_and_back(
        TestGuest::new(),
        &ty,
        &[i32(0), i32(42)],
        &case("x", Some(Val::U8(42))),
    );
    there_and_back(
        TestGuest::new(),
        &ty,
        &[i32(0), i32(256)],
        &case("x", Some(Val::U8(0))),
    );
    there_and_back(
        TestGuest::new(),
        &ty,
        &[i32(1), i32(0x3f8c_cccd)],
        &case("y", Some(Val::Float32(1.1))),
    );
    there_and_back(TestGuest::new(), &ty, &[i32(2), i32(u32::MAX)], &case("z", None));
    there_and_back(
        TestGuest::new(),
        &option(Float32),
        &[i32(0), f32(1.1)],
        &Val::Option(None),
    );
    there_and_back(
        TestGuest::new(),
        &option(Float32),
        &[i32(1), f32(1.1)],
        &some(Val::Float32(1.1)),
    );
    let ty = result(Some(U8), Some(U32));
    there_and_back(
        TestGuest::new(),
        &ty,
        &[i32(0), i32(42)],
        &Val::Result(Ok(Some(Box::new(Val::U8(42))))),
    );
    there_and_back(
        TestGuest::new(),
        &ty,
        &[i32(1), i32(1000)],
        &Val::Result(Err(Some(Box::new(Val::U32(1000))))),
    );
    there_and_back(
        TestGuest::new(),
        &result(None, None),
        &[i32(0)],
        &Val::Result(Ok(None)),
    );
    there_and_back(
        TestGuest::new(),
        &result(None, None),
        &[i32(1)],
        &Val::Result(Err(None)),
    );
}

#[test]
fn variants_refuse_discriminants_without_a_case() {
    let table = [
        (variant(&[("x", Some(U8)), ("y", None)]), 2),
        (option(U8), 2),
        (result(Some(U8), None), 2),
    ];
    for (ty, cases) in table {
        for bad in [cases, 256, 1 << 31, u32::MAX] {
            let error = AbiError::InvalidDiscriminant { got: bad, cases };
            assert_eq!(
                lift(&mut TestGuest::new(), &ty, &[i32(bad), i32(0)]),
                Err(error),
                "{ty}"
            );
        }
    }
}

/// Lowers each case of a variant with joined core types, and lifts it with garbage in the bits that the case does not
/// use.
#[test]
fn joined_core_values() {
    let ty = variant(&[
        ("a", Some(U32)),
        ("b", Some(Float32)),
        ("c", Some(U64)),
        ("d", Some(Float64)),
        ("e", Some(S8)),
        ("f", None),
    ]);
    let rubbish = 0xdead_beef_0000_0000;
    let table = [
        (case("a", Some(Val::U32(u32::MAX))), 0, 0xffff_ffff, true),
        (
            case("b", Some(Val::Float32(1.5))),
            1,
            u64::from(1.5f32.to_bits()),
            true,
        ),
        (case("c", Some(Val::U64(u64::MAX))), 2, u64::MAX, false),
        (case("d", Some(Val::Float64(-2.5))), 3, (-2.5f64).to_bits(), false),
        // Sign-extended to 32 bits, zero-extended beyond.
        (case("e", Some(Val::S8(-2))), 4, 0xffff_fffe, true),
        (case("f", None), 5, 0, true),
    ];
    for (val, index, bits, narrow) in table {
        assert_eq!(
            lower(&mut TestGuest::new(), &ty, &val),
            Ok(vec![i32(index), i64(bits)]),
            "{val:?}"
        );
        let bits = if narrow { bits | rubbish } else { bits };
        assert_eq!(
            lift(&mut TestGuest::new(), &ty, &[i32(index), i64(bits)]).as_ref(),
            Ok(&val)
        );
    }
    // NaN bits are canonical after a reinterpretation too.
    let nan = lift(&mut TestGuest::new(), &ty, &[i32(1), i64(0xffff_ffff)]).unwrap();
    let Val::Variant(_, Some(nan)) = nan else { panic!() };
    assert!(matches!(*nan, Val::Float32(nan) if nan.to_bits() == 0x7fc0_0000));
}

#[test]
fn joins_compose_through_nested_variants() {
    // The inner variant joins f32 with u32 to i32; the outer one joins that with f64 to i64.
    let inner = result(Some(Float32), Some(U32));
    let ty = variant(&[("in", Some(inner)), ("out", Some(tuple(&[U8, Float64])))]);
    let val = case("in", Some(Val::Result(Ok(Some(Box::new(Val::Float32(1.0)))))));
    let flat = [i32(0), i32(0), i64(u64::from(1.0f32.to_bits()))];
    assert_eq!(lower(&mut TestGuest::new(), &ty, &val).as_deref(), Ok(&flat[..]));
    there_and_back(TestGuest::new(), &ty, &flat, &val);
    let val = case("out", Some(Val::Tuple(vec![Val::U8(9), Val::Float64(0.1)])));
    there_and_back(
        TestGuest::new(),
        &ty,
        &[i32(1), i32(9), i64(0.1f64.to_bits())],
        &val,
    );
}

#[test]
fn core_values_must_match_the_signature() {
    let plan = FuncPlan::new(&func(&[U8, Float32], Some(U64))).unwrap();
    let mut guest = TestGuest::new();
    for flat in [
        &[][..],
        &[i32(1)],
        &[i32(1), i32(1)],
        &[i32(1), f32(1.0), i32(1)],
        &[i64(1), f32(1.0)],
    ] {
        let error = plan.lift_params(&mut guest, flat).unwrap_err();
        assert_eq!(error.fault(), airssys_wasm_abi::Fault::Internal, "{error}");
    }
    for flat in [&[][..], &[i32(1)], &[i64(1), i64(1)]] {
        let error = plan.lift_result(&mut guest, flat).unwrap_err();
        assert_eq!(error.fault(), airssys_wasm_abi::Fault::Internal, "{error}");
    }
}
