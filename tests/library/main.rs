//! Tests of the library, by subject, in one program: each test program links the compilers once more.

mod actors;
mod artifact_document;
mod bindgen;
mod codec;
mod composition;
mod contract;
mod core_instances;
mod derive;
mod equality;
mod host_file;
mod host_services;
mod javascript;
mod lifecycle;
mod limits;
mod linking;
mod loading;
mod manifest;
mod messaging;
mod powers;
mod resources;
mod security;
mod shims;
mod snapshots;
mod targets;
#[cfg(feature = "wasix")]
mod text_processor;
mod tiered;
mod traps;
mod values;
mod wasi_wit;
