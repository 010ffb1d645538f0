//! Requests that run until their test lets them end.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex};

use crate::origin::Origin;

/// A gate that is closed until the test opens it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().expect("no test panics with it") = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let is_open = self.0.0.lock().expect("no test panics with it");
        drop(
            self.0
                .1
                .wait_while(is_open, |is_open| !*is_open)
                .expect("no test panics with it"),
        );
    }

    /// Starts a server that answers `ok` once the gate is open.
    pub(crate) fn origin(&self) -> Origin {
        let gate = self.clone();
        Origin::new(move |stream, _| {
            gate.wait();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        })
    }
}
