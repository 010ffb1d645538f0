//! The protocol of the socket: one line of JSON as the request, then lines of JSON as the answer.
//!
//! Each line is an object with `"v": 1`. A request has `"command"` and its arguments. Answers are any number of
//! `"line"`s (of a log), then one `"result"` or one `"error"`, which is the last. The host closes the connection behind it.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::exit::{Exit, Failure, Outcome};

/// Version of the protocol.
pub(super) const VERSION: u64 = 1;

/// Maximum bytes of a request. Stops a client that sends a line without end.
pub(super) const MAX_REQUEST_BYTES: usize = 4 << 20;

/// Maximum bytes of a component's answer, of which the line has two digits for each. Stops answers that fill the memory of
/// host and client.
pub(super) const MAX_ANSWER_BYTES: usize = 16 << 20;

/// Maximum bytes of a line of an answer. Stops something else than a host that listens on the socket.
const MAX_LINE_BYTES: usize = 2 * MAX_ANSWER_BYTES + (1 << 20);

/// Longest time that a client takes to send its request. Stops clients that connect and are silent.
pub(super) const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Longest time that a client does not read for. Stops clients that never read.
pub(super) const WRITE_TIME: Duration = Duration::from_secs(10);

/// Returns the bytes of a text of hexadecimal digits.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

/// Reads one line of at most `most` bytes until `deadline`. `None` at the end of the stream.
///
/// # Errors
/// [`ErrorKind::TimedOut`], [`ErrorKind::FileTooLarge`], [`ErrorKind::InvalidData`] for a line without an end.
pub(super) fn read_line(
    stream: &mut UnixStream,
    rest: &mut Vec<u8>,
    most: usize,
    deadline: Option<Instant>,
) -> io::Result<Option<Vec<u8>>> {
    let mut searched = 0;
    loop {
        if let Some(end) = rest[searched..].iter().position(|byte| *byte == b'\n') {
            let after = rest.split_off(searched + end + 1);
            let mut line = std::mem::replace(rest, after);
            line.pop();
            return match line.len() > most {
                true => Err(ErrorKind::FileTooLarge.into()),
                false => Ok(Some(line)),
            };
        }
        searched = rest.len();
        if searched > most {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(left)?;
        let mut chunk = [0; 16 << 10];
        match stream.read(&mut chunk) {
            Ok(0) if rest.is_empty() => return Ok(None),
            Ok(0) => return Err(ErrorKind::InvalidData.into()),
            Ok(read) => rest.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
            Err(error) => return Err(error),
        }
    }
}

/// Writes one line: an object with the version and one more key.
pub(super) fn write_line(stream: &mut UnixStream, key: &str, value: Value) -> io::Result<()> {
    let mut line = json!({ "v": VERSION });
    line[key] = value;
    let mut line = line.to_string();
    line.push('\n');
    stream.write_all(line.as_bytes())
}

/// The client's side: a connection on which a request was sent.
pub(super) struct Answers {
    stream: UnixStream,
    rest: Vec<u8>,
}

/// One line of an answer.
pub(super) enum Answer {
    /// A line of a log; there are more answers.
    Line(Value),
    /// The result: the last.
    Result(Value),
}

impl Answers {
    /// Sends a request, an object.
    pub(super) fn ask(mut stream: UnixStream, mut request: Value) -> Outcome<Answers> {
        request["v"] = VERSION.into();
        let mut line = request.to_string();
        if line.len() > MAX_REQUEST_BYTES {
            return Err(Failure::new(
                Exit::Trap,
                anyhow::Error::msg(format!(
                    "the request has {} bytes, more than the {MAX_REQUEST_BYTES} that a host accepts",
                    line.len()
                )),
            ));
        }
        line.push('\n');
        let sent = stream.write_all(line.as_bytes());
        // A host that refuses the connection has answered and closed it.
        match sent {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(broken(error)),
            _ => Ok(Answers {
                stream,
                rest: Vec::new(),
            }),
        }
    }

    /// Waits for the next line of the answer.
    ///
    /// # Errors
    /// The host's error; or the connection's.
    pub(super) fn next(&mut self) -> Outcome<Answer> {
        let line = read_line(&mut self.stream, &mut self.rest, MAX_LINE_BYTES, None).map_err(broken)?;
        let Some(line) = line else {
            return Err(broken(ErrorKind::UnexpectedEof.into()));
        };
        let mut answer: Value = serde_json::from_slice(&line).map_err(|error| broken(error.into()))?;
        if answer["v"] != VERSION {
            let message = "the host has another version of the protocol: use the program that runs it";
            return Err(Failure::new(Exit::Host, anyhow::Error::msg(message)));
        }
        match (answer.get("error"), answer.get("result"), answer.get("line")) {
            (Some(error), ..) => Err(Failure::from_json(error)),
            (_, Some(_), _) => Ok(Answer::Result(answer["result"].take())),
            (.., Some(_)) => Ok(Answer::Line(answer["line"].take())),
            _ => Err(broken(ErrorKind::InvalidData.into())),
        }
    }

    /// Waits for an answer of one line.
    ///
    /// # Errors
    /// Those of [`Answers::next`].
    pub(super) fn result(mut self) -> Outcome<Value> {
        match self.next()? {
            Answer::Result(result) => Ok(result),
            Answer::Line(_) => Err(broken(ErrorKind::InvalidData.into())),
        }
    }
}

/// Returns the failure of a connection to a host.
fn broken(error: io::Error) -> Failure {
    Failure::new(Exit::Host, error)
        .context("the host did not answer: it has ended, or the socket is not a host's")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_bytes_or_refused() {
        assert_eq!(from_hex("00ffA1"), Some(vec![0, 255, 0xa1]));
        assert_eq!(from_hex(""), Some(Vec::new()));
        for refused in ["0", "0g", "+1", "é"] {
            assert_eq!(from_hex(refused), None, "{refused}");
        }
    }

    #[test]
    fn lines_are_read_one_by_one_within_their_bounds() {
        let (mut client, mut server) = UnixStream::pair().expect("a pair");
        client.write_all(b"one\ntwo\n").expect("room");
        let mut rest = Vec::new();
        let within = |time| Some(Instant::now() + time);
        let (short, long) = (Duration::from_millis(50), Duration::from_secs(60));
        let mut read = |most| read_line(&mut server, &mut rest, most, within(long));
        assert_eq!(read(3).expect("a line"), Some(b"one".to_vec()));
        assert_eq!(read(2).expect_err("too long").kind(), ErrorKind::FileTooLarge);
        let silence = read_line(&mut server, &mut rest, 3, within(short));
        assert_eq!(silence.expect_err("silence").kind(), ErrorKind::TimedOut);
        let mut read = |most| read_line(&mut server, &mut rest, most, within(long));
        client.write_all(&[b'x'; 100]).expect("room");
        assert_eq!(read(3).expect_err("endless").kind(), ErrorKind::FileTooLarge);
        drop(client);
        assert_eq!(read(1000).expect_err("no end").kind(), ErrorKind::InvalidData);
    }
}
