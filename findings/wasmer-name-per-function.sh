#!/usr/bin/env bash
# The name of a module is in wasmer's ELF artifacts twice for each function.
#
# Versions: wasmer 7.4.2 with Cranelift
# Behavior: the compiled form that can be mapped from a file (`experimental_artifact`) has a unit of debugging information for each function,
#   and each unit has the module's name from its `name` section twice. A name that is longer by 64 bytes makes the artifact of a module with
#   1,000 functions longer by 128 bytes for each function; the other compiled form does not grow with the functions. A long module
#   name costs a large module megabytes.
# Output seen:
#   ELF: 128 bytes for each of 1000 functions
#   other: 0 bytes for each of 1000 functions
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
wasmer = { version = "=7.4.2", default-features = false, features = ["sys", "cranelift"] }
wat = "=1.263.0"
[profile.dev]
opt-level = 1
debug = false
END
cat > src/main.rs <<'END'
use wasmer::sys::{CompilerConfig, Cranelift, EngineBuilder};
use wasmer::{Engine, Module};

const FUNCTIONS: usize = 1000;

fn bytes(elf: bool, name: &str) -> usize {
    let functions = "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))".repeat(FUNCTIONS);
    let module = wat::parse_str(format!("(module ${name} {functions})")).unwrap();
    let mut config: Box<dyn CompilerConfig> = Box::new(Cranelift::default());
    config.experimental_artifact(elf);
    let engine: Engine = EngineBuilder::new(config).engine().into();
    Module::new(&engine, module).unwrap().serialize().unwrap().len()
}

fn main() {
    for (form, elf) in [("ELF", true), ("other", false)] {
        let more = bytes(elf, &"a".repeat(72)) - bytes(elf, &"a".repeat(8));
        println!("{form}: {} bytes for each of {FUNCTIONS} functions", more / FUNCTIONS);
    }
}
END
expected='ELF: 128 bytes for each of 1000 functions
other: 0 bytes for each of 1000 functions'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
