//! Report of a script.

use std::time::Duration;

use serde::Serialize;

use crate::failure::FailureKind;

/// One script on one engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileReport {
    /// The script.
    pub file: String,
    /// The engine.
    pub backend: String,
    /// Directives that passed.
    pub passed: usize,
    /// Number of those that assert something; the others create components and instances.
    pub assertions: usize,
    /// Directives that failed.
    pub failed: usize,
    /// Directives that need a feature that the engine lacks.
    pub unsupported: usize,
    /// The failed directives.
    pub failures: Vec<Mismatch>,
    /// The unsupported directives.
    pub lacking: Vec<Lacking>,
}

/// A directive that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Line on which it begins, counted from 1.
    pub line: usize,
    /// The script's expectation.
    pub expected: String,
    /// The actual result.
    pub got: String,
    /// The category, if a step on the engine failed.
    #[serde(skip)]
    pub kind: Option<FailureKind>,
}

/// A directive that could not be executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lacking {
    /// Line on which it begins, counted from 1.
    pub line: usize,
    /// The missing feature.
    pub feature: String,
}

impl FileReport {
    pub(super) fn new(file: &str, backend: &str) -> FileReport {
        FileReport {
            file: file.to_owned(),
            backend: backend.to_owned(),
            passed: 0,
            assertions: 0,
            failed: 0,
            unsupported: 0,
            failures: Vec::new(),
            lacking: Vec::new(),
        }
    }

    pub(super) fn pass(&mut self, assertion: bool) {
        self.passed += 1;
        self.assertions += usize::from(assertion);
    }

    pub(super) fn fail(
        &mut self,
        line: usize,
        expected: impl Into<String>,
        got: impl Into<String>,
        kind: Option<FailureKind>,
    ) {
        self.failed += 1;
        self.failures.push(Mismatch {
            line,
            expected: expected.into(),
            got: got.into(),
            kind,
        });
    }

    /// Counts the directives from `line` on, for which no time is left, as failed, and reports them as one.
    pub(super) fn out_of_time(&mut self, line: usize, directives: usize, whole: Option<Duration>) {
        let limit = whole.map_or(0, |whole| whole.as_millis());
        self.fail(
            line,
            format!("the script's end within {limit} ms"),
            format!(
                "timeout: this directive and {} after it are skipped",
                directives - 1
            ),
            Some(FailureKind::TimedOut),
        );
        self.failed += directives - 1;
    }

    pub(super) fn lack(&mut self, line: usize, feature: impl Into<String>) {
        self.unsupported += 1;
        self.lacking.push(Lacking {
            line,
            feature: feature.into(),
        });
    }

    /// Lists the missing features, each once, with the number of directives.
    pub fn missing_features(&self) -> Vec<(&str, usize)> {
        let mut features: Vec<(&str, usize)> = Vec::new();
        for Lacking { feature, .. } in &self.lacking {
            match features.iter_mut().find(|(name, _)| name == feature) {
                Some((_, count)) => *count += 1,
                None => features.push((feature, 1)),
            }
        }
        features
    }
}

/// Reports of all scripts on all engines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// One report for each script and engine.
    pub files: Vec<FileReport>,
    /// Number of passed directives.
    pub passed: usize,
    /// Number of failed directives.
    pub failed: usize,
    /// Number of unsupported directives.
    pub unsupported: usize,
}

impl Totals {
    /// Adds a script's report.
    pub fn add(&mut self, file: FileReport) {
        self.passed += file.passed;
        self.failed += file.failed;
        self.unsupported += file.unsupported;
        self.files.push(file);
    }
}
