#!/usr/bin/env bash
# A Go library for wasip1 accepts strings, but exports no allocator to pass them.
#
# Versions: Go 1.26; wasmtime 50.0.1 (PyPI) lists imports and exports
# Behavior: //go:wasmexport accepts a function with a string parameter, which becomes an address and a length, but the module exports no
#   allocator: the caller has no guest memory for the text, unless the guest exports a function for that manually. The compiler refuses a
#   string as a result. A function that measures a text makes the module import ten functions of preview 1, among them those for arguments,
#   environment and random numbers.
# Output seen:
#   exports: _initialize memory size
#   size: [I32, I32] -> [I32]
#   imports: args_get args_sizes_get clock_time_get environ_get environ_sizes_get fd_write poll_oneoff proc_exit random_get sched_yield
#   a string as a result: unsupported result type string
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
printf 'module finding\ngo 1.26\n' > go.mod
cat > main.go <<'END'
package main

//go:wasmexport size
func size(text string) uint32 { return uint32(len(text)) }

func main() {}
END
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o library.wasm .
mkdir other
sed 's/uint32(len(text))/text/; s/) uint32 {/) string {/' main.go > other/main.go
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install wasmtime==50.0.1
cat > list.py <<'END'
from wasmtime import Engine, Module

module = Module.from_file(Engine(), "library.wasm")
print("exports:", *sorted(export.name for export in module.exports))
size = next(export.type for export in module.exports if export.name == "size")
kinds = lambda types: "[" + ", ".join(str(kind).upper() for kind in types) + "]"
print("size:", kinds(size.params), "->", kinds(size.results))
print("imports:", *sorted(item.name for item in module.imports))
END
expected='exports: _initialize memory size
size: [I32, I32] -> [I32]
imports: args_get args_sizes_get clock_time_get environ_get environ_sizes_get fd_write poll_oneoff proc_exit random_get sched_yield
a string as a result: unsupported result type string'
seen=$(
    env/bin/python list.py
    { GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o other.wasm ./other 2>&1 || true; } |
        sed -n 's/.*wasmexport: /a string as a result: /p'
)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
