//! Component-model test scripts (`.wast`), on any engine.
//!
//! Every directive is one case: it passes, fails, or is unsupported, with the feature's name. Directives that use a
//! component that could not be created fail or are unsupported like its creation.

mod expect;
mod legacy;
mod report;
mod runner;
mod values;

pub use report::{FileReport, Lacking, Mismatch, Totals};

use super::subject::{Options, Subject};

/// Returns the report of a script that is not run: without any directive.
pub fn not_run(subject: &dyn Subject, file: &str) -> FileReport {
    FileReport::new(file, subject.name())
}

/// Runs a script. Reports call it `file`.
pub fn run(subject: &dyn Subject, file: &str, source: &str, options: &Options) -> FileReport {
    let mut report = FileReport::new(file, subject.name());
    runner::run(subject, &legacy::modernized(source), options, &mut report);
    report
}
