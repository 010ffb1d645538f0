//! What a case answered.

use std::fmt;

/// How a case ended, and what came out beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub end: End,
    pub stdout: String,
    pub stderr: String,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It saw this.
    Seen(String),
    /// It could not be run, for this reason.
    Failed(String),
    /// It ended itself, with this status.
    Exited(i32),
    /// It trapped. Engines say why in their own words.
    Trapped(String),
}

impl Answer {
    /// The lines that are compared: what was seen, how it ended, what was put out.
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
