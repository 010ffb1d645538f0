#!/usr/bin/env bash
# Eighteen short WIT types that wit-parser accepts are too large for the component that wit-component writes for them.
#
# Versions: wit-parser, wit-component and wasmparser 0.263.0
# Behavior: wasmparser counts a type with everything it refers to, every time, and refuses more than a million. The parser of WIT has no
#   such limit, nor has the encoder: for a chain of tuples that each name the previous one twice, both succeed, and the error comes only
#   when the bytes are validated. The length of the text says nothing: a chain that names the previous type once is accepted.
# Output seen:
#   each twice: 17 types ok, 18 types effective type size exceeds the limit of 1000000
#   each once: 17 types ok, 18 types ok
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
wasmparser = "=0.263.0"
wit-component = "=0.263.0"
wit-parser = "=0.263.0"
END
cat > src/main.rs <<'END'
fn read(types: usize, next: fn(usize) -> String) -> String {
    let lines: String = (1..=types).map(next).collect();
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("a.wit", &format!("package a:b;\ninterface i {{\ntype t0 = u8;\n{lines}}}\n")).unwrap();
    let bytes = wit_component::encode(&resolve, package, false).unwrap();
    let outcome = wasmparser::validate(&bytes).map_or_else(|error| error.message().to_string(), |_| "ok".to_string());
    format!("{types} types {outcome}")
}

fn main() {
    let twice = |i| format!("type t{i} = tuple<t{0}, t{0}>;\n", i - 1);
    let once = |i| format!("type t{i} = tuple<t{0}, u8>;\n", i - 1);
    println!("each twice: {}, {}", read(17, twice), read(18, twice));
    println!("each once: {}, {}", read(17, once), read(18, once));
}
END
expected='each twice: 17 types ok, 18 types effective type size exceeds the limit of 1000000
each once: 17 types ok, 18 types ok'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
