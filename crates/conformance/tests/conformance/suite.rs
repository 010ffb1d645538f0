//! The project's own scripts, `tests/wast`, on every backend and on the reference engine.

use std::fmt::Write;
use std::path::Path;

use airssys_wasm_conformance::scripts::{is_async, options};
use airssys_wasm_conformance::wast::{self, FileReport};
use airssys_wasm_conformance::{Ours, Reference, Subject};

/// Number of assertions that must pass on each engine.
const ASSERTIONS: usize = 200;

/// Features that an engine may lack: the engine, the script, a part of the feature's name, and the reason.
const LACKING: &[(&str, &str, &str, &str)] = &[];

fn scripts() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wast");
    let entries =
        std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut scripts: Vec<(String, String)> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wast"))
        .map(|path| {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, source)
        })
        .collect();
    scripts.sort();
    scripts
}

fn describe(reports: &[FileReport]) -> String {
    let mut text = String::new();
    for report in reports {
        for failure in &report.failures {
            let (file, line) = (&report.file, failure.line);
            writeln!(
                text,
                "{file}:{line}: expected {}, got {}",
                failure.expected, failure.got
            )
            .unwrap();
        }
        for lacking in &report.lacking {
            writeln!(
                text,
                "{}:{}: lacks {}",
                report.file, lacking.line, lacking.feature
            )
            .unwrap();
        }
    }
    text
}

fn may_lack(subject: &str, file: &str, feature: &str) -> bool {
    LACKING
        .iter()
        .any(|(engine, script, part, _)| *engine == subject && *script == file && feature.contains(part))
}

fn run(subject: &dyn Subject, is_run: impl Fn(&str) -> bool) {
    let reports: Vec<FileReport> = scripts()
        .iter()
        .filter(|(name, _)| is_run(name))
        .map(|(name, source)| wast::run(subject, name, source, &options(source)))
        .collect();
    let name = subject.name();
    let failed: usize = reports.iter().map(|report| report.failed).sum();
    assert_eq!(failed, 0, "{name}:\n{}", describe(&reports));
    for report in &reports {
        for lacking in &report.lacking {
            let known = may_lack(name, &report.file, &lacking.feature);
            assert!(
                known,
                "{name}: {}:{}: {}",
                report.file, lacking.line, lacking.feature
            );
        }
    }
    for (engine, file, part, reason) in LACKING.iter().filter(|(engine, ..)| *engine == name) {
        let report = reports
            .iter()
            .find(|report| report.file == *file)
            .expect("the script exists");
        let lacks = report
            .lacking
            .iter()
            .any(|lacking| lacking.feature.contains(part));
        assert!(lacks, "{engine} no longer lacks `{part}` in {file}: {reason}");
    }
    let assertions: usize = reports.iter().map(|report| report.assertions).sum();
    assert!(
        assertions >= ASSERTIONS,
        "{name}: {assertions} assertions passed, of {ASSERTIONS} at least"
    );
}

#[test]
fn every_backend_passes() {
    let subjects = Ours::all().expect("the backends are available");
    assert!(
        !subjects.is_empty(),
        "this build has no backend: nothing would be tested"
    );
    for subject in &subjects {
        run(subject, |_| true);
    }
}

#[test]
fn the_reference_engine_passes() {
    run(&Reference::new().expect("the reference engine"), |script| {
        !is_async(script)
    });
}
