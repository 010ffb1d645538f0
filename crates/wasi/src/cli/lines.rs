//! Splitting of output into lines for the host's log.

use airssys_wasm_component::internal::text::sanitize;

/// The log target of these lines, the same as that of lines that components log through the contract.
pub(super) const LOG_TARGET: &str = "airssys_wasm::component";

/// Splits bytes into lines of at most `max` bytes.
#[derive(Debug)]
pub(super) struct Lines {
    line: Vec<u8>,
    max: usize,
}

impl Lines {
    pub(super) fn new(max: usize) -> Lines {
        Lines {
            line: Vec::new(),
            max: max.max(1),
        }
    }

    /// Appends bytes, and passes each line that is complete, or has the maximum length, to `log`.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut log: impl FnMut(&str)) {
        while !bytes.is_empty() {
            let room = self.max - self.line.len();
            let part = &bytes[..bytes.len().min(room)];
            let (part, ended) = match part.iter().position(|byte| *byte == b'\n') {
                Some(end) => (&part[..end], true),
                None => (part, false),
            };
            self.line.extend_from_slice(part);
            bytes = &bytes[part.len() + usize::from(ended)..];
            if ended || self.line.len() == self.max {
                // A line of exactly the maximum length may still be followed by its end.
                if !ended && bytes.first() == Some(&b'\n') {
                    bytes = &bytes[1..];
                }
                self.hand_on(&mut log);
            }
        }
    }

    /// Passes the last line, which has no end, to `log`.
    pub(super) fn finish(&mut self, mut log: impl FnMut(&str)) {
        if !self.line.is_empty() {
            self.hand_on(&mut log);
        }
    }

    fn hand_on(&mut self, log: &mut impl FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.line);
        log(&sanitize(text.trim_end_matches('\r'), usize::MAX));
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(max: usize, parts: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::new(max);
        let mut out = Vec::new();
        for part in parts {
            lines.push(part, |line| out.push(line.to_owned()));
        }
        lines.finish(|line| out.push(format!("{line}…")));
        out
    }

    #[test]
    fn lines_are_put_together_and_cut() {
        assert_eq!(
            lines(100, &[b"one\ntw", b"o\n", b"\nthr", b"ee"]),
            ["one", "two", "", "three…"]
        );
        assert_eq!(lines(3, &[b"abcdefg\n"]), ["abc", "def", "g"]);
        assert_eq!(lines(3, &[b"abc\n", b"def\n"]), ["abc", "def"]);
        assert_eq!(lines(100, &[b"a\r\nb\r\n"]), ["a", "b"]);
        assert!(lines(100, &[]).is_empty());
    }

    #[test]
    fn nothing_that_misleads_gets_into_the_log() {
        assert_eq!(lines(100, &[b"a\x1b[31mb\xff\n"]), ["a\\u{1b}[31mb\u{fffd}"]);
    }
}
