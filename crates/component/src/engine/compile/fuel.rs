//! Metering: counts the operators that a core module's code executes, in a counter that the store's modules share.
//!
//! The counter is a mutable global, the last import of each module. Code subtracts the cost of a sequence of operators at its end, before a
//! branch, a call or the end of a block, and traps as soon as the counter is negative. Metering comes before all other changes for single backends,
//! so each backend counts the same.
//!
//! An operator costs one unit. Operators that work on a range cost more with its length, which is charged before they run:
//! a unit for each 64 bytes of memory, and for each element of a table.

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, EntityType, Function, GlobalType, ImportSection, InstructionSink, Module,
    SectionId, ValType,
};
use wasmparser::{CompositeInnerType, FunctionBody, KnownCustom, Operator, Parser, Payload, TypeRef};

use crate::engine::run::fuel::IMPORT;

/// Bytes of memory for one unit, as a power of two.
const BYTES_SHIFT: i64 = 6;

/// Returns the module with metering in its code.
///
/// # Errors
/// A message, if the module cannot be read; a valid module always can.
pub(in crate::engine) fn meter(module: &[u8]) -> Result<Vec<u8>, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("its code cannot be metered: {error}");
    let mut meter = Meter::read(module).ok_or_else(|| unreadable(&"it cannot be read"))?;
    let mut out = Module::new();
    meter
        .parse_core_module(&mut out, Parser::new(0), module)
        .map_err(|error| unreadable(&error))?;
    Ok(out.finish())
}

struct Meter {
    /// Index of the counter among the globals: the number of the module's own imported globals.
    counter: u32,
    /// True if the import of the counter has been added.
    added: bool,
    /// Numbers of parameters of the module's own functions; those whose code comes next first.
    params: std::vec::IntoIter<u32>,
}

impl Meter {
    fn read(module: &[u8]) -> Option<Meter> {
        let mut counter = 0;
        let mut types = Vec::new();
        let mut params = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::TypeSection(section) => {
                    for group in section {
                        for ty in group.ok()?.into_types() {
                            types.push(match ty.composite_type.inner {
                                CompositeInnerType::Func(func) => u32::try_from(func.params().len()).ok()?,
                                _ => 0,
                            });
                        }
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        counter += u32::from(matches!(import.ok()?.ty, TypeRef::Global(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        params.push(*types.get(ty.ok()? as usize)?);
                    }
                }
                Payload::CodeSectionStart { .. } => break,
                _ => {}
            }
        }
        Some(Meter {
            counter,
            added: false,
            params: params.into_iter(),
        })
    }

    fn import(&mut self, imports: &mut ImportSection) {
        let ty = GlobalType {
            val_type: ValType::I64,
            mutable: true,
            shared: false,
        };
        imports.import(IMPORT, "", EntityType::Global(ty));
        self.added = true;
    }

    /// Traps if the counter is negative.
    fn check(&self, code: &mut InstructionSink<'_>) {
        code.global_get(self.counter)
            .i64_const(0)
            .i64_lt_s()
            .if_(BlockType::Empty)
            .unreachable()
            .end();
    }

    /// Charges for `cost` operators.
    fn charge(&self, code: &mut InstructionSink<'_>, cost: &mut i64) {
        if *cost > 0 {
            code.global_get(self.counter)
                .i64_const(*cost)
                .i64_sub()
                .global_set(self.counter);
            self.check(code);
            *cost = 0;
        }
    }

    /// Charges for the length on top of the stack, which stays there.
    fn charge_length(&self, code: &mut InstructionSink<'_>, local: u32, shift: i64) {
        code.local_tee(local)
            .global_get(self.counter)
            .local_get(local)
            .i64_extend_i32_u();
        if shift > 0 {
            code.i64_const(shift).i64_shr_u();
        }
        code.i64_sub().global_set(self.counter);
        self.check(code);
    }
}

/// Returns how far the length on top of the stack is shifted for its cost, if the operator works on a range.
fn shift(operator: &Operator<'_>) -> Option<i64> {
    match operator {
        Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } | Operator::MemoryInit { .. } => {
            Some(BYTES_SHIFT)
        }
        Operator::TableFill { .. }
        | Operator::TableCopy { .. }
        | Operator::TableInit { .. }
        | Operator::TableGrow { .. } => Some(0),
        _ => None,
    }
}

/// Reports whether the operators before this one may be followed by others than those behind it.
fn ends_sequence(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::Unreachable
            | Operator::Call { .. }
            | Operator::CallIndirect { .. }
    )
}

type Outcome = Result<(), reencode::Error>;

impl Reencode for Meter {
    type Error = std::convert::Infallible;

    fn global_index(&mut self, global: u32) -> Result<u32, reencode::Error> {
        Ok(global + u32::from(global >= self.counter))
    }

    /// Removes name sections that cannot be read: such modules are valid, and the names are of no use.
    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: wasmparser::CustomSectionReader<'_>,
    ) -> Outcome {
        let KnownCustom::Name(names) = section.as_known() else {
            return utils::parse_custom_section(self, module, section);
        };
        if let Ok(names) = self.custom_name_section(names) {
            module.section(&names);
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Outcome {
        utils::parse_import_section(self, imports, section)?;
        self.import(imports);
        Ok(())
    }

    /// Adds the import to a module without imports.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Outcome {
        let early = matches!(
            before,
            Some(SectionId::Custom | SectionId::Type | SectionId::Import)
        );
        if !self.added && !early {
            let mut imports = ImportSection::new();
            self.import(&mut imports);
            module.section(&imports);
        }
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Outcome {
        let mut locals = Vec::new();
        let mut length = self.params.next().unwrap_or(0);
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            length += count;
            locals.push((count, self.val_type(ty)?));
        }
        let mut reader = body.get_operators_reader()?;
        let operators = std::iter::from_fn(|| (!reader.eof()).then(|| reader.read()));
        let operators = operators.collect::<Result<Vec<_>, _>>()?;
        if operators.iter().any(|operator| shift(operator).is_some()) {
            locals.push((1, ValType::I32));
        }
        let mut function = Function::new(locals);
        let mut cost = 0;
        for operator in operators {
            if let Some(shift) = shift(&operator) {
                self.charge_length(&mut function.instructions(), length, shift);
            }
            cost += 1;
            if ends_sequence(&operator) {
                self.charge(&mut function.instructions(), &mut cost);
            }
            let instruction = self.instruction(operator)?;
            function.instruction(&instruction);
        }
        code.function(&function);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("the text parses")
    }

    /// The text of a charge for `cost` operators.
    fn charge(cost: u32) -> String {
        format!("(global.set 0 (i64.sub (global.get 0) (i64.const {cost}))) {CHECK}")
    }

    const CHECK: &str = "(if (i64.lt_s (global.get 0) (i64.const 0)) (then unreachable))";

    #[test]
    fn operators_are_charged_at_the_end_of_their_sequence() {
        let module = parsed(
            r#"(module (memory 1) (global (mut i32) (i32.const 7)) (export "g" (global 0))
                (func (param i32)
                    (global.set 0 (i32.const 1))
                    (loop (br_if 0 (local.get 0)))
                    (memory.fill (i32.const 0) (i32.const 0) (local.get 0))))"#,
        );
        let metered = meter(&module).expect("it can be read");
        wasmparser::validate(&metered).expect("it is valid");
        let expected = format!(
            r#"(module (import "airssys:fuel" "" (global (mut i64))) (memory 1) (global (mut i32) (i32.const 7))
                (export "g" (global 1))
                (func (param i32) (local i32)
                    (global.set 1 (i32.const 1))
                    {} (loop (local.get 0) {} br_if 0 {})
                    (i32.const 0) (i32.const 0) (local.get 0)
                    (local.tee 1) (global.get 0) (local.get 1) i64.extend_i32_u (i64.const 6) i64.shr_u i64.sub
                    (global.set 0) {CHECK} memory.fill {}))"#,
            charge(3),
            charge(2),
            charge(1),
            charge(5),
        );
        assert_eq!(
            again(&metered),
            again(&parsed(&expected)),
            "the module has changed in another way"
        );
    }

    /// Encodes the module anew, with the encoder of the other modules here.
    fn again(module: &[u8]) -> Vec<u8> {
        let mut out = Module::new();
        reencode::RoundtripReencoder
            .parse_core_module(&mut out, Parser::new(0), module)
            .expect("it can be read");
        out.finish()
    }

    #[test]
    fn modules_of_all_shapes_stay_valid() {
        for text in [
            "(module)",
            "(module (func))",
            r#"(module (import "a" "f" (func)) (start 0))"#,
            r#"(module (import "a" "g" (global i32)) (import "a" "m" (memory 1)) (global i32 (global.get 0))
                (data (offset (global.get 0)) "a") (func (result i32) (i32.add (global.get 0) (global.get 1))))"#,
            r#"(module (table 1 funcref) (elem func 0) (func (param i64 f32) (local f64 f64)
                (table.init 0 (i32.const 0) (i32.const 0) (i32.const 1))
                (table.copy (i32.const 0) (i32.const 0) (i32.const 1))
                (table.fill 0 (i32.const 0) (ref.null func) (i32.const 1))
                (drop (table.grow 0 (ref.null func) (i32.const 1)))))"#,
            r#"(module (func (param i32) (result i32) (block (result i32) (br_table 0 0 (i32.const 1) (local.get 0)))))"#,
            r#"(module (func (result i32) (if (result i32) (i32.const 1) (then (return (i32.const 2))) (else (unreachable)))))"#,
        ] {
            let metered = meter(&parsed(text)).expect("it can be read");
            wasmparser::validate(&metered).expect(text);
        }
    }
}
