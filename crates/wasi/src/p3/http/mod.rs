//! `wasi:http` 0.3, over the grants, the client, the limits and the rules for headers of 0.2.
//!
//! A message that a guest makes has a stream and a future of the guest's. They are read once the message is sent: [`sending`]. One that was
//! received has a body of the host's, which the guest reads as a stream: [`body`]. Either is passed on as it is if the guest sends, returns or
//! consumes it.

mod body;
mod client;
mod fields;
mod options;
mod request;
mod response;
mod sending;

pub(crate) use options::Options;
pub(crate) use request::Request;
pub(crate) use response::Response;
pub(crate) use sending::{Outbound, Rest};

use airssys_wasm_component::component::{FutureReader, Resource, StreamReader};

use super::bindings::wasi::http::types;
use crate::WasiCtx;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::http::Fields;

/// The result of sending or processing a message.
type Done = Result<(), ErrorCode>;

/// The trailers of a message, or the failure of its body.
type Ending = Result<Option<Resource<Fields>>, ErrorCode>;

/// The body of a message for a guest: its bytes, and their ending.
type Consumed = (StreamReader<u8>, FutureReader<Ending>);

impl types::Host for WasiCtx {}
