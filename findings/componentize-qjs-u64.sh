#!/usr/bin/env bash
# Components of componentize-qjs receive 64-bit integers as doubles.
#
# Versions: componentize-qjs 0.4.5 (npm); wasmtime 50.0.1 (PyPI) runs the component
# Behavior: u64 and s64 arrive in JavaScript as Number, not as BigInt as in jco and componentize-js, so that integers beyond 2^53 change
#   silently. (A BigInt that the guest returns ends the instance.)
# Output seen:
#   9007199254740993 arrives as number 9007199254740992
#   9007199254740993 comes back as 9007199254740992
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir wit
cat > wit/world.wit <<'END'
package finding:numbers;
world numbers {
  export arrives: func(x: s64) -> string;
  export back: func(x: u64) -> u64;
}
END
cat > guest.js <<'END'
export const arrives = (x) => `${typeof x} ${x}`;
export const back = (x) => x;
END
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund componentize-qjs@0.4.5
npx componentize-qjs --wit wit --js guest.js --sync --output guest.wasm > /dev/null
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install wasmtime==50.0.1
cat > run.py <<'END'
from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

engine = Engine()
store = Store(engine)
store.set_wasi(WasiConfig())
linker = Linker(engine)
linker.add_wasip2()
instance = linker.instantiate(store, Component.from_file(engine, "guest.wasm"))
number = 9007199254740993

def call(name):
    func = instance.get_func(store, name)
    result = func(store, number)
    func.post_return(store)
    return result

print(number, "arrives as", call("arrives"))
print(number, "comes back as", call("back"))
END
expected='9007199254740993 arrives as number 9007199254740992
9007199254740993 comes back as 9007199254740992'
seen=$(env/bin/python run.py)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
