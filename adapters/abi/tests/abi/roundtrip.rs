//! Random functions and values, through all four crossings and both ways of passing.

use airssys_wasm_abi::{CoreType, CoreValue, FuncPlan, LowerGuest, MAX_TYPE_DEPTH, Type};

use crate::guest::TestGuest;
use crate::random::{Random, random_type, random_val};
use crate::shorthand::{Val, func, i32, option, some, tuple};

fn types(values: &[CoreValue]) -> Vec<CoreType> {
    values.iter().map(|value| value.ty()).collect()
}

#[test]
fn what_is_lowered_is_lifted() {
    let (mut flat_params, mut flat_results) = ([0; 2], [0; 2]);
    for seed in 0..6000 {
        let mut random = Random::new(seed);
        let depth = random.below(5) as u32;
        let params: Vec<Type> = (0..random.below(14))
            .map(|_| random_type(&mut random, depth))
            .collect();
        let result = random_type(&mut random, depth);
        let plan = FuncPlan::new(&func(&params, Some(result.clone()))).unwrap();
        let args: Vec<Val> = params.iter().map(|ty| random_val(&mut random, ty)).collect();
        let answer = random_val(&mut random, &result);
        let mut guest = TestGuest::with_memory(&[0xee; 13]).encoding(random.encoding());
        flat_params[usize::from(plan.params_in_memory())] += 1;
        flat_results[usize::from(plan.result_in_memory())] += 1;

        let mut flat = Vec::new();
        plan.lower_params(&mut guest, &args, &mut flat).unwrap();
        assert_eq!(types(&flat), plan.export_signature().params, "seed {seed}");
        if plan.result_in_memory() {
            let size = plan.result().unwrap().size();
            flat.push(i32(guest
                .realloc(0, 0, plan.result().unwrap().align(), size)
                .unwrap()));
        }
        assert_eq!(types(&flat), plan.import_signature().params, "seed {seed}");
        assert_eq!(
            plan.lift_params(&mut guest, &flat).unwrap(),
            args,
            "seed {seed}: {params:?}"
        );

        let returned = plan.lower_result(&mut guest, Some(&answer), &flat).unwrap();
        assert_eq!(
            types(returned.as_slice()),
            plan.import_signature().results,
            "seed {seed}"
        );
        let results = match returned {
            Some(value) => vec![value],
            None => vec![*flat.last().unwrap()],
        };
        assert_eq!(
            plan.lift_result(&mut guest, &results).unwrap(),
            Some(answer),
            "seed {seed}: {result:?}"
        );
    }
    let ways = [flat_params, flat_results].concat();
    assert!(
        ways.iter().all(|count| *count > 500),
        "every way of passing is taken: {ways:?}"
    );
}

/// The same values in memory are the same bytes, whichever guest wrote them.
#[test]
fn lowering_is_deterministic() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let ty = random_type(&mut random, 3);
        let val = random_val(&mut random, &ty);
        let plan = FuncPlan::new(&func(&[ty], None)).unwrap();
        let memory_of = || {
            let (mut guest, mut flat) = (TestGuest::new(), Vec::new());
            plan.lower_params(&mut guest, std::slice::from_ref(&val), &mut flat)
                .unwrap();
            (guest.memory, flat)
        };
        assert_eq!(memory_of(), memory_of());
    }
}

/// Lifting, lowering and checking recurse once per level: the deepest allowed type must fit the stack of an ordinary
/// thread, flat and in memory.
#[test]
fn the_deepest_type_fits_a_small_stack() {
    // Without optimization, frames are five times as large.
    const STACK: usize = if cfg!(debug_assertions) {
        2 << 20
    } else {
        512 << 10
    };
    let crossing = || {
        let leaf = || (Type::U8, Val::U8(7));
        let tuples = (1..MAX_TYPE_DEPTH).fold(leaf(), |(ty, val), _| (tuple(&[ty]), Val::Tuple(vec![val])));
        let options = (1..MAX_TYPE_DEPTH).fold(leaf(), |(ty, val), _| (option(ty), some(val)));
        for (ty, val) in [tuples, options] {
            for count in [1, 17] {
                let plan = FuncPlan::new(&func(&vec![ty.clone(); count], None)).unwrap();
                let args = vec![val.clone(); count];
                let (mut guest, mut flat) = (TestGuest::new(), Vec::new());
                plan.lower_params(&mut guest, &args, &mut flat).unwrap();
                assert_eq!(plan.lift_params(&mut guest, &flat), Ok(args));
            }
        }
    };
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(crossing)
        .unwrap()
        .join()
        .unwrap();
}
