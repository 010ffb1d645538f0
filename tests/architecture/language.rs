//! The language of doc comments, as far as a machine can check it.

use super::{SOURCE, rust_files};
use std::fs;
use std::path::Path;

/// Openings that ask or point instead of naming the item or saying what it does.
const OPENINGS: [&str; 6] = ["What", "Who", "Whom", "Whose", "Whether", "Which"];

/// Words that hide who acts, or that the item has a name.
const WORDS: [&str; 6] = [
    "somebody",
    "nobody",
    "whoever",
    "is told",
    "are told",
    "handed on",
];

/// A line's doc comment.
fn doc(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
    (!text.starts_with('/')).then(|| text.strip_prefix(' ').unwrap_or(text))
}

fn contains_word(text: &str, word: &str) -> bool {
    let text = text.to_lowercase();
    text.match_indices(word).any(|(at, _)| {
        let letter = |c: char| c.is_alphanumeric();
        !text[..at].chars().next_back().is_some_and(letter)
            && !text[at + word.len()..].chars().next().is_some_and(letter)
    })
}

/// Faults of one file's doc comments: line number and text.
fn faults(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut within = false;
    for (index, line) in source.lines().enumerate() {
        let text = doc(line);
        if let Some(text) = text {
            let first = text
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default();
            let opens = !within && OPENINGS.contains(&first);
            if opens || WORDS.iter().any(|word| contains_word(text, word)) {
                found.push((index + 1, text.to_owned()));
            }
        }
        within = text.is_some();
    }
    found
}

fn shown(path: &Path, (line, text): &(usize, String)) -> String {
    format!("{}:{line}: {text}", path.display())
}

#[test]
fn doc_comments_open_with_a_noun_phrase_or_a_verb() {
    let mut found = Vec::new();
    for path in SOURCE
        .iter()
        .chain(&["xtask", "tests"])
        .flat_map(|folder| rust_files(folder))
    {
        let source = fs::read_to_string(&path).expect("readable");
        found.extend(faults(&source).iter().map(|fault| shown(&path, fault)));
    }
    assert!(
        found.is_empty(),
        "{} doc comments:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn the_check_finds_openings_and_words_in_doc_comments_only() {
    let lines = |source: &str| {
        faults(source)
            .into_iter()
            .map(|(line, _)| line)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("/// What it is.\nfn f() {}"), [1]);
    assert_eq!(lines("//! Whether it runs."), [1]);
    assert_eq!(
        lines("/// A limit.\n/// What follows is a second sentence.\nfn f() {}"),
        [] as [usize; 0]
    );
    assert_eq!(lines("/// Stops a guest that nobody watches."), [1]);
    assert_eq!(
        lines("// What a plain comment says is not checked.\n//// Nor this."),
        [] as [usize; 0]
    );
    assert_eq!(lines("/// Whatever is left."), [] as [usize; 0]);
}
