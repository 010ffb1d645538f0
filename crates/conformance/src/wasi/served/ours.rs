//! The handler behind this library's server.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use airssys_wasm_component::component::Component;
use airssys_wasm_component::engine::Engine;
use airssys_wasm_wasi::http::serve::{ServeLimits, Server};
use airssys_wasm_wasi::{MemoryOutputPipe, Stdout, WasiCtxBuilder};
use anyhow::{Result, anyhow};

use super::{Talk, told};
use crate::wasi::MAX_OUTPUT;
use crate::wasi::answer::Answer;

/// Lets a client talk to a server of its own, and waits for the server's end.
pub(in crate::wasi) fn serve(engine: &Engine, component: &Component, talk: &Talk<'_>) -> Result<Answer> {
    let (stdout, stderr) = (
        MemoryOutputPipe::new(MAX_OUTPUT),
        MemoryOutputPipe::new(MAX_OUTPUT),
    );
    let mut wasi = WasiCtxBuilder::new();
    wasi.stdout(Stdout::Pipe(stdout.clone()))
        .stderr(Stdout::Pipe(stderr.clone()));
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::bind(engine, component, any, &wasi, ServeLimits::default())?;
    let (addr, shutdown) = (server.local_addr(), server.shutdown_handle());
    let running = thread::spawn(move || server.run());
    let seen = talk(addr);
    shutdown.shutdown();
    running.join().map_err(|_| anyhow!("the server panicked"))??;
    Ok(Answer {
        end: told(&seen?, &String::from_utf8_lossy(&stdout.contents())),
        stdout: String::new(),
        stderr: String::from_utf8_lossy(&stderr.contents()).into_owned(),
    })
}
