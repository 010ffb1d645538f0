//! Types of values and functions, from the translator's.

use std::sync::Arc;

use airssys_wasm_abi as abi;
use wasmtime_environ::component as env;

use super::{Converter, unsupported};
use crate::component::ir::Function;
use crate::error::{Error, Result};

impl Converter<'_> {
    pub(super) fn function(&mut self, index: env::TypeFuncIndex) -> Result<Arc<Function>> {
        if let Some(function) = self.functions.get(&index) {
            return Ok(function.clone());
        }
        let types = self.types;
        let func = &types[index];
        if func.async_ && !self.concurrent {
            return Err(unsupported("asynchronous functions"));
        }
        let ty = self.func_type(func)?;
        let function = Arc::new(match self.concurrent {
            true => Function::concurrent(ty, func.async_, func.results.as_u32()),
            false => Function::new(ty),
        });
        function.plan().map_err(|error| {
            Error::Unsupported(match error {
                abi::AbiError::Unsupported { .. } => {
                    format!("its function `{}`: {error}", self.path.join("#"))
                }
                error => format!("the type of a function: {error}"),
            })
        })?;
        self.functions.insert(index, function.clone());
        Ok(function)
    }

    fn func_type(&mut self, func: &env::TypeFunc) -> Result<abi::FuncType> {
        let types = self.types;
        let params = types[func.params].types.iter();
        let names = func.param_names.iter();
        let params = names
            .zip(params)
            .map(|(name, ty)| Ok((Arc::from(name.as_str()), self.ty(ty)?)));
        let params = params.collect::<Result<_>>()?;
        let result = match &*types[func.results].types {
            [] => None,
            [ty] => Some(self.ty(ty)?),
            _ => return Err(unsupported("a function with more than one result")),
        };
        Ok(abi::FuncType { params, result })
    }

    pub(super) fn ty(&mut self, ty: &env::InterfaceType) -> Result<abi::Type> {
        if let Some(converted) = self.converted.get(ty) {
            return Ok(converted.clone());
        }
        let converted = self.convert(ty)?;
        self.converted.insert(*ty, converted.clone());
        Ok(converted)
    }

    pub(super) fn optional(&mut self, ty: &Option<env::InterfaceType>) -> Result<Option<abi::Type>> {
        ty.as_ref().map(|ty| self.ty(ty)).transpose()
    }

    fn convert(&mut self, ty: &env::InterfaceType) -> Result<abi::Type> {
        use abi::Type;
        use env::InterfaceType as I;
        let types = self.types;
        let resource = |index: &env::TypeResourceTableIndex| abi::ResourceType(index.as_u32());
        Ok(match ty {
            I::Bool => Type::Bool,
            I::S8 => Type::S8,
            I::U8 => Type::U8,
            I::S16 => Type::S16,
            I::U16 => Type::U16,
            I::S32 => Type::S32,
            I::U32 => Type::U32,
            I::S64 => Type::S64,
            I::U64 => Type::U64,
            I::Float32 => Type::Float32,
            I::Float64 => Type::Float64,
            I::Char => Type::Char,
            I::String => Type::String,
            I::List(index) => Type::List(Arc::new(self.ty(&types[*index].element)?)),
            // `map<k, v>` is `list<tuple<k, v>>` by another name: `CanonicalABI.md`, "despecialize".
            I::Map(index) => {
                let map = &types[*index];
                let entry = Type::Tuple([self.ty(&map.key)?, self.ty(&map.value)?].into());
                Type::List(Arc::new(entry))
            }
            I::FixedLengthList(index) => {
                let list = &types[*index];
                let element = self.ty(&list.element)?;
                Type::FixedLengthList(Arc::new(abi::FixedLengthListType {
                    element,
                    length: list.size,
                }))
            }
            I::Record(index) => {
                let fields = types[*index].fields.iter();
                let fields = fields.map(|field| {
                    Ok(abi::Field {
                        name: name(&field.name),
                        ty: self.ty(&field.ty)?,
                    })
                });
                Type::Record(Arc::new(abi::RecordType {
                    fields: fields.collect::<Result<_>>()?,
                }))
            }
            I::Tuple(index) => {
                let types = types[*index]
                    .types
                    .iter()
                    .map(|ty| self.ty(ty))
                    .collect::<Result<Vec<_>>>()?;
                Type::Tuple(types.into())
            }
            I::Variant(index) => {
                let cases = types[*index].cases.iter();
                let cases = cases.map(|(case, ty)| {
                    Ok(abi::Case {
                        name: name(case),
                        ty: self.optional(ty)?,
                    })
                });
                Type::Variant(Arc::new(abi::VariantType {
                    cases: cases.collect::<Result<_>>()?,
                }))
            }
            I::Enum(index) => Type::Enum(Arc::new(abi::EnumType {
                names: types[*index].names.iter().map(|n| name(n)).collect(),
            })),
            I::Flags(index) => Type::Flags(Arc::new(abi::FlagsType {
                names: types[*index].names.iter().map(|n| name(n)).collect(),
            })),
            I::Option(index) => Type::Option(Arc::new(self.ty(&types[*index].ty)?)),
            I::Result(index) => {
                let result = &types[*index];
                Type::Result(Arc::new(abi::ResultType {
                    ok: self.optional(&result.ok)?,
                    err: self.optional(&result.err)?,
                }))
            }
            I::Own(index) => Type::Own(resource(index)),
            I::Borrow(index) => Type::Borrow(resource(index)),
            I::Future(index) => {
                let payload = self.optional(&types[types[*index].ty].payload)?;
                Type::Future(transmit(index.as_u32(), payload))
            }
            I::Stream(index) => {
                let payload = self.optional(&types[types[*index].ty].payload)?;
                Type::Stream(transmit(index.as_u32(), payload))
            }
            I::ErrorContext(_) => Type::ErrorContext,
        })
    }
}

fn transmit(table: u32, payload: Option<abi::Type>) -> Arc<abi::TransmitType> {
    Arc::new(abi::TransmitType { table, payload })
}

fn name(name: &str) -> Arc<str> {
    Arc::from(name)
}
