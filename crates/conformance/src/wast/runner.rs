//! Execution of one script, directive by directive.

use std::collections::HashMap;
use std::time::Instant;

use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::{Id, Span};
use wast::{QuoteWat, Wast, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

use super::expect::Expected;
use super::report::FileReport;
use super::values;
use crate::failure::{Failure, FailureKind, TrapClass};
use crate::show;
use crate::subject::{Definition, InstanceId, Options, Outcome, Session, Subject};
use airssys_wasm_component::component::Val;

pub(super) fn run(subject: &dyn Subject, source: &str, options: &Options, report: &mut FileReport) {
    let failed = |report: &mut FileReport, error: &wast::Error| {
        report.fail(line(error.span(), source), "a script", error.message(), None);
    };
    let mut lexer = Lexer::new(source);
    lexer.allow_confusing_unicode(true);
    let buffer = match ParseBuffer::new_with_lexer(lexer) {
        Ok(buffer) => buffer,
        Err(error) => return failed(report, &error),
    };
    let script = match parser::parse::<Wast<'_>>(&buffer) {
        Ok(script) => script,
        Err(error) => return failed(report, &error),
    };
    let mut runner = Runner {
        session: subject.session(options),
        definitions: HashMap::new(),
        last_definition: None,
        instances: HashMap::new(),
        current: None,
    };
    let end = options.end();
    let mut directives = script.directives.into_iter();
    while let Some(directive) = directives.next() {
        let line = line(directive.span(), source);
        if end.is_some_and(|end| Instant::now() >= end) {
            return report.out_of_time(line, 1 + directives.len(), options.whole);
        }
        let assertion = is_assertion(&directive);
        match runner.directive(directive, line) {
            Ok(()) => report.pass(assertion),
            Err(Stop::Unsupported(feature)) => report.lack(line, feature),
            Err(Stop::Failed { expected, got, kind }) => report.fail(line, expected, got, kind),
        }
    }
}

fn line(span: Span, source: &str) -> usize {
    span.linecol_in(source).0 + 1
}

fn is_assertion(directive: &WastDirective<'_>) -> bool {
    !matches!(
        directive,
        WastDirective::Module(_)
            | WastDirective::ModuleDefinition(_)
            | WastDirective::ModuleInstance { .. }
            | WastDirective::Register { .. }
            | WastDirective::Invoke(_)
    )
}

/// Reasons for which a directive did not pass.
#[derive(Clone, Debug)]
enum Stop {
    Unsupported(String),
    Failed {
        expected: String,
        got: String,
        /// The category, if a step on the engine failed.
        kind: Option<FailureKind>,
    },
}

fn failed(expected: impl Into<String>, got: impl Into<String>) -> Stop {
    Stop::Failed {
        expected: expected.into(),
        got: got.into(),
        kind: None,
    }
}

/// Converts a failure where none is expected.
fn unexpected(expected: &str, failure: Failure) -> Stop {
    match failure.kind {
        FailureKind::Unsupported(feature) => Stop::Unsupported(feature),
        _ => Stop::Failed {
            expected: expected.into(),
            got: failure.to_string(),
            kind: Some(failure.kind),
        },
    }
}

const CORE_MODULES: &str = "core modules outside of components";

/// A component or an instance, or the reason for its absence, which is passed on to the directives that use it.
type Made<T> = Result<T, Stop>;

struct Runner {
    session: Box<dyn Session>,
    definitions: HashMap<String, Made<Definition>>,
    last_definition: Option<Made<Definition>>,
    instances: HashMap<String, Made<InstanceId>>,
    current: Option<Made<InstanceId>>,
}

impl Runner {
    fn directive(&mut self, directive: WastDirective<'_>, line: usize) -> Result<(), Stop> {
        match directive {
            WastDirective::Module(component) => {
                let name = component.name();
                let made = self.make(component);
                self.keep_instance(name, made, line)
            }
            WastDirective::ModuleDefinition(mut component) => {
                let name = component.name();
                let made = self.define(&mut component);
                let kept = made.clone().map_err(|stop| depends(stop, line));
                if let Some(name) = name {
                    self.definitions.insert(name.name().to_owned(), kept.clone());
                }
                self.last_definition = Some(kept);
                made.map(drop)
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let definition = match module {
                    Some(name) => self.definitions.get(name.name()).cloned(),
                    None => self.last_definition.clone(),
                };
                let definition =
                    definition.ok_or_else(|| failed("an instance", "there is no such component"));
                let made = definition
                    .and_then(|made| made)
                    .and_then(|definition| self.instantiate(definition));
                self.keep_instance(instance, made, line)
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module)?;
                let registered = self.session.register(name, instance);
                registered.map_err(|failure| unexpected("registered", failure))
            }
            WastDirective::Invoke(invoke) => self.returned(&invoke).map(drop),
            WastDirective::AssertReturn { exec, results, .. } => self.assert_return(exec, &results),
            WastDirective::AssertTrap { exec, message, .. } => self.assert_trap(exec, message),
            WastDirective::AssertExhaustion { call, .. } => {
                self.assert_trap_class(&call, TrapClass::StackExhausted)
            }
            WastDirective::AssertException { exec, .. } => match exec {
                WastExecute::Invoke(call) => self.assert_trap_class(&call, TrapClass::UncaughtException),
                _ => Err(Stop::Unsupported("exceptions of anything but calls".into())),
            },
            WastDirective::AssertInvalid {
                mut module, message, ..
            } => self.assert_invalid(&mut module, message),
            WastDirective::AssertMalformed {
                mut module, message, ..
            } => self.assert_malformed(&mut module, message),
            WastDirective::AssertUnlinkable { module, .. } => self.assert_unlinkable(module),
            WastDirective::AssertInvalidCustom { .. } | WastDirective::AssertMalformedCustom { .. } => {
                Err(Stop::Unsupported("assertions on custom sections".into()))
            }
            WastDirective::AssertSuspension { .. } => Err(Stop::Unsupported("stack switching".into())),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => Err(Stop::Unsupported("threads".into())),
        }
    }

    fn make(&mut self, mut component: QuoteWat<'_>) -> Made<InstanceId> {
        let definition = self.define(&mut component)?;
        self.instantiate(definition)
    }

    fn define(&mut self, component: &mut QuoteWat<'_>) -> Made<Definition> {
        if !is_component(component) {
            return Err(Stop::Unsupported(CORE_MODULES.into()));
        }
        let bytes = component
            .encode()
            .map_err(|error| failed("a component", error.message()))?;
        let defined = self.session.define(&bytes);
        defined.map_err(|failure| unexpected("a valid component", failure))
    }

    fn instantiate(&mut self, definition: Definition) -> Made<InstanceId> {
        let instance = self.session.instantiate(definition);
        instance.map_err(|failure| unexpected("an instance", failure))
    }

    /// Sets the current instance, under its name as well; directives that use one that failed fail with it.
    fn keep_instance(
        &mut self,
        name: Option<Id<'_>>,
        made: Made<InstanceId>,
        line: usize,
    ) -> Result<(), Stop> {
        let kept = made.clone().map_err(|stop| depends(stop, line));
        if let Some(name) = name {
            self.instances.insert(name.name().to_owned(), kept.clone());
        }
        self.current = Some(kept);
        match (name, made?) {
            (Some(name), instance) => self.hand_on(name.name(), instance),
            (None, _) => Ok(()),
        }
    }

    /// Registers an instance under the script's name, for import by later components. An instance that an engine cannot
    /// register is missing where it is imported.
    fn hand_on(&mut self, name: &str, instance: InstanceId) -> Result<(), Stop> {
        match self.session.register(name, instance) {
            Err(failure) if !matches!(failure.kind, FailureKind::Unsupported(_)) => {
                Err(unexpected("an instance that others can import", failure))
            }
            _ => Ok(()),
        }
    }

    fn instance(&self, name: Option<Id<'_>>) -> Made<InstanceId> {
        let instance = match name {
            Some(name) => self.instances.get(name.name()).cloned(),
            None => self.current.clone(),
        };
        instance.unwrap_or_else(|| Err(failed("an instance", "there is none")))
    }

    fn call(&mut self, invoke: &WastInvoke<'_>) -> Result<Outcome<Option<Val>>, Stop> {
        let instance = self.instance(invoke.module)?;
        let arguments: Result<Vec<Val>, _> = invoke.args.iter().map(values::argument).collect();
        let arguments = arguments.map_err(Stop::Unsupported)?;
        match self.session.call(instance, &[invoke.name], &arguments) {
            Err(Failure {
                kind: FailureKind::Unsupported(feature),
                ..
            }) => Err(Stop::Unsupported(feature)),
            outcome => Ok(outcome),
        }
    }

    fn returned(&mut self, invoke: &WastInvoke<'_>) -> Result<Option<Val>, Stop> {
        self.call(invoke)?
            .map_err(|failure| unexpected("a return", failure))
    }

    fn assert_return(&mut self, exec: WastExecute<'_>, results: &[WastRet<'_>]) -> Result<(), Stop> {
        let invoke = match exec {
            WastExecute::Invoke(invoke) => invoke,
            WastExecute::Wat(wat) => return self.make(QuoteWat::Wat(wat)).map(drop),
            WastExecute::Get { .. } => return Err(Stop::Unsupported("exported globals".into())),
        };
        let expected: Result<Vec<Expected>, _> = results.iter().map(values::result).collect();
        let expected = expected.map_err(Stop::Unsupported)?;
        let text = match &expected[..] {
            [] => "no result".to_owned(),
            values => values.iter().map(Expected::text).collect::<Vec<_>>().join(" "),
        };
        let outcome = self.call(&invoke)?;
        let value = outcome.map_err(|failure| unexpected(&text, failure))?;
        match (&expected[..], &value) {
            ([], None) => Ok(()),
            ([expected], Some(value)) if expected.is_met_by(value) => Ok(()),
            (_, value) => Err(failed(
                text,
                value.as_ref().map_or_else(|| "no result".into(), show),
            )),
        }
    }

    fn assert_trap(&mut self, exec: WastExecute<'_>, message: &str) -> Result<(), Stop> {
        let expected = format!("trap: {message}");
        let outcome = match exec {
            WastExecute::Invoke(invoke) => self.call(&invoke)?.map(|value| value.as_ref().map(show)),
            WastExecute::Wat(wat) => {
                let definition = self.define(&mut QuoteWat::Wat(wat))?;
                self.session
                    .instantiate(definition)
                    .map(|_| Some("an instance".into()))
            }
            WastExecute::Get { .. } => return Err(Stop::Unsupported("exported globals".into())),
        };
        match outcome {
            Ok(value) => Err(failed(expected, value.unwrap_or_else(|| "no result".into()))),
            Err(failure) if failure.is_trap(message) => Ok(()),
            Err(failure) => Err(unexpected(&expected, failure)),
        }
    }

    fn assert_trap_class(&mut self, call: &WastInvoke<'_>, class: TrapClass) -> Result<(), Stop> {
        let expected = format!("trap: {class}");
        match self.call(call)? {
            Ok(value) => Err(failed(
                expected,
                value.as_ref().map_or_else(|| "no result".into(), show),
            )),
            Err(failure) if failure.kind == FailureKind::Trap(class) => Ok(()),
            Err(failure) => Err(unexpected(&expected, failure)),
        }
    }

    fn assert_invalid(&mut self, component: &mut QuoteWat<'_>, message: &str) -> Result<(), Stop> {
        if !is_component(component) {
            return Err(Stop::Unsupported(CORE_MODULES.into()));
        }
        let bytes = match component.encode() {
            Ok(bytes) => bytes,
            // Unresolved names are found when the text is parsed.
            Err(error) => return said("invalid", message, error.message()),
        };
        self.refused("invalid", &bytes, message)
    }

    fn assert_malformed(&mut self, component: &mut QuoteWat<'_>, message: &str) -> Result<(), Stop> {
        if !is_component(component) {
            return Err(Stop::Unsupported(CORE_MODULES.into()));
        }
        match component.encode() {
            // Parsers word syntax errors in their own way.
            Err(_) => Ok(()),
            Ok(bytes) => self.refused("malformed", &bytes, message),
        }
    }

    fn refused(&mut self, how: &str, bytes: &[u8], message: &str) -> Result<(), Stop> {
        match self.session.define(bytes) {
            Ok(_) => Err(failed(format!("{how}: {message}"), "it is accepted")),
            Err(Failure {
                kind: FailureKind::Invalid,
                message: got,
            }) => said(how, message, got),
            // An unsupported feature counts as invalid if the message has the script's words.
            Err(failure) if failure.kind != FailureKind::Bug && failure.message.contains(message) => Ok(()),
            Err(failure) => Err(unexpected(&format!("{how}: {message}"), failure)),
        }
    }

    fn assert_unlinkable(&mut self, wat: Wat<'_>) -> Result<(), Stop> {
        let definition = self.define(&mut QuoteWat::Wat(wat))?;
        match self.session.instantiate(definition) {
            Ok(_) => Err(failed("unlinkable", "an instance")),
            Err(failure) if failure.kind == FailureKind::Unlinkable => Ok(()),
            Err(failure) => Err(unexpected("unlinkable", failure)),
        }
    }
}

/// Checks that a refusal is the one that the script describes.
fn said(how: &str, message: &str, got: impl Into<String>) -> Result<(), Stop> {
    let got = got.into();
    if got.contains(message) {
        return Ok(());
    }
    Err(failed(format!("{how}: {message}"), got))
}

fn depends(stop: Stop, line: usize) -> Stop {
    match stop {
        Stop::Failed { expected, .. } => failed(expected, format!("it failed in line {line}")),
        unsupported => unsupported,
    }
}

fn is_component(wat: &QuoteWat<'_>) -> bool {
    matches!(
        wat,
        QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..)
    )
}
