//! This library's backends as subjects.

use std::time::Instant;

use super::failure::{Failure, FailureKind, TrapClass};
use super::host;
use super::subject::{Definition, InstanceId, Options, Outcome, Session, Subject};
use airssys_wasm_abi::AbiError;
use airssys_wasm_component::component::{
    Component, ExternType, FuncType, Instance, Linker, Store, Type, Val,
};
use airssys_wasm_component::engine::{Backend, Config, Engine};
use airssys_wasm_component::error::{CoreTrap, Error, ResourceError, TrapKind};
use airssys_wasm_component::internal::timer;

/// One backend of this library.
#[derive(Clone, Debug)]
pub struct Ours {
    engine: Engine,
    /// The same with all forms of asynchronous functions.
    gated_async: Engine,
}

impl Ours {
    /// # Errors
    /// [`Error::BackendUnavailable`] if this build does not contain the backend.
    pub fn new(backend: Backend) -> airssys_wasm_component::Result<Ours> {
        let mut config = Config::new();
        let engine = Engine::new(config.backend(backend))?;
        config
            .wasm_component_model_async_builtins(true)
            .wasm_component_model_async_stackful(true)
            .wasm_component_model_threading(true);
        let gated_async = Engine::new(&config)?;
        Ok(Ours { engine, gated_async })
    }

    /// Returns every backend that this build contains.
    ///
    /// # Errors
    /// The errors of [`Ours::new`].
    pub fn all() -> airssys_wasm_component::Result<Vec<Ours>> {
        Backend::available()
            .iter()
            .map(|backend| Ours::new(*backend))
            .collect()
    }

    /// Returns the backend.
    pub fn backend(&self) -> Backend {
        self.engine.backend()
    }
}

impl Subject for Ours {
    fn name(&self) -> &str {
        self.engine.backend().name()
    }

    fn session(&self, options: &Options) -> Box<dyn Session> {
        let engine = match options.gated_async {
            false => &self.engine,
            true => &self.gated_async,
        };
        Box::new(OurSession {
            store: Store::with_limits(engine, (), options.limits.clone()),
            linker: Linker::new(engine),
            engine: engine.clone(),
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
    /// End of the session's time.
    end: Option<Instant>,
    /// Set once the linker has the instance `host`.
    host_instance: bool,
}

impl OurSession {
    fn instance(&self, id: InstanceId) -> Outcome<&Instance> {
        let instance = self.instances.get(id.0);
        instance.ok_or_else(|| Failure::new(FailureKind::Host, "an instance of another session"))
    }

    /// Runs guest code, at most until the call's deadline or the session's end.
    fn watched<R>(
        &mut self,
        run: impl FnOnce(&mut OurSession) -> airssys_wasm_component::Result<R>,
    ) -> Outcome<R> {
        let armed = Instant::now()
            .checked_add(self.options.deadline)
            .into_iter()
            .chain(self.end)
            .min()
            .and_then(|deadline| timer::arm(deadline, self.store.interrupter()));
        let result = run(self);
        drop(armed);
        Ok(result?)
    }

    /// Checks value types of imported instances, which a linker ignores since hosts have none.
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
        let func = instance.try_get_func(&mut self.store, path)?;
        let arguments = fit_arguments(&func.ty(&self.store), arguments);
        self.watched(|this| func.call_dynamic(&mut this.store, &arguments))
    }
}

/// Checks that an instance exports the value types that a component declares for it.
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
            // The linker reports everything else that is missing or of another kind.
            _ => {}
        }
    }
    Ok(())
}

/// Converts lists in arguments to the kind of their types: scripts have only one.
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
                // A registered instance trapped.
                Some(Error::Trap(trap)) => FailureKind::Trap(trap_class(trap.kind())),
                _ => FailureKind::Trap(TrapClass::HostFunction),
            },
            Error::Instantiate(_) => FailureKind::Trap(instantiate_class(&error.to_string())),
            Error::LimitExceeded(_) => FailureKind::Trap(TrapClass::Limit),
            Error::Compile { .. } => FailureKind::Engine,
            Error::Stopped => FailureKind::TimedOut,
            Error::Bug(_) => FailureKind::Bug,
            _ => FailureKind::Host,
        };
        Failure::new(kind, error.to_string())
    }
}

/// Classifies segments that do not fit, which are found before any code runs.
fn instantiate_class(message: &str) -> TrapClass {
    TrapClass::of_text(message).unwrap_or(TrapClass::Limit)
}

fn trap_class(kind: &TrapKind) -> TrapClass {
    match kind {
        TrapKind::Core(trap) => core_class(*trap),
        TrapKind::Abi(error) => abi_class(error),
        TrapKind::Resource(ResourceError::Lent(_)) => TrapClass::Lent,
        TrapKind::Resource(ResourceError::TableFull(_)) | TrapKind::Limit(_) => TrapClass::Limit,
        TrapKind::Resource(_) => TrapClass::BadHandle,
        TrapKind::OutOfFuel { .. } | TrapKind::CpuTime { .. } => TrapClass::Interrupted,
        TrapKind::CannotLeave => TrapClass::CannotLeave,
        TrapKind::Reentrance | TrapKind::Poisoned => TrapClass::CannotEnter,
        TrapKind::BorrowsRemain(_) => TrapClass::BorrowsRemain,
        TrapKind::UnresolvedImport(_) | TrapKind::Panicked { .. } => TrapClass::HostFunction,
        TrapKind::Adapter(text) | TrapKind::Other(text) => {
            TrapClass::of_text(text).unwrap_or(TrapClass::Other)
        }
        _ => TrapClass::Other,
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
        // A trap of the engine without a class of its own.
        _ => TrapClass::Other,
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
