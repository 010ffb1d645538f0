//! Checks of WIT: the features that this host supports, and the types and functions that have a plan.

use std::sync::Arc;

use airssys_wasm_abi::{
    self as abi, AbiError, EnumType, FixedLengthListType, FlagsType, FuncPlan, FuncType, MAX_TYPE_DEPTH,
    RecordType, ResultType, TransmitType, VariantType,
};
use wit_parser::{
    Function, Handle, Resolve, Span, Type, TypeDefKind, TypeId, World, WorldId, WorldItem, WorldKey,
};

use crate::error::{Error, Place};

/// The most parameters of a function: Rust's traits are implemented for that many.
const MAX_PARAMS: usize = 17;

/// The most members of a tuple, for the same reason.
const MAX_TUPLE: usize = 12;

/// Properties of every type, by its index in the arena.
#[derive(Debug)]
pub(crate) struct Facts {
    facts: Vec<Fact>,
}

#[derive(Clone, Debug)]
struct Fact {
    abi: Result<abi::Type, Refusal>,
    /// Levels of types within it.
    depth: u32,
    /// The resource types of the handles in it.
    resources: Vec<TypeId>,
    /// True if there is a borrowed handle in it.
    borrows: bool,
    /// True if there is a stream or a future in it.
    transmits: bool,
}

/// A feature that this host does not support.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    what: &'static str,
    hint: &'static str,
}

impl Facts {
    /// Returns the resource types of the handles in a value of type `id`.
    pub(crate) fn resources(&self, id: TypeId) -> &[TypeId] {
        self.facts.get(id.index()).map_or(&[], |fact| &fact.resources)
    }

    /// Returns whether a value of a type holds the end of a stream or future, which is moved and never copied.
    pub(crate) fn transmits(&self, id: TypeId) -> bool {
        self.facts.get(id.index()).is_some_and(|fact| fact.transmits)
    }

    fn of(&self, ty: &Type) -> Fact {
        let abi = match ty {
            Type::Bool => abi::Type::Bool,
            Type::U8 => abi::Type::U8,
            Type::U16 => abi::Type::U16,
            Type::U32 => abi::Type::U32,
            Type::U64 => abi::Type::U64,
            Type::S8 => abi::Type::S8,
            Type::S16 => abi::Type::S16,
            Type::S32 => abi::Type::S32,
            Type::S64 => abi::Type::S64,
            Type::F32 => abi::Type::Float32,
            Type::F64 => abi::Type::Float64,
            Type::Char => abi::Type::Char,
            Type::String => abi::Type::String,
            Type::ErrorContext => {
                return Fact::refused("`error-context`", "use a variant or a string for errors");
            }
            Type::Id(id) => {
                return match self.facts.get(id.index()) {
                    Some(fact) => fact.clone(),
                    None => Fact::refused("a type before its definition", "define it first"),
                };
            }
        };
        Fact::new(Ok(abi))
    }
}

impl Fact {
    fn new(abi: Result<abi::Type, Refusal>) -> Fact {
        Fact {
            abi,
            depth: 0,
            resources: Vec::new(),
            borrows: false,
            transmits: false,
        }
    }

    fn refused(what: &'static str, hint: &'static str) -> Fact {
        Fact::new(Err(Refusal { what, hint }))
    }
}

/// Collects the properties of a compound type's members.
struct Members<'a> {
    facts: &'a Facts,
    refusal: Option<Refusal>,
    depth: u32,
    resources: Vec<TypeId>,
    borrows: bool,
    transmits: bool,
}

impl Members<'_> {
    fn add(&mut self, ty: &Type) -> abi::Type {
        let fact = self.facts.of(ty);
        self.depth = self.depth.max(fact.depth);
        self.borrows |= fact.borrows;
        self.transmits |= fact.transmits;
        for resource in fact.resources {
            if !self.resources.contains(&resource) {
                self.resources.push(resource);
            }
        }
        fact.abi.unwrap_or_else(|refusal| {
            self.refusal.get_or_insert(refusal);
            abi::Type::Bool
        })
    }

    fn maybe(&mut self, ty: Option<&Type>) -> Option<abi::Type> {
        ty.map(|ty| self.add(ty))
    }

    fn refuse(&mut self, what: &'static str, hint: &'static str) -> abi::Type {
        self.refusal = Some(Refusal { what, hint });
        abi::Type::Bool
    }

    fn transmit(&mut self, id: TypeId, payload: Option<&Type>) -> Arc<TransmitType> {
        let payload = self.maybe(payload);
        if self.borrows {
            self.refuse(
                "a borrowed handle in a stream or future",
                "pass an owned one: a call that lends a handle ends before the value is read",
            );
        }
        self.transmits = true;
        Arc::new(TransmitType {
            table: number(id),
            payload,
        })
    }

    /// Converts one definition to its type.
    fn define(&mut self, id: TypeId, kind: &TypeDefKind) -> abi::Type {
        match kind {
            TypeDefKind::Type(ty) => self.add(ty),
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| abi::Field {
                    name: field.name.as_str().into(),
                    ty: self.add(&field.ty),
                });
                abi::Type::Record(Arc::new(RecordType {
                    fields: fields.collect(),
                }))
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| abi::Case {
                    name: case.name.as_str().into(),
                    ty: self.maybe(case.ty.as_ref()),
                });
                abi::Type::Variant(Arc::new(VariantType {
                    cases: cases.collect(),
                }))
            }
            TypeDefKind::Enum(cases) => abi::Type::Enum(Arc::new(EnumType {
                names: cases.cases.iter().map(|case| case.name.as_str().into()).collect(),
            })),
            TypeDefKind::Flags(flags) => abi::Type::Flags(Arc::new(FlagsType {
                names: flags.flags.iter().map(|flag| flag.name.as_str().into()).collect(),
            })),
            TypeDefKind::Tuple(tuple) if tuple.types.len() > MAX_TUPLE => {
                self.refuse("a tuple with more than 12 members", "make it a record")
            }
            TypeDefKind::Tuple(tuple) => {
                abi::Type::Tuple(tuple.types.iter().map(|ty| self.add(ty)).collect())
            }
            TypeDefKind::Option(ty) => abi::Type::Option(Arc::new(self.add(ty))),
            TypeDefKind::Result(result) => abi::Type::Result(Arc::new(ResultType {
                ok: self.maybe(result.ok.as_ref()),
                err: self.maybe(result.err.as_ref()),
            })),
            TypeDefKind::List(ty) => abi::Type::List(Arc::new(self.add(ty))),
            TypeDefKind::FixedLengthList(ty, length) => {
                abi::Type::FixedLengthList(Arc::new(FixedLengthListType {
                    element: self.add(ty),
                    length: *length,
                }))
            }
            TypeDefKind::Resource => {
                self.resources.push(id);
                abi::Type::Own(resource_type(id))
            }
            TypeDefKind::Handle(Handle::Own(resource)) => {
                self.add(&Type::Id(*resource));
                abi::Type::Own(resource_type(*resource))
            }
            TypeDefKind::Handle(Handle::Borrow(resource)) => {
                self.add(&Type::Id(*resource));
                self.borrows = true;
                abi::Type::Borrow(resource_type(*resource))
            }
            TypeDefKind::Map(..) => self.refuse("`map`", "use a list of tuples: `list<tuple<key, value>>`"),
            TypeDefKind::Stream(payload) => abi::Type::Stream(self.transmit(id, payload.as_ref())),
            TypeDefKind::Future(payload) => abi::Type::Future(self.transmit(id, payload.as_ref())),
            TypeDefKind::Unknown => self.refuse("an unknown type", "define it"),
        }
    }
}

fn resource_type(id: TypeId) -> abi::ResourceType {
    abi::ResourceType(number(id))
}

/// Returns a number that distinguishes the types of one WIT text.
fn number(id: TypeId) -> u32 {
    u32::try_from(id.index()).unwrap_or(u32::MAX)
}

/// Checks the items that the world uses, and returns the properties of the types. Definitions come before their uses in
/// the arena, so nothing here recurses, however long a chain of types is.
pub(crate) fn check(resolve: &Resolve, world: WorldId) -> Result<Facts, Error> {
    let mut facts = Facts {
        facts: Vec::with_capacity(resolve.types.len()),
    };
    for (id, def) in resolve.types.iter() {
        let mut members = Members {
            facts: &facts,
            refusal: None,
            depth: 0,
            resources: Vec::new(),
            borrows: false,
            transmits: false,
        };
        let abi = members.define(id, &def.kind);
        let step = u32::from(!matches!(def.kind, TypeDefKind::Type(_)));
        let depth = members.depth + step;
        let abi = match members.refusal {
            Some(refusal) => Err(refusal),
            None if depth > MAX_TYPE_DEPTH => Err(Refusal {
                what: "a type that nests deeper than 128 levels",
                hint: "flatten it, or put its parts in lists and refer to them by index",
            }),
            None => Ok(abi),
        };
        facts.facts.push(Fact {
            abi,
            depth,
            resources: members.resources,
            borrows: members.borrows,
            transmits: members.transmits,
        });
    }
    let check = Check {
        resolve,
        facts: &facts,
    };
    check.world(&resolve.worlds[world])?;
    Ok(facts)
}

struct Check<'a> {
    resolve: &'a Resolve,
    facts: &'a Facts,
}

impl Check<'_> {
    fn world(&self, world: &World) -> Result<(), Error> {
        for (key, item) in world.imports.iter().chain(&world.exports) {
            match item {
                WorldItem::Function(func) => self.function(func)?,
                WorldItem::Type { id, .. } => self.definition(*id)?,
                WorldItem::Interface { id, span, .. } => {
                    let interface = &self.resolve.interfaces[*id];
                    if matches!(key, WorldKey::Name(_)) && interface.name.is_some() {
                        let span = if span.is_known() { *span } else { world.span };
                        return Err(self.unsupported(
                            span,
                            "an interface under a name that the world chooses".into(),
                            "import or export it without the name",
                        ));
                    }
                    for id in interface.types.values() {
                        self.definition(*id)?;
                    }
                    for func in interface.functions.values() {
                        self.function(func)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn unsupported(&self, span: Span, what: String, hint: &'static str) -> Error {
        Error::Unsupported {
            place: Place::of(self.resolve, span),
            what: format!("{what} is not supported"),
            hint,
        }
    }

    fn definition(&self, id: TypeId) -> Result<(), Error> {
        let def = &self.resolve.types[id];
        if matches!(def.kind, TypeDefKind::Resource) {
            return Ok(());
        }
        let ty = self.ty(&Type::Id(id), def.span)?;
        let what = format!("type `{}`", def.name.as_deref().unwrap_or_default());
        self.plan([("value".into(), ty)].into(), None, def.span, what)
    }

    fn function(&self, func: &Function) -> Result<(), Error> {
        let what = || format!("function `{}`", func.name);
        if func.kind.accessor().is_some() {
            let hint = "write it as a `func`";
            return Err(self.unsupported(func.span, format!("the accessor `{}`", func.name), hint));
        }
        if func.params.len() > MAX_PARAMS {
            let hint = "put them in a record: the limit is 17";
            let what = format!("{} with {} parameters", what(), func.params.len());
            return Err(self.unsupported(func.span, what, hint));
        }
        let params = func
            .params
            .iter()
            .map(|param| Ok((param.name.as_str().into(), self.ty(&param.ty, param.span)?)))
            .collect::<Result<_, Error>>()?;
        let result = func.result.map(|ty| self.ty(&ty, func.span)).transpose()?;
        self.plan(params, result, func.span, what())
    }

    fn ty(&self, ty: &Type, span: Span) -> Result<abi::Type, Error> {
        self.facts
            .of(ty)
            .abi
            .map_err(|refusal| self.unsupported(span, refusal.what.into(), refusal.hint))
    }

    fn plan(
        &self,
        params: Box<[(Arc<str>, abi::Type)]>,
        result: Option<abi::Type>,
        span: Span,
        what: String,
    ) -> Result<(), Error> {
        let error = match FuncPlan::new(&FuncType { params, result }) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let hint = match &error {
            AbiError::TooManyFlags { .. } => "split the flags into several types",
            AbiError::TypeTooLarge { .. } => {
                "use lists of variable length: their elements are stored elsewhere"
            }
            AbiError::TypeTooDeep { .. } => {
                "flatten it, or put its parts in lists and refer to them by index"
            }
            AbiError::EmptyType { .. } => "add a member, or remove it",
            _ => "change the type",
        };
        Err(Error::NoPlan {
            place: Place::of(self.resolve, span),
            what,
            message: error.to_string(),
            hint,
        })
    }
}
