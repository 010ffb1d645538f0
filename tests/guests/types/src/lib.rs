//! A test guest outside the contract; `wit/world.wit` says what each function does.

mod counters;
mod echoes;
mod failing;
mod logging;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "types", generate_all });
    use super::Types;
    export!(Types);
}

use bindings::exports::fixtures::types::{calling, describing};
use bindings::fixtures::types::host_functions;

struct Types;

impl describing::Guest for Types {
    fn describe(
        person: describing::Person,
        shape: describing::Shape,
        tags: Vec<String>,
    ) -> Result<String, String> {
        if person.name.is_empty() {
            return Err("a person needs a name".into());
        }
        let shape = match shape {
            describing::Shape::Circle(radius) => format!("a circle of radius {radius}"),
            describing::Shape::Square(side) => format!("a square of side {side}"),
            describing::Shape::None => "no shape".into(),
        };
        Ok(format!(
            "{} ({}) has {shape}, tagged [{}]",
            person.name,
            person.age,
            tags.join(", ")
        ))
    }
}

impl calling::Guest for Types {
    fn call_add(a: u32, b: u32) -> u32 {
        host_functions::host_add(a, b)
    }

    fn call_concat(parts: Vec<String>) -> String {
        host_functions::host_concat(&parts)
    }

    fn call_fail(message: Option<String>) -> Result<u32, String> {
        host_functions::host_fail(message.as_deref())
    }

    fn call_nothing() {
        host_functions::host_nothing();
    }

    fn call_add_often(times: u32) -> u32 {
        (0..times).fold(0, |sum, _| host_functions::host_add(sum, 1))
    }
}
