//! Size, alignment, flat types, signatures; types without a plan.

use std::sync::Arc;

use airssys_wasm_abi::CoreType::{self, F32, F64, I32, I64};
use airssys_wasm_abi::{AbiError, FuncPlan, IntWidth, MAX_TYPE_DEPTH, Plan, PlanKind, ResourceType, Type};

use crate::shorthand::{
    enumeration, fixed, flags, func, future, list, option, plan, record, result, stream, tuple, variant,
};

use Type::{Bool, Char, Float32, Float64, S8, S16, S32, S64, String, U8, U16, U32, U64};

#[test]
fn sizes_alignments_and_flat_types() {
    let own = Type::Own(ResourceType(7));
    let table: &[(Type, u32, u32, &[CoreType])] = &[
        (Bool, 1, 1, &[I32]),
        (S8, 1, 1, &[I32]),
        (U8, 1, 1, &[I32]),
        (S16, 2, 2, &[I32]),
        (U16, 2, 2, &[I32]),
        (S32, 4, 4, &[I32]),
        (U32, 4, 4, &[I32]),
        (S64, 8, 8, &[I64]),
        (U64, 8, 8, &[I64]),
        (Float32, 4, 4, &[F32]),
        (Float64, 8, 8, &[F64]),
        (Char, 4, 4, &[I32]),
        (String, 8, 4, &[I32, I32]),
        (list(U64), 8, 4, &[I32, I32]),
        (own, 4, 4, &[I32]),
        (Type::Borrow(ResourceType(7)), 4, 4, &[I32]),
        (stream(Some(U8)), 4, 4, &[I32]),
        (stream(None), 4, 4, &[I32]),
        (future(Some(tuple(&[U64, String]))), 4, 4, &[I32]),
        (Type::ErrorContext, 4, 4, &[I32]),
        (stream(Some(list(stream(Some(U8))))), 4, 4, &[I32]),
        (tuple(&[U8, stream(Some(U64))]), 8, 4, &[I32, I32]),
        (fixed(U16, 3), 6, 2, &[I32, I32, I32]),
        (fixed(fixed(U8, 2), 3), 6, 1, &[I32; 6]),
        (
            record(&[("x", U8), ("y", U16), ("z", U32)]),
            8,
            4,
            &[I32, I32, I32],
        ),
        (tuple(&[U8, U16, U8, U32]), 12, 4, &[I32; 4]),
        (tuple(&[U16, U8]), 4, 2, &[I32, I32]),
        (tuple(&[tuple(&[U16, U8]), U8]), 6, 2, &[I32; 3]),
        (tuple(&[U8, U64, U8]), 24, 8, &[I32, I64, I32]),
        (flags(1), 1, 1, &[I32]),
        (flags(8), 1, 1, &[I32]),
        (flags(9), 2, 2, &[I32]),
        (flags(16), 2, 2, &[I32]),
        (flags(17), 4, 4, &[I32]),
        (flags(32), 4, 4, &[I32]),
        (enumeration(1), 1, 1, &[I32]),
        (enumeration(256), 1, 1, &[I32]),
        (enumeration(257), 2, 2, &[I32]),
        (enumeration(65536), 2, 2, &[I32]),
        (enumeration(65537), 4, 4, &[I32]),
        (option(U8), 2, 1, &[I32, I32]),
        (option(U64), 16, 8, &[I32, I64]),
        (option(option(U32)), 12, 4, &[I32, I32, I32]),
        (result(None, None), 1, 1, &[I32]),
        (result(Some(U8), Some(U32)), 8, 4, &[I32, I32]),
        (result(None, Some(String)), 12, 4, &[I32, I32, I32]),
        (
            variant(&[("x", Some(U8)), ("y", Some(Float32)), ("z", None)]),
            8,
            4,
            &[I32, I32],
        ),
        (
            variant(&[("a", Some(U64)), ("b", Some(tuple(&[Float32, U8])))]),
            16,
            8,
            &[I32, I64, I32],
        ),
        (
            variant(&[("a", Some(tuple(&[U64, U64]))), ("b", Some(U8))]),
            24,
            8,
            &[I32, I64, I64],
        ),
    ];
    for (ty, size, align, flat) in table {
        let plan = plan(ty);
        assert_eq!(
            (plan.size(), plan.align(), plan.flat()),
            (*size, *align, Some(*flat)),
            "{ty}"
        );
        assert_eq!(plan.ty(), ty);
    }
}

#[test]
fn payloads_join_to_the_tightest_core_type() {
    let types = [(U32, I32), (Float32, F32), (U64, I64), (Float64, F64)];
    for (a, flat_a) in &types {
        for (b, flat_b) in &types {
            let joined = match (flat_a, flat_b) {
                (a, b) if a == b => *a,
                (I32, F32) | (F32, I32) => I32,
                _ => I64,
            };
            let ty = result(Some(a.clone()), Some(b.clone()));
            assert_eq!(plan(&ty).flat(), Some(&[I32, joined][..]), "{ty}");
        }
    }
    let three = variant(&[("a", Some(Float32)), ("b", Some(U32)), ("c", Some(Float64))]);
    assert_eq!(plan(&three).flat(), Some(&[I32, I64][..]));
}

#[test]
fn offsets_are_in_the_plan() {
    let plan = plan(&record(&[("a", U8), ("b", option(U64)), ("c", U16)]));
    let PlanKind::Record(fields) = plan.kind() else {
        panic!("{plan:?}")
    };
    assert_eq!(
        fields.iter().map(|field| field.offset).collect::<Vec<_>>(),
        [0, 8, 24]
    );
    let PlanKind::Option { payload_offset, .. } = fields[1].plan.kind() else {
        panic!()
    };
    assert_eq!(*payload_offset, 8);
    assert_eq!(plan.size(), 32);

    let many: Vec<(std::string::String, Option<Type>)> =
        (0..300).map(|n| (n.to_string(), Some(U8))).collect();
    let many: Vec<(&str, Option<Type>)> = many
        .iter()
        .map(|(name, ty)| (name.as_str(), ty.clone()))
        .collect();
    let plan = crate::shorthand::plan(&variant(&many));
    let PlanKind::Variant(cases) = plan.kind() else {
        panic!("{plan:?}")
    };
    assert_eq!(
        (cases.discriminant, cases.payload_offset, plan.size()),
        (IntWidth::Two, 2, 4)
    );
}

#[test]
fn signatures_of_both_directions() {
    let check = |params: &[Type],
                 result: Option<Type>,
                 export: (&[CoreType], &[CoreType]),
                 import: (&[CoreType], &[CoreType])| {
        let plan = FuncPlan::new(&func(params, result)).unwrap();
        let (exported, imported) = (plan.export_signature(), plan.import_signature());
        assert_eq!((&exported.params[..], &exported.results[..]), export);
        assert_eq!((&imported.params[..], &imported.results[..]), import);
    };
    let three = [U8, Float32, Float64];
    let flat: &[CoreType] = &[I32, F32, F64];
    check(&[], None, (&[], &[]), (&[], &[]));
    check(&three, None, (flat, &[]), (flat, &[]));
    check(&three, Some(Float32), (flat, &[F32]), (flat, &[F32]));
    check(&three, Some(tuple(&[Float32])), (flat, &[F32]), (flat, &[F32]));
    let with_pointer: &[CoreType] = &[I32, F32, F64, I32];
    check(
        &three,
        Some(tuple(&[Float32, Float32])),
        (flat, &[I32]),
        (with_pointer, &[]),
    );
    check(&three, Some(String), (flat, &[I32]), (with_pointer, &[]));
    check(&[const { U8 }; 16], None, (&[I32; 16], &[]), (&[I32; 16], &[]));
    check(
        &[const { U8 }; 16],
        Some(String),
        (&[I32; 16], &[I32]),
        (&[I32; 17], &[]),
    );
    check(&[const { U8 }; 17], None, (&[I32], &[]), (&[I32], &[]));
    check(
        &[const { U8 }; 17],
        Some(tuple(&[U8, U8])),
        (&[I32], &[I32]),
        (&[I32, I32], &[]),
    );
    let sixteen = [tuple(&[const { U64 }; 15]), U8];
    let plan = FuncPlan::new(&func(&sixteen, Some(U8))).unwrap();
    assert!(!plan.params_in_memory() && !plan.result_in_memory());
}

#[test]
fn params_in_memory_lie_as_a_tuple() {
    let plan = FuncPlan::new(&func(&[U8, fixed(U64, 16), U16], None)).unwrap();
    assert!(plan.params_in_memory());
    assert_eq!(plan.param_offsets(), [0, 8, 136]);
    assert_eq!((plan.params_size(), plan.params_align()), (144, 8));
}

#[test]
fn enormous_types_cost_little() {
    let wide = plan(&fixed(U8, (1 << 28) - 1));
    assert_eq!((wide.size(), wide.flat()), ((1 << 28) - 1, None));
    assert_eq!(plan(&fixed(U8, 17)).flat(), None);
    assert_eq!(plan(&option(fixed(U8, 16))).flat(), None);
    assert_eq!(plan(&option(fixed(U8, 15))).flat().map(<[_]>::len), Some(16));
    assert_eq!(
        Plan::new(&fixed(U8, 1 << 28)).unwrap_err(),
        AbiError::TypeTooLarge {
            size: 1 << 28,
            max: (1 << 28) - 1
        }
    );
    assert!(matches!(
        Plan::new(&fixed(U64, u32::MAX)),
        Err(AbiError::TypeTooLarge { .. })
    ));
    let half = fixed(U8, 1 << 27);
    assert!(matches!(
        Plan::new(&tuple(&[half.clone(), half])),
        Err(AbiError::TypeTooLarge { .. })
    ));
    let quarter = fixed(U64, 1 << 24);
    assert!(FuncPlan::new(&func(&vec![quarter.clone(); 31], None)).is_ok());
    assert!(matches!(
        FuncPlan::new(&func(&vec![quarter; 33], None)),
        Err(AbiError::TypeTooLarge { .. })
    ));
}

/// A type that refers to its part twice on every level has 2^100 paths, but only a hundred parts.
#[test]
fn shared_parts_are_planned_once() {
    let mut ty = Arc::new(airssys_wasm_abi::ResultType {
        ok: Some(U8),
        err: Some(U8),
    });
    for _ in 0..100 {
        ty = Arc::new(airssys_wasm_abi::ResultType {
            ok: Some(Type::Result(Arc::clone(&ty))),
            err: Some(Type::Result(ty)),
        });
    }
    let plan = plan(&Type::Result(ty));
    assert_eq!(plan.size(), 102);
    assert!(format!("{plan:?}").len() < 500);
    let error = plan.check(&crate::shorthand::Val::U8(1)).unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: u32| (1..levels).fold(U8, |ty, _| option(ty));
    assert!(Plan::new(&nested(MAX_TYPE_DEPTH)).is_ok());
    let too_deep = AbiError::TypeTooDeep { max: MAX_TYPE_DEPTH };
    assert_eq!(Plan::new(&nested(MAX_TYPE_DEPTH + 1)).unwrap_err(), too_deep);
    // A part planned before, at a lower depth, still counts with its full height.
    let part = nested(MAX_TYPE_DEPTH - 1);
    let deeper = tuple(&[option(option(part.clone()))]);
    assert_eq!(Plan::new(&tuple(&[part, deeper])).unwrap_err(), too_deep);
}

#[test]
fn empty_types_are_refused() {
    for ty in [
        record(&[]),
        tuple(&[]),
        variant(&[]),
        enumeration(0),
        flags(0),
        fixed(U8, 0),
    ] {
        let error = Plan::new(&ty).unwrap_err();
        assert!(matches!(error, AbiError::EmptyType { .. }), "{ty}: {error}");
        assert!(error.is_guest_fault());
    }
    assert_eq!(
        Plan::new(&flags(33)).unwrap_err(),
        AbiError::TooManyFlags { count: 33, max: 32 }
    );
}

#[test]
fn error_contexts_do_not_cross() {
    let cases = [
        (Type::ErrorContext, "error-context"),
        (list(option(Type::ErrorContext)), "list<option<error-context>>"),
        (stream(Some(Type::ErrorContext)), "stream<error-context>"),
    ];
    for (ty, text) in cases {
        assert!(Plan::new(&ty).is_ok(), "{ty} has a layout");
        let refused = |params: &[Type], result, place: &str| {
            let error = FuncPlan::new(&func(params, result)).unwrap_err();
            let why = "error contexts cannot yet cross between the host and a component";
            assert_eq!(error.to_string(), format!("{place} has the type {text}: {why}"));
            assert!(error.is_guest_fault());
        };
        refused(&[U8, ty.clone()], None, "parameter `p1`");
        refused(&[U8], Some(ty.clone()), "the result");
    }
}

/// The handle has a layout of its own, yet no stream can carry elements without one.
#[test]
fn elements_of_streams_need_a_layout() {
    let nested = |levels: u32| (1..levels).fold(U8, |ty, _| stream(Some(ty)));
    assert!(Plan::new(&nested(MAX_TYPE_DEPTH)).is_ok());
    let too_deep = AbiError::TypeTooDeep { max: MAX_TYPE_DEPTH };
    assert_eq!(Plan::new(&nested(MAX_TYPE_DEPTH + 1)).unwrap_err(), too_deep);
    assert_eq!(
        Plan::new(&future(Some(fixed(U8, 0)))).unwrap_err(),
        AbiError::EmptyType {
            what: "fixed-length list"
        }
    );
}

#[test]
fn types_read_like_wit() {
    let table = [
        (list(U8), "list<u8>"),
        (fixed(Float32, 3), "list<f32, 3>"),
        (
            record(&[("a", U32), ("b", String)]),
            "record { a: u32, b: string }",
        ),
        (tuple(&[Char, Bool]), "tuple<char, bool>"),
        (variant(&[("a", Some(S64)), ("b", None)]), "variant { a(s64), b }"),
        (enumeration(2), "enum { 0, 1 }"),
        (flags(2), "flags { 0, 1 }"),
        (option(Float64), "option<f64>"),
        (result(None, Some(S32)), "result<_, s32>"),
        (result(Some(S16), None), "result<s16>"),
        (result(Some(S8), Some(U16)), "result<s8, u16>"),
        (result(None, None), "result"),
        (stream(Some(U8)), "stream<u8>"),
        (stream(None), "stream"),
        (future(Some(String)), "future<string>"),
        (future(None), "future"),
        (Type::ErrorContext, "error-context"),
        (stream(Some(list(stream(Some(U8))))), "stream<list<stream<u8>>>"),
    ];
    for (ty, text) in table {
        assert_eq!(ty.to_string(), text);
    }
}
