#!/usr/bin/env bash
# In a component, writing no buffers to a closed descriptor of preview 1 succeeds.
#
# Versions: wasi-preview1-component-adapter-provider 48.0.8, wit-component 0.263.0; wasmtime 50.0.1 (PyPI) runs both
# Behavior: the published adapter answers fd_write and fd_read with an empty list of buffers before it looks at the descriptor. As a core
#   module the same program is refused with 8 (badf). A list of one buffer without bytes is refused in both. So a program that probes a
#   descriptor with an empty list finds closed ones open.
# Output seen:
#   core module: no buffers 8 8, an empty buffer 8 8
#   component: no buffers 0 0, an empty buffer 8 8
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
    // Each outcome for the closed descriptor 99 is written to the standard output as a byte.
    let module = wat::parse_str(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func $tell (param $outcome i32)
                (i32.store8 (i32.const 64) (local.get $outcome))
                (i32.store (i32.const 16) (i32.const 64))
                (i32.store (i32.const 20) (i32.const 1))
                (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32))))
            (func (export "_start")
                (call $tell (call $write (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 32)))
                (call $tell (call $read (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 32)))
                (i32.store (i32.const 0) (i32.const 64))
                (call $tell (call $write (i32.const 99) (i32.const 0) (i32.const 1) (i32.const 32)))
                (call $tell (call $read (i32.const 99) (i32.const 0) (i32.const 1) (i32.const 32)))))"#,
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
from wasmtime import Engine, Linker, Module, Store, WasiConfig, component

engine = Engine()

def store(output):
    config = WasiConfig()
    config.stdout_file = output
    store = Store(engine)
    store.set_wasi(config)
    return store

def core(output):
    own = store(output)
    linker = Linker(engine)
    linker.define_wasi()
    linker.instantiate(own, Module.from_file(engine, "core.wasm")).exports(own)["_start"](own)

def adapted(output):
    own = store(output)
    linker = component.Linker(engine)
    linker.add_wasip2()
    program = component.Component.from_file(engine, "component.wasm")
    instance = linker.instantiate(own, program)
    interface = instance.get_export_index(own, next(iter(program.type.exports(engine))))
    instance.get_func(own, instance.get_export_index(own, "run", interface))(own)

for name, run in [("core module", core), ("component", adapted)]:
    run(name + ".out")
    none, none_read, empty, empty_read = open(name + ".out", "rb").read()
    print(f"{name}: no buffers {none} {none_read}, an empty buffer {empty} {empty_read}")
END
CARGO_TARGET_DIR="$dir/target" cargo run --quiet
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install wasmtime==50.0.1
expected='core module: no buffers 8 8, an empty buffer 8 8
component: no buffers 0 0, an empty buffer 8 8'
seen=$(env/bin/python run.py)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
