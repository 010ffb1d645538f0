//! Known differences from the reference, intended on our side, and their reasons.

/// A result that differs in a case, on every line with this label.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The case, or the beginning of its name and `*`.
    pub case: &'static str,
    /// The text before the line's result; `*` for every line.
    pub label: &'static str,
    pub ours: &'static str,
    pub theirs: &'static str,
    pub reason: &'static str,
}

const READ_ONLY: &str = "a read-only folder returns `read-only`, as the interface specifies";
const NOTHING: &str = "reading zero bytes does not detect the end of the file";
const RIGHTS: &str =
    "a descriptor has the rights that it was opened with, and reports violations immediately";
const SYNC: &str = "synchronous writes are supported";
const SLASH: &str = "a trailing slash denotes a directory, as in POSIX";
const DOTS: &str = "`..` is a directory that contains this one, as in POSIX";
const MOVED: &str =
    "the reference has moved the file to `hello.txt/`, so later lines depend on another state";
const INTERIM: &str = "a final response cannot have an informational status";
const TAKEN: &str = "the size is that of the accepted part of the body";
const NONE: &str = "a scheme must begin with a letter, and a port must be a number";
const HOST: &str = "an HTTP/1.1 request must name its host";
const NAMED: &str = "a failed body or exchange has the error code that the interface defines for it";
const LATE: &str = "the timeout is that of the response";
const STATUS: &str = "the status of a failed exchange is the server's choice";
const CUT: &str =
    "a body that is incomplete or has the wrong length is cut off, so that the client can detect it";
const EARLY: &str =
    "the reference traps on informational responses, which it does not support; this host returns an error";
const PERMIT: &str = "a write that `check-write` has not permitted traps, as the interface specifies";

/// The known differences. One that no case shows is a failure, too.
pub const DIFFERENCES: &[Difference] = &[
    Difference::new("read-only/*", "*", "read-only", "not-permitted", READ_ONLY),
    Difference::new(
        "http/request scheme",
        "Some(Scheme::Other(\"\"))",
        "refused",
        "ok",
        NONE,
    ),
    Difference::new(
        "http/request scheme",
        "is",
        "Some(Scheme::Other(\"ftp\"))",
        "Some(Scheme::Other(\"\"))",
        NONE,
    ),
    Difference::new(
        "http/request authority",
        "Some(\"example.com:port\")",
        "refused",
        "ok",
        NONE,
    ),
    Difference::new(
        "http/request authority",
        "is",
        "Some(\"[::1]:80\")",
        "Some(\"example.com:port\")",
        NONE,
    ),
    Difference::new(
        "files/*",
        "to a read-only folder",
        "read-only",
        "not-permitted",
        READ_ONLY,
    ),
    Difference::new(
        "files/*",
        "from a read-only folder",
        "read-only",
        "not-permitted",
        READ_ONLY,
    ),
    Difference::new("read-only/open for changes", "open", "read-only", "ok", READ_ONLY),
    Difference::new(
        "read-only/open for changes",
        "make",
        "not opened",
        "not-permitted",
        READ_ONLY,
    ),
    Difference::new("files/read nothing", "*", "\"\"", "\"\", the end", NOTHING),
    Difference::new("files/*", "told", "at once", "later", RIGHTS),
    Difference::new(
        "files/open makes a file to read it",
        "write",
        "bad-descriptor",
        "ok",
        RIGHTS,
    ),
    Difference::new(
        "files/open with sync flags",
        "*",
        "regular-file",
        "unsupported",
        SYNC,
    ),
    Difference::new(
        "paths/remove-directory-at",
        "\"sub/\"",
        "not-empty",
        "invalid",
        SLASH,
    ),
    Difference::new(
        "paths/remove-directory-at",
        "\"sublink/\"",
        "not-directory",
        "invalid",
        SLASH,
    ),
    Difference::new(
        "paths/remove-directory-at",
        "\"out/\"",
        "not-directory",
        "not-permitted",
        SLASH,
    ),
    Difference::new(
        "paths/remove-directory-at",
        "\"dangling/\"",
        "not-directory",
        "no-entry",
        SLASH,
    ),
    Difference::new("paths/*", "\"hello.txt/\"", "not-directory", "ok", SLASH),
    Difference::new("paths/*", "\"hello.txt/.\"", "not-directory", "ok", SLASH),
    Difference::new("paths/*", "\"link/\"", "not-directory", "ok", SLASH),
    Difference::new("paths/*", "\"dangling/\"", "no-entry", "ok", SLASH),
    Difference::new("paths/*", "\"out/\"", "not-permitted", "ok", SLASH),
    Difference::new("paths/*", "\"hello.txt/\"", "exist", "not-directory", SLASH),
    Difference::new("paths/*", "\"missing/\"", "exist", "not-directory", SLASH),
    Difference::new("paths/*", "\"link/\"", "exist", "not-directory", SLASH),
    Difference::new("paths/*", "\"dangling/\"", "exist", "no-entry", SLASH),
    Difference::new("paths/*", "\"out/\"", "exist", "not-permitted", SLASH),
    Difference::new(
        "paths/remove-directory-at",
        "\"sub/..\"",
        "not-empty",
        "invalid",
        DOTS,
    ),
    Difference::new(
        "paths/rename-at to it",
        "\"hello.txt/\"",
        "not-directory",
        "ok, back not-directory",
        SLASH,
    ),
    Difference::new("paths/rename-at to it", "*", "ok, back ok", "no-entry", MOVED),
    Difference::new("paths/rename-at to it", "*", "is-directory", "no-entry", MOVED),
    Difference::new("paths/rename-at to it", "*", "not-directory", "no-entry", MOVED),
    Difference::new("paths/rename-at to it", "*", "no-entry", "not-directory", MOVED),
    Difference::new("paths/rename-at to it", "*", "no-entry", "loop", MOVED),
    Difference::new("paths/rename-at to it", "*", "no-entry", "not-permitted", MOVED),
    Difference::new("streams/write without asking", "*", "trapped", "ok", PERMIT),
    Difference::new(
        "streams/write more than is permitted",
        "*",
        "trapped",
        "ok",
        PERMIT,
    ),
    Difference::new("http/response status-code", "100", "refused", "ok", INTERIM),
    Difference::new(
        "http/body longer than it says",
        "finish",
        "ErrorCode::HttpRequestBodySize(Some(0))",
        "ErrorCode::HttpRequestBodySize(Some(4))",
        TAKEN,
    ),
    Difference::new("http/sent and answered", "host", "true", "false", HOST),
    Difference::new(
        "http/sent with a body that is not finished",
        "answered",
        "Err(ErrorCode::HttpRequestBodySize(None))",
        "Err(ErrorCode::HttpProtocolError)",
        NAMED,
    ),
    Difference::new(
        "http/answered with less than it says",
        "*",
        "\"some\", ErrorCode::HttpResponseIncomplete",
        "\"some\", failed without a code",
        NAMED,
    ),
    Difference::new(
        "http/answered with a chunk that is none",
        "*",
        "\"some\", ErrorCode::HttpProtocolError",
        "\"some\", failed without a code",
        NAMED,
    ),
    Difference::new(
        "http/not answered",
        "*",
        "ErrorCode::HttpResponseIncomplete",
        "ErrorCode::HttpProtocolError",
        NAMED,
    ),
    Difference::new(
        "http/no answer in time",
        "*",
        "Err(ErrorCode::HttpResponseTimeout)",
        "Err(ErrorCode::ConnectionReadTimeout)",
        LATE,
    ),
    Difference::new(
        "http/no more of the answer in time",
        "body",
        "\"\", ErrorCode::ConnectionReadTimeout",
        "\"\", failed without a code",
        NAMED,
    ),
    Difference::new(
        "served/a body with a chunk that is none",
        "guest: read",
        "ErrorCode::HttpProtocolError",
        "failed without a code",
        NAMED,
    ),
    Difference::new(
        "served/a body with a chunk that is none",
        "guest: trailers",
        "ErrorCode::HttpProtocolError",
        "none",
        NAMED,
    ),
    Difference::new(
        "served/a request's body that breaks off",
        "body",
        "ErrorCode::ConnectionTerminated",
        "ErrorCode::HttpProtocolError",
        NAMED,
    ),
    Difference::new(
        "served/an error that has a status of its own",
        "status",
        "403",
        "500",
        STATUS,
    ),
    Difference::new(
        "served/an error that has a status of its own",
        "body",
        "Forbidden",
        "Internal Server Error",
        STATUS,
    ),
    Difference::new("served/a trap within the body", "end", "cut off", "whole", CUT),
    Difference::new("served/a body longer than it says", "body", "part", "partmo", CUT),
    Difference::new(
        "served/a body longer than it says",
        "end",
        "cut off",
        "whole",
        CUT,
    ),
    Difference::new(
        "served/a body longer than it says",
        "guest: finish",
        "ErrorCode::HttpResponseBodySize(Some(4))",
        "ErrorCode::HttpResponseBodySize(Some(8))",
        TAKEN,
    ),
    Difference::new(
        "served/an informational response",
        "guest: informational",
        "ErrorCode::InternalError(Some(\"this server sends no informational responses\"))",
        "",
        EARLY,
    ),
];

impl Difference {
    const fn new(
        case: &'static str,
        label: &'static str,
        ours: &'static str,
        theirs: &'static str,
        reason: &'static str,
    ) -> Difference {
        Difference {
            case,
            label,
            ours,
            theirs,
            reason,
        }
    }

    fn is_of(&self, case: &str) -> bool {
        match self.case.strip_suffix('*') {
            Some(beginning) => case.starts_with(beginning),
            None => case == self.case,
        }
    }

    /// Reports whether this difference explains a line of a case.
    pub fn explains(&self, case: &str, ours: &str, theirs: &str) -> bool {
        let (our_label, our_result) = split(ours);
        let (their_label, their_result) = split(theirs);
        self.is_of(case)
            && our_label == their_label
            && (self.label == "*" || self.label == our_label)
            && (self.ours, self.theirs) == (our_result, their_result)
    }
}

/// Splits a line at its last colon.
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
