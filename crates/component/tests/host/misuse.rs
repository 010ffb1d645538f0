//! Hosts that break the rules get errors.

use std::pin::Pin;
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    Component, Destination, FutureReader, HostResult, Linker, Store, StoreContextMut, StreamProducer,
    StreamReader, StreamResult,
};
use airssys_wasm_component::error::{Error, ResourceError};

use crate::support::{Chunks, Host, NOTHING, call, engines, new};

/// Returns this, and makes nothing.
struct Returns(StreamResult);

impl StreamProducer<Host> for Returns {
    type Item = u32;
    type Buffer = Option<u32>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: StoreContextMut<'a, Host>,
        _: Destination<'a, u32, Option<u32>>,
        _: bool,
    ) -> Poll<HostResult<StreamResult>> {
        Poll::Ready(Ok(self.0))
    }
}

#[test]
fn a_producer_that_makes_nothing_is_an_error() {
    for engine in engines() {
        for result in [StreamResult::Completed, StreamResult::Cancelled] {
            let (mut store, instance) = new(&engine);
            let stream = StreamReader::new(&mut store, Returns(result));
            let error = call::<_, (u32,)>(&mut store, &instance, "sum", (stream,)).unwrap_err();
            assert!(matches!(error, Error::Host { .. }), "{error}");
            assert!(instance.is_poisoned());
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

#[test]
fn a_producer_that_fails_traps_its_reader() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let gate = store.data().gate.clone();
        let later = FutureReader::<u32>::new(&mut store, async move {
            gate.await;
            HostResult::Err("there is no value".into())
        });
        store.data().gate.open_soon();
        let double = call::<_, (FutureReader<u32>,)>(&mut store, &instance, "double", (later,));
        // The task has returned before it waits.
        let double = double.unwrap();
        crate::support::run_until(&mut store, || instance.is_poisoned());
        drop(double);
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn an_end_is_given_away_once_and_within_its_store() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let producer = Chunks::new(store.data(), [Some(vec![1u32])]);
        let any = StreamReader::new(&mut store, producer).into_stream_any();
        let reader = StreamReader::<u32>::try_from_stream_any(any.clone()).unwrap();
        assert!(StreamReader::<u64>::try_from_stream_any(any.clone()).is_err());
        let (mut other, foreign) = new(&engine);
        let refused = call::<_, (u32,)>(&mut other, &foreign, "sum", (reader,)).unwrap_err();
        assert!(
            matches!(refused, Error::Resource(ResourceError::Stale)),
            "{refused}"
        );
        // The reader that was refused is gone; its end is, too.
        assert!(matches!(any.close(&mut other), Err(Error::WrongStore(_))));
        any.close(&mut store).unwrap();
        assert!(any.close(&mut store).is_err());
        assert!(!foreign.is_poisoned() && !instance.is_poisoned());
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn only_async_functions_are_concurrent() {
    for engine in engines() {
        let bytes = wat::parse_str(r#"(component (import "f" (func)))"#).unwrap();
        let component = Component::new(&engine, bytes).unwrap();
        let mut linker = Linker::<()>::new(&engine);
        linker
            .root()
            .func_wrap_concurrent("f", |_, (): ()| Box::pin(async { Ok(()) }))
            .unwrap();
        let mut store = Store::new(&engine, ());
        let error = linker.instantiate(&mut store, &component).unwrap_err();
        assert!(error.to_string().contains("async"), "{error}");
    }
}

#[test]
#[should_panic(expected = "outside the future that its store polls")]
fn an_accessor_is_of_no_use_without_its_store() {
    let engine = engines().remove(0);
    let (mut store, _) = new(&engine);
    let future = store.run_concurrent(async |accessor| {
        accessor.with_getter::<airssys_wasm_component::component::HasSelf<Host>>(|host| host)
    });
    let accessor = crate::support::block_on(future).unwrap();
    accessor.with(|mut access| access.get().calls += 1);
}
