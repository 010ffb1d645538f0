//! The operations: each converts text to a serializable result.

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub struct Params {
    pub text: String,
}

#[derive(Serialize)]
pub struct WordCount {
    /// The number of words.
    pub count: u64,
    /// The number of distinct words, compared exactly.
    pub unique: u64,
}

#[derive(Serialize)]
pub struct Reversed {
    pub text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Statistics {
    pub chars: u64,
    pub words: u64,
    pub lines: u64,
    pub bytes: u64,
    pub average_word_length: f64,
    pub longest_word: String,
}

/// Words are separated by white space as defined by Unicode.
pub fn word_count(text: &str) -> WordCount {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let count = words.len() as u64;
    words.sort_unstable();
    words.dedup();
    WordCount {
        count,
        unique: words.len() as u64,
    }
}

/// Reverses by Unicode scalar value, so a combining mark ends up before its letter.
pub fn reverse(text: &str) -> Reversed {
    Reversed {
        text: text.chars().rev().collect(),
    }
}

pub fn statistics(text: &str) -> Statistics {
    let mut words = 0;
    let mut letters = 0;
    let mut longest = ("", 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        words += 1;
        letters += length;
        if length > longest.1 {
            longest = (word, length);
        }
    }
    Statistics {
        chars: text.chars().count() as u64,
        words,
        lines: text.lines().count() as u64,
        bytes: text.len() as u64,
        average_word_length: if words == 0 {
            0.0
        } else {
            letters as f64 / words as f64
        },
        longest_word: longest.0.to_string(),
    }
}
