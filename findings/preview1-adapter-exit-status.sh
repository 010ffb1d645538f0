#!/usr/bin/env bash
# A preview 1 program that exits with 3 exits with 1 as a component.
#
# Versions: wasi-preview1-component-adapter-provider 48.0.8, wit-component 0.263.0; wasmtime 50.0.1 (PyPI) runs both
# Behavior: the published adapter implements proc_exit with wasi:cli/exit's `exit`, which has a result instead of a number. So every status
#   other than 0 becomes 1 in every engine; programs that distinguish failures by their status need another way.
# Output seen:
#   core module: 3
#   component: 1
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
wasi-preview1-component-adapter-provider = "=48.0.8"
wat = "=1.263.0"
wit-component = "=0.263.0"
END
cat > src/main.rs <<'END'
use wasi_preview1_component_adapter_provider as published;

fn main() {
    let module = wat::parse_str(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const 3))))"#,
    )
    .unwrap();
    std::fs::write("core.wasm", &module).unwrap();
    let (name, adapter) =
        (published::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, published::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER);
    let mut encoder = wit_component::ComponentEncoder::default();
    let component = encoder.module(&module).unwrap().adapter(name, adapter).unwrap().validate(true).encode().unwrap();
    std::fs::write("component.wasm", component).unwrap();
}
END
cat > run.py <<'END'
from wasmtime import Engine, ExitTrap, Linker, Module, Store, WasiConfig, component

engine = Engine()

store = Store(engine)
store.set_wasi(WasiConfig())
linker = Linker(engine)
linker.define_wasi()
instance = linker.instantiate(store, Module.from_file(engine, "core.wasm"))
try:
    instance.exports(store)["_start"](store)
except ExitTrap as exit:
    print("core module:", exit.code)

store = Store(engine)
store.set_wasi(WasiConfig())
linker = component.Linker(engine)
linker.add_wasip2()
program = component.Component.from_file(engine, "component.wasm")
instance = linker.instantiate(store, program)
interface = instance.get_export_index(store, next(iter(program.type.exports(engine))))
try:
    instance.get_func(store, instance.get_export_index(store, "run", interface))(store)
except ExitTrap as exit:
    print("component:", exit.code)
END
CARGO_TARGET_DIR="$dir/target" cargo run --quiet
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install wasmtime==50.0.1
expected='core module: 3
component: 1'
seen=$(env/bin/python run.py)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
