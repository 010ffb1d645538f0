//! Puts an unused memory before a module's own.
//!
//! LLVM's code passes the base of memory 0 from function to function if that memory is reserved, and across instances
//! it passes the wrong one. A memory at index 1 is not passed: it can be reserved, and its code needs no bounds checks,
//! while memory 0 has no pages and may be anywhere.

use wasm_encoder::MemorySection;
use wasm_encoder::reencode::{self, Reencode};
use wasmparser::{MemorySectionReader, Parser, Payload, TypeRef};

use crate::engine::memory::dummy;

/// Returns the module with another memory before its own; `None` if it does not define just one, which may have
/// pages. The bytes are valid already; the compiler refuses what cannot be read.
pub(in crate::engine) fn make_second(module: &[u8]) -> Option<Vec<u8>> {
    if !defines_only_one(module)? {
        return None;
    }
    let mut out = wasm_encoder::Module::new();
    Second.parse_core_module(&mut out, Parser::new(0), module).ok()?;
    Some(out.finish())
}

fn defines_only_one(module: &[u8]) -> Option<bool> {
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if matches!(import.ok()?.ty, TypeRef::Memory(_)) {
                        return Some(false);
                    }
                }
            }
            Payload::MemorySection(section) => {
                let mut memories = section.into_iter();
                let memory = memories.next()?.ok()?;
                return Some(memories.next().is_none() && memory.maximum != Some(0));
            }
            Payload::CodeSectionStart { .. } => break,
            _ => {}
        }
    }
    Some(false)
}

struct Second;

impl Reencode for Second {
    type Error = std::convert::Infallible;

    fn memory_index(&mut self, memory: u32) -> Result<u32, reencode::Error<Self::Error>> {
        Ok(memory + 1)
    }

    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        section: MemorySectionReader<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        memories.memory(wasm_encoder::MemoryType {
            minimum: dummy::PAGES.into(),
            maximum: Some(dummy::PAGES.into()),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        reencode::utils::parse_memory_section(self, memories, section)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("the text parses")
    }

    #[test]
    fn every_use_of_the_memory_follows_it() {
        let module = parsed(
            r#"(module (memory (export "memory") 1 9) (data (i32.const 8) "abc") (data "xyz")
                (func (export "f") (result i32)
                    (i64.store offset=4 (i32.const 0) (i64.const 1))
                    (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))
                    (memory.copy (i32.const 0) (i32.const 8) (i32.const 1))
                    (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 1))
                    (v128.store8_lane 3 (i32.const 0) (v128.const i64x2 0 0))
                    (drop (memory.grow (i32.const 1)))
                    (i32.add (memory.size) (i32.load8_u (i32.const 1)))))"#,
        );
        let expected = parsed(
            r#"(module (memory 0 0) (memory (export "memory") 1 9) (data (memory 1) (i32.const 8) "abc") (data "xyz")
                (func (export "f") (result i32)
                    (i64.store 1 offset=4 (i32.const 0) (i64.const 1))
                    (memory.fill 1 (i32.const 0) (i32.const 0) (i32.const 1))
                    (memory.copy 1 1 (i32.const 0) (i32.const 8) (i32.const 1))
                    (memory.init 1 1 (i32.const 0) (i32.const 0) (i32.const 1))
                    (v128.store8_lane 1 3 (i32.const 0) (v128.const i64x2 0 0))
                    (drop (memory.grow 1 (i32.const 1)))
                    (i32.add (memory.size 1) (i32.load8_u 1 (i32.const 1)))))"#,
        );
        let made = make_second(&module).expect("it defines one memory");
        wasmparser::validate(&made).expect("it is valid");
        assert_eq!(
            again(&made),
            again(&expected),
            "the module has changed in another way"
        );
    }

    /// Encodes the module anew, with the encoder of the other modules here.
    fn again(module: &[u8]) -> Vec<u8> {
        let mut out = wasm_encoder::Module::new();
        reencode::RoundtripReencoder
            .parse_core_module(&mut out, Parser::new(0), module)
            .expect("it can be read");
        out.finish()
    }

    #[test]
    fn other_modules_stay_as_they_are() {
        let left_alone = [
            "(module)",
            "(module (memory 0 0))",
            "(module (memory 1) (memory 1))",
            r#"(module (import "" "" (memory 1)))"#,
            r#"(module (import "" "" (memory 1)) (memory 1))"#,
        ];
        for text in left_alone {
            assert_eq!(make_second(&parsed(text)), None, "{text}");
        }
    }
}
