//! Where the reference does otherwise, on purpose of ours, and why.

/// A result that differs in a case, on every line with this label.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The case, or the beginning of its name and `*`.
    pub case: &'static str,
    /// What stands before the line's result; `*` for every line.
    pub label: &'static str,
    pub ours: &'static str,
    pub theirs: &'static str,
    pub reason: &'static str,
}

const READ_ONLY: &str = "what a read-only folder refuses is `read-only`, as the interface says";

/// All of them. One that no case shows is a failure too.
pub const DIFFERENCES: &[Difference] = &[Difference {
    case: "read-only/*",
    label: "*",
    ours: "read-only",
    theirs: "not-permitted",
    reason: READ_ONLY,
}];

impl Difference {
    fn is_of(&self, case: &str) -> bool {
        match self.case.strip_suffix('*') {
            Some(beginning) => case.starts_with(beginning),
            None => case == self.case,
        }
    }

    /// Whether it explains that a line of a case differs so.
    pub fn explains(&self, case: &str, ours: &str, theirs: &str) -> bool {
        let (our_label, our_result) = split(ours);
        let (their_label, their_result) = split(theirs);
        self.is_of(case)
            && our_label == their_label
            && (self.label == "*" || self.label == our_label)
            && (self.ours, self.theirs) == (our_result, their_result)
    }
}

/// What stands before the last colon, and what behind it.
fn split(line: &str) -> (&str, &str) {
    line.rsplit_once(": ").unwrap_or(("", line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_explains_its_own_lines_alone() {
        let difference = Difference {
            case: "a/*",
            label: "open",
            ours: "read-only",
            theirs: "io",
            reason: "",
        };
        assert!(difference.explains("a/b", "open: read-only", "open: io"));
        assert!(!difference.explains("b/a", "open: read-only", "open: io"));
        assert!(!difference.explains("a/b", "make: read-only", "make: io"));
        assert!(!difference.explains("a/b", "open: read-only", "make: io"));
        assert!(!difference.explains("a/b", "open: io", "open: read-only"));
        assert!(!difference.explains("a/b", "open: read-only, more", "open: io"));
        let whole = Difference {
            label: "*",
            ..difference
        };
        assert!(whole.explains("a/b", "read-only", "io"));
    }
}
