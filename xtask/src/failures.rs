//! Failures that `cargo test` prints, repeated at the end: a log of thousands of lines is often kept only in part.

use std::fmt;

/// Lines kept of the output of one test, from its start.
const LINES_OF_A_TEST: usize = 30;

/// Lines kept in all.
const LINES: usize = 300;

/// Lines of `cargo test` that name what failed, read from its standard output.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// Names of failed tests, as `test NAME ... FAILED` gives them.
    tests: Vec<String>,
    /// Outputs of failed tests, from their headings.
    lines: Vec<String>,
    /// Lines kept of the output that is read now; none outside of such an output.
    kept: Option<usize>,
}

impl Failures {
    /// Reads the next line.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(name) = failed_test(line) {
            self.tests.push(name.to_owned());
        } else if line.starts_with("---- ") && line.ends_with(" ----") {
            self.kept = Some(0);
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.kept = None;
        }
        if let Some(kept) = &mut self.kept
            && *kept < LINES_OF_A_TEST
            && self.lines.len() < LINES
        {
            *kept += 1;
            self.lines.push(line.to_owned());
        }
    }
}

/// Returns the name in `test NAME ... FAILED`.
fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

impl fmt::Display for Failures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(out, "{line}")?;
        }
        for test in &self.tests {
            writeln!(out, "FAILED    test {test}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let mut failures = Failures::default();
        text.lines().for_each(|line| failures.read(line));
        failures.to_string()
    }

    #[test]
    fn output_and_names_of_failed_tests_are_kept() {
        let log = "\nrunning 3 tests\ntest a::good ... ok\ntest a::bad ... FAILED\ntest b::bad ... FAILED\n\nfailures:\n\n\
                   ---- a::bad stdout ----\nleft: 1\n\n---- b::bad stdout ----\nleft: 2\n\n\nfailures:\n    a::bad\n    b::bad\n\n\
                   test result: FAILED. 1 passed; 2 failed\n\nrunning 1 test\ntest c ... ok\n";
        let kept = "---- a::bad stdout ----\nleft: 1\n\n---- b::bad stdout ----\nleft: 2\n\n\n\
                    FAILED    test a::bad\nFAILED    test b::bad\n";
        assert_eq!(read(log), kept);
    }

    #[test]
    fn a_run_without_failures_keeps_nothing() {
        assert_eq!(
            read("running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed\n"),
            ""
        );
    }

    #[test]
    fn one_long_output_does_not_hide_the_next() {
        let long = "line\n".repeat(1000);
        let log = format!("---- a stdout ----\n{long}---- b stdout ----\nthe reason\n");
        let kept = read(&log);
        assert!(kept.ends_with("---- b stdout ----\nthe reason\n"), "{kept}");
        assert!(kept.lines().count() <= LINES_OF_A_TEST + 2, "{kept}");
    }
}
