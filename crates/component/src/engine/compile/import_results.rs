//! Imports that Singlepass cannot compile.

use wasmparser::{CompositeInnerType, Imports, Parser, Payload, TypeRef};

/// Finds the first function import of a valid module that has more than one result, as `module#name`.
pub(in crate::engine) fn import_with_several(module: &[u8]) -> Option<String> {
    let mut types = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::TypeSection(section) => {
                for group in section {
                    types.extend(group.ok()?.into_types());
                }
            }
            Payload::ImportSection(section) => {
                for import in section {
                    let Imports::Single(_, import) = import.ok()? else {
                        return None;
                    };
                    let TypeRef::Func(ty) = import.ty else { continue };
                    if let CompositeInnerType::Func(func) = &types.get(ty as usize)?.composite_type.inner
                        && func.results().len() > 1
                    {
                        return Some(format!("{}#{}", import.module, import.name));
                    }
                }
            }
            Payload::FunctionSection(_) | Payload::CodeSectionStart { .. } => return None,
            _ => {}
        }
    }
    None
}
