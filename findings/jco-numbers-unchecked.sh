#!/usr/bin/env bash
# jco checks a number in a list, but not a number by itself.
#
# Versions: jco 1.35.0 (npm), Node.js 20
# Behavior: as a u8, 300 arrives as 44, but in a list<u8> it is a TypeError. Typed arrays are accepted for list<u8> with any element type
#   and passed as their memory: two 16-bit numbers arrive as four bytes, while a plain array of the same two arrives as two.
# Output seen:
#   u8 300: 44
#   list<u8> [1, 300]: TypeError: invalid u8 value [300]
#   list<u8> [1, 2]: 2 bytes
#   list<u8> Uint16Array [1, 2]: 4 bytes
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > guest.wat <<'END'
(component
  (core module $module
    (memory (export "memory") 1)
    (func (export "same") (param i32) (result i32) (local.get 0))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
    (func (export "size") (param i32 i32) (result i32) (local.get 1)))
  (core instance $guest (instantiate $module))
  (func (export "byte") (param "of" u8) (result u8) (canon lift (core func $guest "same")))
  (func (export "size") (param "of" (list u8)) (result u32)
    (canon lift (core func $guest "size") (memory (core memory $guest "memory")) (realloc (core func $guest "realloc")))))
END
npm init --yes > /dev/null
npm pkg set type=module
npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35.0
npx jco parse guest.wat -o guest.wasm > /dev/null
npx jco transpile guest.wasm -o guest --name guest --quiet > /dev/null
cat > run.js <<'END'
import { byte, size } from './guest/guest.js';

const said = (call) => {
    try {
        return call();
    } catch (error) {
        return error;
    }
};
console.log('u8 300:', byte(300));
console.log(`list<u8> [1, 300]: ${said(() => size([1, 300]))}`);
console.log(`list<u8> [1, 2]: ${size([1, 2])} bytes`);
console.log(`list<u8> Uint16Array [1, 2]: ${size(new Uint16Array([1, 2]))} bytes`);
END
expected='u8 300: 44
list<u8> [1, 300]: TypeError: invalid u8 value [300]
list<u8> [1, 2]: 2 bytes
list<u8> Uint16Array [1, 2]: 4 bytes'
seen=$(node run.js)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
