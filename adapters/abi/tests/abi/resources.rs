//! Handles that enter and leave the guest's table.

use airssys_wasm_abi::{FuncPlan, ResourceType, Type};

use crate::guest::TestGuest;
use crate::shorthand::{Val, func, future, i32, lift, list, lower, option, some, stream};

const FILE: ResourceType = ResourceType(3);

#[test]
fn own_moves_and_borrow_stays() {
    let plan = FuncPlan::new(&func(&[Type::Own(FILE), Type::Borrow(FILE)], None)).unwrap();
    let mut guest = TestGuest::new();
    let args = [Val::Resource(70), Val::Resource(80)];
    let mut flat = Vec::new();
    plan.lower_params(&mut guest, &args, &mut flat).unwrap();
    assert_eq!(flat, [i32(0), i32(1)]);
    assert_eq!(guest.handles, [Some((FILE, 70)), Some((FILE, 80))]);
    assert_eq!(plan.lift_params(&mut guest, &flat), Ok(args.to_vec()));
    assert_eq!(guest.handles, [None, Some((FILE, 80))]);
    assert!(
        plan.lift_params(&mut guest, &flat).is_err(),
        "an owned handle lifts once"
    );
}

#[test]
fn ends_of_streams_and_futures_move() {
    let (numbers, later) = (stream(Some(Type::U32)), future(None));
    let plan = FuncPlan::new(&func(&[numbers.clone(), list(later)], Some(numbers.clone()))).unwrap();
    let mut guest = TestGuest::new();
    let args = [Val::Stream(70), Val::List(vec![Val::Future(80), Val::Future(90)])];
    let mut flat = Vec::new();
    plan.lower_params(&mut guest, &args, &mut flat).unwrap();
    assert_eq!(guest.handles.iter().flatten().count(), 3);
    assert_eq!(plan.lift_params(&mut guest, &flat), Ok(args.to_vec()));
    assert_eq!(guest.handles.iter().flatten().count(), 0);
    let misfit = plan.lower_params(&mut guest, &[Val::Future(70), Val::List(vec![])], &mut flat);
    let expected = "argument 0: expected stream<u32>, got future";
    assert_eq!(misfit.unwrap_err().to_string(), expected);
    let flat = lower(&mut guest, &numbers, &Val::Stream(1)).unwrap();
    assert_eq!(plan.lift_result(&mut guest, &flat), Ok(Some(Val::Stream(1))));
}

#[test]
fn handles_of_another_type_are_refused() {
    let mut guest = TestGuest::new();
    guest.handles.push(Some((ResourceType(4), 1)));
    assert!(lift(&mut guest, &Type::Own(FILE), &[i32(0)]).is_err());
    assert!(lift(&mut guest, &Type::Borrow(FILE), &[i32(u32::MAX)]).is_err());
}

#[test]
fn handles_in_memory() {
    let ty = list(option(Type::Own(FILE)));
    let val = Val::List(vec![
        some(Val::Resource(5)),
        Val::Option(None),
        some(Val::Resource(6)),
    ]);
    let mut guest = TestGuest::new();
    let flat = lower(&mut guest, &ty, &val).unwrap();
    assert_eq!(guest.memory[16..24], [1, 0xaa, 0xaa, 0xaa, 1, 0, 0, 0]);
    assert_eq!(lift(&mut guest, &ty, &flat), Ok(val));
}
