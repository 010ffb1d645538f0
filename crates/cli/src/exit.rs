//! Exit codes, and the errors that lead to them.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use airssys_wasm::Error;
use airssys_wasm::artifact::ArtifactError;
use airssys_wasm::runtime::{ErrorKind, RuntimeError};
use airssys_wasm::wave::CallError;
use serde_json::{Value, json};

use crate::text;

/// The program's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// The component returned an error, or bytes that are not a payload; or an assertion of a test
    /// failed.
    Answered,
    /// The command line is wrong, or asks for something that does not exist.
    Usage,
    /// An input file cannot be read, or the component cannot be loaded or linked.
    Load,
    /// The component trapped, or a limit was hit.
    Trap,
    /// The host failed.
    Host,
    /// Interrupted; the code is the one that shells use for Ctrl-C.
    Interrupted,
    /// The status that a component exited with.
    Status(u8),
}

/// Text of `--help` about the exit codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0  success
  1  the component returned an error or an unreadable result; an assertion failed
  2  usage: the command line is invalid, or names something that the component does not have
  3  an input file cannot be read; the component cannot be loaded or linked; the artifact is damaged, not trusted, or
     made for another host
  4  the component trapped or exceeded a limit: time, memory, the size of a value or of --input
  5  the host failed: an output cannot be written, a thread or a socket cannot be created
  130  interrupted (compile, snapshot)
A program, or a component that calls exit, sets the exit status itself (run, invoke).

Results go to standard output, everything else to standard error. With --json an error is the last line of standard
error, as one JSON object: {\"error\": {\"status\": 3, \"kind\": \"load\", \"message\": …, \"causes\": […], \"help\": …}}";

impl Exit {
    /// Returns its number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Answered => 1,
            Exit::Usage => 2,
            Exit::Load => 3,
            Exit::Trap => 4,
            Exit::Host => 5,
            Exit::Interrupted => 130,
            Exit::Status(code) => code,
        }
    }

    /// Returns its name in JSON.
    fn kind(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Answered => "answer",
            Exit::Usage => "usage",
            Exit::Load => "load",
            Exit::Trap => "trap",
            Exit::Host => "host",
            Exit::Interrupted => "interrupted",
            Exit::Status(_) => "status",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// The outcome of a command.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

/// An error with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    error: anyhow::Error,
    advice: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Failure {
        Failure {
            exit,
            error: error.into(),
            advice: None,
        }
    }

    /// Adds advice to a failure.
    pub(crate) fn advised(self, advice: &'static str) -> Failure {
        Failure {
            advice: Some(advice),
            ..self
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, anyhow::Error::msg(message.into()))
    }

    /// Adds the operation `what`, during which it happened, to a failure.
    pub(crate) fn context(self, what: impl Into<String>) -> Failure {
        Failure {
            error: self.error.context(what.into()),
            ..self
        }
    }

    /// Writes the failure and its causes to standard error: lines of text, or one line of JSON.
    pub(crate) fn report(&self, as_json: bool) {
        let report = match as_json {
            true => format!("{}\n", self.json()),
            false => self.text(),
        };
        // If standard error is closed, there is no place to report that.
        let _ = io::stderr().write_all(report.as_bytes());
    }

    /// Returns the messages of the error and its causes, outermost first.
    fn messages(&self) -> Vec<String> {
        let mut messages: Vec<String> = Vec::new();
        for error in self.error.chain() {
            let message = text::shorten(&error.to_string());
            // Many errors include their cause in their own text.
            if !messages.last().is_some_and(|last| last.contains(&message)) {
                messages.push(message);
            }
        }
        messages
    }

    /// Returns the messages in one line.
    #[cfg(all(unix, feature = "nats"))]
    pub(crate) fn line(&self) -> String {
        text::line(&self.messages().join(": "))
    }

    fn text(&self) -> String {
        let mut lines = String::new();
        for (depth, message) in self.messages().iter().enumerate() {
            lines.push_str(if depth == 0 { "error: " } else { "  caused by: " });
            lines.push_str(&text::message(message));
            lines.push('\n');
        }
        if let Some(advice) = self.advice {
            lines.push_str("  help: ");
            lines.push_str(advice);
            lines.push('\n');
        }
        lines
    }

    fn json(&self) -> String {
        text::json_line(&json!({ "error": self.to_json() }))
    }

    /// Returns the failure as an object.
    pub(crate) fn to_json(&self) -> Value {
        let mut messages = self.messages().into_iter();
        let message = messages.next();
        json!({
            "status": self.exit.code(),
            "kind": self.exit.kind(),
            "message": message,
            "causes": messages.collect::<Vec<_>>(),
            "help": self.advice,
        })
    }

    /// Returns the failure of another process from its object. Advice is not kept.
    #[cfg(unix)]
    pub(crate) fn from_json(failure: &Value) -> Failure {
        let exits = [Exit::Answered, Exit::Usage, Exit::Load, Exit::Trap];
        let exit = exits.into_iter().find(|exit| failure["status"] == exit.code());
        let message = failure["message"]
            .as_str()
            .unwrap_or("the host failed")
            .to_owned();
        let causes = failure["causes"].as_array().into_iter().flatten();
        let causes = causes.filter_map(Value::as_str).map(str::to_owned);
        // The innermost first.
        let mut messages = std::iter::once(message).chain(causes).rev();
        let innermost = anyhow::Error::msg(messages.next().unwrap_or_default());
        Failure::new(
            exit.unwrap_or(Exit::Host),
            messages.fold(innermost, anyhow::Error::context),
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let exit = match &error {
            error if error.is_limit() => Exit::Trap,
            Error::InvalidComponent { .. }
            | Error::CoreModule
            | Error::Component
            | Error::InvalidModule { .. }
            | Error::NotWasm(_)
            | Error::Unsupported(_)
            | Error::MissingFeatures { .. }
            | Error::BackendFeature(_)
            | Error::Compile { .. }
            | Error::NoCompiler
            | Error::ForeignTarget { .. }
            | Error::MissingImport { .. }
            | Error::ImportType { .. }
            | Error::Instantiate(_)
            | Error::LimitExceeded(_) => Exit::Load,
            Error::BackendUnavailable { .. }
            | Error::OneCompiler { .. }
            | Error::EngineOption { .. }
            | Error::Target(_)
            | Error::MissingExport { .. }
            | Error::Argument(_) => Exit::Usage,
            Error::Stopped => Exit::Interrupted,
            Error::Trap(_) => Exit::Trap,
            _ => Exit::Host,
        };
        Failure::new(exit, error)
    }
}

impl From<ArtifactError> for Failure {
    fn from(error: ArtifactError) -> Failure {
        match error {
            ArtifactError::Compile(error) => error.into(),
            error => Failure::new(Exit::Load, error),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        Failure::new(Exit::Usage, error)
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Failure {
        let exit = match error.kind() {
            ErrorKind::Answer => Exit::Answered,
            ErrorKind::Load => Exit::Load,
            ErrorKind::Stopped => Exit::Trap,
            ErrorKind::Usage => Exit::Usage,
            ErrorKind::Host => Exit::Host,
        };
        Failure::new(exit, error)
    }
}
