#!/usr/bin/env bash
# borsh reads maps and sets that it never writes.
#
# Versions: borsh 1.8.1
# Behavior: the format has one encoding for each value, so that values can be hashed and signed, and the writer sorts keys. The reader
#   accepts entries in any order, and repeated ones, of which the last one counts. So different bytes are the same value, and a value that
#   is read and written again has another hash. The crate's feature `de_strict_order`, which is not a default, refuses both.
# Output seen:
#   map, unsorted: {1: 10, 2: 20}, written again differs
#   map, key repeated: {1: 20}, written again differs
#   set, repeated: {1}, written again differs
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
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

fn read<T: BorshDeserialize + BorshSerialize + Debug>(name: &str, bytes: &[u8]) {
    let value: T = borsh::from_slice(bytes).unwrap();
    let again = if borsh::to_vec(&value).unwrap() == bytes { "is the same" } else { "differs" };
    println!("{name}: {value:?}, written again {again}");
}

fn main() {
    read::<BTreeMap<u8, u8>>("map, unsorted", &[2, 0, 0, 0, 2, 20, 1, 10]);
    read::<BTreeMap<u8, u8>>("map, key repeated", &[2, 0, 0, 0, 1, 10, 1, 20]);
    read::<BTreeSet<u8>>("set, repeated", &[2, 0, 0, 0, 1, 1]);
}
END
expected='map, unsorted: {1: 10, 2: 20}, written again differs
map, key repeated: {1: 20}, written again differs
set, repeated: {1}, written again differs'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
