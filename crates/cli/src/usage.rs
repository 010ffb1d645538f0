//! Help and usage errors.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::{Exit, Failure};
use crate::{output, text};

/// Returns whether `--json` is among the program's own arguments, those before `--`.
pub(crate) fn asks_for_json(args: impl Iterator<Item = OsString>) -> bool {
    args.take_while(|arg| arg != "--").any(|arg| arg == "--json")
}

/// Prints help or the version to standard output, and anything else as the usage error that it is.
pub(crate) fn answer(mut error: clap::Error, as_json: bool) -> ExitCode {
    if let ErrorKind::DisplayHelp | ErrorKind::DisplayVersion = error.kind() {
        // clap omits colors where it prints itself, if the output is not a terminal or colors are disabled.
        return match error
            .print()
            .and_then(|()| std::io::Write::flush(&mut std::io::stdout()))
        {
            Ok(()) => Exit::Done.into(),
            Err(error) => failed(&output::unwritable(error), as_json),
        };
    }
    hide_value(&mut error);
    if let Some((command, feature)) = left_out(&error) {
        let text = format!("the command `{command}` is not compiled in: build with `--features {feature}`");
        return failed(&Failure::usage(text), as_json);
    }
    let text = error.render().to_string();
    let text = text.trim_end();
    if !as_json && text::shorten(text) == text {
        // In color, where colors are supported.
        let _ = error.print();
        return Exit::Usage.into();
    }
    failed(
        &Failure::usage(text.strip_prefix("error: ").unwrap_or(text)),
        as_json,
    )
}

/// Options whose values may be secret.
const SECRET: [&str; 4] = ["--config", "--env", "--params", "[PARAMS]"];

/// Removes the value of an option from the error if it may be secret.
fn hide_value(error: &mut clap::Error) {
    let Some(ContextValue::String(arg)) = error.get(ContextKind::InvalidArg) else {
        return;
    };
    let name = arg.split(' ').next().unwrap_or_default();
    if SECRET.contains(&name) && error.get(ContextKind::InvalidValue).is_some() {
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
}

/// Commands that are not in every build, with the features that they need.
const OPTIONAL: [(&str, &str, bool); 4] = [
    ("bindgen", "bindgen", cfg!(feature = "bindgen")),
    ("component", "adapt", cfg!(feature = "adapt")),
    ("conformance", "conformance", cfg!(feature = "conformance")),
    ("wast", "conformance", cfg!(feature = "conformance")),
];

/// Returns the command and its feature if the error is that this build lacks the command.
fn left_out(error: &clap::Error) -> Option<(&'static str, &'static str)> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(asked)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let missing = OPTIONAL
        .iter()
        .find(|(command, _, is_in)| command == asked && !is_in);
    missing.map(|&(command, feature, _)| (command, feature))
}

fn failed(failure: &Failure, as_json: bool) -> ExitCode {
    failure.report(as_json);
    failure.exit.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_behind_two_dashes_is_the_programs_own() {
        let asks = |args: &[&str]| asks_for_json(args.iter().map(OsString::from));
        assert!(asks(&["airssys-wasm", "run", "x.wasm", "--json"]));
        assert!(!asks(&["airssys-wasm", "run", "x.wasm", "--", "--json"]));
    }
}
