#!/usr/bin/env bash
# Optional values in WAVE: `some` may be left out, but not of an option in an option, and a record of nothing is not `{}`.
#
# Versions: wasm-wave 0.263.0
# Behavior: `1` is read as option<u8>; for option<option<u8>> it is refused, and `some(1)` means some(some(1)). A record whose fields are
#   all optional and absent is written `{:}`; `{}`, which looks like it, is the empty flags value and is refused. A field that is said to be
#   none is not there when the value is printed.
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
