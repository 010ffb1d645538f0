#!/usr/bin/env bash
# wasmer's Cranelift determines the patch release of wasmtime's translator in the same lock file.
#
# Versions: wasmer 7.4.2 with Cranelift; wasmtime-environ 48.0.0 and 48.0.1
# Behavior: wasmer pins cranelift =0.135.0, whose entity crate pins wasmtime-internal-core =48.0.0, and every crate of wasmtime pins its
#   siblings to its own patch release. So a program that uses wasmer and wasmtime-environ 48 gets only 48.0.0; later fixes are not
#   available, nor are later versions of wasmtime as a second engine. Nothing is compiled here: cargo fails to lock.
# Output seen:
#   48.0.0: locks
#   48.0.1: versions that meet the requirements `=48.0.0` are: 48.0.0
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
touch src/lib.rs
try() {
    cat > Cargo.toml <<END
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
wasmer = { version = "=7.4.2", default-features = false, features = ["sys", "cranelift"] }
wasmtime-environ = { version = "=$1", default-features = false, features = ["compile"] }
END
    rm -f Cargo.lock
    if cargo generate-lockfile > out.txt 2>&1; then
        echo "$1: locks"
    else
        echo "$1: $(grep 'versions that meet' out.txt)"
    fi
}
expected='48.0.0: locks
48.0.1: versions that meet the requirements `=48.0.0` are: 48.0.0'
seen=$(try 48.0.0; try 48.0.1)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
