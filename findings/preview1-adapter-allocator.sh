#!/usr/bin/env bash
# The preview 1 adapter keeps its stack and state in the program's own heap, if the program exports cabi_realloc.
#
# Versions: wasi-preview1-component-adapter-provider 48.0.8, wit-component 0.263.0; wasmtime 50.0.1 (PyPI) runs the component
# Behavior: the adapter needs a page for its stack and one for its state. If the module exports cabi_realloc, as modules do whose world
#   has strings, it requests both there, the first before the program begins; otherwise memory grows. The program below needs no allocator.
#   So the adapter's pages lie among the program's own allocations, and the program's allocator is called before the program has run.
# Output seen:
#   exported as cabi_realloc: 5 pages, requests before the first line: 65536, after it: 65536 65536
#   exported as other: 6 pages, requests before the first line: none, after it: none
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
    for name in ["cabi_realloc", "other"] {
        // The allocator notes each size at 1024; the program writes the number of pages, and the sizes before and after its first line.
        let module = wat::parse_str(format!(
            r#"(module
                (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
                (memory (export "memory") 5)
                (global $next (mut i32) (i32.const 65536))
                (global $note (mut i32) (i32.const 1024))
                (func (export "{name}") (param i32 i32 i32 i32) (result i32)
                    (i32.store (global.get $note) (local.get 3))
                    (global.set $note (i32.add (global.get $note) (i32.const 4)))
                    (global.get $next)
                    (global.set $next (i32.add (global.get $next) (local.get 3))))
                (func $line
                    (i32.store (i32.const 0) (i32.const 1020))
                    (i32.store (i32.const 4) (i32.const 20))
                    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
                (func (export "_start")
                    (i32.store (i32.const 1020) (memory.size))
                    (i32.store (i32.const 1036) (i32.sub (global.get $note) (i32.const 1024)))
                    (call $line)
                    (call $line)))"#
        ))
        .unwrap();
        let (adapter, bytes) =
            (published::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, published::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER);
        let mut encoder = wit_component::ComponentEncoder::default();
        let component = encoder.module(&module).unwrap().adapter(adapter, bytes).unwrap().validate(true).encode().unwrap();
        std::fs::write(format!("{name}.wasm"), component).unwrap();
    }
}
END
cat > run.py <<'END'
import struct
from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

engine = Engine()

def run(name):
    config = WasiConfig()
    config.stdout_file = name + ".out"
    store = Store(engine)
    store.set_wasi(config)
    linker = Linker(engine)
    linker.add_wasip2()
    program = Component.from_file(engine, name + ".wasm")
    instance = linker.instantiate(store, program)
    interface = instance.get_export_index(store, next(iter(program.type.exports(engine))))
    instance.get_func(store, instance.get_export_index(store, "run", interface))(store)

for name in ["cabi_realloc", "other"]:
    run(name)
    pages, *sizes, before = struct.unpack("<5I", open(name + ".out", "rb").read()[20:40])
    requests = lambda of: " ".join(str(size) for size in of if size) or "none"
    print(f"exported as {name}: {pages} pages, requests before the first line: {requests(sizes[:before // 4])},", end=" ")
    print(f"after it: {requests(sizes)}")
END
CARGO_TARGET_DIR="$dir/target" cargo run --quiet
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install wasmtime==50.0.1
expected='exported as cabi_realloc: 5 pages, requests before the first line: 65536, after it: 65536 65536
exported as other: 6 pages, requests before the first line: none, after it: none'
seen=$(env/bin/python run.py)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
