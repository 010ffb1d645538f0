#!/usr/bin/env bash
# A componentize-qjs component needs component-model async, though no function of its world is async.
#
# Versions: componentize-qjs 0.4.5 (npm); jco 1.35.0 (npm) prints the component
# Behavior: for a world with one synchronous function, the exported function is lifted synchronously. But the component defines asynchronous
#   built-ins for its runtime, so a host without them refuses all of it. With --sync there are none.
# Output seen:
#   default: asynchronous exports 0, built-ins: context.get context.set subtask.cancel subtask.drop task.cancel waitable-set.drop waitable-set.new waitable.join
#   sync: asynchronous exports 0, built-ins: none
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
npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35.0 componentize-qjs@0.4.5
npx componentize-qjs --wit wit --js guest.js --stub-wasi --output default.wasm > /dev/null
npx componentize-qjs --wit wit --js guest.js --stub-wasi --sync --output sync.wasm > /dev/null
seen=$(for name in default sync; do
    npx jco print "$name.wasm" > "$name.wat"
    exports=$(grep -cE 'canon lift .*\basync\b|\(type .*\(func async' "$name.wat" || true)
    built_ins=$(grep -oE 'canon (task|subtask|waitable|waitable-set|backpressure|stream|future|context|thread|error-context)\.[a-z-]+' "$name.wat" \
        | sed 's/canon //' | sort -u | tr '\n' ' ' | sed 's/ $//' || true)
    echo "$name: asynchronous exports $exports, built-ins: ${built_ins:-none}"
done)
expected='default: asynchronous exports 0, built-ins: context.get context.set subtask.cancel subtask.drop task.cancel waitable-set.drop waitable-set.new waitable.join
sync: asynchronous exports 0, built-ins: none'
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
