//! The guest that the benchmark calls; `wit/world.wit` says what each function does.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "bench", generate_all });
    use super::Bench;
    export!(Bench);
}

use bindings::exports::fixtures::bench::operations::{Context, Failure, Guest};
use bindings::fixtures::bench::host;

struct Bench;

impl Guest for Bench {
    fn execute(mut input: Vec<u8>, context: Context) -> Result<Vec<u8>, Failure> {
        if input.is_empty() {
            return Err(Failure::Empty);
        }
        if context.deadline == 0 {
            return Err(Failure::Refused(context.id));
        }
        host::log("executing");
        input.reverse();
        Ok(input)
    }

    fn add(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    fn call_host(times: u32) -> u32 {
        (0..times).fold(0, |value, _| host::tick(value))
    }

    fn call_host_text(times: u32) {
        for _ in 0..times {
            host::log("executing");
        }
    }
}
