//! WASI in Rust, made from `wit/wasi`: its types, and a trait for each interface and resource.

crate::component::bindgen!({
    path: [
        "wit/wasi/io.wit",
        "wit/wasi/clocks.wit",
        "wit/wasi/filesystem.wit",
        "wit/wasi/random.wit",
        "wit/wasi/sockets.wit",
        "wit/wasi/cli.wit",
        // http
        "wit/wasi/world.wit",
    ],
    world: "airssys:wasi/imports",
    with: {
        "wasi:io/error/error": crate::wasi::io::IoError,
        "wasi:io/poll/pollable": crate::wasi::io::Pollable,
        "wasi:io/streams/input-stream": crate::wasi::io::InputStream,
        "wasi:io/streams/output-stream": crate::wasi::io::OutputStream,
        "wasi:filesystem/types/descriptor": crate::wasi::files::Descriptor,
        "wasi:filesystem/types/directory-entry-stream": crate::wasi::files::Entries,
        "wasi:cli/terminal-input/terminal-input": crate::wasi::cli::TerminalInput,
        "wasi:sockets/network/network": crate::wasi::sockets::Network,
        "wasi:sockets/ip-name-lookup/resolve-address-stream": crate::wasi::sockets::ResolveAddressStream,
        "wasi:sockets/tcp/tcp-socket": crate::wasi::sockets::TcpSocket,
        "wasi:sockets/udp/udp-socket": crate::wasi::sockets::UdpSocket,
        "wasi:sockets/udp/incoming-datagram-stream": crate::wasi::sockets::IncomingDatagramStream,
        "wasi:sockets/udp/outgoing-datagram-stream": crate::wasi::sockets::OutgoingDatagramStream,
        "wasi:cli/terminal-output/terminal-output": crate::wasi::cli::TerminalOutput,
        // http
    },
    trappable_error_type: {
        "wasi:io/streams/stream-error" => crate::wasi::io::StreamError,
        "wasi:filesystem/types/error-code" => crate::wasi::files::FileError,
        "wasi:sockets/network/error-code" => crate::wasi::sockets::SocketError,
    },
    trappable_imports: true,
});
