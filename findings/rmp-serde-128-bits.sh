#!/usr/bin/env bash
# rmp-serde writes every u128 as sixteen bytes of binary, including small ones.
#
# Versions: rmp-serde 1.3.1, serde 1
# Behavior: MessagePack's integers have at most 64 bits. A u128 of 1 could be one byte, and a u128 reader does accept the integer 1; the
#   writer emits a `bin` of 16 bytes, big-endian, which readers in other languages return as bytes instead of a number.
# Output seen:
#   u64 1: [01]
#   u128 1: [c4, 10, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 01]
#   the integer 1 as u128: 1
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
rmp-serde = "=1.3.1"
END
cat > src/main.rs <<'END'
fn main() {
    println!("u64 1: {:02x?}", rmp_serde::to_vec(&1u64).unwrap());
    println!("u128 1: {:02x?}", rmp_serde::to_vec(&1u128).unwrap());
    println!("the integer 1 as u128: {}", rmp_serde::from_slice::<u128>(&[1]).unwrap());
}
END
expected='u64 1: [01]
u128 1: [c4, 10, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 01]
the integer 1 as u128: 1'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
