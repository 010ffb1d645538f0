//! Search of a core module's code for instructions that affect its preparation. Read once, by all threads that compile.

use rayon::prelude::*;
use wasmparser::{FunctionBody, Operator, Parser, Payload};

use crate::threads;

/// `table.get`.
const TABLE_GET: u8 = 0x25;
/// `table.set`.
const TABLE_SET: u8 = 0x26;
/// `ref.func`.
const REF_FUNC: u8 = 0xd2;
/// Prefix byte of all other instructions that are searched for.
const PREFIX: u8 = 0xfc;

/// Functions that a thread reads at a time, at least.
const AT_A_TIME: usize = 64;

/// Effects of the instructions in a module's code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Instructions {
    /// Some name data segments.
    pub(in crate::engine) name_data: bool,
    /// Some change tables or drop segments, which no reset undoes.
    pub(in crate::engine) change_what_stays: bool,
    /// Some grow tables.
    pub(in crate::engine) grow_tables: bool,
    /// Some read tables, other than for a call.
    pub(in crate::engine) read_tables: bool,
    /// Some name functions that they do not call.
    pub(in crate::engine) name_functions: bool,
}

impl Instructions {
    /// All of them: assumed of code that cannot be read.
    pub(in crate::engine) const ALL: Instructions = Instructions {
        name_data: true,
        change_what_stays: true,
        grow_tables: true,
        read_tables: true,
        name_functions: true,
    };

    /// Reads a module's code; `None` if it cannot be read.
    pub(in crate::engine) fn of(module: &[u8]) -> Option<Instructions> {
        let mut bodies = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::CodeSectionEntry(body) = payload.ok()? {
                bodies.push(body);
            }
        }
        let or = |one: Instructions, other: Instructions| Some(one.or(other));
        if bodies.len() <= AT_A_TIME || threads::workers().is_err() {
            let mut found = bodies.iter().map(Instructions::of_function);
            return found.try_fold(Instructions::default(), |one, other| or(one, other?));
        }
        bodies
            .par_iter()
            .with_min_len(AT_A_TIME)
            .map(Instructions::of_function)
            .try_reduce(Instructions::default, or)
    }

    fn of_function(body: &FunctionBody<'_>) -> Option<Instructions> {
        let mut found = Instructions::default();
        // Without any of these bytes, the body has no such instruction.
        if !body
            .as_bytes()
            .iter()
            .any(|byte| matches!(*byte, TABLE_GET | TABLE_SET | REF_FUNC | PREFIX))
        {
            return Some(found);
        }
        let mut operators = body.get_operators_reader().ok()?;
        while !operators.eof() {
            match operators.read().ok()? {
                Operator::MemoryInit { .. } => found.name_data = true,
                Operator::DataDrop { .. } => {
                    found.name_data = true;
                    found.change_what_stays = true;
                }
                Operator::TableGrow { .. } => {
                    found.grow_tables = true;
                    found.change_what_stays = true;
                }
                Operator::TableGet { .. } | Operator::TableSize { .. } => found.read_tables = true,
                Operator::RefFunc { .. } => found.name_functions = true,
                Operator::TableSet { .. }
                | Operator::TableFill { .. }
                | Operator::TableCopy { .. }
                | Operator::TableInit { .. }
                | Operator::ElemDrop { .. } => found.change_what_stays = true,
                _ => {}
            }
        }
        Some(found)
    }

    fn or(self, other: Instructions) -> Instructions {
        Instructions {
            name_data: self.name_data || other.name_data,
            change_what_stays: self.change_what_stays || other.change_what_stays,
            grow_tables: self.grow_tables || other.grow_tables,
            read_tables: self.read_tables || other.read_tables,
            name_functions: self.name_functions || other.name_functions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instruction_is_found() {
        let of = |code: &str| {
            let text = format!(
                r#"(module (memory 1) (table 1 funcref) (func $f) (data $d "a") (elem $e func $f)
                    (func) (func (drop (i32.const 38)) {code}))"#
            );
            Instructions::of(&wat::parse_str(text).expect("the text parses")).expect("it can be read")
        };
        let zeros = "(i32.const 0) (i32.const 0) (i32.const 0)";
        let found = |name_data, change_what_stays| Instructions {
            name_data,
            change_what_stays,
            grow_tables: false,
            read_tables: false,
            name_functions: false,
        };
        assert_eq!(of(""), found(false, false));
        // Constants that are bytes of instructions.
        assert_eq!(of("(drop (i64.const 0xfc08))"), found(false, false));
        assert_eq!(of(&format!("(memory.fill {zeros})")), found(false, false));
        assert_eq!(of(&format!("(memory.init $d {zeros})")), found(true, false));
        assert_eq!(of("(data.drop $d)"), found(true, true));
        assert_eq!(of("(elem.drop $e)"), found(false, true));
        for code in [
            "(table.set 0 (i32.const 0) (ref.null func))".to_owned(),
            "(table.fill 0 (i32.const 0) (ref.null func) (i32.const 0))".to_owned(),
            format!("(table.copy {zeros})"),
            format!("(table.init $e {zeros})"),
        ] {
            assert_eq!(of(&code), found(false, true), "{code}");
        }
        let grown = Instructions {
            grow_tables: true,
            ..found(false, true)
        };
        assert_eq!(of("(drop (table.grow 0 (ref.null func) (i32.const 0)))"), grown);
        let read = Instructions {
            read_tables: true,
            ..found(false, false)
        };
        assert_eq!(of("(drop (table.get 0 (i32.const 0)))"), read);
        assert_eq!(of("(drop (table.size 0))"), read);
        let named = Instructions {
            name_functions: true,
            ..found(false, false)
        };
        assert_eq!(of("(drop (ref.func $f))"), named);
        assert_eq!(Instructions::of(b"\0asm"), None);
    }
}
