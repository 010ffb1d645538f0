//! Rust bindings of WASI 0.3, generated from `wit/wasi3`: its types, and traits for each interface and resource.

airssys_wasm_component::component::bindgen!({
    path: [
        "../../wit/wasi3/clocks.wit",
        "../../wit/wasi3/random.wit",
        "../../wit/wasi3/cli.wit",
        "../../wit/wasi3/world.wit",
    ],
    world: "airssys:wasi3/imports",
    with: {
        "wasi:cli/terminal-input/terminal-input": crate::cli::TerminalInput,
        "wasi:cli/terminal-output/terminal-output": crate::cli::TerminalOutput,
    },
    trappable_imports: true,
    store_imports: ["wasi:cli/stdin", "wasi:cli/stdout", "wasi:cli/stderr"],
    deref_hosts: true,
});
