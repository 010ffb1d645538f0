//! The guest of these tests, and the host's futures that it waits for.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use airssys_wasm_component::component::{
    Component, ComponentNamedList, ConcurrencyCounts, Destination, HostResult, Instance, Lift, LiftList,
    Linker, LowerList, Source, Store, StoreContextMut, StreamConsumer, StreamProducer, StreamResult,
    TypedFunc,
};
use airssys_wasm_component::engine::{Backend, Config, Engine};

pub(crate) const NOTHING: ConcurrencyCounts = ConcurrencyCounts {
    tasks: 0,
    threads: 0,
    waitables: 0,
    sets: 0,
    shared: 0,
    activities: 0,
    scopes: 0,
    stacks: 0,
    lost_stacks: 0,
};

pub(crate) fn engines() -> Vec<Engine> {
    Backend::available()
        .iter()
        .map(|backend| {
            let mut config = Config::new();
            config.backend(*backend);
            config.wasm_component_model_async_builtins(true);
            config.wasm_component_model_async_stackful(true);
            Engine::new(&config).unwrap()
        })
        .collect()
}

/// A gate that futures wait at.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    pub(crate) fn open(&self) {
        let wakers = {
            let mut gate = self.0.lock().unwrap();
            gate.0 = true;
            std::mem::take(&mut gate.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Opens it soon, on another thread.
    pub(crate) fn open_soon(&self) {
        let gate = self.clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(30));
            gate.open();
        });
    }

    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut gate = self.0.lock().unwrap();
        match gate.0 {
            true => Poll::Ready(()),
            false => {
                gate.1.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Gate::poll(&self, cx)
    }
}

/// The number of values that live, of those that count themselves.
#[derive(Clone, Default)]
pub(crate) struct Living(Arc<AtomicUsize>);

pub(crate) struct Lives(Arc<AtomicUsize>);

impl Living {
    pub(crate) fn one(&self) -> Lives {
        self.0.fetch_add(1, Ordering::SeqCst);
        Lives(Arc::clone(&self.0))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Lives {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The data of the stores.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) gate: Gate,
    pub(crate) living: Living,
    /// Calls of `sleep` that have begun.
    pub(crate) calls: u32,
}

/// Instantiates the guest. `sleep` returns one more than its argument, once the gate is open if the argument is odd; it panics at 13,
/// fails at 17, and traps the store's future at none.
pub(crate) fn guest(store: &mut Store<Host>) -> Instance {
    let engine = store.engine().clone();
    let mut linker = Linker::<Host>::new(&engine);
    linker
        .root()
        .func_wrap_concurrent("sleep", |accessor, (x,): (u32,)| {
            Box::pin(async move {
                let (gate, _lives) = accessor.with(|mut access| {
                    let host = access.get();
                    host.calls += 1;
                    (host.gate.clone(), host.living.one())
                });
                if x % 2 == 1 {
                    gate.await;
                }
                match x {
                    13 => panic!("a host function that panics"),
                    17 => Err("a host function that fails".into()),
                    x => Ok((x + 1,)),
                }
            })
        })
        .unwrap();
    linker
        .root()
        .func_wrap_concurrent("name", |accessor, (of,): (String,)| {
            Box::pin(async move {
                let gate = accessor.with(|mut access| access.get().gate.clone());
                gate.await;
                Ok((format!("the name of {of}"),))
            })
        })
        .unwrap();
    let bytes = wat::parse_str(include_str!("guest.wat")).unwrap();
    let component = Component::new(&engine, bytes).unwrap();
    linker.instantiate(store, &component).unwrap()
}

pub(crate) fn new(engine: &Engine) -> (Store<Host>, Instance) {
    let mut store = Store::new(engine, Host::default());
    let instance = guest(&mut store);
    (store, instance)
}

pub(crate) fn func<P: ComponentNamedList, R: ComponentNamedList>(
    store: &mut Store<Host>,
    instance: &Instance,
    name: &str,
) -> TypedFunc<P, R> {
    instance.get_typed_func(store, name).unwrap()
}

pub(crate) fn call<P, R>(
    store: &mut Store<Host>,
    instance: &Instance,
    name: &str,
    params: P,
) -> airssys_wasm_component::Result<R>
where
    P: ComponentNamedList + LowerList,
    R: ComponentNamedList + LiftList,
{
    let func: TypedFunc<P, R> = func(store, instance, name);
    func.call(store, params)
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

/// A producer of chunks; where there is `None`, it waits for the gate first.
pub(crate) struct Chunks<T> {
    pub(crate) chunks: VecDeque<Option<Vec<T>>>,
    pub(crate) gate: Gate,
    pub(crate) _lives: Lives,
}

impl<T> Chunks<T> {
    pub(crate) fn new(host: &Host, chunks: impl IntoIterator<Item = Option<Vec<T>>>) -> Chunks<T> {
        Chunks {
            chunks: chunks.into_iter().collect(),
            gate: host.gate.clone(),
            _lives: host.living.one(),
        }
    }
}

impl<T: Send + Unpin + 'static> StreamProducer<Host> for Chunks<T> {
    type Item = T;
    type Buffer = Vec<T>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, Host>,
        mut destination: Destination<'a, T, Vec<T>>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        if let Some(None) = self.chunks.front() {
            match self.gate.poll(cx) {
                Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => self.chunks.pop_front(),
            };
        }
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        Poll::Ready(Ok(match self.chunks.pop_front() {
            Some(Some(chunk)) => {
                destination.set_buffer(chunk);
                match self.chunks.is_empty() {
                    true => StreamResult::Dropped,
                    false => StreamResult::Completed,
                }
            }
            _ => StreamResult::Dropped,
        }))
    }
}

/// A consumer that collects items, `room` at a time at most, once the gate is open if there is one.
pub(crate) struct Collect<T> {
    pub(crate) items: Arc<Mutex<Vec<T>>>,
    pub(crate) room: usize,
    pub(crate) most: usize,
    pub(crate) gate: Option<Gate>,
    pub(crate) _lives: Lives,
}

impl<T: Lift + Send + Unpin + 'static> StreamConsumer<Host> for Collect<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, Host>,
        mut source: Source<'_, T>,
        finish: bool,
    ) -> Poll<HostResult<StreamResult>> {
        if let Some(gate) = &self.gate
            && gate.poll(cx).is_pending()
        {
            return match finish {
                true => Poll::Ready(Ok(StreamResult::Cancelled)),
                false => Poll::Pending,
            };
        }
        let mut items = self.items.lock().unwrap();
        let mut taken = Vec::with_capacity(self.room.min(self.most - items.len()));
        source.read(&mut store, &mut taken)?;
        items.extend(taken);
        Poll::Ready(Ok(match items.len() == self.most {
            true => StreamResult::Dropped,
            false => StreamResult::Completed,
        }))
    }
}

/// A consumer without limits, and what it collects.
pub(crate) fn collect<T>(host: &Host) -> (Collect<T>, Arc<Mutex<Vec<T>>>) {
    let items = Arc::new(Mutex::new(Vec::new()));
    let consumer = Collect {
        items: Arc::clone(&items),
        room: 1000,
        most: usize::MAX,
        gate: None,
        _lives: host.living.one(),
    };
    (consumer, items)
}

/// Runs a store until nothing in it is ready any more.
pub(crate) fn settle(store: &mut Store<Host>) {
    let mut polls = 0;
    run_until(store, || {
        polls += 1;
        polls > 10
    });
}

/// Runs a store until a condition holds.
pub(crate) fn run_until(store: &mut Store<Host>, mut done: impl FnMut() -> bool) {
    block_on(store.run_concurrent(async |_| {
        std::future::poll_fn(|cx| match done() {
            true => Poll::Ready(()),
            false => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
    }))
    .unwrap();
}
