//! Conversion of WIT names to Rust names.

use std::collections::HashSet;

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// Returns the Rust name of a type, a trait or a case.
pub(crate) fn upper_camel(name: &str) -> String {
    escaped(name.to_upper_camel_case())
}

/// Returns the Rust name of a function, a parameter, a field or a module.
pub(crate) fn snake(name: &str) -> String {
    escaped(name.to_snake_case())
}

/// Returns the Rust name of a label of flags.
pub(crate) fn shouty(name: &str) -> String {
    name.to_shouty_snake_case()
}

/// Appends an underscore to Rust's keywords; `gen` is one since the edition of 2024.
fn escaped(mut name: String) -> String {
    if name == "gen" || syn::parse_str::<syn::Ident>(&name).is_err() {
        name.push('_');
    }
    name
}

/// The names of one Rust namespace: a name that is in use gets an underscore.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// Reserves names that generated code uses itself.
    pub(crate) fn reserving(names: &[&str]) -> Names {
        Names {
            taken: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    pub(crate) fn take(&mut self, mut name: String) -> String {
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.taken.contains(name)
    }
}

/// Converts WIT's documentation to Rust's. Code blocks without a language would be compiled as tests.
pub(crate) fn docs(text: Option<&str>) -> String {
    let mut out = String::new();
    let mut within = false;
    for line in plain(text.unwrap_or_default()) {
        let line = line.trim_end();
        let fence = line.trim_start().starts_with("```");
        let bare = fence && line.trim() == "```";
        let language = if bare && !within { "text" } else { "" };
        within ^= fence;
        let space = if line.is_empty() { "" } else { " " };
        out.push_str(&format!("///{space}{line}{language}\n"));
    }
    out
}

/// Returns the lines without the stars and margin of a block comment.
fn plain(text: &str) -> Vec<&str> {
    let blank = |line: &&str| line.trim().is_empty();
    let mut lines: Vec<&str> = text.lines().skip_while(blank).collect();
    while lines.last().is_some_and(blank) {
        lines.pop();
    }
    let starred = |line: &&str| line.starts_with(' ') && line.trim_start().starts_with('*');
    if lines.iter().all(|line| blank(line) || starred(line)) {
        for line in &mut lines {
            *line = line.trim_start().trim_start_matches('*');
        }
    }
    let margin = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().filter(|line| !blank(line)).map(margin).min();
    for line in &mut lines {
        *line = line.get(common.unwrap_or_default()..).unwrap_or_default();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_rust_s_own_are_escaped() {
        for (wit, rust) in [
            ("self", "self_"),
            ("gen", "gen_"),
            ("async", "async_"),
            ("a-b2-c", "a_b2_c"),
        ] {
            assert_eq!(snake(wit), rust);
        }
        assert_eq!(upper_camel("self"), "Self_");
        assert_eq!(upper_camel("HTTP-file"), "HttpFile");
        assert_eq!(shouty("read-only"), "READ_ONLY");
    }

    #[test]
    fn the_second_of_a_name_gets_an_underscore() {
        let mut names = Names::reserving(&["new"]);
        assert_eq!(names.take("new".into()), "new_");
        assert_eq!(names.take("new".into()), "new__");
        assert!(names.has("new_") && !names.has("old"));
    }

    #[test]
    fn comments_of_either_form_become_the_same() {
        let wanted = "/// About it.\n///\n///   - item\n";
        for text in [
            "About it.\n\n  - item",
            "\n  * About it.\n  *\n  *   - item\n ",
            "    About it.\n\n      - item\n",
        ] {
            assert_eq!(docs(Some(text)), wanted, "{text:?}");
        }
        assert_eq!(docs(Some("* one\n* two")), "/// * one\n/// * two\n");
        assert_eq!(
            docs(Some("```\nx\n```\n```wit\n```")),
            "/// ```text\n/// x\n/// ```\n/// ```wit\n/// ```\n"
        );
        assert_eq!(docs(None), "");
    }
}
