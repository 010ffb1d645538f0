//! Help and usage errors.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::exit::{Exit, Failure};
use crate::{output, text};

/// Returns whether `--json` is among the program's own arguments, those before `--`.
pub(crate) fn asks_for_json(args: impl Iterator<Item = OsString>) -> bool {
    args.take_while(|arg| arg != "--").any(|arg| arg == "--json")
}

/// Prints help or the version to standard output, and anything else as the usage error that it is.
pub(crate) fn answer(error: &clap::Error, as_json: bool) -> ExitCode {
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
