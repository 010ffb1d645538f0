#!/usr/bin/env bash
# wit-parser silently drops items that are marked unstable.
#
# Versions: wit-parser 0.263.0
# Behavior: a function with `@unstable(feature = x)` is not in the interface after parsing, unless the feature is enabled in the Resolve
#   first. There is no error and no trace of the item, so host code generated from the text lacks functions of the text.
# Output seen:
#   as it is: ["stable"]
#   with the feature: ["stable", "fresh"]
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
wit-parser = "=0.263.0"
END
cat > src/main.rs <<'END'
const TEXT: &str = "package a:b@0.1.0;
interface i {
  @since(version = 0.1.0)
  stable: func();
  @unstable(feature = x)
  fresh: func();
}
";

fn main() {
    for (how, on) in [("as it is", false), ("with the feature", true)] {
        let mut resolve = wit_parser::Resolve::default();
        if on {
            resolve.features.insert("x".to_string());
        }
        let package = resolve.push_str("a.wit", TEXT).unwrap();
        let interface = resolve.packages[package].interfaces["i"];
        let names: Vec<_> = resolve.interfaces[interface].functions.keys().collect();
        println!("{how}: {names:?}");
    }
}
END
expected='as it is: ["stable"]
with the feature: ["stable", "fresh"]'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
