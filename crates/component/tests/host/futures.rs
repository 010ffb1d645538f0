//! Futures in both directions.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use airssys_wasm_component::component::{
    FutureConsumer, FutureReader, HostResult, Source, StoreContextMut, Val,
};

use crate::support::{Host, Lives, NOTHING, call, engines, new, run_until};

pub(crate) struct Keep(
    Arc<Mutex<Option<u32>>>,
    #[expect(dead_code, reason = "held for its drop")] Lives,
);

impl FutureConsumer<Host> for Keep {
    type Item = u32;

    fn poll_consume(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<'_, Host>,
        mut source: Source<'_, u32>,
        _: bool,
    ) -> Poll<HostResult<()>> {
        source.read(&mut store, &mut *self.0.lock().unwrap())?;
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_guest_waits_for_a_future_of_the_host_and_the_host_for_the_guests() {
    for engine in engines() {
        for waits in [false, true] {
            let (mut store, instance) = new(&engine);
            let gate = store.data().gate.clone();
            let later = FutureReader::new(&mut store, async move {
                if waits {
                    gate.await;
                }
                Ok(21u32)
            });
            let (double,): (FutureReader<u32>,) = call(&mut store, &instance, "double", (later,)).unwrap();
            let value = Arc::new(Mutex::new(None));
            let keep = Keep(Arc::clone(&value), store.data().living.one());
            double.pipe(&mut store, keep).unwrap();
            store.data().gate.open_soon();
            let living = store.data().living.clone();
            run_until(&mut store, || living.count() == 0);
            assert_eq!(*value.lock().unwrap(), Some(42));
            assert_eq!(store.concurrency_counts(), NOTHING);
        }
    }
}

#[test]
fn a_host_reads_its_own_future() {
    for engine in engines() {
        let (mut store, _) = new(&engine);
        let later = FutureReader::new(&mut store, async { Ok(5u32) });
        let value = Arc::new(Mutex::new(None));
        let keep = Keep(Arc::clone(&value), store.data().living.one());
        later.pipe(&mut store, keep).unwrap();
        let living = store.data().living.clone();
        run_until(&mut store, || living.count() == 0);
        assert_eq!(*value.lock().unwrap(), Some(5));
        assert_eq!(store.concurrency_counts(), NOTHING);
    }
}

#[test]
fn dynamic_values_carry_futures() {
    for engine in engines() {
        let (mut store, instance) = new(&engine);
        let later = FutureReader::new(&mut store, async { Ok(21u32) });
        let double = instance.get_func(&mut store, "double").unwrap();
        let doubled = double.call_dynamic(&mut store, &[Val::Future(later.into_future_any())]);
        let Some(Val::Future(doubled)) = doubled.unwrap() else {
            panic!("no future");
        };
        let value = Arc::new(Mutex::new(None));
        let keep = Keep(Arc::clone(&value), store.data().living.one());
        let reader = doubled.try_into_future_reader::<u32>().unwrap();
        reader.pipe(&mut store, keep).unwrap();
        let living = store.data().living.clone();
        run_until(&mut store, || living.count() == 0);
        assert_eq!(*value.lock().unwrap(), Some(42));
    }
}
