//! Values that do not fit their types, and the texts of the errors.

use airssys_wasm_abi::{AbiError, Fault, FuncPlan, Type};

use crate::guest::TestGuest;
use crate::shorthand::{
    Val, case, enumeration, fixed, flags, func, list, name, option, plan, record, result, set, some, stream,
    string, tuple, variant,
};

use Type::{U8, U16, U32};

#[track_caller]
fn refused(ty: &Type, val: &Val, message: &str) {
    let error = plan(ty).check(val).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert_eq!(error.fault(), Fault::Host);
    // Lowering reports the same, with the place of the argument, and does not touch the guest.
    let function = FuncPlan::new(&func(&[U8, ty.clone()], Some(ty.clone()))).unwrap();
    let mut guest = TestGuest::new();
    let error = function
        .lower_params(&mut guest, &[Val::U8(0), val.clone()], &mut Vec::new())
        .unwrap_err();
    assert_eq!(error.to_string(), format!("argument 1: {message}"));
    let error = function.lower_result(&mut guest, Some(val), &[]).unwrap_err();
    assert_eq!(error.to_string(), format!("result: {message}"));
    assert!(guest.allocations.is_empty() && guest.handles.is_empty());
}

#[test]
fn scalars_of_another_kind() {
    refused(&U32, &Val::U8(1), "expected u32, got u8");
    refused(&Type::Bool, &Val::U8(1), "expected bool, got u8");
    refused(&Type::Float32, &Val::Float64(1.0), "expected f32, got f64");
    refused(
        &Type::String,
        &Val::Bytes(vec![]),
        "expected string, got list<u8>",
    );
    refused(
        &Type::Own(airssys_wasm_abi::ResourceType(3)),
        &Val::U32(0),
        "expected own<resource 3>, got u32",
    );
    let error = plan(&stream(Some(U8))).check(&Val::U32(0)).unwrap_err();
    assert_eq!(error.to_string(), "expected stream<u8>, got u32");
    refused(
        &fixed(U8, 1),
        &Val::List(vec![Val::U8(1)]),
        "expected list<u8, 1>, got list",
    );
}

#[test]
fn the_path_leads_to_the_value() {
    let ty = record(&[
        ("a", U8),
        ("x", list(tuple(&[U8, option(result(Some(U32), None))]))),
    ]);
    let bad = some(Val::Result(Ok(Some(Box::new(string("five"))))));
    let good = some(Val::Result(Err(None)));
    let element = |val: Val| Val::Tuple(vec![Val::U8(0), val]);
    let list = Val::List(vec![element(good), element(bad)]);
    let val = Val::Record(vec![(name("a"), Val::U8(1)), (name("x"), list)]);
    let path = "field \"x\": element 1: element 1: case \"some\": case \"ok\": ";
    refused(&ty, &val, &format!("{path}expected u32, got string"));
    let Err(AbiError::TypeMismatch {
        path: found,
        expected,
        got,
    }) = plan(&ty).check(&val)
    else {
        panic!()
    };
    assert_eq!((found.as_str(), expected.as_str(), got), (path, "u32", "string"));
}

#[test]
fn bytes_given_as_a_list() {
    let val = Val::List(vec![Val::U8(1), Val::U16(2)]);
    refused(&list(U8), &val, "element 1: expected u8, got u16");
    refused(
        &list(U16),
        &Val::Bytes(vec![1]),
        "expected list<u16>, got list<u8>",
    );
}

#[test]
fn records_take_exactly_their_fields_in_any_order() {
    let ty = record(&[("a", U8), ("b", U16)]);
    let val = |fields: &[(&str, Val)]| {
        Val::Record(
            fields
                .iter()
                .map(|(field, val)| (name(field), val.clone()))
                .collect(),
        )
    };
    let (a, b) = (("a", Val::U8(1)), ("b", Val::U16(2)));
    for fields in [[a.clone(), b.clone()], [b.clone(), a.clone()]] {
        let flat = crate::shorthand::lower(&mut TestGuest::new(), &ty, &val(&fields));
        assert_eq!(flat, Ok(vec![crate::shorthand::i32(1), crate::shorthand::i32(2)]));
    }
    refused(&ty, &val(&[]), "field `a` is missing");
    refused(&ty, &val(&[b.clone(), b.clone()]), "field `a` is missing");
    refused(&ty, &val(&[a.clone(), ("c", Val::U8(0))]), "field `b` is missing");
    refused(
        &ty,
        &val(&[a.clone(), b.clone(), a.clone()]),
        "field `a` is given twice",
    );
    refused(&ty, &val(&[a, ("c", Val::U8(0)), b]), "there is no field `c`");
}

#[test]
fn cases_and_labels_must_exist() {
    let ty = variant(&[("a", Some(U8)), ("b", None)]);
    refused(
        &ty,
        &case("c", None),
        "there is no case `c` in variant { a(u8), b }",
    );
    refused(&ty, &case("a", None), "case `a` needs a payload of type u8");
    refused(&ty, &case("b", Some(Val::U8(1))), "case `b` takes no payload");
    refused(
        &ty,
        &case("a", Some(Val::U16(1))),
        "case \"a\": expected u8, got u16",
    );
    refused(
        &enumeration(2),
        &Val::Enum(name("2")),
        "there is no case `2` in enum { 0, 1 }",
    );
    refused(
        &flags(2),
        &set(&["1", "x"]),
        "there is no flag `x` in flags { 0, 1 }",
    );
    refused(
        &result(None, Some(U8)),
        &Val::Result(Err(None)),
        "case `err` needs a payload of type u8",
    );
    refused(
        &result(None, Some(U8)),
        &Val::Result(Ok(Some(Box::new(Val::U8(1))))),
        "case `ok` takes no payload",
    );
}

#[test]
fn counts_must_match() {
    refused(
        &tuple(&[U8, U8]),
        &Val::Tuple(vec![Val::U8(1)]),
        "expected 2 elements, got 1",
    );
    refused(
        &fixed(U8, 2),
        &Val::FixedLengthList(vec![Val::U8(1); 3]),
        "expected 2 elements, got 3",
    );
    let function = FuncPlan::new(&func(&[U8, U8], None)).unwrap();
    for args in [vec![], vec![Val::U8(1)], vec![Val::U8(1); 3]] {
        let error = AbiError::WrongArgumentCount {
            expected: 2,
            got: args.len(),
        };
        assert_eq!(
            function.lower_params(&mut TestGuest::new(), &args, &mut Vec::new()),
            Err(error)
        );
    }
}

#[test]
fn lists_too_long_for_any_guest() {
    let big = list(fixed(U8, 1 << 27));
    let tiny = Val::FixedLengthList(vec![]);
    refused(
        &big,
        &Val::List(vec![tiny.clone(), tiny]),
        "the value takes 268435456 bytes in the guest, more than the maximum of 268435455",
    );
}

#[test]
fn equality_of_values() {
    assert_eq!(Val::Float32(f32::NAN), Val::Float32(f32::from_bits(0xffff_ffff)));
    assert_ne!(Val::Float64(0.0), Val::Float64(-0.0));
    assert_eq!(Val::Bytes(vec![1, 2]), Val::List(vec![Val::U8(1), Val::U8(2)]));
    assert_eq!(Val::List(vec![]), Val::Bytes(vec![]));
    assert_ne!(Val::Bytes(vec![1]), Val::List(vec![Val::U16(1)]));
    assert_ne!(Val::U8(1), Val::U16(1));
    assert_ne!(Val::List(vec![]), Val::Tuple(vec![]));
}
