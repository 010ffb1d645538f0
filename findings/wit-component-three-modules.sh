#!/usr/bin/env bash
# A core module that imports one function with a string parameter becomes a component with three core modules.
#
# Versions: wit-component 0.263.0, wat 1.263.0
# Behavior: lowering a string needs the module's memory, which exists only after the module is instantiated, which needs its imports. The
#   encoder breaks this cycle with a shim module of stubs that call through a table, and a fix-up module that fills the table afterwards.
#   With numbers only there is one module. An engine repeats its work per module (compile, map, register) three times for most components.
# Output seen:
#   func(n: u32): core modules 1
#   func(s: string): core modules 3
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
wat = "=1.263.0"
wit-component = "=0.263.0"
wit-parser = "=0.263.0"
END
cat > src/main.rs <<'END'
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

fn main() {
    for (function, params) in [("func(n: u32)", "i32"), ("func(s: string)", "i32 i32")] {
        let mut module = wat::parse_str(format!(
            r#"(module
                (import "a:b/i" "f" (func (param {params})))
                (memory (export "memory") 1)
                (func (export "run")))"#
        ))
        .unwrap();
        let wit = format!("package a:b;\ninterface i {{ f: {function}; }}\nworld w {{ import i; export run: func(); }}");
        let mut resolve = wit_parser::Resolve::default();
        let package = resolve.push_str("a.wit", &wit).unwrap();
        let world = resolve.select_world(&[package], Some("w")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
        let component = ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap();
        let modules = component.windows(8).filter(|bytes| bytes == b"\0asm\x01\0\0\0").count();
        println!("{function}: core modules {modules}");
    }
}
END
expected='func(n: u32): core modules 1
func(s: string): core modules 3'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
