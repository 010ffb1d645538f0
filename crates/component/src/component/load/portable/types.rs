//! Types and functions as tables.

use std::collections::HashMap;
use std::sync::Arc;

use abi::{FuncType, Type, TypeAddress};
use airssys_wasm_abi as abi;
use borsh::{BorshDeserialize, BorshSerialize};

use super::concurrency::FuncConcurrency;
use super::{MAX_DEPTH, Malformed};
use crate::component::ir::Function;

/// A type. Numbers are indices of earlier types.
#[derive(Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub(super) enum Node {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    Float32,
    Float64,
    Char,
    String,
    List(u32),
    FixedLengthList(u32, u32),
    Record(Vec<(String, u32)>),
    Tuple(Vec<u32>),
    Variant(Vec<(String, Option<u32>)>),
    Enum(Vec<String>),
    Option(u32),
    Result(Option<u32>, Option<u32>),
    Flags(Vec<String>),
    Own(u32),
    Borrow(u32),
    // The table, and the element.
    Stream(u32, Option<u32>),
    Future(u32, Option<u32>),
    ErrorContext,
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Func {
    params: Vec<(String, u32)>,
    result: Option<u32>,
}

/// Tables being written, with each type and function once.
#[derive(Default)]
pub(super) struct Types {
    nodes: Vec<Node>,
    /// The indices of compound types by address: comparing the types would follow each path to a shared part. The
    /// component keeps the types alive while it is written.
    addresses: HashMap<TypeAddress, u32>,
    places: HashMap<Node, u32>,
    funcs: Vec<Func>,
    described: Vec<FuncConcurrency>,
    functions: HashMap<*const Function, u32>,
}

fn next<T>(table: &[T]) -> u32 {
    // A component has fewer than 2^32 types.
    u32::try_from(table.len()).unwrap_or(u32::MAX)
}

fn texts(names: &[Arc<str>]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

impl Types {
    /// The types, the functions, and for each function the part that only some components need.
    pub(super) fn into_tables(self) -> (Vec<Node>, Vec<Func>, Vec<FuncConcurrency>) {
        (self.nodes, self.funcs, self.described)
    }

    pub(super) fn func(&mut self, function: &Arc<Function>) -> u32 {
        if let Some(place) = self.functions.get(&Arc::as_ptr(function)) {
            return *place;
        }
        let params = function
            .ty
            .params
            .iter()
            .map(|(name, ty)| (name.to_string(), self.ty(ty)));
        let params = params.collect();
        let result = function.ty.result.as_ref().map(|ty| self.ty(ty));
        let place = next(&self.funcs);
        self.funcs.push(Func { params, result });
        self.described.push(FuncConcurrency {
            is_async: function.is_async,
            result_type: function.result_type,
        });
        self.functions.insert(Arc::as_ptr(function), place);
        place
    }

    // Recurses as deep as the component's types nest, which validation bounds.
    pub(super) fn ty(&mut self, ty: &Type) -> u32 {
        let address = ty.address();
        if let Some(place) = address.and_then(|address| self.addresses.get(&address)) {
            return *place;
        }
        let node = match ty {
            Type::Bool => Node::Bool,
            Type::S8 => Node::S8,
            Type::U8 => Node::U8,
            Type::S16 => Node::S16,
            Type::U16 => Node::U16,
            Type::S32 => Node::S32,
            Type::U32 => Node::U32,
            Type::S64 => Node::S64,
            Type::U64 => Node::U64,
            Type::Float32 => Node::Float32,
            Type::Float64 => Node::Float64,
            Type::Char => Node::Char,
            Type::String => Node::String,
            Type::List(element) => Node::List(self.ty(element)),
            Type::FixedLengthList(list) => Node::FixedLengthList(self.ty(&list.element), list.length),
            Type::Record(record) => {
                let fields = record
                    .fields
                    .iter()
                    .map(|field| (field.name.to_string(), self.ty(&field.ty)));
                Node::Record(fields.collect())
            }
            Type::Tuple(types) => Node::Tuple(types.iter().map(|ty| self.ty(ty)).collect()),
            Type::Variant(variant) => {
                let cases = variant
                    .cases
                    .iter()
                    .map(|case| (case.name.to_string(), case.ty.as_ref().map(|ty| self.ty(ty))));
                Node::Variant(cases.collect())
            }
            Type::Enum(names) => Node::Enum(texts(&names.names)),
            Type::Option(payload) => Node::Option(self.ty(payload)),
            Type::Result(result) => {
                let ok = result.ok.as_ref().map(|ty| self.ty(ty));
                Node::Result(ok, result.err.as_ref().map(|ty| self.ty(ty)))
            }
            Type::Flags(flags) => Node::Flags(texts(&flags.names)),
            Type::Own(table) => Node::Own(table.0),
            Type::Borrow(table) => Node::Borrow(table.0),
            Type::Stream(stream) => {
                let payload = stream.payload.as_ref().map(|ty| self.ty(ty));
                Node::Stream(stream.table, payload)
            }
            Type::Future(future) => {
                let payload = future.payload.as_ref().map(|ty| self.ty(ty));
                Node::Future(future.table, payload)
            }
            Type::ErrorContext => Node::ErrorContext,
        };
        let place = match self.places.get(&node) {
            Some(place) => *place,
            None => {
                let place = next(&self.nodes);
                self.places.insert(node.clone(), place);
                self.nodes.push(node);
                place
            }
        };
        if let Some(address) = address {
            self.addresses.insert(address, place);
        }
        place
    }
}

/// The types that have been read, with the nesting depth of each.
pub(super) struct TypeReader(Vec<(Type, u32)>);

impl TypeReader {
    pub(super) fn new(nodes: &[Node]) -> Result<TypeReader, Malformed> {
        let mut reader = TypeReader(Vec::new());
        for node in nodes {
            let mut depth = 0;
            let ty = reader.read(node, &mut depth)?;
            if depth > MAX_DEPTH {
                return Err(Malformed::new(format!(
                    "a type nests deeper than {MAX_DEPTH} levels"
                )));
            }
            reader.0.push((ty, depth));
        }
        Ok(reader)
    }

    pub(super) fn get(&self, place: u32) -> Result<Type, Malformed> {
        self.part(place, &mut 0)
    }

    fn part(&self, place: u32, depth: &mut u32) -> Result<Type, Malformed> {
        let entry = self.0.get(place as usize);
        let (ty, below) = entry.ok_or_else(|| Malformed::new(format!("type {place} is not defined yet")))?;
        *depth = (*depth).max(below + 1);
        Ok(ty.clone())
    }

    fn read(&self, node: &Node, depth: &mut u32) -> Result<Type, Malformed> {
        let names = |names: &[String]| names.iter().map(|name| Arc::from(name.as_str())).collect();
        Ok(match node {
            Node::Bool => Type::Bool,
            Node::S8 => Type::S8,
            Node::U8 => Type::U8,
            Node::S16 => Type::S16,
            Node::U16 => Type::U16,
            Node::S32 => Type::S32,
            Node::U32 => Type::U32,
            Node::S64 => Type::S64,
            Node::U64 => Type::U64,
            Node::Float32 => Type::Float32,
            Node::Float64 => Type::Float64,
            Node::Char => Type::Char,
            Node::String => Type::String,
            Node::List(element) => Type::List(Arc::new(self.part(*element, depth)?)),
            Node::FixedLengthList(element, length) => {
                Type::FixedLengthList(Arc::new(abi::FixedLengthListType {
                    element: self.part(*element, depth)?,
                    length: *length,
                }))
            }
            Node::Record(fields) => {
                let fields = fields.iter().map(|(name, ty)| {
                    Ok(abi::Field {
                        name: name.as_str().into(),
                        ty: self.part(*ty, depth)?,
                    })
                });
                Type::Record(Arc::new(abi::RecordType {
                    fields: fields.collect::<Result<_, Malformed>>()?,
                }))
            }
            Node::Tuple(types) => {
                let types = types.iter().map(|ty| self.part(*ty, depth));
                Type::Tuple(types.collect::<Result<Vec<_>, _>>()?.into())
            }
            Node::Variant(cases) => {
                let cases = cases.iter().map(|(name, ty)| {
                    Ok(abi::Case {
                        name: name.as_str().into(),
                        ty: ty.map(|ty| self.part(ty, depth)).transpose()?,
                    })
                });
                Type::Variant(Arc::new(abi::VariantType {
                    cases: cases.collect::<Result<_, Malformed>>()?,
                }))
            }
            Node::Enum(labels) => Type::Enum(Arc::new(abi::EnumType { names: names(labels) })),
            Node::Option(payload) => Type::Option(Arc::new(self.part(*payload, depth)?)),
            Node::Result(ok, err) => Type::Result(Arc::new(abi::ResultType {
                ok: ok.map(|ty| self.part(ty, depth)).transpose()?,
                err: err.map(|ty| self.part(ty, depth)).transpose()?,
            })),
            Node::Flags(labels) => Type::Flags(Arc::new(abi::FlagsType { names: names(labels) })),
            Node::Own(table) => Type::Own(abi::ResourceType(*table)),
            Node::Borrow(table) => Type::Borrow(abi::ResourceType(*table)),
            Node::Stream(table, payload) => Type::Stream(self.transmit(*table, *payload, depth)?),
            Node::Future(table, payload) => Type::Future(self.transmit(*table, *payload, depth)?),
            Node::ErrorContext => Type::ErrorContext,
        })
    }

    fn transmit(
        &self,
        table: u32,
        payload: Option<u32>,
        depth: &mut u32,
    ) -> Result<Arc<abi::TransmitType>, Malformed> {
        Ok(Arc::new(abi::TransmitType {
            table,
            payload: payload.map(|ty| self.part(ty, depth)).transpose()?,
        }))
    }

    pub(super) fn function(
        &self,
        func: &Func,
        described: Option<&FuncConcurrency>,
    ) -> Result<Arc<Function>, Malformed> {
        let params = func.params.iter();
        let params = params.map(|(name, ty)| Ok((Arc::from(name.as_str()), self.get(*ty)?)));
        let ty = FuncType {
            params: params.collect::<Result<_, Malformed>>()?,
            result: func.result.map(|ty| self.get(ty)).transpose()?,
        };
        Ok(Arc::new(match described {
            Some(described) => Function::concurrent(ty, described.is_async, described.result_type),
            None => Function::new(ty),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type with 2^40 paths and 80 parts; each path was followed to compare it with others.
    fn shared() -> Type {
        (0..40).fold(Type::U8, |ty, _| {
            let list = Type::List(Arc::new(ty));
            Type::Tuple([list.clone(), list].into())
        })
    }

    #[test]
    fn shared_parts_are_written_once() {
        let mut types = Types::default();
        let (one, two) = (shared(), shared());
        let place = types.ty(&one);
        assert_eq!(types.ty(&one), place);
        assert_eq!(types.ty(&two), place, "the same type elsewhere in memory");
        let (nodes, ..) = types.into_tables();
        assert_eq!(nodes.len(), 81);
        let reader = TypeReader::new(&nodes).expect("it is read");
        let read = reader.get(place).expect("it is there");
        let mut again = Types::default();
        again.ty(&read);
        assert_eq!(again.into_tables().0.len(), 81);
    }

    #[test]
    fn streams_are_read_as_written() {
        let transmit = |table, payload| Arc::new(abi::TransmitType { table, payload });
        let inner = Type::Stream(transmit(4, Some(Type::U8)));
        let nested = Type::Stream(transmit(7, Some(Type::List(Arc::new(inner.clone())))));
        let all = [
            nested,
            inner,
            Type::Stream(transmit(5, Some(Type::U8))),
            Type::Future(transmit(1, Some(Type::String))),
            Type::Stream(transmit(0, None)),
            Type::Future(transmit(0, None)),
            Type::ErrorContext,
        ];
        let mut types = Types::default();
        let places: Vec<u32> = all.iter().map(|ty| types.ty(ty)).collect();
        let (nodes, ..) = types.into_tables();
        assert_eq!(nodes.len(), 10, "each part once");
        let bytes = borsh::to_vec(&nodes).expect("it is written");
        let nodes: Vec<Node> = borsh::from_slice(&bytes).expect("it is read");
        let reader = TypeReader::new(&nodes).expect("the parts come first");
        for (ty, place) in all.iter().zip(places) {
            assert!(reader.get(place).is_ok_and(|read| read == *ty), "{ty}");
        }
        assert!(
            TypeReader::new(&[Node::Stream(0, Some(0))]).is_err(),
            "a stream of itself"
        );
    }

    #[test]
    fn kinds_keep_their_numbers() {
        let first_bytes = [
            (Node::Bool, 0),
            (Node::String, 12),
            (Node::Borrow(0), 23),
            (Node::Stream(0, None), 24),
            (Node::Future(0, None), 25),
            (Node::ErrorContext, 26),
        ];
        for (node, number) in first_bytes {
            assert_eq!(borsh::to_vec(&node).expect("it is written")[0], number);
        }
    }
}
