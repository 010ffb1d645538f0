//! Components of scripts in text of an older syntax, as bytes.
//!
//! The option `cancellable` of built-ins is in the suite of the component model at the commit that is tested, and in binaries that this
//! library reads. It left the specification after that (WebAssembly/component-model#716), and the text parser with it. The last version
//! of the parser that reads it converts the components that have it.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use wast::lexer::{Lexer, TokenKind};

/// The option.
const OPTION: &str = "cancellable";

/// Returns a script in which the components with the option are binary. Lines keep their numbers. A component that the older parser
/// refuses stays as it is.
pub(super) fn modernized(source: &str) -> Cow<'_, str> {
    if !source.contains(OPTION) {
        return Cow::Borrowed(source);
    }
    let mut script = String::new();
    let mut copied = 0;
    for form in forms(source) {
        if let Some(text) = source.get(form.clone())
            && let Some(binary) = binary(text)
        {
            script.push_str(source.get(copied..form.start).unwrap_or_default());
            script.push_str(&binary);
            script.extend(text.matches('\n'));
            copied = form.end;
        }
    }
    script.push_str(source.get(copied..).unwrap_or_default());
    Cow::Owned(script)
}

/// Returns the places of a script's outermost forms that have the option.
fn forms(source: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut depth, mut start, mut has_option) = (0usize, 0, false);
    let mut lexer = Lexer::new(source);
    lexer.allow_confusing_unicode(true);
    for token in lexer.iter(0).map_while(Result::ok) {
        match token.kind {
            TokenKind::LParen => {
                if depth == 0 {
                    (start, has_option) = (token.offset, false);
                }
                depth += 1;
            }
            TokenKind::RParen => {
                depth = depth.saturating_sub(1);
                if depth == 0 && has_option {
                    found.push(start..token.offset + 1);
                }
            }
            TokenKind::Keyword => has_option |= token.keyword(source) == OPTION,
            _ => {}
        }
    }
    found
}

/// Returns `(component …)` or `(component definition …)` in text as the same in bytes.
fn binary(text: &str) -> Option<String> {
    let head = text.strip_prefix("(component")?.trim_start();
    let (definition, component) = match head.strip_prefix("definition") {
        Some(rest) => ("definition ", Cow::Owned(format!("(component {rest}"))),
        None => ("", Cow::Borrowed(text)),
    };
    let buffer = wast_254::parser::ParseBuffer::new(&component).ok()?;
    let mut parsed = wast_254::parser::parse::<wast_254::Wat<'_>>(&buffer).ok()?;
    let id = match &parsed {
        wast_254::Wat::Component(component) => component.id,
        wast_254::Wat::Module(_) => None,
    };
    let name = id.map(|id| format!("${} ", id.name())).unwrap_or_default();
    let bytes = parsed.encode().ok()?;
    let mut form = format!("(component {definition}{name}binary \"");
    for byte in bytes {
        write!(form, "\\{byte:02x}").ok()?;
    }
    form.push_str("\")");
    Some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = r#";; A comment with cancellable.
(component $same (core func (canon task.cancel)))
(component definition $old
  (core func
    (canon thread.yield cancellable)))
(assert_return (invoke "f"))
"#;

    #[test]
    fn components_with_the_option_become_binary_on_their_lines() {
        let script = modernized(SCRIPT);
        let lines: Vec<&str> = script.lines().collect();
        assert_eq!(lines.len(), SCRIPT.lines().count());
        assert_eq!(lines[1], "(component $same (core func (canon task.cancel)))");
        assert!(
            lines[2].starts_with(r#"(component definition $old binary "\00\61\73\6d"#),
            "{}",
            lines[2]
        );
        assert_eq!(lines[5], r#"(assert_return (invoke "f"))"#);
    }

    #[test]
    fn other_scripts_stay_as_they_are() {
        for script in [
            ";; cancellable",
            "(component (core func (canon task.cancel)))",
            "(component cancellable)",
        ] {
            assert_eq!(modernized(script), script);
        }
    }
}
