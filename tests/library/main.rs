//! Tests of the library, by subject, in one program: each test program links the compilers once more.

mod artifact_document;
mod bindgen;
mod codec;
mod composition;
mod contract;
mod derive;
mod equality;
mod examples;
mod host_services;
mod javascript;
mod knots;
mod lifecycle;
mod linking;
mod loading;
mod messaging;
mod resources;
mod targets;
#[cfg(all(feature = "adapt", feature = "wasix"))]
mod text_processor;
mod tiered;
mod traps;
mod values;
#[cfg(feature = "adapt")]
mod wasi_wit;
