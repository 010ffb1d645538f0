//! Client that sends given bytes and keeps the response.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Exchange, Step, responses};

/// Longest wait. A case that reaches it has failed.
const LONG: Duration = Duration::from_secs(30);

/// Runs the exchange, then waits for the connection's end. Returns the response in lines.
pub(super) fn talk(exchange: &Exchange, addr: SocketAddr) -> Result<String> {
    let stream = TcpStream::connect(addr).context("connecting")?;
    stream.set_read_timeout(Some(LONG))?;
    let mut connection = Connection {
        stream,
        received: Vec::new(),
        open: true,
    };
    let mut heads = Vec::new();
    for step in exchange.steps {
        match step {
            Step::Send(text) => {
                heads.push(text.starts_with("HEAD "));
                connection.send(text)?;
            }
            Step::Await(text) => connection.wait_for(text)?,
            Step::End => connection.stream.shutdown(Shutdown::Write)?,
        }
    }
    while connection.open {
        connection.receive()?;
    }
    let bodiless = heads.first().copied().unwrap_or(false);
    Ok(responses::told(&connection.received, bodiless))
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    open: bool,
}

impl Connection {
    /// Sends text. A connection that the server has closed is not an error; the case continues with the data received before.
    fn send(&mut self, text: &str) -> Result<()> {
        match self.stream.write_all(text.as_bytes()) {
            Err(error) if is_end(error.kind()) => Ok(()),
            sent => sent.context("sending"),
        }
    }

    fn wait_for(&mut self, text: &str) -> Result<()> {
        let has_come = |received: &[u8]| {
            received
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        };
        while self.open && !has_come(&self.received) {
            self.receive()?;
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<()> {
        let mut part = [0; 8192];
        match self.stream.read(&mut part) {
            Ok(0) => self.open = false,
            Ok(size) => self.received.extend(part.iter().take(size)),
            Err(error) if is_end(error.kind()) => self.open = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("the server neither answers nor closes the connection"),
        }
        Ok(())
    }
}

fn is_end(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
    )
}
