//! `wasi:http`: HTTP for components, as clients and as servers.
//!
//! - `fields`, `body`, `request`, `response`: messages, as resources.
//! - `outgoing`: requests to other servers. Access is checked against the addresses that connections go to.
//!   Redirections are not followed: they are returned like any other response. [`HttpClient`] is the same client for
//!   hosts, which decide on each address themselves.
//! - [`serve`]: a server whose requests a component answers.
//!
//! A mistake of a guest gets the interface's own error if it has one, and otherwise traps.

pub(crate) mod body;
pub(crate) mod errors;
pub(crate) mod fields;
mod limits;
mod outgoing;
pub(crate) mod request;
mod response;
pub mod serve;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use body::{FutureTrailers, IncomingBody, OutgoingBody};
pub(crate) use fields::{FieldError, Fields};
pub use limits::HttpLimits;
pub(crate) use outgoing::FutureIncomingResponse;
pub use outgoing::{HttpClient, HttpFailure, HttpRequest, HttpResponse, InvalidRoots, TlsRoots};
pub(crate) use request::{IncomingRequest, OutgoingRequest, RequestOptions, nanoseconds};
pub(crate) use response::{IncomingResponse, OutgoingResponse, ResponseOutparam};

use outgoing::Connections;

/// A component's HTTP state.
#[derive(Debug, Default)]
pub(crate) struct HttpCtx {
    pub(crate) limits: HttpLimits,
    /// Bytes of all `fields` resources.
    room: Arc<fields::FieldsBudget>,
    /// Open connections.
    connections: Connections,
    ended: Ended,
    /// Callback for a client that is slow to read the response.
    behind: Option<body::Behind>,
}

/// Flag that the component has ended its work. Bodies that it left unfinished then end with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended(Arc<AtomicBool>);

impl Ended {
    /// Sets the flag.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl HttpCtx {
    /// Marks the component's work as ended.
    pub(crate) fn set_ended(&self) {
        self.ended.set();
    }

    pub(crate) fn new(limits: HttpLimits) -> HttpCtx {
        HttpCtx {
            limits,
            ..HttpCtx::default()
        }
    }
}
