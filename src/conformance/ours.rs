//! This library's backends as subjects.

use std::time::Instant;

use super::failure::{Failure, FailureKind, TrapClass};
use super::host;
use super::subject::{Definition, InstanceId, Options, Outcome, Session, Subject};
use crate::component::{Component, ExternType, FuncType, Instance, Linker, Store, Type, Val};
use crate::engine::{Backend, Config, Engine};
use crate::error::{CoreTrap, Error, TrapKind};
use airssys_wasm_abi::AbiError;

/// One backend of this library.
#[derive(Clone, Debug)]
pub struct Ours {
    engine: Engine,
}

impl Ours {
    /// # Errors
    /// [`Error::BackendUnavailable`] if this build does not carry it.
    pub fn new(backend: Backend) -> crate::Result<Ours> {
        let engine = Engine::new(Config::new().backend(backend))?;
        Ok(Ours { engine })
    }

    /// Every backend that this build carries.
    ///
    /// # Errors
    /// As [`Ours::new`].
    pub fn all() -> crate::Result<Vec<Ours>> {
        Backend::available()
            .iter()
            .map(|backend| Ours::new(*backend))
            .collect()
    }

    /// Which backend it is.
    pub fn backend(&self) -> Backend {
        self.engine.backend()
    }
}

impl Subject for Ours {
    fn name(&self) -> &str {
        self.engine.backend().name()
    }

    fn session(&self, options: &Options) -> Box<dyn Session> {
        Box::new(OurSession {
            store: Store::with_limits(&self.engine, (), options.limits.clone()),
            linker: Linker::new(&self.engine),
            engine: self.engine.clone(),
            registered: Vec::new(),
            components: Vec::new(),
            instances: Vec::new(),
            options: options.clone(),
            end: options.end(),
            host_instance: false,
        })
    }
}

#[derive(Debug)]
struct OurSession {
    engine: Engine,
    store: Store<()>,
    linker: Linker<()>,
    registered: Vec<(String, InstanceId)>,
    components: Vec<Component>,
    instances: Vec<Instance>,
    options: Options,
    /// When the session's time is up.
    end: Option<Instant>,
    /// Whether the linker has it yet.
    host_instance: bool,
}

impl OurSession {
    fn instance(&self, id: InstanceId) -> Outcome<&Instance> {
        let instance = self.instances.get(id.0);
        instance.ok_or_else(|| Failure::new(FailureKind::Host, "an instance of another session"))
    }

    /// Runs guest code, for no longer than the deadline, or than there is time for the session.
    fn watched<R>(&mut self, run: impl FnOnce(&mut OurSession) -> crate::Result<R>) -> Outcome<R> {
        #[cfg(all(unix, feature = "interrupt"))]
        let armed = Instant::now()
            .checked_add(self.options.deadline)
            .into_iter()
            .chain(self.end)
            .min()
            .and_then(|deadline| crate::engine::watchdog::arm(deadline, self.store.interrupter()));
        let result = run(self);
        #[cfg(all(unix, feature = "interrupt"))]
        drop(armed);
        Ok(result?)
    }

    /// A linker does not ask for value types, since hosts have none. Instances do.
    fn check_registered(&self, component: &Component) -> Outcome<()> {
        for (name, ty) in component.imports() {
            let registered = self.registered.iter().rev();
            let found = registered.clone().find(|(registered, _)| registered == name);
            if let (Some((_, id)), ExternType::Instance(wanted)) = (found, ty) {
                check_types(name, wanted, self.instance(*id)?.component().exports())?;
            }
        }
        Ok(())
    }
}

impl Session for OurSession {
    fn define(&mut self, bytes: &[u8]) -> Outcome<Definition> {
        let engine = match self.end {
            Some(end) => self.engine.stopped_if(move || Instant::now() >= end),
            None => self.engine.clone(),
        };
        self.components.push(Component::from_binary(&engine, bytes)?);
        Ok(Definition(self.components.len() - 1))
    }

    fn instantiate(&mut self, definition: Definition) -> Outcome<InstanceId> {
        let component = self.components.get(definition.0).cloned();
        let component =
            component.ok_or_else(|| Failure::new(FailureKind::Host, "a component of another session"))?;
        if self.options.host_instance && !self.host_instance {
            host::define(&self.engine, &mut self.linker)?;
            self.host_instance = true;
        }
        self.check_registered(&component)?;
        let mut linker = self.linker.clone();
        if self.options.missing_imports_trap {
            linker.define_unknown_imports_as_traps(&component)?;
        }
        let instance = self.watched(|this| linker.instantiate(&mut this.store, &component))?;
        self.instances.push(instance);
        Ok(InstanceId(self.instances.len() - 1))
    }

    fn register(&mut self, name: &str, id: InstanceId) -> Outcome<()> {
        let instance = self.instance(id)?.clone();
        self.linker.allow_shadowing(true);
        self.linker.define_instance(&mut self.store, name, &instance)?;
        self.registered.push((name.to_owned(), id));
        Ok(())
    }

    fn call(&mut self, id: InstanceId, path: &[&str], arguments: &[Val]) -> Outcome<Option<Val>> {
        let instance = self.instance(id)?.clone();
        let func = instance.get_func(&mut self.store, path)?;
        let arguments = fit_arguments(func.ty(), arguments);
        self.watched(|this| func.call_dynamic(&mut this.store, &arguments))
    }
}

/// Looks for value types that a component declares of an instance, and that the instance does not export.
fn check_types(name: &str, wanted: &[(String, ExternType)], exports: &[(String, ExternType)]) -> Outcome<()> {
    for (item, wanted) in wanted {
        let found = exports.iter().find(|(export, _)| export == item);
        match (wanted, found) {
            (ExternType::Type(_), None) => {
                let message = format!(
                    "import `{name}#{item}` is missing: the component needs this type, and the instance lacks it"
                );
                return Err(Failure::new(FailureKind::Unlinkable, message));
            }
            (ExternType::Instance(wanted), Some((_, ExternType::Instance(found)))) => {
                check_types(&format!("{name}#{item}"), wanted, found)?;
            }
            // The linker says what else is missing or of another kind.
            _ => {}
        }
    }
    Ok(())
}

/// Scripts write one kind of list.
fn fit_arguments(ty: &FuncType, arguments: &[Val]) -> Vec<Val> {
    let types = ty
        .params
        .iter()
        .map(|(_, ty)| Some(ty))
        .chain(std::iter::repeat(None));
    arguments
        .iter()
        .zip(types)
        .map(|(value, ty)| ty.map_or_else(|| value.clone(), |ty| fit(ty, value)))
        .collect()
}

fn fit(ty: &Type, value: &Val) -> Val {
    let boxed = |ty: Option<&Type>, value: &Option<Box<Val>>| {
        let value = value.as_deref()?;
        Some(Box::new(ty.map_or_else(|| value.clone(), |ty| fit(ty, value))))
    };
    match (ty, value) {
        (Type::FixedLengthList(list), Val::List(items)) => {
            Val::FixedLengthList(items.iter().map(|item| fit(&list.element, item)).collect())
        }
        (Type::List(element), Val::List(items)) => {
            Val::List(items.iter().map(|item| fit(element, item)).collect())
        }
        (Type::Tuple(types), Val::Tuple(items)) if types.len() == items.len() => {
            Val::Tuple(types.iter().zip(items).map(|(ty, item)| fit(ty, item)).collect())
        }
        (Type::Record(record), Val::Record(fields)) => {
            let fields = fields.iter().map(|(name, value)| {
                let field = record.fields.iter().find(|field| field.name == *name);
                (
                    name.clone(),
                    field.map_or_else(|| value.clone(), |field| fit(&field.ty, value)),
                )
            });
            Val::Record(fields.collect())
        }
        (Type::Variant(variant), Val::Variant(name, value)) => {
            let case = variant.cases.iter().find(|case| case.name == *name);
            Val::Variant(name.clone(), boxed(case.and_then(|case| case.ty.as_ref()), value))
        }
        (Type::Option(payload), Val::Option(value)) => Val::Option(boxed(Some(&**payload), value)),
        (Type::Result(ty), Val::Result(Ok(value))) => Val::Result(Ok(boxed(ty.ok.as_ref(), value))),
        (Type::Result(ty), Val::Result(Err(value))) => Val::Result(Err(boxed(ty.err.as_ref(), value))),
        _ => value.clone(),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let kind = match &error {
            Error::InvalidComponent { .. }
            | Error::CoreModule
            | Error::Component
            | Error::InvalidModule { .. }
            | Error::NotWasm(_) => FailureKind::Invalid,
            Error::Unsupported(feature) => return Failure::unsupported(feature),
            Error::MissingFeatures {
                features, message, ..
            } => {
                return Failure::new(FailureKind::Unsupported(features.join(", ")), message);
            }
            Error::BackendFeature(feature) => {
                return Failure::new(
                    FailureKind::Unsupported(feature.feature.clone()),
                    error.to_string(),
                );
            }
            Error::MissingImport { .. } | Error::ImportType { .. } => FailureKind::Unlinkable,
            Error::Trap(trap) => FailureKind::Trap(trap_class(trap.kind())),
            Error::Host { source, .. } => match source.downcast_ref::<Error>() {
                // A registered instance that trapped.
                Some(Error::Trap(trap)) => FailureKind::Trap(trap_class(trap.kind())),
                _ => FailureKind::Trap(TrapClass::HostFunction),
            },
            Error::Instantiate(_) => FailureKind::Trap(instantiate_class(&error.to_string())),
            Error::Compile { .. } => FailureKind::Engine,
            Error::Stopped => FailureKind::TimedOut,
            Error::Bug(_) => FailureKind::Bug,
            _ => FailureKind::Host,
        };
        Failure::new(kind, error.to_string())
    }
}

/// Segments that do not fit are found before any code runs.
fn instantiate_class(message: &str) -> TrapClass {
    TrapClass::of_text(message).unwrap_or(TrapClass::Limit)
}

fn trap_class(kind: &TrapKind) -> TrapClass {
    match kind {
        TrapKind::Core(trap) => core_class(*trap),
        TrapKind::Abi(error) => abi_class(error),
        TrapKind::Resource(crate::error::ResourceError::Lent(_)) => TrapClass::Lent,
        TrapKind::Resource(crate::error::ResourceError::TableFull(_)) | TrapKind::Limit(_) => {
            TrapClass::Limit
        }
        TrapKind::Resource(_) => TrapClass::BadHandle,
        TrapKind::CannotLeave => TrapClass::CannotLeave,
        TrapKind::Reentrance | TrapKind::Poisoned => TrapClass::CannotEnter,
        TrapKind::BorrowsRemain(_) => TrapClass::BorrowsRemain,
        TrapKind::UnresolvedImport(_) | TrapKind::Panicked { .. } => TrapClass::HostFunction,
        TrapKind::Adapter(text) | TrapKind::Other(text) => {
            TrapClass::of_text(text).unwrap_or(TrapClass::Other)
        }
    }
}

fn core_class(trap: CoreTrap) -> TrapClass {
    match trap {
        CoreTrap::Unreachable => TrapClass::Unreachable,
        CoreTrap::StackOverflow => TrapClass::StackExhausted,
        CoreTrap::MemoryOutOfBounds => TrapClass::MemoryOutOfBounds,
        CoreTrap::TableOutOfBounds => TrapClass::TableOutOfBounds,
        CoreTrap::IndirectCallToNull => TrapClass::UninitializedElement,
        CoreTrap::BadSignature => TrapClass::IndirectCallType,
        CoreTrap::IntegerOverflow => TrapClass::IntegerOverflow,
        CoreTrap::DivisionByZero => TrapClass::DivisionByZero,
        CoreTrap::BadConversion => TrapClass::BadConversion,
        CoreTrap::Interrupted => TrapClass::Interrupted,
        CoreTrap::Other => TrapClass::Other,
    }
}

fn abi_class(error: &AbiError) -> TrapClass {
    match error {
        AbiError::PointerOutOfBounds { .. }
        | AbiError::LengthOverflow { .. }
        | AbiError::StringTooLong { .. } => TrapClass::PointerOutOfBounds,
        AbiError::InvalidReallocResult { ptr, align, .. } if *align != 0 && ptr % align != 0 => {
            TrapClass::Unaligned
        }
        AbiError::InvalidReallocResult { .. } => TrapClass::PointerOutOfBounds,
        AbiError::Misaligned { .. } => TrapClass::Unaligned,
        AbiError::InvalidDiscriminant { .. } => TrapClass::InvalidDiscriminant,
        AbiError::InvalidChar(_) => TrapClass::InvalidChar,
        AbiError::InvalidUtf8 { .. } | AbiError::InvalidUtf16 { .. } => TrapClass::InvalidString,
        AbiError::HostAllocation { .. } => TrapClass::Limit,
        _ => TrapClass::Other,
    }
}
