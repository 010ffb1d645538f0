//! Instances of core modules: functions by number, tables, segments, globals, imports and starts, on each backend, with and without
//! fuel, freshly compiled and from a signed artifact, new and reused.

use airssys_wasm::Error;
use airssys_wasm::artifact::{self, Artifact, SecretKey, Trust};
use airssys_wasm::component::{Component, Instance, InstancePool, Linker, Store};
use airssys_wasm::engine::{Backend, Config, Engine, StoreLimits};
use airssys_wasm::error::{CoreTrap, TrapKind};
use airssys_wasm_test_support::component;

/// A component, and its answers.
struct Case {
    name: &'static str,
    /// Core modules and instances; `$i` exports `run`, `$host` provides `tell` and `tick`.
    core: &'static str,
    /// The numbers that it passes to the host while it is instantiated, or its trap then.
    start: Result<&'static [u32], CoreTrap>,
    /// Arguments and answers of `run`. Each trap is that of a new instance; the other calls are made in order, of one instance.
    calls: &'static [(u32, Result<u32, CoreTrap>)],
}

const NULL: Result<u32, CoreTrap> = Err(CoreTrap::IndirectCallToNull);
const OUTSIDE: Result<u32, CoreTrap> = Err(CoreTrap::TableOutOfBounds);
const OTHER_TYPE: Result<u32, CoreTrap> = Err(CoreTrap::BadSignature);

const CASES: &[Case] = &[
    Case {
        name: "overlapping segments, nulls and host functions in a table that is only called through",
        core: r#"(core module $m (type $f (func (param i32) (result i32))) (type $other (func))
            (import "host" "tell" (func $tell (type $f)))
            (func $unused (type $f) i32.const 100) (func $a (type $f) i32.const 1) (func $b (type $f) i32.const 2)
            (func $c (type $f) (i32.add (local.get 0) (i32.const 3))) (func $d (type $other))
            (table 8 8 funcref)
            (elem (i32.const 0) func $a $a $a) (elem (i32.const 2) func $b $b)
            (elem (i32.const 3) funcref (ref.null func) (ref.func $c) (ref.func $tell) (ref.func $d))
            (elem (i32.const 8) func)
            (func (export "run") (type $f) (call_indirect (type $f) (i32.const 10) (local.get 0))))
          (core instance $i (instantiate $m (with "host" (instance $host))))"#,
        start: Ok(&[]),
        calls: &[
            (0, Ok(1)),
            (1, Ok(1)),
            (2, Ok(2)),
            (3, NULL),
            (4, Ok(13)),
            (5, Ok(11)),
            (6, OTHER_TYPE),
            (7, NULL),
            (8, OUTSIDE),
            (u32::MAX, OUTSIDE),
        ],
    },
    Case {
        name: "several tables of fixed size, one empty, one of other references",
        core: r#"(core module $m (type $f (func (result i32)))
            (func $a (type $f) i32.const 1) (func $b (type $f) i32.const 2) (func $c (type $f) i32.const 3)
            (table $t 2 2 funcref) (table $none 0 0 funcref) (table $e 3 3 externref) (table $u 3 3 funcref) (table $g 1 9 funcref)
            (elem (table $u) (i32.const 1) func $c) (elem (table $t) (i32.const 0) func $a $b) (elem (table $g) (i32.const 0) func $b)
            (func (export "run") (param i32) (result i32)
                (if (i32.eq (local.get 0) (i32.const 100)) (then (return (call_indirect $none (type $f) (i32.const 0)))))
                (i32.add (call_indirect $g (type $f) (i32.const 0))
                    (i32.add (i32.mul (i32.const 100) (call_indirect $t (type $f) (i32.and (local.get 0) (i32.const 1))))
                        (i32.mul (i32.const 10) (call_indirect $u (type $f) (local.get 0)))))))
          (core instance $i (instantiate $m))"#,
        start: Ok(&[]),
        calls: &[(1, Ok(232)), (0, NULL), (2, NULL), (3, OUTSIDE), (100, OUTSIDE)],
    },
    Case {
        name: "a table without its first element, which wasmer takes for unchanging",
        core: r#"(core module $m (type $f (func (result i32)))
            (func $unused (type $f) i32.const 100) (func $a (type $f) i32.const 1) (func $b (type $f) (global.get $g))
            (global $g (mut i32) (i32.const 7)) (table 3 3 funcref) (elem (i32.const 1) func $a $b)
            (func (export "run") (param i32) (result i32) (call_indirect (type $f) (local.get 0))))
          (core instance $i (instantiate $m))"#,
        start: Ok(&[]),
        calls: &[(1, Ok(1)), (2, Ok(7)), (0, NULL), (3, OUTSIDE)],
    },
    Case {
        name: "offsets from globals and sums",
        core: r#"(core module $base (global (export "at") i32 (i32.const 2)))
          (core instance $base (instantiate $base))
          (core module $m (type $f (func (result i32))) (import "base" "at" (global $at i32))
            (func $unused (type $f) i32.const 100) (func $a (type $f) i32.const 1) (func $b (type $f) i32.const 2)
            (table $t 4 4 funcref) (table $u 4 4 funcref)
            (elem (table $t) (global.get $at) func $a $b)
            (elem (table $u) (offset (i32.add (i32.const 1) (i32.const 2))) func $b)
            (func (export "run") (param i32) (result i32)
                (if (result i32) (i32.lt_u (local.get 0) (i32.const 10))
                    (then (call_indirect $t (type $f) (local.get 0)))
                    (else (call_indirect $u (type $f) (i32.sub (local.get 0) (i32.const 10)))))))
          (core instance $i (instantiate $m (with "base" (instance $base))))"#,
        start: Ok(&[]),
        calls: &[
            (2, Ok(1)),
            (3, Ok(2)),
            (13, Ok(2)),
            (1, NULL),
            (12, NULL),
            (14, OUTSIDE),
        ],
    },
    Case {
        name: "functions that only a global, an export, a start or a passive segment names",
        core: r#"(core module $m (type $f (func (result i32)))
            (func $u0 (type $f) i32.const 100) (func $by-global (type $f) (i32.add (global.get $n) (i32.const 1)))
            (func $u1 (type $f) i32.const 101) (func $by-export (export "named") (type $f) (i32.add (global.get $n) (i32.const 2)))
            (func $u2 (type $f) i32.const 102) (func $by-start (global.set $n (i32.const 40)))
            (func $u3 (type $f) i32.const 103) (func $by-segment (type $f) (i32.add (global.get $n) (i32.const 3)))
            (global $n (mut i32) (i32.const 0)) (global $g (export "held") funcref (ref.func $by-global))
            (table (export "table") 4 funcref) (elem $e func $u3 $by-segment) (start $by-start)
            (func (export "fill") (table.init $e (i32.const 0) (i32.const 0) (i32.const 2)))
            (func (export "drop") (elem.drop $e)))
          (core instance $m (instantiate $m))
          (core module $user (type $f (func (result i32)))
            (import "m" "held" (global $held funcref)) (import "m" "named" (func $named (type $f)))
            (import "m" "table" (table $t 4 funcref)) (import "m" "fill" (func $fill)) (import "m" "drop" (func $drop))
            (elem declare func $named)
            (func (export "run") (param i32) (result i32)
                (if (i32.eq (local.get 0) (i32.const 9)) (then (call $drop)))
                (call $fill)
                (table.set $t (i32.const 2) (global.get $held))
                (table.set $t (i32.const 3) (ref.func $named))
                (call_indirect $t (type $f) (local.get 0))))
          (core instance $i (instantiate $user (with "m" (instance $m))))"#,
        start: Ok(&[]),
        calls: &[
            (0, Ok(103)),
            (1, Ok(43)),
            (2, Ok(41)),
            (3, Ok(42)),
            (4, OUTSIDE),
            (9, OUTSIDE),
        ],
    },
    Case {
        name: "an imported table of fixed size, filled by active segments, whose functions keep their own instance",
        core: r#"(core module $owner (type $f (func (result i32))) (table (export "t") 4 4 funcref)
            (memory 1) (data (i32.const 0) "\05") (func $u (type $f) i32.const 100)
            (func $own (type $f) (i32.load8_u (i32.const 0))) (elem (i32.const 0) func $own $own)
            (func (export "call") (param i32) (result i32) (call_indirect (type $f) (local.get 0))))
          (core instance $owner (instantiate $owner))
          (core module $m (type $f (func (result i32))) (import "o" "t" (table 3 4 funcref))
            (import "o" "call" (func $call (param i32) (result i32)))
            (memory 1) (data (i32.const 0) "\07") (global $g (mut i32) (i32.const 1))
            (func $u0 (type $f) i32.const 100) (func $u1 (type $f) i32.const 101)
            (func $f (type $f) (global.set $g (i32.add (global.get $g) (i32.const 1))) (i32.add (global.get $g) (i32.load8_u (i32.const 0))))
            (elem (i32.const 1) func $f $f)
            (func (export "run") (param i32) (result i32)
                (i32.add (i32.mul (i32.const 100) (call $call (local.get 0))) (call_indirect (type $f) (local.get 0)))))
          (core instance $i (instantiate $m (with "o" (instance $owner))))"#,
        start: Ok(&[]),
        calls: &[(0, Ok(505)), (1, Ok(910)), (2, Ok(1112)), (3, NULL), (4, OUTSIDE)],
    },
    Case {
        name: "an exported table of fixed size that another module reads",
        core: r#"(core module $owner (type $f (func (result i32))) (table (export "t") 3 3 funcref)
            (func $u (type $f) i32.const 100) (func $a (type $f) i32.const 1) (elem (i32.const 2) func $a)
            (func (export "call") (param i32) (result i32) (call_indirect (type $f) (local.get 0))))
          (core instance $owner (instantiate $owner))
          (core module $m (type $f (func (result i32))) (import "o" "t" (table $t 3 3 funcref))
            (import "o" "call" (func $call (param i32) (result i32)))
            (func (export "run") (param i32) (result i32)
                (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 2))
                (i32.add (i32.mul (i32.const 100) (table.size $t))
                    (i32.add (i32.mul (i32.const 10) (ref.is_null (table.get $t (local.get 0)))) (call $call (local.get 0))))))
          (core instance $i (instantiate $m (with "o" (instance $owner))))"#,
        start: Ok(&[]),
        calls: &[(1, Ok(301)), (0, NULL), (2, Ok(301)), (3, OUTSIDE)],
    },
    Case {
        name: "tables of other references, and growth",
        core: r#"(core module $m (table $e 2 2 externref) (table $g 1 3 externref) (elem (table $e) (i32.const 1) externref (ref.null extern))
            (func (export "run") (param i32) (result i32)
                (table.set $e (local.get 0) (ref.null extern))
                (i32.add (i32.add (table.grow $e (ref.null extern) (i32.const 1)) (i32.mul (i32.const 10) (table.size $e)))
                    (i32.mul (i32.const 100) (table.grow $g (ref.null extern) (i32.const 1))))))
          (core instance $i (instantiate $m))"#,
        start: Ok(&[]),
        calls: &[(0, Ok(119)), (1, Ok(219)), (0, Ok(u32::MAX - 80)), (2, OUTSIDE)],
    },
    Case {
        name: "floats through a table, to the module's functions and the host's",
        core: r#"(core module $m (type $f (func (param f32 f64) (result f64))) (type $t (func (param i32) (result i32)))
            (import "host" "tell" (func $tell (type $t)))
            (func $u (type $f) f64.const 0) (func $add (type $f) (f64.add (f64.promote_f32 (local.get 0)) (local.get 1)))
            (func $mul (type $f) (f64.convert_i32_u (call $tell (i32.trunc_f64_u (f64.mul (f64.promote_f32 (local.get 0)) (local.get 1))))))
            (table 3 3 funcref) (elem (i32.const 0) func $add $mul $tell)
            (func (export "run") (param i32) (result i32)
                (i32.trunc_f64_u (call_indirect (type $f) (f32.const 2.5) (f64.const 4) (local.get 0)))))
          (core instance $i (instantiate $m (with "host" (instance $host))))"#,
        start: Ok(&[]),
        calls: &[(0, Ok(6)), (1, Ok(11)), (2, OTHER_TYPE), (3, OUTSIDE)],
    },
    Case {
        name: "a start that grows the memory, calls through a table and calls the host",
        core: r#"(core module $m (type $f (func (param i32) (result i32))) (import "host" "tell" (func $tell (type $f)))
            (memory 1 3) (global $n (mut i32) (i32.const 0)) (table 2 2 funcref) (elem (i32.const 1) func $tell)
            (func $u (type $f) i32.const 100)
            (func $s (global.set $n (call_indirect (type $f) (memory.grow (i32.const 2)) (i32.const 1))))
            (start $s)
            (func (export "run") (type $f) (i32.add (global.get $n) (i32.mul (i32.const 10) (memory.size)))))
          (core instance $i (instantiate $m (with "host" (instance $host))))"#,
        start: Ok(&[1]),
        calls: &[(0, Ok(32))],
    },
    Case {
        name: "an imported start",
        core: r#"(core module $m (import "host" "tick" (func $tick)) (start $tick)
            (func (export "run") (param i32) (result i32) local.get 0))
          (core instance $i (instantiate $m (with "host" (instance $host))))"#,
        start: Ok(&[77]),
        calls: &[(5, Ok(5))],
    },
    Case {
        name: "a start that traps after it called the host",
        core: r#"(core module $m (import "host" "tick" (func $tick)) (func $s (call $tick) unreachable) (start $s)
            (func (export "run") (param i32) (result i32) local.get 0))
          (core instance $i (instantiate $m (with "host" (instance $host))))"#,
        start: Err(CoreTrap::Unreachable),
        calls: &[],
    },
    Case {
        name: "a segment outside its table is found before data outside its memory and before the start",
        core: r#"(core module $m (func $f unreachable) (table 2 2 funcref) (memory 1)
            (elem (i32.const 0) func $f) (elem (i32.const 1) func $f $f) (data (i32.const 65536) "x") (start $f)
            (func (export "run") (param i32) (result i32) local.get 0))
          (core instance $i (instantiate $m))"#,
        start: Err(CoreTrap::TableOutOfBounds),
        calls: &[],
    },
    Case {
        name: "a segment before its table",
        core: r#"(core module $m (table 2 2 funcref) (elem (i32.const -1) func)
            (func (export "run") (param i32) (result i32) local.get 0))
          (core instance $i (instantiate $m))"#,
        start: Err(CoreTrap::TableOutOfBounds),
        calls: &[],
    },
    Case {
        name: "data outside its memory is found before the start, and after the segments of tables",
        core: r#"(core module $m (func $f unreachable) (table 2 2 funcref) (memory 1)
            (elem (i32.const 0) func $f) (data (i32.const 65536) "x") (start $f)
            (func (export "run") (param i32) (result i32) local.get 0))
          (core instance $i (instantiate $m))"#,
        start: Err(CoreTrap::MemoryOutOfBounds),
        calls: &[],
    },
    Case {
        name: "a module that fails after it has put its functions into the table of another",
        core: r#"(core module $owner (table (export "t") 2 2 funcref)) (core instance $owner (instantiate $owner))
          (core module $m (import "o" "t" (table 2 2 funcref)) (func $f) (elem (i32.const 0) func $f) (elem (i32.const 2) func $f)
            (func (export "run") (param i32) (result i32) local.get 0))
          (core instance $i (instantiate $m (with "o" (instance $owner))))"#,
        start: Err(CoreTrap::TableOutOfBounds),
        calls: &[],
    },
    Case {
        name: "a large table with few elements",
        core: r#"(core module $m (type $f (func (result i32))) (func $u (type $f) i32.const 100) (func $a (type $f) i32.const 1)
            (table 100000 100000 funcref) (elem (i32.const 99999) func $a)
            (func (export "run") (param i32) (result i32) (call_indirect (type $f) (local.get 0))))
          (core instance $i (instantiate $m))"#,
        start: Ok(&[]),
        calls: &[(99_999, Ok(1)), (99_998, NULL), (100_000, OUTSIDE)],
    },
];

fn text(core: &str) -> String {
    format!(
        r#"(component
            (import "tell" (func $tell (param "n" u32) (result u32))) (import "tick" (func $tick))
            (core func $lowered-tell (canon lower (func $tell))) (core func $lowered-tick (canon lower (func $tick)))
            (core instance $host (export "tell" (func $lowered-tell)) (export "tick" (func $lowered-tick)))
            {core}
            (func (export "run") (param "n" u32) (result u32) (canon lift (core func $i "run"))))"#
    )
}

fn linker(engine: &Engine) -> Linker<Vec<u32>> {
    let mut linker: Linker<Vec<u32>> = Linker::new(engine);
    let mut root = linker.root();
    root.func_wrap("tell", |mut cx, (n,): (u32,)| {
        cx.data_mut().push(n);
        Ok((n + 1,))
    })
    .expect("defined once");
    root.func_wrap("tick", |mut cx, (): ()| {
        cx.data_mut().push(77);
        Ok(())
    })
    .expect("defined once");
    linker
}

/// Engines of all backends, with and without fuel.
fn engines() -> Vec<Engine> {
    let each = |backend: &Backend| {
        [false, true].map(|fuel| {
            Engine::new(Config::new().backend(*backend).consume_fuel(fuel)).expect("the backend is available")
        })
    };
    Backend::available().iter().flat_map(each).collect()
}

fn call(store: &mut Store<Vec<u32>>, instance: &Instance, n: u32) -> Result<u32, CoreTrap> {
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut *store, ["run"]);
    let answer = run.expect("it is exported").call(store, (n,));
    answer.map(|(answer,)| answer).map_err(core_trap)
}

fn core_trap(error: Error) -> CoreTrap {
    match &error {
        Error::Trap(trap) => match trap.kind() {
            TrapKind::Core(trap) => *trap,
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

/// Compares a component with its case, on new instances and on reused ones.
fn check(case: &Case, engine: &Engine, component: &Component, place: &str) {
    let linker = linker(engine);
    let begin = |store: &mut Store<Vec<u32>>| linker.instantiate(store, component);
    let mut store = Store::new(engine, Vec::new());
    let instance = match (begin(&mut store), case.start) {
        (Ok(instance), Ok(told)) => {
            assert_eq!(store.data(), told, "{place}");
            instance
        }
        (Err(error), Err(trap)) => {
            assert_eq!(core_trap(error), trap, "{place}");
            // The store, with the rest of the instance, can be used and dropped.
            assert_eq!(
                begin(&mut store).map(drop).map_err(core_trap),
                Err(trap),
                "{place}"
            );
            return;
        }
        (Err(error), Ok(_)) => panic!("{place}: {error}"),
        (Ok(_), Err(trap)) => panic!("{place}: no {trap}"),
    };
    for (n, answer) in case.calls.iter().filter(|(_, answer)| answer.is_err()) {
        let mut store = Store::new(engine, Vec::new());
        let instance = begin(&mut store).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(call(&mut store, &instance, *n), *answer, "{place}: {n}");
    }
    let good = || case.calls.iter().filter(|(_, answer)| answer.is_ok());
    for (n, answer) in good() {
        assert_eq!(call(&mut store, &instance, *n), *answer, "{place}: {n}");
    }
    let pre = linker.instantiate_pre(component).expect("it links");
    let pool = InstancePool::new(engine, pre, StoreLimits::default(), 2);
    for _ in 0..3 {
        let mut pooled = pool.get(Vec::new()).expect("there is room");
        let (store, instance) = pooled.parts();
        for (n, answer) in good() {
            assert_eq!(call(store, instance, *n), *answer, "{place}, pooled: {n}");
        }
    }
}

#[test]
fn core_instances_answer_as_the_specification_says() {
    let key = SecretKey::generate().expect("random numbers");
    let trust = Trust::new([key.public()]);
    let headless = Engine::new(Config::new().backend(Backend::Headless)).expect("always there");
    for engine in engines() {
        for case in CASES {
            let text = text(case.core);
            let place = |from: &str| format!("{} ({}, {from})", case.name, engine.description());
            check(case, &engine, &component(&engine, &text), &place("compiled"));
            let bytes = wat::parse_str(&text).expect("the text parses");
            let file = artifact::compile(&engine, &bytes, Some(&key)).expect("it compiles");
            let artifact = Artifact::open(&file).expect("it is whole");
            let loaded = artifact.load(&trust).expect("it is signed");
            check(case, &headless, &loaded, &place("from an artifact"));
        }
    }
}

/// A component with `count` tables of fixed size, of so many elements, the first ones named.
fn tables(count: usize, size: u32) -> String {
    let table = format!("(table {size} {size} funcref)");
    format!(
        r#"(component (core module $m (func $f) {} (elem (table 0) (i32.const 0) func $f)) (core instance (instantiate $m)))"#,
        table.repeat(count)
    )
}

#[test]
fn tables_of_fixed_size_count_as_the_module_declares_them() {
    let mut few = StoreLimits::default();
    (few.table_elements, few.total_table_elements, few.tables) = (100, 250, 3);
    let cases = [
        (2, 100, few.clone(), None),
        (1, 101, few.clone(), Some(("table_elements", 100, 101))),
        (3, 100, few.clone(), Some(("total_table_elements", 250, 100))),
        (4, 10, few, Some(("tables", 3, 1))),
        // The most that the engine keeps in a record: nothing is made of it before it is refused.
        (
            100,
            1 << 20,
            StoreLimits::default(),
            Some(("table_elements", 1_000_000, 1 << 20)),
        ),
    ];
    for engine in engines() {
        for (count, size, limits, refused) in &cases {
            let component = component(&engine, &tables(*count, *size));
            let mut store = Store::with_limits(&engine, (), limits.clone());
            let made = Linker::new(&engine).instantiate(&mut store, &component);
            let place = format!("{count} tables of {size} ({})", engine.description());
            match (made, refused) {
                (Ok(_), None) => {}
                (Err(Error::LimitExceeded(exceeded)), Some((limit, allowed, requested))) => {
                    let found = (exceeded.limit, exceeded.allowed, exceeded.requested);
                    assert_eq!(found, (*limit, *allowed, *requested), "{place}");
                }
                (made, _) => panic!("{place}: {:?}", made.map(drop)),
            }
        }
    }
}
