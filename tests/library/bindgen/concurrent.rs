//! Hand-written hosts of worlds with asynchronous functions, streams and futures: they fit components of these worlds, and the
//! futures of their calls can be sent.

use airssys_wasm::component::{
    Access, Accessor, FutureReader, HasData, HasSelf, HostResult, Linker, Resource, Store, StreamReader,
};

use crate::bindgen::worlds::{component, engine, resolve};

/// The host of every world here.
struct Host {
    now: u64,
}

/// A store's data, of which the host is a part.
struct Data {
    host: Host,
}

/// The host's own error.
pub(crate) struct Failure;

mod functions {
    use super::Failure;

    airssys_wasm::component::bindgen!({
        path: "wit/accepted/async-functions.wit",
        world: "async-functions",
        trappable_error_type: { "fixture:async-functions/clock/error-code" => Failure },
        trappable_imports: true,
        store_imports: ["fixture:async-functions/clock/set", "fixture:async-functions/clock/alarm.merge", "log"],
    });
}

use functions::fixture::async_functions::{clock, gates, waits};

impl clock::HostAlarm for Host {
    fn new(&mut self, _: u64) -> HostResult<Resource<clock::Alarm>> {
        Ok(Resource::new_own(0))
    }

    fn at(&mut self, _: Resource<clock::Alarm>) -> HostResult<u64> {
        Ok(self.now)
    }

    fn drop(&mut self, _: Resource<clock::Alarm>) -> HostResult<()> {
        Ok(())
    }
}

impl clock::Host for Host {
    fn now(&mut self) -> HostResult<u64> {
        Ok(self.now)
    }

    fn convert_error_code(&mut self, _: Failure) -> HostResult<clock::ErrorCode> {
        Ok(clock::ErrorCode::Io)
    }
}

impl<T: Send + 'static> clock::HostAlarmWithStore<T> for HasSelf<Host> {
    async fn ring(accessor: &Accessor<T, Self>, _: Resource<clock::Alarm>) -> HostResult<u64> {
        std::future::ready(()).await;
        accessor.with(|mut access| clock::Host::now(&mut access.get()))
    }

    async fn move_(_: &Accessor<T, Self>, _: Resource<clock::Alarm>, _: u64, _: u64) -> Result<(), Failure> {
        Err(Failure)
    }

    async fn first(
        _: &Accessor<T, Self>,
        mut alarms: Vec<Resource<clock::Alarm>>,
    ) -> HostResult<Option<Resource<clock::Alarm>>> {
        Ok(alarms.pop())
    }

    fn merge(
        _: Access<'_, T, Self>,
        a: Resource<clock::Alarm>,
        _: Resource<clock::Alarm>,
    ) -> HostResult<Resource<clock::Alarm>> {
        Ok(a)
    }
}

impl<T: Send + 'static> clock::HostWithStore<T> for HasSelf<Host> {
    async fn wait(_: &Accessor<T, Self>, _: u64) -> HostResult<()> {
        Ok(())
    }

    async fn look_up(
        _: &Accessor<T, Self>,
        _: Vec<String>,
        entry: clock::Entry,
    ) -> Result<clock::Entry, Failure> {
        Ok(entry)
    }

    async fn many(
        _: &Accessor<T, Self>,
        _: u8,
        _: u8,
        _: u8,
        _: u8,
        _: u8,
        _: u8,
        cx: String,
        _: String,
    ) -> HostResult<String> {
        Ok(cx)
    }

    async fn async_(_: &Accessor<T, Self>) -> HostResult<()> {
        Ok(())
    }

    fn set(mut store: Access<'_, T, Self>, text: String) -> Result<(), Failure> {
        store.get().now = text.parse().map_err(|_| Failure)?;
        Ok(())
    }
}

impl waits::Host for Host {}

impl<T: Send + 'static> waits::HostWithStore<T> for HasSelf<Host> {
    async fn yields(_: &Accessor<T, Self>) -> Result<u8, Failure> {
        Err(Failure)
    }
}

impl gates::HostGate for Host {
    fn drop(&mut self, _: Resource<gates::Gate>) -> HostResult<()> {
        Ok(())
    }
}

impl gates::Host for Host {}

// `gates::HostWithStore` has no functions of its own, and is implemented for everything that has this.
impl<T: Send + 'static> gates::HostGateWithStore<T> for HasSelf<Host> {
    async fn pass(_: &Accessor<T, Self>, _: Resource<gates::Gate>, _: String) -> HostResult<()> {
        Ok(())
    }
}

impl functions::AsyncFunctionsImports for Host {}

impl<T: Send + 'static> functions::AsyncFunctionsImportsWithStore<T> for HasSelf<Host> {
    async fn send(_: &Accessor<T, Self>, text: String) -> HostResult<bool> {
        Ok(text.is_empty())
    }

    fn log(_: Access<'_, T, Self>, _: String) -> HostResult<()> {
        Ok(())
    }
}

mod flowing {
    airssys_wasm::component::bindgen!({
        path: "wit/accepted/streams.wit",
        additional_derives: [PartialEq],
        store_imports: ["pipe"],
    });
}

use flowing::fixture::streams::flows;

impl flows::HostSocket for Host {
    fn receive(
        &mut self,
        _: Resource<flows::Socket>,
    ) -> (StreamReader<u8>, FutureReader<Result<(), flows::ErrorCode>>) {
        unreachable!("the component does not run")
    }

    fn send(
        &mut self,
        _: Resource<flows::Socket>,
        _: StreamReader<u8>,
    ) -> FutureReader<Result<(), flows::ErrorCode>> {
        unreachable!("the component does not run")
    }

    fn listen(&mut self, _: u16) -> Result<StreamReader<Resource<flows::Socket>>, flows::ErrorCode> {
        Err(flows::ErrorCode::Closed)
    }

    fn drop(&mut self, _: Resource<flows::Socket>) -> HostResult<()> {
        Ok(())
    }
}

impl flows::Host for Host {
    fn read(&mut self) -> (StreamReader<u8>, FutureReader<Result<(), flows::ErrorCode>>) {
        unreachable!("the component does not run")
    }

    fn write(&mut self, _: flows::Bytes) -> FutureReader<Result<(), flows::ErrorCode>> {
        unreachable!("the component does not run")
    }

    fn respond(&mut self, request: flows::Request, _: flows::Point) -> flows::Body {
        flows::Body::Text(request.path)
    }

    fn points(&mut self, _: StreamReader<flows::Point>, _: String) {}

    fn ticks(&mut self) -> StreamReader<()> {
        unreachable!("the component does not run")
    }

    fn done(&mut self, _: flows::Signal, _: FutureReader<FutureReader<String>>) {}

    fn several(
        &mut self,
        flows: Vec<StreamReader<u8>>,
        _: flows::Parts,
        _: Option<StreamReader<String>>,
    ) -> Vec<flows::Bytes> {
        flows
    }
}

impl<T: Send + 'static> flows::HostWithStore<T> for HasSelf<Host> {
    async fn copy(
        _: &Accessor<T, Self>,
        data: flows::Bytes,
        _: u64,
    ) -> Result<flows::Bytes, flows::ErrorCode> {
        Ok(data)
    }
}

impl flowing::StreamsImports for Host {}

impl<T: Send + 'static> flowing::StreamsImportsWithStore<T> for HasSelf<Host> {
    fn pipe(_: Access<'_, T, Self>, data: StreamReader<u8>) -> StreamReader<u8> {
        data
    }
}

#[test]
fn asynchronous_functions_fit_a_component_of_their_world() {
    let engine = engine();
    let (resolve, package) = resolve("wit/accepted/async-functions.wit");
    let component = component(&engine, &resolve, package, "async-functions");
    let mut linker: Linker<Data> = Linker::new(&engine);
    functions::AsyncFunctions::add_to_linker::<_, HasSelf<Host>>(&mut linker, |data| &mut data.host)
        .expect("defined once");
    let unmet = linker.unmet_imports(&component);
    assert!(unmet.is_empty(), "{unmet:?}");
    let data = Data {
        host: Host { now: 0 },
    };
    let mut store = Store::new(&engine, data);
    functions::AsyncFunctions::instantiate(&mut store, &component, &linker)
        .expect("its imports and exports fit");
}

#[test]
fn streams_and_futures_fit_a_component_of_their_world() {
    let engine = engine();
    let (resolve, package) = resolve("wit/accepted/streams.wit");
    let component = component(&engine, &resolve, package, "streams");
    let mut linker: Linker<Host> = Linker::new(&engine);
    flowing::Streams::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host).expect("defined once");
    let unmet = linker.unmet_imports(&component);
    assert!(unmet.is_empty(), "{unmet:?}");
    let mut store = Store::new(&engine, Host { now: 0 });
    flowing::Streams::instantiate(&mut store, &component, &linker).expect("its imports and exports fit");
}

/// Compiles only if the future of a call can move between threads.
#[allow(dead_code)]
fn calls_can_be_sent<D: HasData>(
    functions: &functions::AsyncFunctions,
    streams: &flowing::Streams,
    accessor: &Accessor<Data, D>,
    data: StreamReader<String>,
) -> impl Send {
    async move {
        let handled = functions.call_handle(accessor, String::new(), Vec::new()).await;
        (handled, streams.call_handle(accessor, data).await)
    }
}
