#!/usr/bin/env bash
# In WAVE, `some` can be omitted except for nested options, and an empty record is not `{}`.
#
# Versions: wasm-wave 0.263.0
# Behavior: `1` is accepted as option<u8>, but not as option<option<u8>>, where `some(1)` means some(some(1)). A record whose optional
#   fields are all absent is written `{:}`; the similar `{}` is the empty flags value and is refused. A field with the value none is omitted
#   when the value is printed.
# Output seen:
#   option<u8> 1: some(1)
#   option<option<u8>> 1: invalid value type at 0..1
#   option<option<u8>> some(1): some(some(1))
#   record {}: invalid value type at 0..2
#   record {:}: {:}
#   record {a: none}: {:}
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
wasm-wave = "=0.263.0"
END
cat > src/main.rs <<'END'
use wasm_wave::value::{Type, Value};

fn main() {
    let option = Type::option(Type::U8);
    let nested = Type::option(Type::option(Type::U8));
    let record = Type::record([("a", Type::option(Type::U8))]).unwrap();
    for (name, ty, text) in [
        ("option<u8>", &option, "1"),
        ("option<option<u8>>", &nested, "1"),
        ("option<option<u8>>", &nested, "some(1)"),
        ("record", &record, "{}"),
        ("record", &record, "{:}"),
        ("record", &record, "{a: none}"),
    ] {
        match wasm_wave::from_str::<Value>(ty, text) {
            Ok(value) => println!("{name} {text}: {}", wasm_wave::to_string(&value).unwrap()),
            Err(error) => println!("{name} {text}: {error}"),
        }
    }
}
END
expected='option<u8> 1: some(1)
option<option<u8>> 1: invalid value type at 0..1
option<option<u8>> some(1): some(some(1))
record {}: invalid value type at 0..2
record {:}: {:}
record {a: none}: {:}'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
