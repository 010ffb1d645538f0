//! The reference for load tests: a wasmtime server that answers requests with a component as its own `serve` does, in the same kind of
//! server. A component of WASI 0.2 has an instance for each request; one of WASI 0.3 answers up to 16 requests at a time, and 128 in all.
//!
//! `reference-server COMPONENT ADDRESS:PORT [--pooling]`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use clap::Parser;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use wasmtime::component::{Component, GuestTaskId, Linker, ResourceTable};
use wasmtime::error::Context as _;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store, StoreContextMut,
    format_err,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ProxyHandler, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

#[derive(Debug, Parser)]
struct Options {
    component: PathBuf,
    addr: SocketAddr,
    /// Instances go where others were, as `wasmtime serve` has it
    #[arg(long)]
    pooling: bool,
}

struct Data {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoRequests,
}

/// Denies outgoing requests, which load tests do not send.
struct NoRequests;

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for NoRequests {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

impl WasiView for Data {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Data {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

fn data() -> Data {
    Data {
        table: ResourceTable::new(),
        wasi: WasiCtx::builder().build(),
        http: WasiHttpCtx::new(),
        hooks: NoRequests,
    }
}

enum Server {
    /// Of WASI 0.2.
    Proxy(Engine, ProxyPre<Data>),
    /// Of WASI 0.3.
    Service(ProxyHandler<Service>),
}

/// Instances of a service.
struct Service {
    engine: Engine,
    pre: ServicePre<Data>,
}

impl HandlerState for Service {
    type StoreData = Data;
    type WorkerExpiration = Kept;
    type WorkerState = Reused;

    async fn instantiate(&self) -> Result<Instance<Data, Kept, Reused>> {
        let mut store = Store::new(&self.engine, data());
        let service = self.pre.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: |data| data.http(),
            expiration: Kept,
            state: Reused,
        })
    }
}

/// Keeps an instance while there is nothing to do.
struct Kept;

impl WorkerExpiration for Kept {
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>, _: WorkerStatus, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

/// The limits of an instance.
struct Reused;

/// Those of wasmtime's own `serve`, at a time and in all.
const AT_A_TIME: usize = 16;
const IN_ALL: usize = 128;

impl WorkerState for Reused {
    type StoreData = Data;
    type RequestData = ();

    fn should_accept_request(&self, now: usize, in_all: usize) -> ShouldAccept {
        match (now < AT_A_TIME, in_all < IN_ALL) {
            (_, false) => ShouldAccept::Never,
            (false, true) => ShouldAccept::No,
            (true, true) => ShouldAccept::Yes,
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Data>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(std::future::pending())
    }

    fn drop(&self, _: Store<Data>, result: Result<()>) {
        if let Err(error) = result {
            eprintln!("an instance has failed: {error:?}");
        }
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let mut config = Config::new();
    if options.pooling {
        let pool = PoolingAllocationConfig::default();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    let engine = Engine::new(&config)?;
    let bytes = std::fs::read(&options.component).context("the component cannot be read")?;
    let component = Component::new(&engine, bytes)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    let pre = linker.instantiate_pre(&component)?;
    let server = Arc::new(match ServicePre::new(pre.clone()) {
        Ok(pre) => Server::Service(ProxyHandler::new(Service { engine, pre })),
        Err(_) => Server::Proxy(engine, ProxyPre::new(pre)?),
    });
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(options.addr).await?;
        eprintln!("serving http://{}/", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            let _ = stream.set_nodelay(true);
            let server = server.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let server = server.clone();
                    async move {
                        let answer = server.answer(request).await;
                        answer.map_err(|error| std::io::Error::other(format!("{error:?}")))
                    }
                });
                let _ = http1::Builder::new()
                    .keep_alive(true)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<WasiBody>> {
        let request = request.map(|body| body.map_err(Error::from));
        let (engine, pre) = match self {
            Server::Service(handler) => {
                return handler.handle((), request.map(BodyExt::boxed_unsync)).await;
            }
            Server::Proxy(engine, pre) => (engine, pre),
        };
        let mut store = Store::new(engine, data());
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let request = store
            .data_mut()
            .http()
            .new_incoming_request(Scheme::Http, request)?;
        let out = store.data_mut().http().new_response_outparam(sender)?;
        let pre = pre.clone();
        let task = tokio::spawn(async move {
            let proxy = pre.instantiate_async(&mut store).await?;
            proxy
                .wasi_http_incoming_handler()
                .call_handle(&mut store, request, out)
                .await
        });
        match receiver.await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(code)) => Err(format_err!("the component answered with {code:?}")),
            Err(_) => {
                task.await??;
                Err(format_err!("the component did not answer"))
            }
        }
    }
}
