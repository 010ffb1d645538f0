#!/usr/bin/env bash
# The producers sections of a componentize-qjs component name neither JavaScript nor the tool, but Rust.
#
# Versions: componentize-qjs 0.4.5 and @bytecodealliance/componentize-js 0.23.0 (npm); jco 1.35.0 (npm) prints the sections
# Behavior: for the same JavaScript file, componentize-js writes its own name and JavaScript into the component's section. componentize-qjs
#   writes nothing there; the sections further inside are those of the parts that it links, and name only Rust. So a component's source
#   language cannot be determined from its metadata.
# Output seen:
#   componentize-js:
#     component, language: JavaScript
#     component, processed by: ComponentizeJS wit-component
#     inside, language: C11 C_plus_plus_14 Rust
#   componentize-qjs:
#     component, language: none
#     component, processed by: none
#     inside, language: Rust
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
npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35.0 componentize-qjs@0.4.5 @bytecodealliance/componentize-js@0.23.0
npx componentize-js guest.js --wit wit --out componentize-js.wasm > /dev/null 2>&1
npx componentize-qjs --wit wit --js guest.js --sync --output componentize-qjs.wasm > /dev/null
cat > list.cjs <<'END'
const [component, ...inner] = JSON.parse(require('fs').readFileSync(0));
const names = (parts, field) => {
    const values = parts.flatMap((part) => part.producers).filter(([name]) => name === field).flatMap(([, values]) => values);
    return [...new Set(values.map(([name]) => name))].sort().join(' ') || 'none';
};
console.log(`${process.argv[2]}:`);
console.log('  component, language:', names([component], 'language'));
console.log('  component, processed by:', names([component], 'processed-by'));
console.log('  inside, language:', names(inner, 'language'));
END
expected='componentize-js:
  component, language: JavaScript
  component, processed by: ComponentizeJS wit-component
  inside, language: C11 C_plus_plus_14 Rust
componentize-qjs:
  component, language: none
  component, processed by: none
  inside, language: Rust'
seen=$(for tool in componentize-js componentize-qjs; do npx jco metadata-show "$tool.wasm" --json | node list.cjs "$tool"; done)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
