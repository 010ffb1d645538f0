//! The inner half of an asynchronous text processor: works on texts that arrive as streams.

mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "guests:text-worker/text-worker",
        generate_all,
    });
    use super::Worker;
    export!(Worker);
}

// The operations of the guest that has no asynchronous functions.
#[allow(dead_code, reason = "requests are decoded by the other half")]
#[path = "../../text-processor/src/text.rs"]
mod text;

use bindings::exports::guests::text::work::{Counts, Guest, Measures};
use bindings::{wit_future, wit_stream};
use wit_bindgen::{FutureReader, StreamReader, StreamResult};

/// Bytes that are read at a time.
const PIECE: usize = 16 << 10;

struct Worker;

impl Guest for Worker {
    async fn word_count(text: StreamReader<u8>) -> Counts {
        let words = text::word_count(&gather(text).await);
        Counts {
            count: words.count,
            unique: words.unique,
        }
    }

    async fn reverse(text: StreamReader<u8>) -> StreamReader<u8> {
        let (mut answer, reader) = wit_stream::new();
        // Runs on after this function has returned.
        wit_bindgen::spawn_local(async move {
            let reversed = text::reverse(&gather(text).await).text;
            answer.write_all(reversed.into_bytes()).await;
        });
        reader
    }

    async fn statistics(text: StreamReader<u8>) -> FutureReader<Measures> {
        let (answer, reader) = wit_future::new(|| unreachable!("the future is always written"));
        wit_bindgen::spawn_local(async move {
            let measures = measures(&gather(text).await);
            // An error if no future waits for it any more.
            let _ = answer.write(measures).await;
        });
        reader
    }
}

/// Reads a stream to its end. The writers send whole texts, and so valid UTF-8.
async fn gather(mut stream: StreamReader<u8>) -> String {
    let mut bytes = Vec::new();
    loop {
        let (result, mut piece) = stream.read(Vec::with_capacity(PIECE)).await;
        bytes.append(&mut piece);
        if result == StreamResult::Dropped {
            return String::from_utf8(bytes).expect("a text is UTF-8");
        }
        // Other tasks of the composition may run between two pieces.
        wit_bindgen::yield_async().await;
    }
}

fn measures(text: &str) -> Measures {
    let all = text::statistics(text);
    Measures {
        chars: all.chars,
        words: all.words,
        lines: all.lines,
        bytes: all.bytes,
        letters: text
            .split_whitespace()
            .map(|word| word.chars().count() as u64)
            .sum(),
        longest_word: all.longest_word,
    }
}
