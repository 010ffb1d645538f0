//! Limits on all memories and tables of a store together, and budgets that stores share.

use airssys_wasm::Error;
use airssys_wasm::component::{Component, Instance, InstancePool, Linker, Store, Val};
use airssys_wasm::engine::{Engine, MemoryBudget, StoreLimits};
use airssys_wasm::error::LimitExceeded;

use crate::traps::common::{component, engines};

const PAGE: u64 = 65_536;

/// A component of `instances` core instances with a memory of one page each. `grow0`, `grow1`, and so on grow them.
fn memories(engine: &Engine, instances: usize) -> Component {
    of_instances(
        engine,
        instances,
        r#"(memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))"#,
    )
}

/// As [`memories`], with a table of ten elements each.
fn tables(engine: &Engine, instances: usize) -> Component {
    of_instances(
        engine,
        instances,
        r#"(table 10 funcref) (func (export "grow") (param i32) (result i32)
            (table.grow (ref.null func) (local.get 0)))"#,
    )
}

fn of_instances(engine: &Engine, instances: usize, module: &str) -> Component {
    let instances: String = (0..instances)
        .map(|n| {
            format!(
                r#"(core instance $i{n} (instantiate $m))
                (func (export "grow{n}") (param "n" s32) (result s32) (canon lift (core func $i{n} "grow")))"#
            )
        })
        .collect();
    component(
        engine,
        &format!("(component (core module $m {module}) {instances})"),
    )
}

fn instance(
    engine: &Engine,
    component: &Component,
    limits: &StoreLimits,
) -> Result<(Store<()>, Instance), Error> {
    let mut store = Store::with_limits(engine, (), limits.clone());
    let instance = Linker::new(engine).instantiate(&mut store, component)?;
    Ok((store, instance))
}

fn exceeded(error: &Error) -> &LimitExceeded {
    match error {
        Error::LimitExceeded(exceeded) => exceeded,
        other => panic!("no limit: {other}"),
    }
}

fn grow((store, instance): &mut (Store<()>, Instance), which: usize, by: i32) -> i32 {
    let grow = instance.get_func(&mut *store, [format!("grow{which}")]).unwrap();
    match grow.call_dynamic(store, &[Val::S32(by)]).unwrap() {
        Some(Val::S32(before)) => before,
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_memories_that_each_stay_under_the_limit_stay_under_that_of_all() {
    for engine in engines() {
        let mut limits = StoreLimits::default();
        limits.memory_bytes = 4 * PAGE;
        limits.total_memory_bytes = 6 * PAGE;
        let three = memories(&engine, 3);
        let mut guest = instance(&engine, &three, &limits).unwrap();
        assert_eq!(grow(&mut guest, 0, 3), 1, "{}", engine.backend());
        assert_eq!(grow(&mut guest, 0, 1), -1, "four pages each");
        assert_eq!(grow(&mut guest, 1, 1), -1, "six pages in all");
        assert_eq!(grow(&mut guest, 2, 1), -1);
        assert_eq!(grow(&mut guest, 2, 0), 1);
        let seven = memories(&engine, 7);
        let error = instance(&engine, &seven, &limits).unwrap_err();
        let found = exceeded(&error);
        assert_eq!((found.limit, found.unit), ("total_memory_bytes", "bytes"));
        assert_eq!(
            (found.allowed, found.used, found.requested),
            (6 * PAGE, 6 * PAGE, PAGE)
        );
        assert!(
            error.to_string().contains("393216 (total_memory_bytes)"),
            "{error}"
        );
    }
}

#[test]
fn tables_that_grow_share_the_limit_on_their_elements() {
    for engine in engines() {
        let mut limits = StoreLimits::default();
        limits.table_elements = 60;
        limits.total_table_elements = 100;
        let mut guest = instance(&engine, &tables(&engine, 3), &limits).unwrap_err();
        let found = exceeded(&guest);
        assert_eq!(
            (found.limit, found.allowed, found.used, found.requested),
            ("total_table_elements", 100, 100, 10),
            "the first two may grow to 100"
        );
        limits.total_table_elements = 110;
        let mut grown = instance(&engine, &tables(&engine, 2), &limits).unwrap();
        assert_eq!(grow(&mut grown, 0, 51), -1);
        assert_eq!(grow(&mut grown, 0, 50), 10);
        assert_eq!(grow(&mut grown, 1, 41), -1, "{}", engine.backend());
        assert_eq!(grow(&mut grown, 1, 40), 10);
        // Tables that no code grows count with their elements only.
        let still = of_instances(
            &engine,
            11,
            r#"(table 10 funcref) (func (export "grow") (param i32) (result i32) (table.size))"#,
        );
        instance(&engine, &still, &limits).unwrap();
        limits.total_table_elements = 109;
        guest = instance(&engine, &still, &limits).unwrap_err();
        assert_eq!(exceeded(&guest).limit, "total_table_elements");
    }
}

#[test]
fn stores_of_one_budget_get_no_more_than_it_has_and_give_it_back() {
    for engine in engines() {
        let two = memories(&engine, 2);
        let budget = MemoryBudget::new(10 * PAGE);
        let mut limits = StoreLimits::default();
        limits.total_memory_bytes = 7 * PAGE;
        limits.memory_budget = Some(budget.clone());
        let mut one = instance(&engine, &two, &limits).unwrap();
        assert_eq!(grow(&mut one, 0, 6), -1, "its own limit");
        assert_eq!(grow(&mut one, 0, 5), 1);
        let mut other = instance(&engine, &two, &limits).unwrap();
        assert_eq!(grow(&mut other, 1, 2), -1, "{}", engine.backend());
        assert_eq!(grow(&mut other, 1, 1), 1);
        assert_eq!(budget.used(), budget.limit());
        let error = instance(&engine, &two, &limits).unwrap_err();
        let found = exceeded(&error);
        assert_eq!(
            (found.limit, found.allowed, found.used),
            ("memory_budget", 10 * PAGE, 10 * PAGE)
        );
        assert!(error.to_string().contains("655360 (memory_budget)"), "{error}");
        // The neighbors go on.
        assert_eq!(grow(&mut other, 1, 0), 2);
        drop(one);
        assert_eq!(budget.used(), 3 * PAGE);
        assert_eq!(grow(&mut other, 1, 4), 2);
        drop(other);
        assert_eq!(budget.used(), 0);
        // A thousand instances later, nothing is missing.
        for _ in 0..1000 {
            drop(instance(&engine, &two, &limits).unwrap());
        }
        assert_eq!(budget.used(), 0);
    }
}

#[test]
fn a_greedy_component_leaves_its_neighbor_what_is_reserved() {
    for engine in engines() {
        let (one, two) = (memories(&engine, 1), memories(&engine, 2));
        let budget = MemoryBudget::new(20 * PAGE);
        let with = |budget: MemoryBudget| {
            let mut limits = StoreLimits::default();
            limits.memory_budget = Some(budget);
            limits
        };
        let modest = with(budget.reserve(5 * PAGE).unwrap());
        let mut greedy = instance(&engine, &two, &with(budget.clone())).unwrap();
        while grow(&mut greedy, 0, 1) != -1 {}
        assert_eq!(budget.used(), 15 * PAGE);
        let mut guest = instance(&engine, &one, &modest).unwrap();
        assert_eq!(grow(&mut guest, 0, 5), -1);
        assert_eq!(grow(&mut guest, 0, 4), 1);
        assert_eq!(budget.used(), 20 * PAGE);
        drop((guest, modest));
        assert_eq!(budget.reserved(), 0);
        assert_eq!(grow(&mut greedy, 1, 5), 1, "the reserve is given up");
    }
}

#[test]
fn tables_count_in_a_budget_and_do_not_grow_where_it_has_no_room() {
    for engine in engines() {
        let one = tables(&engine, 1);
        let budget = MemoryBudget::new(1000);
        let mut limits = StoreLimits::default();
        limits.table_elements = 50;
        limits.memory_budget = Some(budget.clone());
        let mut first = instance(&engine, &one, &limits).unwrap();
        assert_eq!(budget.used(), 50 * 16);
        let mut second = instance(&engine, &one, &limits).unwrap();
        assert_eq!(budget.used(), 60 * 16);
        assert_eq!(grow(&mut first, 0, 40), 10);
        assert_eq!(grow(&mut second, 0, 1), -1, "{}", engine.backend());
        let error = instance(&engine, &one, &limits).unwrap_err();
        assert_eq!(exceeded(&error).limit, "memory_budget");
        drop((first, second));
        assert_eq!(budget.used(), 0);
    }
}

#[test]
fn a_pooled_instance_counts_with_its_first_size_once_it_is_reset() {
    for engine in engines() {
        let budget = MemoryBudget::new(20 * PAGE);
        let mut limits = StoreLimits::default();
        limits.memory_budget = Some(budget.clone());
        let pre = Linker::new(&engine)
            .instantiate_pre(&memories(&engine, 2))
            .unwrap();
        let pool = InstancePool::new(&engine, pre, limits, 2);
        for _ in 0..100 {
            let mut pooled = pool.get(()).unwrap();
            let (store, instance) = pooled.parts();
            let grow = instance.get_func(&mut *store, ["grow1"]).unwrap();
            let grown = grow.call_dynamic(store, &[Val::S32(18)]).unwrap();
            assert_eq!(grown, Some(Val::S32(1)), "{}", engine.backend());
            drop(grow);
            assert_eq!(budget.used(), 20 * PAGE);
            drop(pooled);
            let kept = if cfg!(unix) { 2 * PAGE } else { 0 };
            assert_eq!(budget.used(), kept);
        }
        drop(pool);
        assert_eq!(budget.used(), 0);
    }
}
