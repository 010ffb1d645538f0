//! A strict client: it reads responses byte by byte, by the framing of their heads.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait.
const LONG: Duration = Duration::from_secs(120);

/// The rule for a response's end (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// A length.
    Length,
    /// Chunks.
    Chunked,
    /// The connection's end.
    Close,
    /// The end of the head, despite its fields: a response to HEAD.
    Head,
    /// The end of the head: the status has no content.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) framing: Framing,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<(String, String)>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Conversation {
    stream: TcpStream,
    came: Vec<u8>,
    ended: bool,
}

type Told<T> = Result<T, String>;

impl Conversation {
    pub(super) fn begin(addr: SocketAddr, bytes: &[u8], ends: bool) -> Conversation {
        let mut stream = TcpStream::connect(addr).expect("it listens");
        stream.set_read_timeout(Some(LONG)).expect("a time");
        stream.set_write_timeout(Some(LONG)).expect("a time");
        // A server that refuses a request need not read all of it.
        let _ = stream.write_all(bytes);
        if ends {
            let _ = stream.shutdown(Shutdown::Write);
        }
        Conversation {
            stream,
            came: Vec::new(),
            ended: false,
        }
    }

    /// Reads more bytes; returns false at the end.
    fn more(&mut self) -> Told<bool> {
        let mut part = [0; 16384];
        loop {
            match self.stream.read(&mut part) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(read) => {
                    self.came.extend_from_slice(&part[..read]);
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err("nothing comes, and the connection stays".into());
                }
                Err(error) => return Err(format!("the connection broke: {error}")),
            }
        }
    }

    /// Reads `len` bytes.
    fn take(&mut self, len: usize) -> Told<Vec<u8>> {
        while self.came.len() < len {
            if !self.more()? {
                return Err(format!("cut off: {} of {len} bytes came", self.came.len()));
            }
        }
        Ok(self.came.drain(..len).collect())
    }

    /// Reads a line; returns it without its end.
    fn line(&mut self) -> Told<String> {
        loop {
            if let Some(at) = self.came.windows(2).position(|two| two == b"\r\n") {
                let line = self.take(at + 2)?;
                return String::from_utf8(line[..at].to_vec()).map_err(|error| error.to_string());
            }
            if !self.more()? {
                return Err("cut off within a line".into());
            }
        }
    }

    fn fields(&mut self) -> Told<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line.split_once(':').ok_or("a field without a colon")?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// Reads the next response; `None` if the connection ends without one.
    pub(super) fn reply(&mut self, to_head: bool) -> Told<Option<Reply>> {
        if self.came.is_empty() && !self.more()? {
            return Ok(None);
        }
        let line = self.line()?;
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .or(line.strip_prefix("HTTP/1.0 "))
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or_else(|| format!("no status line: {line:?}"))?;
        let fields = self.fields()?;
        let all = |wanted: &str| {
            let found = fields.iter().filter(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let (lengths, codings) = (all("content-length"), all("transfer-encoding"));
        if lengths.len() + codings.len() > 1 {
            return Err(format!("several framings: {lengths:?} {codings:?}"));
        }
        let empty = matches!(status, 100..200 | 204 | 304);
        if empty && status != 304 && lengths.len() + codings.len() > 0 {
            return Err(format!("{status} has a length: RFC 9110, 8.6"));
        }
        let mut trailers = Vec::new();
        let (framing, body) = if to_head {
            (Framing::Head, Vec::new())
        } else if empty {
            (Framing::Nothing, Vec::new())
        } else if let Some(length) = lengths.first() {
            let length = length.parse().map_err(|_| format!("a length of {length:?}"))?;
            (Framing::Length, self.take(length)?)
        } else if !codings.is_empty() {
            let mut body = Vec::new();
            loop {
                let size = self.line()?;
                let size = usize::from_str_radix(&size, 16).map_err(|_| format!("a chunk of {size:?}"))?;
                if size == 0 {
                    break;
                }
                body.extend(self.take(size)?);
                if !self.line()?.is_empty() {
                    return Err("a chunk without its end".into());
                }
            }
            trailers = self.fields()?;
            (Framing::Chunked, body)
        } else {
            while self.more()? {}
            (Framing::Close, std::mem::take(&mut self.came))
        };
        Ok(Some(Reply {
            status,
            framing,
            body,
            trailers,
        }))
    }

    /// Sends another request, which must be answered.
    pub(super) fn next(&mut self) -> Told<()> {
        let sent = self
            .stream
            .write_all(b"GET / HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n");
        sent.map_err(|error| format!("the connection is closed: {error}"))?;
        match self.reply(false)? {
            Some(reply) if reply.status == 200 && reply.body == b"hello" => self.closed(),
            other => Err(format!("the next request has another answer: {other:?}")),
        }
    }

    /// Checks that the server has closed the connection here.
    pub(super) fn closed(&mut self) -> Told<()> {
        let more = self.ended || !self.more()?;
        match more && self.came.is_empty() {
            true => Ok(()),
            false => Err(format!("more comes: {:?}", String::from_utf8_lossy(&self.came))),
        }
    }
}
