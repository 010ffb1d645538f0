#!/usr/bin/env bash
# wai-parser computes the size of a variant from its most aligned case instead of its largest.
#
# Versions: wai-parser 0.2.3
# Behavior: a variant of a u64 and of twelve bytes needs 8 bytes for the discriminant and its padding, then 12, so 24 with alignment 8. The
#   package, which computes the memory layout for the WAI tools of wasmer's older ecosystem, returns 16, in any order of the cases; if the
#   largest case is also the most aligned one, the size is correct.
# Output seen:
#   u64 and twelve bytes: size 16, align 8
#   two u64 and twelve bytes: size 24, align 8
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
wai-parser = "=0.2.3"
END
cat > src/main.rs <<'END'
use wai_parser::{Interface, SizeAlign, Type};

fn main() {
    let bytes = ["u8"; 12].join(", ");
    for (what, case) in [("u64", "u64"), ("two u64", "tuple<u64, u64>")] {
        let text = format!("variant v {{ a({case}), b(tuple<{bytes}>) }}");
        let interface = Interface::parse("x", &text).unwrap();
        let mut sizes = SizeAlign::default();
        sizes.fill(&interface);
        for (id, ty) in interface.types.iter().filter(|(_, ty)| ty.name.as_deref() == Some("v")) {
            let _ = ty;
            let (size, align) = (sizes.size(&Type::Id(id)), sizes.align(&Type::Id(id)));
            println!("{what} and twelve bytes: size {size}, align {align}");
        }
    }
}
END
expected='u64 and twelve bytes: size 16, align 8
two u64 and twelve bytes: size 24, align 8'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
