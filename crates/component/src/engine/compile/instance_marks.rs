//! Marks core modules by what their code leaves unused, which instances then lack ([`crate::engine::run::instance`]).
//!
//! Code without an instruction that names a function refers to functions only through exports, globals and segments of elements, so that
//! an instance needs no references to the others. If tables are also only called through, those of fixed size are needed only in the
//! form that calls read. The mark is a custom section.

use std::borrow::Cow;

use wasm_encoder::{CustomSection, Section};
use wasmparser::{Parser, Payload};

use crate::engine::compile::instructions::Instructions;
use crate::engine::run::instance::{MARK, ONLY_CALLS};

/// Returns the module, marked by its instructions. The bytes are valid already.
///
/// # Errors
/// The name of the mark, if the module has it itself.
pub(in crate::engine) fn mark(
    module: Cow<'_, [u8]>,
    instructions: Instructions,
) -> Result<Cow<'_, [u8]>, String> {
    let is_mark =
        |payload: Payload<'_>| matches!(payload, Payload::CustomSection(section) if section.name() == MARK);
    if Parser::new(0)
        .parse_all(&module)
        .any(|payload| payload.is_ok_and(is_mark))
    {
        return Err(MARK.to_owned());
    }
    if instructions.name_functions {
        return Ok(module);
    }
    let content: &[u8] = match instructions.read_tables || instructions.change_what_stays {
        true => &[],
        false => ONLY_CALLS,
    };
    let mut marked = module.into_owned();
    let section = CustomSection {
        name: MARK.into(),
        data: content.into(),
    };
    section.append_to(&mut marked);
    Ok(marked.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("the text parses")
    }

    fn marked(text: &str) -> Result<Vec<u8>, String> {
        let module = parsed(text);
        let instructions = Instructions::of(&module).expect("it can be read");
        mark(Cow::Owned(module), instructions).map(Cow::into_owned)
    }

    #[test]
    fn code_is_marked_by_what_it_leaves_unused() {
        let module = r#"(module (table 1 funcref) (elem (i32.const 0) func 0) (func (export "f"))"#;
        let marks = [
            ("", Some("calls")),
            ("(func (call_indirect (i32.const 0)))", Some("calls")),
            ("(func (drop (table.get 0 (i32.const 0))))", Some("")),
            ("(func (drop (table.size 0)))", Some("")),
            ("(func (table.set 0 (i32.const 0) (ref.null func)))", Some("")),
            ("(func (drop (ref.func 0)))", None),
        ];
        for (code, content) in marks {
            let mark = content.map(|content| format!(r#"(@custom "airssys:instance" "{content}")"#));
            assert_eq!(
                marked(&format!("{module} {code})")).expect("it has no mark"),
                parsed(&format!("{module} {code} {})", mark.unwrap_or_default())),
                "{code}"
            );
        }
    }

    #[test]
    fn a_module_does_not_mark_itself() {
        let forged = r#"(module (func (drop (ref.func 0))) (export "f" (func 0)) (@custom "airssys:instance" "calls"))"#;
        assert_eq!(marked(forged).expect_err("it is forged"), MARK);
    }
}
