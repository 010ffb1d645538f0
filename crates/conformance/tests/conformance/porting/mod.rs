//! Host programs that were written after the documentation of `wasmtime::component`, on wasmtime and on this library: each is one
//! file, included twice, with nothing but its `use` lines changed, and the line that trusts native code (`trust.rs`).

mod trust;

mod typed {
    pub(super) mod reference {
        use super::super::trust::reference::precompiled;
        use wasmtime::component::{ComponentType, Lift, Linker, Lower};
        use wasmtime::{Engine, Result, Store};
        include!("typed.rs");
    }

    pub(super) mod ours {
        use super::super::trust::ours::precompiled;
        use airssys_wasm_component::component::{
            ComponentType, HostResult as Result, Lift, Linker, Lower, Store,
        };
        use airssys_wasm_component::engine::Engine;
        include!("typed.rs");
    }
}

mod dynamic {
    pub(super) mod reference {
        use wasmtime::component::types::ComponentItem;
        use wasmtime::component::{Component, Linker, Type, Val};
        use wasmtime::{Engine, Result, Store};
        include!("dynamic.rs");
    }

    pub(super) mod ours {
        use airssys_wasm_component::component::types::ComponentItem;
        use airssys_wasm_component::component::{Component, HostResult as Result, Linker, Store, Type, Val};
        use airssys_wasm_component::engine::Engine;
        include!("dynamic.rs");
    }
}

mod resources {
    pub(super) mod reference {
        use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable, bindgen};
        use wasmtime::{Engine, Result, Store};
        include!("resources.rs");
    }

    pub(super) mod ours {
        use airssys_wasm_component::component::{
            Component, HasSelf, HostResult as Result, Linker, Resource, ResourceTable, Store, bindgen,
        };
        use airssys_wasm_component::engine::Engine;
        include!("resources.rs");
    }
}

mod command {
    pub(super) mod reference {
        use wasmtime::component::{Component, Linker, ResourceTable};
        use wasmtime::{Engine, Result, Store};
        use wasmtime_wasi::p2::add_to_linker_sync;
        use wasmtime_wasi::p2::bindings::sync::Command;
        use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
        use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
        include!("command.rs");
    }

    pub(super) mod ours {
        use airssys_wasm_component::component::{
            Component, HostResult as Result, Linker, ResourceTable, Store,
        };
        use airssys_wasm_component::engine::Engine;
        use airssys_wasm_wasi::{
            Command, FsPerms, MemoryInputPipe, MemoryOutputPipe, WasiCtx, WasiCtxBuilder, WasiCtxView,
            WasiView, add_to_linker_sync,
        };
        include!("command.rs");
    }
}

mod linker {
    pub(super) mod reference {
        use wasmtime::component::{Component, Linker, Resource, ResourceType, Val};
        use wasmtime::{Engine, Result, Store, StoreContextMut};
        include!("linker.rs");
    }

    pub(super) mod ours {
        use airssys_wasm_component::component::{
            Component, HostResult as Result, Linker, Resource, ResourceType, Store, StoreContextMut, Val,
        };
        use airssys_wasm_component::engine::Engine;
        include!("linker.rs");
    }
}

/// The two results of a program.
fn same<T: PartialEq + std::fmt::Debug>(
    reference: wasmtime::Result<T>,
    ours: airssys_wasm_component::component::HostResult<T>,
) {
    assert_eq!(
        ours.expect("it runs here"),
        reference.expect("it runs on wasmtime")
    );
}

#[test]
fn a_program_of_typed_calls_runs_on_both() {
    same(typed::reference::run(), typed::ours::run());
}

#[test]
fn a_program_of_dynamic_calls_runs_on_both() {
    same(dynamic::reference::run(), dynamic::ours::run());
}

#[test]
fn a_program_of_generated_bindings_with_resources_runs_on_both() {
    same(resources::reference::run(), resources::ours::run());
}

#[test]
fn a_program_that_runs_a_wasi_command_runs_on_both() {
    same(command::reference::run(), command::ours::run());
}

#[test]
fn a_program_of_host_functions_runs_on_both() {
    same(linker::reference::run(), linker::ours::run());
}
