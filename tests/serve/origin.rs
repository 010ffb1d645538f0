//! Well-behaved and misbehaving servers, for components to send requests to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A server with one behavior. Its thread ends with the process.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) addr: SocketAddr,
    /// Requests that reached it.
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Origin {
    /// Starts a server; `behave` is called for each connection with its stream and the request's head, which is already
    /// read.
    pub(crate) fn new(behave: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let behave = Arc::new(behave);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (behave, counted) = (behave.clone(), counted.clone());
                std::thread::spawn(move || {
                    let mut stream = stream;
                    let head = head(&mut stream);
                    counted.fetch_add(1, Ordering::SeqCst);
                    behave(&mut stream, &head);
                });
            }
        });
        Origin { addr, asked }
    }

    /// Starts a server that answers with these bytes, and closes.
    pub(crate) fn answering(bytes: impl Into<Vec<u8>>) -> Origin {
        let bytes = bytes.into();
        Origin::new(move |stream, _| {
            let _ = stream.write_all(&bytes);
        })
    }

    /// Returns its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }
}

/// Reads up to an empty line, and possibly some more.
fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    while !String::from_utf8_lossy(&bytes).contains("\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
