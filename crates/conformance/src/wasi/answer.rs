//! Results of a case.

use std::fmt;

/// The end of a case, and its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub end: End,
    pub stdout: String,
    pub stderr: String,
}

/// The end of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It returned this text.
    Seen(String),
    /// It could not be run, for this reason.
    Failed(String),
    /// It exited with this status.
    Exited(i32),
    /// It trapped. The message depends on the engine.
    Trapped(String),
}

impl Answer {
    /// Returns the lines that are compared: the returned text, the end, the output.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = match &self.end {
            End::Seen(text) => text.lines().map(str::to_owned).collect(),
            End::Failed(reason) => vec![format!("failed: {reason}")],
            End::Exited(status) => vec![format!("exited: {status}")],
            End::Trapped(_) => vec!["trapped".to_owned()],
        };
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                lines.push(format!("{name}: {text:?}"));
            }
        }
        lines
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.lines().join("\n"))?;
        match &self.end {
            End::Trapped(why) => write!(f, " ({why})"),
            _ => Ok(()),
        }
    }
}
