//! In place of `cluster` in builds without the feature `nats`: a host file with a cluster is refused.

use std::path::Path;
use std::time::Duration;

use airssys_wasm::ComponentId;
use airssys_wasm::actors::SendOptions;
use airssys_wasm::host_file::HostFile;
use serde_json::Value;

use crate::exit::{Failure, Outcome};

/// A cluster that a host is to join. There is none.
pub(super) enum Joining {}

/// Refuses a host file with a cluster.
pub(super) fn read(file: &HostFile) -> Outcome<Option<Joining>> {
    match &file.cluster {
        None => Ok(None),
        Some(_) => Err(Failure::usage(
            "this program was built without the feature `nats`: use one that was built with `cargo build --release \
             --features nats`, or remove [cluster]",
        )),
    }
}

/// The membership of a host that has joined. There is none.
#[derive(Debug)]
pub(super) enum Joined {}

impl Joined {
    pub(super) fn ps(&self) -> Value {
        match *self {}
    }

    pub(super) fn told(&self) -> String {
        match *self {}
    }

    pub(super) fn send(
        &self,
        _: &str,
        _: Vec<u8>,
        _: SendOptions,
        _: impl Fn() -> bool,
    ) -> Outcome<Option<Vec<u8>>> {
        match *self {}
    }

    pub(super) fn send_durable(
        &self,
        _: &str,
        _: Vec<u8>,
        _: Option<&str>,
        _: Option<Duration>,
        _: impl Fn() -> bool,
    ) -> Outcome<Option<Value>> {
        match *self {}
    }

    pub(super) fn publish(&self, _: &Path, _: impl Fn() -> bool) -> Outcome<Option<String>> {
        match *self {}
    }

    pub(super) fn undeclare(&self, _: &ComponentId, _: impl Fn() -> bool) -> Outcome<Option<()>> {
        match *self {}
    }

    pub(super) fn withdraw(&self, _: &ComponentId) -> Outcome<()> {
        match *self {}
    }

    pub(super) fn leave(&self, _: Duration) {
        match *self {}
    }
}
