//! Final changes to formatted source that the formatter cannot make.

/// Marks an enum that stands for flags, since the formatter does not know macros.
pub(crate) const FLAGS: &str = "#[component_flags]";

/// Converts marked enums to flags, and adds empty lines between items.
pub(crate) fn finish(source: &str, crate_path: &str) -> String {
    spaced(&with_flags(source, crate_path))
}

/// Converts each marked enum to an invocation of `flags!`: labels become constants.
fn with_flags(source: &str, crate_path: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != FLAGS {
            push(&mut out, line, "");
            continue;
        }
        let margin = &line[..line.len() - FLAGS.len()];
        push(&mut out, margin, &format!("{crate_path}::component::flags! {{"));
        for line in lines.by_ref() {
            let inner = line.strip_prefix(margin).unwrap_or(line);
            let label = inner.trim_start().strip_suffix(',');
            if let Some(name) = inner.strip_prefix("pub enum ") {
                push(&mut out, margin, &format!("    pub {name}"));
            } else if let Some(label) = label.filter(|label| label.chars().all(is_label)) {
                push(&mut out, margin, &format!("        const {label};"));
            } else {
                push(&mut out, margin, &format!("    {inner}"));
            }
            if inner == "}" {
                break;
            }
        }
        push(&mut out, margin, "}");
    }
    out
}

fn is_label(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
}

fn push(out: &mut String, start: &str, rest: &str) {
    out.push_str(start);
    out.push_str(rest);
    out.push('\n');
}

/// Adds an empty line after each item that ends in a brace, and before each that has something before it.
fn spaced(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + source.len() / 16);
    let mut last = "";
    for line in source.lines() {
        let (before, now) = (last.trim_start(), line.trim_start());
        let starts = [
            "///", "#[", "pub ", "fn ", "impl", "use ", "type ", "::", "crate::",
        ];
        let opens = starts.iter().any(|start| now.starts_with(start));
        let text = before.starts_with("///") || before.starts_with("#[") || before.starts_with("const ");
        let both = |start: &str| before.starts_with(start) && now.starts_with(start);
        let ended = before == "}"
            || (!text && before.ends_with("{}"))
            || (!text && before.ends_with(';') && !both("use ") && !both("pub type ") && !both("type "));
        if opens && ended {
            out.push('\n');
        }
        push(&mut out, line, "");
        last = line;
    }
    out
}
