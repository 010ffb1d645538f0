//! Cases of every function of WASI 0.2; `wit/world.wit` says what they answer.

mod clocks;
mod cli;
mod files;
mod http;
mod lookup;
mod random;
mod steps;
mod streams;
mod tcp;
mod text;
mod udp;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "wasi-cases", generate_all, features: ["informational-outbound-responses"] });
    use super::Cases;
    export!(Cases);
}

/// Observations of a case, or the reason why it could not be run.
type Outcome = Result<String, String>;

/// A case by its name.
type Case = (&'static str, fn() -> Outcome);

const GROUPS: &[&[Case]] = &[
    files::data::CASES,
    files::names::CASES,
    files::paths::CASES,
    files::facts::CASES,
    files::folders::CASES,
    files::fixed::CASES,
    streams::CASES,
    clocks::CASES,
    random::CASES,
    cli::CASES,
    tcp::CASES,
    udp::CASES,
    lookup::CASES,
    http::CASES,
    http::sent::CASES,
    http::answered::CASES,
    http::waits::CASES,
];

struct Cases;

impl bindings::Guest for Cases {
    fn names() -> Vec<String> {
        GROUPS.concat().iter().map(|(name, _)| (*name).to_string()).collect()
    }

    fn run(name: String) -> Outcome {
        let cases = GROUPS.concat();
        let case = cases.iter().find(|(case, _)| *case == name);
        case.ok_or("there is no such case")?.1()
    }
}
