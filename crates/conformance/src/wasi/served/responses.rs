//! Conversion of responses on a connection to lines: the status, the fields in order, the body, the trailers, and whether
//! the response was complete. The framing of a body and the date are omitted, since they are up to the server.

/// Fields that servers choose themselves.
const OWN: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];

/// Returns the lines. `bodiless`: the request was a HEAD.
pub(super) fn told(received: &[u8], bodiless: bool) -> String {
    let mut lines = Vec::new();
    let mut rest = Input(received);
    if received.is_empty() {
        lines.push("end: no answer".to_owned());
    }
    while !rest.0.is_empty() {
        let end = match response(&mut rest, bodiless, &mut lines) {
            Some(()) => "whole",
            None => {
                rest = Input(&[]);
                "cut off"
            }
        };
        lines.push(format!("end: {end}"));
    }
    lines.join("\n")
}

/// Bytes that are not parsed yet.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Reads a line; `None` if it is incomplete.
    fn line(&mut self) -> Option<String> {
        let end = self.0.windows(2).position(|window| window == b"\r\n")?;
        let line = self.take(end)?;
        self.take(2)?;
        Some(String::from_utf8_lossy(line).into_owned())
    }

    /// Reads `size` bytes; `None` if there are fewer.
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(taken)
    }

    /// Reads fields up to an empty line: names in lower case, and values.
    fn fields(&mut self) -> Option<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Some(fields);
            }
            let (name, value) = line.split_once(':')?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
}

/// Parses one response; `None` if it ends too early.
fn response(input: &mut Input<'_>, bodiless: bool, lines: &mut Vec<String>) -> Option<()> {
    let first = input.line()?;
    let status = first.split(' ').nth(1)?.to_owned();
    let fields = input.fields()?;
    lines.push(format!("status: {status}"));
    let mut shown: Vec<String> = fields
        .iter()
        .filter(|(name, _)| bodiless && name == "content-length" || !OWN.contains(&name.as_str()))
        .map(|(name, value)| format!("field {name}: {value:?}"))
        .collect();
    shown.sort();
    lines.append(&mut shown);
    let value = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    if bodiless || status.starts_with('1') || status == "204" || status == "304" {
        return Some(());
    }
    if value("transfer-encoding") == Some("chunked") {
        return chunks(input, lines);
    }
    let declared = match value("content-length") {
        Some(length) => length.parse::<usize>().ok()?,
        None => input.0.len(),
    };
    let size = declared.min(input.0.len());
    body(input.take(size)?, lines);
    (size == declared).then_some(())
}

fn chunks(input: &mut Input<'_>, lines: &mut Vec<String>) -> Option<()> {
    let mut bytes = Vec::new();
    let whole = loop {
        let Some(size) = input
            .line()
            .and_then(|line| usize::from_str_radix(&line, 16).ok())
        else {
            break false;
        };
        if size == 0 {
            break true;
        }
        let Some(chunk) = input.take(size) else {
            break false;
        };
        bytes.extend(chunk);
        if input.take(2) != Some(b"\r\n") {
            break false;
        }
    };
    body(&bytes, lines);
    if !whole {
        return None;
    }
    let mut trailers = input.fields()?;
    trailers.sort();
    lines.extend(
        trailers
            .iter()
            .map(|(name, value)| format!("trailer {name}: {value:?}")),
    );
    Some(())
}

/// Adds a line for each line of the body, so that they are compared one by one.
fn body(bytes: &[u8], lines: &mut Vec<String>) {
    let text = String::from_utf8_lossy(bytes);
    lines.extend(text.lines().map(|line| format!("body: {line}")));
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn responses_are_told_whole_or_cut_off() {
        let chunked =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\nx-b: 2\r\nX-A: 1\r\n\r\n";
        assert_eq!(
            told(chunked.as_bytes(), false),
            "status: 200\nbody: some\ntrailer x-a: \"1\"\ntrailer x-b: \"2\"\nend: whole"
        );
        let cut = chunked.strip_suffix("\r\n").unwrap_or_default();
        assert!(told(cut.as_bytes(), false).ends_with("end: cut off"));
        let two =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nx: y\r\n\r\nno";
        assert_eq!(
            told(two.as_bytes(), false),
            "status: 100\nend: whole\nstatus: 404\nfield x: \"y\"\nbody: no\nend: cut off"
        );
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
        assert_eq!(
            told(head.as_bytes(), true),
            "status: 200\nfield content-length: \"5\"\nend: whole"
        );
        assert_eq!(told(b"", false), "end: no answer");
        assert_eq!(told(b"HTTP/1.1 200 OK\r\n", false), "end: cut off");
    }
}
