#!/usr/bin/env bash
# A component of componentize-js imports WASI in two versions, with eighteen interfaces for an addition.
#
# Versions: @bytecodealliance/componentize-js 0.23.0 (npm); jco 1.35.0 (npm) prints the types
# Behavior: for a world without imports and a guest that adds two numbers, the component imports HTTP, files, terminals and random numbers:
#   wasi:http in 0.2.10, everything else in 0.2.12. A host that provides one version by its exact name cannot instantiate it. With all five
#   features disabled by name there are no imports.
# Output seen:
#   as it is: 18 imports, 2 of 0.2.10, 16 of 0.2.12
#   with all disabled: 0 imports, 0 of 0.2.10, 0 of 0.2.12
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir wit
cat > wit/world.wit <<'END'
package finding:sum;
world sum {
  export add: func(a: u32, b: u32) -> u32;
}
END
echo 'export const add = (a, b) => a + b;' > guest.js
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/jco@1.35.0
npx componentize-js guest.js --wit wit --out plain.wasm > /dev/null 2>&1
npx componentize-js guest.js --wit wit --disable stdio random clocks http fetch-event --out bare.wasm > /dev/null 2>&1
imports() {
    npx jco wit "$2" | grep '^  import' > imports.txt || true
    local older newer
    older=$(grep -c '@0\.2\.10;' imports.txt || true)
    newer=$(grep -c '@0\.2\.12;' imports.txt || true)
    echo "$1: $(wc -l < imports.txt) imports, $older of 0.2.10, $newer of 0.2.12"
}
expected='as it is: 18 imports, 2 of 0.2.10, 16 of 0.2.12
with all disabled: 0 imports, 0 of 0.2.10, 0 of 0.2.12'
seen=$(imports 'as it is' plain.wasm; imports 'with all disabled' bare.wasm)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
