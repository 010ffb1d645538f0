//! Half of a composition: passes everything on to the provider and hands back what it says.

wit_bindgen::generate!({
    path: ["../compose-provider/wit", "wit"],
    world: "fixtures:consume/consumer",
    generate_all,
});

use exports::fixtures::consume::relay;
use fixtures::compose::text::{self, Journal};

struct Consumer;

export!(Consumer);

impl Guest for Consumer {
    fn greet(name: String) -> String {
        text::shout(&format!("hello, {name}"))
    }
}

impl relay::Guest for Consumer {
    fn mirror(text: String) -> String {
        text::mirror(&text)
    }

    fn lengths(text: String) -> (u32, u32) {
        (text::units(&text), text.len() as u32)
    }

    fn longest(lines: Vec<String>) -> Option<String> {
        text::longest(&lines)
    }

    fn keep(title: String, lines: Vec<String>) -> (u32, String) {
        let journal = Journal::new(&title);
        let count = lines.iter().fold(0, |_, line| journal.add(line));
        (count, journal.contents())
    }

    fn hand_over(title: String, lines: Vec<String>) -> String {
        let journal = Journal::new(&title);
        for line in &lines {
            journal.add(line);
        }
        Journal::close(journal)
    }

    fn open_journals() -> u32 {
        text::open_journals()
    }
}
