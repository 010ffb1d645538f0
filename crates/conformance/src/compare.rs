//! Comparison of the same calls on several engines.

use std::fmt;

use super::calls::{Call, Calls};
use super::failure::{Failure, FailureKind};
use super::same::same_bits;
use super::show::show;
use super::subject::{Definition, InstanceId, Options, Outcome, Session, Subject};
use airssys_wasm_component::component::{Component, FuncType, Val, display_func};
use airssys_wasm_component::engine::{Config, Engine};
use airssys_wasm_component::error::Error;
use airssys_wasm_component::wave;

/// Results of the engines, call by call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// The engines, in the order of the answers.
    pub engines: Vec<String>,
    /// The calls.
    pub rows: Vec<Row>,
}

/// One call on every engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The call as it was written; `load` for loading itself, if it failed on an engine.
    pub call: String,
    /// One result for each engine.
    pub answers: Vec<Outcome<Option<Val>>>,
    /// The fault, if there is one.
    pub fault: Option<Fault>,
}

/// A fault in the results of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Engines returned different values, to the last bit, or failed in different ways.
    Differ,
    /// They agree on an unexpected result; this is the expected one.
    Unexpected(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Differ => f.write_str("the engines differ"),
            Fault::Unexpected(expected) => write!(f, "expected {expected}"),
        }
    }
}

/// Reasons for which calls cannot be made at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// A single engine was chosen.
    #[error("a single engine cannot be compared: choose two or more")]
    OneEngine,
    /// The component does not load here, so the types of its functions are unknown.
    #[error("{0}")]
    Load(#[source] Error),
    /// A call names no function, or passes arguments of the wrong types.
    #[error("call {number} (`{invoke}`): {message}")]
    Call {
        /// Number of the call, counted from 1.
        number: usize,
        /// Its text.
        invoke: String,
        /// The fault.
        message: String,
    },
}

impl Comparison {
    /// Counts the calls with the expected result, the same on every engine.
    pub fn agreed(&self) -> usize {
        self.rows.iter().filter(|row| row.fault.is_none()).count()
    }
}

/// Makes the same calls on every subject, each on its own instance.
///
/// After a trap on any of them, all get a new instance, so later calls start from the same state. Imports that nothing
/// provides trap when they are called.
///
/// # Errors
/// [`CompareError`], before any call is made.
pub fn compare(
    component: &[u8],
    calls: &Calls,
    subjects: &[Box<dyn Subject>],
    options: &Options,
) -> Result<Comparison, CompareError> {
    if subjects.len() < 2 {
        return Err(CompareError::OneEngine);
    }
    let prepared = prepare(component, calls)?;
    let options = Options {
        missing_imports_trap: true,
        ..options.clone()
    };
    let mut comparison = Comparison {
        engines: subjects.iter().map(|subject| subject.name().to_owned()).collect(),
        rows: Vec::new(),
    };
    let mut runs: Vec<Run> = subjects
        .iter()
        .map(|subject| Run::new(subject.session(&options), component))
        .collect();
    let loading: Vec<Outcome<Option<Val>>> =
        runs.iter().map(|run| run.loaded.clone().map(|_| None)).collect();
    if loading.iter().any(Result::is_err) {
        let fault = differ(&loading).or_else(|| Some(Fault::Unexpected("the component to load".into())));
        comparison.rows.push(Row {
            call: "load".into(),
            answers: loading,
            fault,
        });
        return Ok(comparison);
    }
    let mut fresh = true;
    for prepared in prepared {
        fresh |= prepared.call.fresh;
        let answers: Vec<_> = runs.iter_mut().map(|run| run.answer(&prepared, fresh)).collect();
        fresh = answers.iter().any(Result::is_err);
        comparison.rows.push(Row {
            fault: differ(&answers).or_else(|| prepared.unexpected(&answers)),
            call: prepared.call.invoke.clone(),
            answers,
        });
    }
    Ok(comparison)
}

/// A call with its function and arguments resolved.
struct Prepared<'a> {
    call: &'a Call,
    path: Vec<String>,
    arguments: Vec<Val>,
    expect: Option<Val>,
}

fn prepare<'a>(component: &[u8], calls: &'a Calls) -> Result<Vec<Prepared<'a>>, CompareError> {
    let engine = Engine::new(&Config::new()).map_err(CompareError::Load)?;
    let component = Component::from_binary(&engine, component).map_err(CompareError::Load)?;
    let prepare = |(index, call): (usize, &'a Call)| {
        prepare_call(&component, call).map_err(|message| CompareError::Call {
            number: index + 1,
            invoke: call.invoke.clone(),
            message,
        })
    };
    calls.iter().enumerate().map(prepare).collect()
}

fn prepare_call<'a>(component: &Component, call: &'a Call) -> Result<Prepared<'a>, String> {
    let parsed = wave::Call::parse(&call.invoke).map_err(|error| error.to_string())?;
    let export = wave::find(component, &parsed).map_err(|error| error.to_string())?;
    let ty = &export.function.ty;
    let types = ty.params.iter().map(|(_, ty)| ty).chain(&ty.result);
    if types.clone().any(wave::holds_resource) {
        return Err("its type has a resource, which has no text form".into());
    }
    let arguments = wave::arguments(parsed.args, ty);
    let arguments = arguments.map_err(|error| format!("{}; it is {}", error.message, display_func(ty)))?;
    let expect = call
        .expect
        .as_deref()
        .map(|text| expected(text, ty))
        .transpose()?;
    Ok(Prepared {
        call,
        path: export.path,
        arguments,
        expect,
    })
}

/// Parses `expect` as the only argument of a function that takes the result's type.
fn expected(text: &str, ty: &FuncType) -> Result<Val, String> {
    let result = ty
        .result
        .clone()
        .ok_or("`expect` for a function without a result")?;
    let taking = FuncType {
        params: [("expect".into(), result)].into(),
        result: None,
    };
    let values = wave::arguments(&format!("({text})"), &taking);
    let values = values.map_err(|error| format!("`expect`: {}", error.message))?;
    values
        .into_iter()
        .next()
        .ok_or_else(|| "`expect` is empty".into())
}

impl Prepared<'_> {
    /// Returns the fault of results that agree but are not the expected ones.
    fn unexpected(&self, answers: &[Outcome<Option<Val>>]) -> Option<Fault> {
        let met = |answer: &Outcome<Option<Val>>| match (&self.expect, &self.call.trap, answer) {
            (Some(expected), _, Ok(Some(value))) => expected == value,
            (Some(_), _, _) => false,
            (None, Some(reason), Err(failure)) => is_trap(failure, reason),
            (None, Some(_), Ok(_)) => false,
            (None, None, _) => true,
        };
        if answers.iter().all(met) {
            return None;
        }
        Some(Fault::Unexpected(match (&self.expect, &self.call.trap) {
            (Some(value), _) => show(value),
            (None, reason) => format!("a trap: {}", reason.as_deref().unwrap_or_default()),
        }))
    }
}

/// Also matches the name of the trap's class, as reports print it.
fn is_trap(failure: &Failure, reason: &str) -> bool {
    let named = matches!(&failure.kind, FailureKind::Trap(class) if class.to_string().contains(reason));
    named || failure.is_trap(reason)
}

fn differ(answers: &[Outcome<Option<Val>>]) -> Option<Fault> {
    let same = answers.windows(2).all(|pair| match (&pair[0], &pair[1]) {
        (Ok(Some(a)), Ok(Some(b))) => same_bits(a, b),
        (Ok(None), Ok(None)) => true,
        (Err(a), Err(b)) => a.kind == b.kind,
        _ => false,
    });
    (!same).then_some(Fault::Differ)
}

/// One engine's session.
struct Run {
    session: Box<dyn Session>,
    loaded: Outcome<Definition>,
    instance: Option<InstanceId>,
}

impl Run {
    fn new(mut session: Box<dyn Session>, component: &[u8]) -> Run {
        Run {
            loaded: session.define(component),
            session,
            instance: None,
        }
    }

    fn answer(&mut self, prepared: &Prepared<'_>, fresh: bool) -> Outcome<Option<Val>> {
        let instance = match self.instance {
            Some(instance) if !fresh => instance,
            _ => self.session.instantiate(self.loaded.clone()?)?,
        };
        self.instance = Some(instance);
        let path: Vec<&str> = prepared.path.iter().map(String::as_str).collect();
        self.session.call(instance, &path, &prepared.arguments)
    }
}
