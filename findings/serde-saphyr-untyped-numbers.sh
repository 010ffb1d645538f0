#!/usr/bin/env bash
# Untyped YAML of serde-saphyr has more kinds of numbers than YAML 1.2.
#
# Versions: serde-saphyr 2.1.1, serde_json 1
# Behavior: read into serde_json::Value with the default options, a plain scalar with a leading zero becomes a float, underscores are
#   removed, and 0b, 0X and signs before 0x are numbers. In the core schema of YAML 1.2, only the first is a number, an integer; a postal
#   code loses its zero. Whole numbers beyond 64 bits become floats. Base 60 is text, as specified.
# Output seen:
#   02134 2134.0
#   1_000 1000
#   0b11 3
#   0X1F 31
#   -0x1F -31
#   18446744073709551616 1.8446744073709552e+19
#   1:30 "1:30"
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
serde-saphyr = "=2.1.1"
serde_json = "1"
END
cat > src/main.rs <<'END'
fn main() {
    for text in ["02134", "1_000", "0b11", "0X1F", "-0x1F", "18446744073709551616", "1:30"] {
        println!("{text} {}", serde_saphyr::from_str::<serde_json::Value>(text).unwrap());
    }
}
END
expected='02134 2134.0
1_000 1000
0b11 3
0X1F 31
-0x1F -31
18446744073709551616 1.8446744073709552e+19
1:30 "1:30"'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
