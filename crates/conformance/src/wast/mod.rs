//! Component-model test scripts (`.wast`), on any engine.
//!
//! Every directive is one case: it passes, fails, or is unsupported, with the feature's name. Directives that use a
//! component that did not come to be share its fate.

mod expect;
mod report;
mod runner;
mod values;

pub use report::{FileReport, Lacking, Mismatch, Totals};

use super::subject::{Options, Subject};

/// Runs a script. `file` is what reports call it.
pub fn run(subject: &dyn Subject, file: &str, source: &str, options: &Options) -> FileReport {
    let mut report = FileReport::new(file, subject.name());
    runner::run(subject, source, options, &mut report);
    report
}
