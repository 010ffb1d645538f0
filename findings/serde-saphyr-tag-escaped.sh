#!/usr/bin/env bash
# serde-saphyr expects the full name of a tag, and writes the common shorthand as a different tag.
#
# Versions: serde-saphyr 2.1.1
# Behavior: Tagged(value, Some("!!binary")) is written as `!%21binary`, a local tag named "!binary". The full name
#   "tag:yaml.org,2002:binary" is written correctly, in full. Neither is an error.
# Output seen:
#   !%21binary aGk=
#   !<tag:yaml.org,2002:binary> aGk=
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
END
cat > src/main.rs <<'END'
use serde_saphyr::{Tagged, to_string};

fn main() {
    for tag in ["!!binary", "tag:yaml.org,2002:binary"] {
        print!("{}", to_string(&Tagged("aGk=", Some(tag.to_string()))).unwrap());
    }
}
END
expected='!%21binary aGk=
!<tag:yaml.org,2002:binary> aGk='
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
