#!/usr/bin/env bash
# Cranelift writes a log record for each instruction, also in release builds and without its feature `trace-log`.
#
# Versions: cranelift-codegen 0.135.0, log 0.4
# Behavior: tracing has a feature of its own, `trace-log`, that is off by default because of its cost, and most of the compiler's records
#   come with it only. Some calls bypass it: those of the optimizer and of the emission of machine code. A logger for the level
#   "trace", installed to see the records of a program that embeds the compiler, gets at least one for each instruction that is
#   emitted, with the instruction as text. A logger that keeps what it gets holds gigabytes after some components with interpreters.
# Output seen:
#   1000 additions, level debug: 8 records
#   1000 additions, level trace: records of cranelift_codegen::egraph, one or more for each: true
#   1000 additions, level trace: records of cranelift_codegen::machinst::vcode, one or more for each: true
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
cranelift-codegen = { version = "=0.135.0", default-features = false, features = ["std", "unwind", "x86"] }
log = "0.4"
END
cat > src/main.rs <<'END'
use std::collections::BTreeMap;
use std::sync::Mutex;

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{types::I64, AbiParam, Function, InstBuilder, Signature, UserFuncName};
use cranelift_codegen::isa::{self, CallConv};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{control::ControlPlane, Context};

const ADDITIONS: usize = 1000;

static RECORDS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

struct Counter;

impl log::Log for Counter {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        *RECORDS.lock().unwrap().entry(record.target().to_owned()).or_default() += 1;
    }
    fn flush(&self) {}
}

fn compile() -> BTreeMap<String, usize> {
    let mut flags = settings::builder();
    flags.set("opt_level", "speed").unwrap();
    let isa = isa::lookup_by_name("x86_64-unknown-linux-gnu").unwrap();
    let isa = isa.finish(settings::Flags::new(flags)).unwrap();
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params = vec![AbiParam::new(I64); 2];
    signature.returns = vec![AbiParam::new(I64)];
    let mut function = Function::with_name_signature(UserFuncName::default(), signature);
    let block = function.dfg.make_block();
    let one = function.dfg.append_block_param(block, I64);
    let mut sum = function.dfg.append_block_param(block, I64);
    let mut cursor = FuncCursor::new(&mut function);
    cursor.insert_block(block);
    for at in 0..ADDITIONS {
        // Not additions only, which would become one multiplication.
        sum = match at % 2 {
            0 => cursor.ins().iadd(sum, one),
            _ => cursor.ins().bxor(one, sum),
        };
    }
    cursor.ins().return_(&[sum]);
    RECORDS.lock().unwrap().clear();
    Context::for_function(function).compile(&*isa, &mut ControlPlane::default()).unwrap();
    RECORDS.lock().unwrap().clone()
}

fn main() {
    log::set_logger(&Counter).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    let records = compile();
    println!("{ADDITIONS} additions, level debug: {} records", records.values().sum::<usize>());
    log::set_max_level(log::LevelFilter::Trace);
    let records = compile();
    for target in ["cranelift_codegen::egraph", "cranelift_codegen::machinst::vcode"] {
        let count = records.get(target).copied().unwrap_or_default();
        println!("{ADDITIONS} additions, level trace: records of {target}, one or more for each: {}", count >= ADDITIONS);
    }
}
END
expected='1000 additions, level debug: 8 records
1000 additions, level trace: records of cranelift_codegen::egraph, one or more for each: true
1000 additions, level trace: records of cranelift_codegen::machinst::vcode, one or more for each: true'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet --release)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
