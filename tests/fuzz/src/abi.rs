//! The canonical ABI by itself: whatever lifts, lowers and lifts again to the same.

use airssys_wasm_abi::{AbiError, CoreType, CoreValue, Fault, FuncPlan, LowerGuest, Val};

use crate::abi_guest::AbiGuest;
use crate::abi_input::Input;
use crate::host_memory::peak_of;

/// Bytes that a crossing may allocate beyond what its budget granted: its list of core values, the text of an error.
const BESIDE: u64 = 4096;

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let encoding = input.encoding();
    let ty = input.function();
    let plan = match FuncPlan::new(&ty) {
        Ok(plan) => plan,
        Err(error) => return guests_fault(&error),
    };
    let import = input.core_values(&plan.import_signature().params);
    let export = input.core_values(&plan.export_signature().results);
    let args: Vec<_> = ty.params.iter().map(|(_, ty)| input.val(ty)).collect();
    let answer = ty.result.as_ref().map(|ty| input.val(ty));
    let answers: Vec<u32> = (0..input.below(8)).map(|_| input.word()).collect();
    let guest = AbiGuest::new(input.rest().to_vec(), encoding).with_handles();

    lifted_params_are_lowered(&plan, guest.clone(), &import);
    lifted_result_is_lowered(&plan, guest.clone(), &export);
    let hostile = AbiGuest {
        hostile: Some(answers.into_iter()),
        ..guest.clone()
    };
    for guest in [guest, hostile] {
        any_value_is_lowered_or_refused(&plan, guest, &args, answer.as_ref(), &import);
    }
}

/// Lifts with an eye on memory; `None` if the guest is to blame.
fn lift<T>(
    guest: &mut AbiGuest,
    lift: impl FnOnce(&mut AbiGuest) -> Result<T, AbiError>,
) -> Option<(T, u64)> {
    let before = guest.granted;
    let (lifted, peak) = peak_of(|| lift(guest));
    let granted = guest.granted - before;
    assert!(
        peak <= granted + BESIDE,
        "{peak} bytes allocated, {granted} granted"
    );
    match lifted {
        Ok(lifted) => Some((lifted, granted)),
        Err(error) => {
            guests_fault(&error);
            None
        }
    }
}

fn lifted_params_are_lowered(plan: &FuncPlan, mut guest: AbiGuest, flat: &[CoreValue]) {
    let Some((vals, granted)) = lift(&mut guest, |guest| plan.lift_params(guest, flat)) else {
        return;
    };
    let mut other = AbiGuest::new(vec![0xee; 13], guest.encoding);
    let mut lowered = Vec::new();
    plan.lower_params(&mut other, &vals, &mut lowered)
        .expect("what was lifted is lowered");
    assert_eq!(types(&lowered), plan.export_signature().params);
    if plan.result_in_memory() {
        // The return pointer of an import, which lifting leaves alone.
        lowered.push(CoreValue::I32(-1));
    }
    let again = lift(&mut other, |guest| plan.lift_params(guest, &lowered));
    assert_eq!(again, Some((vals, granted)), "lifted again");
}

fn lifted_result_is_lowered(plan: &FuncPlan, mut guest: AbiGuest, flat: &[CoreValue]) {
    let Some((result, granted)) = lift(&mut guest, |guest| plan.lift_result(guest, flat)) else {
        return;
    };
    assert_eq!(result.is_some(), plan.result().is_some());
    let mut other = AbiGuest::new(vec![0xee; 13], guest.encoding);
    let mut args = vec![];
    for ty in &plan.import_signature().params {
        args.push(CoreValue::from_bits(*ty, 0));
    }
    if let (true, Some(plan), Some(pointer)) = (plan.result_in_memory(), plan.result(), args.last_mut()) {
        let ptr = other
            .realloc(0, 0, plan.align(), plan.size())
            .expect("there is room");
        *pointer = CoreValue::I32(ptr.cast_signed());
    }
    let value = plan
        .lower_result(&mut other, result.as_ref(), &args)
        .expect("what was lifted is lowered");
    let results: Vec<CoreValue> = match value {
        Some(value) => vec![value],
        None if plan.result_in_memory() => args.last().copied().into_iter().collect(),
        None => Vec::new(),
    };
    assert_eq!(types(&results), plan.export_signature().results);
    let again = lift(&mut other, |guest| plan.lift_result(guest, &results));
    assert_eq!(again, Some((result, granted)), "lifted again");
}

/// A value of whatever type, to a guest that allocates as it likes.
fn any_value_is_lowered_or_refused(
    plan: &FuncPlan,
    mut guest: AbiGuest,
    args: &[Val<u32>],
    answer: Option<&Val<u32>>,
    import: &[CoreValue],
) {
    let fits = plan
        .params()
        .iter()
        .zip(args)
        .all(|((_, plan), arg)| plan.check(arg).is_ok());
    match plan.lower_params(&mut guest, args, &mut Vec::new()) {
        Ok(()) => assert!(fits, "lowered, but does not fit"),
        Err(error) if fits => guests_fault(&error),
        Err(error) => assert_eq!(error.fault(), Fault::Host, "{error}"),
    }
    let fits = plan
        .result()
        .zip(answer)
        .is_none_or(|(plan, answer)| plan.check(answer).is_ok());
    match plan.lower_result(&mut guest, answer, import) {
        Ok(_) => assert!(fits, "lowered, but does not fit"),
        Err(error) if fits => guests_fault(&error),
        Err(error) => assert_eq!(error.fault(), Fault::Host, "{error}"),
    }
}

fn guests_fault(error: &AbiError) {
    assert_eq!(error.fault(), Fault::Guest, "{error}");
}

fn types(values: &[CoreValue]) -> Vec<CoreType> {
    values.iter().map(|value| value.ty()).collect()
}
