//! The lines that differ in a port: wasmtime loads native code by an unsafe function, this library with a trusted key.
#![allow(
    unsafe_code,
    reason = "the reference engine has no other way to load native code"
)]

pub(super) mod reference {
    use wasmtime::component::Component;
    use wasmtime::{Engine, Result};

    pub(in super::super) fn precompiled(engine: &Engine, component: &[u8]) -> Result<Component> {
        let artifact = engine.precompile_component(component)?;
        // SAFETY: this process has just compiled it.
        unsafe { Component::deserialize(engine, &artifact) }
    }
}

pub(super) mod ours {
    use airssys_wasm_component::artifact::{self, Artifact, SecretKey, Trust};
    use airssys_wasm_component::component::{Component, HostResult};
    use airssys_wasm_component::engine::Engine;

    pub(in super::super) fn precompiled(engine: &Engine, component: &[u8]) -> HostResult<Component> {
        let key = SecretKey::generate()?;
        let artifact = artifact::compile(engine, component, Some(&key))?;
        Ok(Artifact::open(&artifact)?.load(&Trust::new([key.public()]))?)
    }
}
