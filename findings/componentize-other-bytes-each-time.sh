#!/usr/bin/env bash
# The componentize tools are not reproducible: the same source builds to different components.
#
# Versions: @bytecodealliance/componentize-js 0.23.0 and componentize-qjs 0.4.5 (npm), componentize-py 0.25.0 (PyPI); Go 1.26 beside them
# Behavior: two consecutive builds of the same files differ, for Python also in length. A content-addressed cache, a signature or a lock of
#   a guest therefore covers one build, not its source. Go's compiler is reproducible.
# Output seen:
#   componentize-js differs
#   componentize-qjs differs
#   componentize-py differs
#   go same
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
cat > main.go <<'END'
package main

//go:wasmexport add
func add(a, b uint32) uint32 { return a + b }

func main() {}
END
printf 'module finding\ngo 1.26\n' > go.mod
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/jco@1.35.0 componentize-qjs@0.4.5
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install componentize-py==0.25.0
compare() {
    if cmp --silent "$1-1.wasm" "$1-2.wasm"; then echo "$1 same"; else echo "$1 differs"; fi
}
for time in 1 2; do
    npx componentize-js guest.js --wit wit --out "componentize-js-$time.wasm" > /dev/null 2>&1
    npx componentize-qjs --wit wit --js guest.js --sync --output "componentize-qjs-$time.wasm" > /dev/null
    env/bin/componentize-py --wit-path wit --world sum componentize app --output "componentize-py-$time.wasm" > /dev/null
    GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o "go-$time.wasm" .
done
expected='componentize-js differs
componentize-qjs differs
componentize-py differs
go same'
seen=$(for tool in componentize-js componentize-qjs componentize-py go; do compare "$tool"; done)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
