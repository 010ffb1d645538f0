#!/usr/bin/env bash
# wasmtime-py returns a component's error like a value, without a tag, unless both have the same type.
#
# Versions: wasmtime 50.0.1 (PyPI)
# Behavior: a function of `result<string, u32>` returns a text or a number: no exception, and no wrapper that says which case it is. If
#   value and error have the same type, both are wrapped in a Variant with a tag. So the shape of what a call returns depends on the types,
#   and changes when the component's error type changes.
# Output seen:
#   result<string, u32>: "ok" 7
#   result<u32, u32>: ["ok", 7] ["err", 7]
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > run.py <<'END'
import json
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Variant

TEXT = """
(component
  (core module $module
    (memory (export "memory") 1)
    (data (i32.const 16) "ok")
    (func (export "text") (param $well i32) (result i32)
      (i32.store (i32.const 0) (i32.eqz (local.get $well)))
      (i32.store (i32.const 4) (select (i32.const 16) (i32.const 7) (local.get $well)))
      (i32.store (i32.const 8) (i32.const 2))
      (i32.const 0))
    (func (export "number") (param $well i32) (result i32)
      (i32.store (i32.const 0) (i32.eqz (local.get $well)))
      (i32.store (i32.const 4) (i32.const 7))
      (i32.const 0)))
  (core instance $guest (instantiate $module))
  (func (export "text") (param "well" bool) (result (result string (error u32)))
    (canon lift (core func $guest "text") (memory (core memory $guest "memory"))))
  (func (export "number") (param "well" bool) (result (result u32 (error u32)))
    (canon lift (core func $guest "number") (memory (core memory $guest "memory")))))
"""

engine = Engine()
store = Store(engine)
instance = Linker(engine).instantiate(store, Component(engine, TEXT))

def call(name, well):
    func = instance.get_func(store, name)
    value = func(store, well)
    func.post_return(store)
    return json.dumps([value.tag, value.payload] if isinstance(value, Variant) else value)

for name, ty in [("text", "string"), ("number", "u32")]:
    print(f"result<{ty}, u32>: {call(name, True)} {call(name, False)}")
END
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install wasmtime==50.0.1
expected='result<string, u32>: "ok" 7
result<u32, u32>: ["ok", 7] ["err", 7]'
seen=$(env/bin/python run.py)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
