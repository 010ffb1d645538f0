#!/usr/bin/env bash
# rmp_serde::from_slice ignores data after the value.
#
# Versions: rmp-serde 1.3.1, serde_json 1, borsh 1.8.1
# Behavior: from_slice of three bytes returns the first as a number and ignores the other two. The functions of the same name in serde_json
#   and borsh refuse trailing data. A reader must check the position afterwards.
# Output seen:
#   rmp-serde: 1
#   serde_json: trailing characters at line 1 column 3
#   borsh: Not all bytes read
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
borsh = "=1.8.1"
rmp-serde = "=1.3.1"
serde_json = "1"
END
cat > src/main.rs <<'END'
fn main() {
    println!("rmp-serde: {}", rmp_serde::from_slice::<u8>(&[1, 2, 3]).unwrap());
    println!("serde_json: {}", serde_json::from_slice::<u8>(b"1 2").unwrap_err());
    println!("borsh: {}", borsh::from_slice::<u8>(&[1, 2]).unwrap_err());
}
END
expected='rmp-serde: 1
serde_json: trailing characters at line 1 column 3
borsh: Not all bytes read'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
