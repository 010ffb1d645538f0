//! The handler on the reference engine, behind a minimal server: hyper, and an instance for each request. A missing
//! response becomes a 500 there.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use tokio::sync::oneshot;
use wasmtime::Store;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::bindings::sync::ProxyPre;
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use super::Talk;
use crate::wasi::reference::{Host, foreign};

/// Channel for the guest's response.
type Sender = oneshot::Sender<Result<Response<WasiBody>, ErrorCode>>;
/// Creates a store for a request.
type Stores = dyn Fn() -> Store<Host> + Send + Sync;

/// Request handler, and the threads that it runs on.
struct Handler {
    guest: ProxyPre<Host>,
    stores: Box<Stores>,
    running: Mutex<Vec<JoinHandle<()>>>,
}

/// Lets a client talk to a server of its own for one connection, and waits for everything that this starts.
pub(in crate::wasi) fn serve(guest: ProxyPre<Host>, stores: Box<Stores>, talk: &Talk<'_>) -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let handler = Arc::new(Handler {
        guest,
        stores,
        running: Mutex::default(),
    });
    let connection = thread::spawn({
        let handler = handler.clone();
        move || accept(&listener, &handler)
    });
    let seen = talk(addr);
    if seen.is_err() {
        // The server may still be waiting for a connection.
        let _ = TcpStream::connect(addr);
    }
    connection
        .join()
        .map_err(|_| anyhow!("the reference's server panicked"))??;
    let running = std::mem::take(&mut *handler.running.lock().unwrap_or_else(PoisonError::into_inner));
    for guest in running {
        guest.join().map_err(|_| anyhow!("the reference panicked"))?;
    }
    seen
}

/// Serves one connection, up to its end.
fn accept(listener: &TcpListener, handler: &Arc<Handler>) -> Result<()> {
    let (stream, _) = listener.accept()?;
    stream.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::from_std(stream).context("the connection")?;
        let service = service_fn(|request| respond(handler.clone(), request));
        // A body that fails ends the connection, which the client observes.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
        Ok(())
    })
}

async fn respond(
    handler: Arc<Handler>,
    request: Request<Incoming>,
) -> Result<Response<WasiBody>, Infallible> {
    let (sender, receiver) = oneshot::channel();
    handler.clone().start(request, sender);
    Ok(match receiver.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) | Err(_) => failed(),
    })
}

fn failed() -> Response<WasiBody> {
    let text = Bytes::from_static(b"Internal Server Error");
    let body = Full::new(text).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

impl Handler {
    /// Runs the guest's handler on its own thread.
    fn start(self: Arc<Handler>, request: Request<Incoming>, answer: Sender) {
        let guest = thread::spawn({
            let handler = self.clone();
            // If no response was sent, dropping the sender notifies the receiver.
            move || drop(handler.call(request, answer))
        });
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.push(guest);
    }

    fn call(&self, request: Request<Incoming>, answer: Sender) -> Result<()> {
        let mut store = (self.stores)();
        let mut http = store.data_mut().http();
        let request = http
            .new_incoming_request(Scheme::Http, request)
            .map_err(foreign)?;
        let param = http.new_response_outparam(answer).map_err(foreign)?;
        let guest = self.guest.instantiate(&mut store).map_err(foreign)?;
        let handler = guest.wasi_http_incoming_handler();
        handler.call_handle(&mut store, request, param).map_err(foreign)
    }
}
