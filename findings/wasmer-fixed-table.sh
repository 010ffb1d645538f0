#!/usr/bin/env bash
# A wasmer instance does not see writes of other instances to its table, if the table cannot grow.
#
# Versions: wasmer 7.4.2 with Singlepass; the same was seen with Cranelift
# Behavior: a table whose minimum equals its maximum is called through a copy in its instance. Another instance that imports the table and
#   writes a function to it, with an element segment during instantiation, changes the table but not the copy: call_indirect in the first
#   instance still calls the old function. By the standard there is one table; with a larger maximum, or none, the new function is called.
#   Components rely on this: one module's table is filled by another.
# Output seen:
#   (table 1 1): 1 before, 1 after
#   (table 1 2): 1 before, 2 after
#   (table 1): 1 before, 2 after
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
wasmer = { version = "=7.4.2", default-features = false, features = ["sys", "singlepass"] }
wat = "=1.263.0"
[profile.dev]
opt-level = 1
debug = false
END
cat > src/main.rs <<'END'
use wasmer::sys::{EngineBuilder, Singlepass};
use wasmer::{Imports, Instance, Module, Store, Value, imports};

fn instance(store: &mut Store, text: &str, imports: &Imports) -> Instance {
    let module = Module::new(store, wat::parse_str(text).unwrap()).unwrap();
    Instance::new(store, &module, imports).unwrap()
}

fn main() {
    for table in ["1 1", "1 2", "1"] {
        let mut store = Store::new(EngineBuilder::new(Singlepass::default()).engine());
        let first = instance(
            &mut store,
            &format!(
                r#"(module
                    (type $t (func (result i32)))
                    (table (export "table") {table} funcref)
                    (elem (i32.const 0) $one)
                    (func $one (result i32) i32.const 1)
                    (func (export "call") (result i32) (call_indirect (type $t) (i32.const 0))))"#
            ),
            &imports! {},
        );
        let call = first.exports.get_function("call").unwrap().clone();
        let answer = |store: &mut Store| match call.call(store, &[]).unwrap()[0] {
            Value::I32(number) => number,
            ref other => panic!("{other:?}"),
        };
        let before = answer(&mut store);
        let exported = first.exports.get_table("table").unwrap().clone();
        instance(
            &mut store,
            &format!(
                r#"(module
                    (import "first" "table" (table {table} funcref))
                    (elem (i32.const 0) $two)
                    (func $two (result i32) i32.const 2))"#
            ),
            &imports! { "first" => { "table" => exported } },
        );
        println!("(table {table}): {before} before, {} after", answer(&mut store));
    }
}
END
expected='(table 1 1): 1 before, 1 after
(table 1 2): 1 before, 2 after
(table 1): 1 before, 2 after'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
