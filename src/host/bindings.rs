//! The contract in Rust, generated from `wit/core`: its types, a trait for each interface that the host provides, and the
//! client of `component-lifecycle`.

crate::component::bindgen!({
    path: [
        "wit/core/types.wit",
        "wit/core/multicodec.wit",
        "wit/core/messaging.wit",
        "wit/core/host.wit",
        "wit/core/component.wit",
    ],
    world: "airssys:component-core/component",
    with: {
        "airssys:messaging-core/messaging/incoming-message": crate::host::types::IncomingMessage,
        "airssys:types-core/types/component-error": crate::host::types::ComponentError,
        "airssys:types-core/types/execution-error": crate::host::types::ExecutionError,
    },
    trappable_imports: ["airssys:host-core/host-services/sleep-millis"],
    additional_derives: [PartialEq, Eq, Hash],
});
