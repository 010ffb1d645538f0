//! The server: real clients over loopback, components in three languages, and all misbehavior of either side.

use airssys_wasm_test_support as common;

mod answers;
mod client;
mod cut;
mod gate;
mod hostile_clients;
mod hostile_guests;
mod languages;
mod life;
mod origin;
mod outgoing;
mod policy;
mod raw;
mod server;
mod slow_clients;
