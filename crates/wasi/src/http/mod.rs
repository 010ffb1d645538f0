//! `wasi:http`: HTTP for components, as clients and as servers.
//!
//! - `fields`, `body`, `request`, `response`: messages, as resources.
//! - `outgoing`: requests to other servers. Where they may go is decided by the addresses that they are connected to; nothing is
//!   followed, so a redirection is a response as any other.
//! - [`serve`]: a server whose requests a component answers.
//!
//! What a guest does wrong gets the interface's own error where it has one, and a trap where it has none.

mod body;
mod errors;
mod fields;
mod limits;
mod outgoing;
mod request;
mod response;
pub mod serve;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use body::{FutureTrailers, IncomingBody, OutgoingBody};
pub(crate) use fields::Fields;
pub use limits::HttpLimits;
pub(crate) use outgoing::FutureIncomingResponse;
pub(crate) use request::{IncomingRequest, OutgoingRequest, RequestOptions};
pub(crate) use response::{IncomingResponse, OutgoingResponse, ResponseOutparam};

use outgoing::Connections;

/// What HTTP knows of the component that calls it.
#[derive(Debug, Default)]
pub(crate) struct HttpCtx {
    pub(crate) limits: HttpLimits,
    /// Bytes of all `fields` resources.
    room: Arc<fields::Room>,
    /// Connections that are open.
    connections: Connections,
    ended: Ended,
    /// Callback for a client that falls behind with the response.
    behind: Option<body::Behind>,
}

/// Whether the component has done its work: what it has not said the end of ends with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended(Arc<AtomicBool>);

impl Ended {
    /// It has.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl HttpCtx {
    /// Says that the component has done its work.
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
