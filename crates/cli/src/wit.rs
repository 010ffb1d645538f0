//! `inspect --wit`: prints the WIT of a component, in the form of the standard tools.

use std::collections::HashMap;
use std::path::Path;

use airssys_wasm::load::Format;
use wit_component::{WitPrinter, decode};
use wit_parser::{Handle, Resolve, Type, TypeDefKind, TypeId};

use crate::exit::{Exit, Failure, Outcome};
use crate::{load, output};

/// Longest text that is printed, in bytes. Stops types without names that share their parts, whose text can be exponentially
/// longer than the component.
const MAX_BYTES: u64 = 16 << 20;

/// Prints the WIT of a component, or of a WIT package in its binary form.
pub(crate) fn print(path: &Path) -> Outcome {
    let source = load::unlike_artifact(
        path,
        "is an artifact, which contains machine code but no WIT: use the component that it was compiled from, or omit --wit",
    )?;
    let bytes = source.bytes().unwrap_or_default();
    if source.format() != Format::Component {
        return Err(Failure::new(Exit::Load, airssys_wasm::Error::CoreModule)
            .context(format!("`{}` has no WIT", path.display())));
    }
    let failed = |error: anyhow::Error| {
        Failure::new(Exit::Load, error).context(format!("the WIT of `{}` cannot be shown", path.display()))
    };
    let decoded = decode(bytes).map_err(failed)?;
    let (resolve, main) = (decoded.resolve(), decoded.package());
    let bytes = Sizes::default().of(resolve);
    if bytes > MAX_BYTES {
        return Err(Failure::new(
            Exit::Load,
            anyhow::anyhow!("the WIT of `{}` is longer than {MAX_BYTES} bytes", path.display()),
        ));
    }
    let others: Vec<_> = resolve
        .packages
        .iter()
        .map(|(id, _)| id)
        .filter(|id| *id != main)
        .collect();
    let mut printer = WitPrinter::default();
    printer.print(resolve, main, &others).map_err(failed)?;
    let text = printer.output.to_string();
    // The printer also writes items that have no name in WIT.
    Resolve::default().push_str(path, &text).map_err(|error| {
        failed(error).context(format!(
            "the WIT of `{}` cannot be read back: it uses a type that its world does not declare",
            path.display()
        ))
    })?;
    output::print(text.trim_end())?;
    Ok(Exit::Done)
}

/// Lower bounds of the lengths of types' texts: a named type is written out once, an unnamed one at each use.
#[derive(Default)]
struct Sizes(HashMap<TypeId, u64>);

impl Sizes {
    fn of(mut self, resolve: &Resolve) -> u64 {
        let mut sum = 0u64;
        for (id, ty) in &resolve.types {
            if ty.name.is_some() {
                sum = sum.saturating_add(self.parts(resolve, id));
            }
        }
        let in_interfaces = resolve
            .interfaces
            .iter()
            .flat_map(|(_, interface)| interface.functions.values());
        let in_worlds = resolve.worlds.iter().flat_map(|(_, world)| {
            let items = world.imports.values().chain(world.exports.values());
            items.filter_map(|item| match item {
                wit_parser::WorldItem::Function(function) => Some(function),
                _ => None,
            })
        });
        for function in in_interfaces.chain(in_worlds) {
            for ty in function
                .params
                .iter()
                .map(|param| &param.ty)
                .chain(&function.result)
            {
                sum = sum.saturating_add(self.ty(resolve, ty));
            }
        }
        sum
    }

    // Recurses as deep as types nest, which validation bounds.
    fn ty(&mut self, resolve: &Resolve, ty: &Type) -> u64 {
        match ty {
            Type::Id(id) if resolve.types[*id].name.is_none() => match self.0.get(id) {
                Some(size) => *size,
                None => {
                    let size = self.parts(resolve, *id);
                    self.0.insert(*id, size);
                    size
                }
            },
            Type::Id(id) => resolve.types[*id]
                .name
                .as_ref()
                .map_or(1, |name| name.len() as u64),
            _ => 1,
        }
    }

    fn parts(&mut self, resolve: &Resolve, id: TypeId) -> u64 {
        let parts: Vec<&Type> = match &resolve.types[id].kind {
            TypeDefKind::Record(record) => record.fields.iter().map(|field| &field.ty).collect(),
            TypeDefKind::Tuple(tuple) => tuple.types.iter().collect(),
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().filter_map(|case| case.ty.as_ref()).collect()
            }
            TypeDefKind::Result(result) => result.ok.iter().chain(&result.err).collect(),
            TypeDefKind::Option(ty)
            | TypeDefKind::List(ty)
            | TypeDefKind::FixedLengthList(ty, _)
            | TypeDefKind::Type(ty)
            | TypeDefKind::Future(Some(ty))
            | TypeDefKind::Stream(Some(ty)) => vec![ty],
            TypeDefKind::Map(key, value) => vec![key, value],
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => {
                return self.ty(resolve, &Type::Id(*id));
            }
            _ => Vec::new(),
        };
        parts
            .into_iter()
            .fold(1, |sum: u64, ty| sum.saturating_add(self.ty(resolve, ty)))
    }
}
