#!/usr/bin/env bash
# Components of componentize-qjs and componentize-py keep exports that are used only at build time.
#
# Versions: componentize-qjs 0.4.5 (npm), componentize-py 0.25.0 (PyPI); jco 1.35.0 (npm) prints the types
# Behavior: for a world with one exported function, the former component also exports a function `init`, the latter an interface `exports`
#   with such a function. Neither is in the world. A host that lists or binds a component's exports finds them; componentize-js adds none.
# Output seen:
#   componentize-qjs: add init
#   componentize-py: add exports
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
cat > app.py <<'END'
class WitWorld:
    def add(self, a: int, b: int) -> int:
        return a + b
END
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35.0 componentize-qjs@0.4.5
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install componentize-py==0.25.0
npx componentize-qjs --wit wit --js guest.js --sync --output componentize-qjs.wasm > /dev/null
env/bin/componentize-py --wit-path wit --world sum componentize app --output componentize-py.wasm > /dev/null
exports() {
    echo "$1:" $(npx jco wit "$1.wasm" | sed -n 's/^  export \([a-z-]*\):.*/\1/p' | sort)
}
expected='componentize-qjs: add init
componentize-py: add exports'
seen=$(exports componentize-qjs; exports componentize-py)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
