#!/usr/bin/env bash
# borsh refuses NaNs and collections of zero-sized types.
#
# Versions: borsh 1.8.1
# Behavior: NaN cannot be serialized or deserialized, while infinities can; a Vec of a zero-sized type cannot be serialized at any length.
#   Both are runtime errors for types that compile.
# Output seen:
#   NaN, written: For portability reasons we do not allow to serialize NaNs.
#   NaN, read: For portability reasons we do not allow to deserialize NaNs.
#   infinity: [0, 0, 128, 127]
#   vec![()]: Collections of zero-sized types are not allowed due to deny-of-service concerns on deserialization.
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
END
cat > src/main.rs <<'END'
fn main() {
    println!("NaN, written: {}", borsh::to_vec(&f32::NAN).unwrap_err());
    println!("NaN, read: {}", borsh::from_slice::<f32>(&f32::NAN.to_le_bytes()).unwrap_err());
    println!("infinity: {:?}", borsh::to_vec(&f32::INFINITY).unwrap());
    println!("vec![()]: {}", borsh::to_vec(&vec![()]).unwrap_err());
}
END
expected='NaN, written: For portability reasons we do not allow to serialize NaNs.
NaN, read: For portability reasons we do not allow to deserialize NaNs.
infinity: [0, 0, 128, 127]
vec![()]: Collections of zero-sized types are not allowed due to deny-of-service concerns on deserialization.'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
