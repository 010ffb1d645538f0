#!/usr/bin/env bash
# granit-parser refuses a JSON text as YAML, although YAML 1.2 is a superset of JSON.
#
# Versions: granit-parser 2.2.0, serde_json 1
# Behavior: U+007F may occur unescaped in a JSON string, and YAML 1.2.2 permits every character of JSON strings in quoted scalars (rule
#   nb-json). The parser refuses it unescaped, and accepts it escaped.
# Output seen:
#   as it is: json ok, yaml unexpected character
#   escaped: json ok, yaml ok
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
granit-parser = "=2.2.0"
serde_json = "1"
END
cat > src/main.rs <<'END'
fn main() {
    for (how, text) in [("as it is", "\"a\u{7f}b\""), ("escaped", "\"a\\u007fb\"")] {
        let json = serde_json::from_str::<String>(text).map_or("refused", |_| "ok");
        let yaml = granit_parser::Parser::new_from_str(text).find_map(Result::err);
        let yaml = yaml.map_or("ok".to_string(), |error| error.info().split(':').next().unwrap().to_string());
        println!("{how}: json {json}, yaml {yaml}");
    }
}
END
expected='as it is: json ok, yaml unexpected character
escaped: json ok, yaml ok'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
