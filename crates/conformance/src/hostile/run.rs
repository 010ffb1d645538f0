//! Execution of cases on engines.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Failure, Options, Session, Subject};
use airssys_wasm::{Error, Result};
use airssys_wasm_component::component::{
    Component, ExternType, Instance, Linker, Resource, ResourceType, Store, Val,
};
use airssys_wasm_component::engine::{Backend, Config, Engine};
use airssys_wasm_component::error::{Fault, TrapKind};

use super::case::{Case, Expected, HOST, RUN};
use super::memory;

/// Memory that the host may use beyond the store's limits while a guest runs, in bytes.
const SLACK: u64 = 64 << 20;

/// Runs a case on a backend of this library, and checks the exact error, the state of the instance, and the host's memory.
///
/// # Errors
/// The deviation from the expected result.
pub fn run_ours(case: &Case, backend: Backend) -> std::result::Result<(), String> {
    let run = || {
        let bytes = encode(case)?;
        let engine = Engine::new(Config::new().backend(backend)).map_err(|error| error.to_string())?;
        check(case, &engine, &bytes)
    };
    let result = catch_unwind(AssertUnwindSafe(run));
    result.unwrap_or_else(|_| Err("a panic".into()))
}

/// The guest's bytes and its provider's.
struct Bytes {
    component: Vec<u8>,
    provider: Option<Vec<u8>>,
}

fn encode(case: &Case) -> std::result::Result<Bytes, String> {
    let parse = |text: &String| wat::parse_str(text).map_err(|error| format!("{error}"));
    Ok(Bytes {
        component: parse(&case.component)?,
        provider: case.provider.as_ref().map(parse).transpose()?,
    })
}

fn check(case: &Case, engine: &Engine, bytes: &Bytes) -> std::result::Result<(), String> {
    let mut store = Store::with_limits(engine, (), case.limits.clone());
    let instance = match instantiate(engine, &mut store, case, bytes) {
        Ok(instance) => instance,
        Err(error) => return refused(case, &error),
    };
    let before = memory::begin();
    let result = call(&mut store, &instance, &case.arguments);
    let grown = memory::grown_since(before);
    let allowed = case.limits.lift_bytes + case.limits.memory_bytes + SLACK;
    if grown > allowed {
        return Err(format!(
            "the host's memory grew by {grown} bytes, more than the limit of {allowed}"
        ));
    }
    ended(case, &result)?;
    let again = call(&mut store, &instance, &case.arguments);
    match (&case.expected, again) {
        (Expected::Trap(..), Err(error)) if is_poisoned(&error) && instance.is_poisoned() => Ok(()),
        (Expected::Trap(..), again) => Err(format!(
            "the instance was entered again after its trap: {again:?}"
        )),
        (_, _) if instance.is_poisoned() => Err("the instance is poisoned without a trap".into()),
        (Expected::Wrong(_) | Expected::Unsupported(_), again) => {
            ended(case, &again).map_err(|error| format!("the second time: {error}"))
        }
        (_, Err(error)) => Err(format!("the second time: {error}")),
        (_, Ok(_)) => Ok(()),
    }
}

fn instantiate(engine: &Engine, store: &mut Store<()>, case: &Case, bytes: &Bytes) -> Result<Instance> {
    let component = Component::from_binary(engine, &bytes.component)?;
    let mut linker: Linker<()> = Linker::new(engine);
    if case.host_resources {
        host_resources(&mut linker)?;
    }
    if let Some(provider) = &bytes.provider {
        let provider = Component::from_binary(engine, provider)?;
        let provider = Linker::new(engine).instantiate(&mut *store, &provider)?;
        let mut host = linker.instance(HOST)?;
        for (name, item) in provider.component().exports() {
            if !matches!(item, ExternType::Func(_)) {
                continue;
            }
            let func = provider.try_get_func(&mut *store, [name])?;
            host.func_new(name, move |cx, _, arguments, results| {
                Ok(func.call(cx, arguments, results)?)
            })?;
        }
    }
    linker.instantiate(store, &component)
}

/// Defines a resource type of the host, with functions that create, borrow and consume it.
fn host_resources(linker: &mut Linker<()>) -> Result<()> {
    struct First;
    let mut host = linker.instance(HOST)?;
    host.resource("resource1", ResourceType::host::<First>(), |_, _| Ok(()))?;
    host.func_wrap("[constructor]resource1", |_, (rep,): (u32,)| {
        Ok((Resource::<First>::new_own(rep),))
    })?;
    host.func_wrap("[method]resource1.simple", |_, _: (Resource<First>, u32)| Ok(()))?;
    host.func_wrap(
        "[method]resource1.take-own",
        |_, _: (Resource<First>, Resource<First>)| Ok(()),
    )
}

fn call(store: &mut Store<()>, instance: &Instance, arguments: &[Val]) -> Result<Option<Val>> {
    instance
        .try_get_func(&mut *store, [RUN])?
        .call_dynamic(store, arguments)
}

fn is_poisoned(error: &Error) -> bool {
    error
        .trap()
        .is_some_and(|trap| *trap.kind() == TrapKind::Poisoned)
}

/// Checks a failed instantiation.
fn refused(case: &Case, error: &Error) -> std::result::Result<(), String> {
    let said = |part: &str| error.to_string().contains(part);
    match (&case.expected, error) {
        (Expected::Invalid(part), Error::InvalidComponent { .. }) if said(part) => Ok(()),
        (Expected::Unsupported(part), Error::Unsupported(_) | Error::MissingFeatures { .. })
            if said(part) =>
        {
            Ok(())
        }
        (Expected::Missing, Error::MissingImport { .. }) => Ok(()),
        (Expected::Instantiate(part), Error::Instantiate(_) | Error::LimitExceeded(_)) if said(part) => {
            Ok(())
        }
        (Expected::Trap(expected, _), Error::Trap(trap)) if same(expected, trap.kind()) => Ok(()),
        (expected, error) => Err(format!("expected {expected:?}, refused with {error:?}")),
    }
}

/// Checks the result of a call.
fn ended(case: &Case, result: &Result<Option<Val>>) -> std::result::Result<(), String> {
    match (&case.expected, result) {
        (Expected::Trap(expected, _), Err(Error::Trap(trap))) if same(expected, trap.kind()) => Ok(()),
        (Expected::Unsupported(part), Err(error @ Error::Unsupported(_)))
            if error.to_string().contains(part) =>
        {
            Ok(())
        }
        (Expected::Value(expected), Ok(value)) if expected == value => Ok(()),
        (Expected::Wrong(part), Err(error))
            if error.fault() == Fault::Host && error.to_string().contains(part) =>
        {
            Ok(())
        }
        (expected, result) => Err(format!("expected {expected:?}, got {result:?}")),
    }
}

fn same(expected: &TrapKind, got: &TrapKind) -> bool {
    match (expected, got) {
        (TrapKind::Adapter(expected), TrapKind::Adapter(got)) => got.starts_with(expected),
        (TrapKind::Limit(expected), TrapKind::Limit(got)) => got.contains(expected),
        (expected, got) => expected == got,
    }
}

/// Runs a case on an engine; check the outcome with [`Case::agrees`] or [`Case::reference_agrees`].
///
/// # Errors
/// The failure that the case expects, on an engine that behaves as required.
pub fn run_subject(case: &Case, subject: &dyn Subject) -> std::result::Result<Option<Val>, Failure> {
    let bytes = encode(case).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let options = Options {
        host_instance: case.host_resources,
        ..Options::default()
    };
    let mut session = subject.session(&options);
    let instance = |session: &mut dyn Session, bytes: &[u8]| {
        let definition = session.define(bytes)?;
        session.instantiate(definition)
    };
    if let Some(provider) = &bytes.provider {
        let provider = instance(&mut *session, provider)?;
        session.register(HOST, provider)?;
    }
    let guest = instance(&mut *session, &bytes.component)?;
    session.call(guest, &[RUN], &case.arguments)
}
