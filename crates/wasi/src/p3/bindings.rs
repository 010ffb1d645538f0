//! Rust bindings of WASI 0.3, generated from `wit/wasi3`: its types, and traits for each interface and resource.

airssys_wasm_component::component::bindgen!({
    path: [
        "../../wit/wasi3/clocks.wit",
        "../../wit/wasi3/filesystem.wit",
        "../../wit/wasi3/random.wit",
        "../../wit/wasi3/cli.wit",
        "../../wit/wasi3/world.wit",
    ],
    world: "airssys:wasi3/imports",
    with: {
        "wasi:filesystem/types/descriptor": crate::files::Descriptor,
        "wasi:filesystem/types/descriptor-flags": crate::bindings::wasi::filesystem::types::DescriptorFlags,
        "wasi:filesystem/types/path-flags": crate::bindings::wasi::filesystem::types::PathFlags,
        "wasi:filesystem/types/open-flags": crate::bindings::wasi::filesystem::types::OpenFlags,
        "wasi:filesystem/types/advice": crate::bindings::wasi::filesystem::types::Advice,
        "wasi:filesystem/types/metadata-hash-value": crate::bindings::wasi::filesystem::types::MetadataHashValue,
        "wasi:cli/terminal-input/terminal-input": crate::cli::TerminalInput,
        "wasi:cli/terminal-output/terminal-output": crate::cli::TerminalOutput,
    },
    trappable_imports: true,
    store_imports: ["wasi:filesystem/types", "wasi:cli/stdin", "wasi:cli/stdout", "wasi:cli/stderr"],
    deref_hosts: true,
});
