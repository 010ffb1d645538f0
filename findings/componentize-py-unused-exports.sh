#!/usr/bin/env bash
# A component of componentize-py is fourteen modules that are linked when it starts, and nothing imports most of what they export.
#
# Versions: componentize-py 0.25.1 (PyPI)
# Behavior: CPython, the C library and others stay the shared libraries that they were: modules with thousands of exports, functions and
#   addresses of data, that the component's own instructions link by name. Two fifths of the names are imported by any of the modules.
#   A host that keeps a table of every module's exports, or a reference to every exported function, holds more than twice what can be used.
# Output seen:
#   14 modules, 4187 exports, 1739 of them imported
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
cat > app.py <<'END'
class WitWorld:
    def add(self, a: int, b: int) -> int:
        return a + b
END
cat > count.py <<'END'
import sys

def number(at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at

def name(at):
    length, at = number(at)
    return data[at:at + length], at + length

def limits(at):
    flags, at = data[at], at + 1
    _, at = number(at)
    return number(at)[1] if flags & 1 else at

def sections(start, end):
    at = start + 8
    while at < end:
        length, content = number(at + 1)
        yield data[at], content, content + length
        at = content + length

def modules(start, end):
    for kind, content, after in sections(start, end):
        if kind == 1:
            yield content, after
        elif kind == 4:
            yield from modules(content, after)

def imports(at):
    count, at = number(at)
    for _ in range(count):
        _, at = name(at)
        field, at = name(at)
        kind, at = data[at], at + 1
        if kind == 0:
            _, at = number(at)
        elif kind == 1:
            at = limits(at + 1)
        elif kind == 2:
            at = limits(at)
        else:
            at += 2
        yield field

def exports(at):
    count, at = number(at)
    for _ in range(count):
        field, at = name(at)
        _, at = number(at + 1)
        yield field

data = open(sys.argv[1], "rb").read()
found = list(modules(0, len(data)))
imported, exported = set(), []
for start, end in found:
    for kind, content, _ in sections(start, end):
        if kind == 2:
            imported.update(imports(content))
        elif kind == 7:
            exported.extend(exports(content))
used = sum(field in imported for field in exported)
print(f"{len(found)} modules, {len(exported)} exports, {used} of them imported")
END
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install componentize-py==0.25.1
env/bin/componentize-py --wit-path wit --world sum componentize app --output app.wasm > /dev/null
expected='14 modules, 4187 exports, 1739 of them imported'
seen=$(python3 count.py app.wasm)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
