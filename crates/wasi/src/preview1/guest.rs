//! Preview 1 for components that were core modules: their imports are the functions of wasmer-wasix, behind guards.
//!
//! `airssys_wasm_adapt` has converted the imports of such a module to interfaces of one package, whose functions have
//! only numbers as parameters and results. The component's core module therefore imports core functions directly,
//! without lifting or lowering.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmer_wasix::wasmer::{self, Function, FunctionEnv};
use wasmer_wasix::wasmer_wasix_types::wasi::Signal;
use wasmer_wasix::{WasiEnv, WasiFunctionEnv, WasiProcess, WasiVersion};

use super::border::{self, Border};
use super::grants::{Preview1, Preview1Error};
use super::host;
use crate::executor::{self, Task, Timer};
use airssys_wasm_component::component::{Component, ExternType, InstanceHook, Linker, StoreContextMut};
use airssys_wasm_component::engine::Deadlines;
use airssys_wasm_component::error::{Error, Result};
use airssys_wasm_component::internal::contain;

/// The package of these interfaces, as `adapt` writes it.
const PACKAGE: &str = "airssys:core-imports/";

/// The preview 1 state of one component that was a core module. It serves one instance: the imports of a second
/// instance in the same store would access the first one's memory.
pub struct Preview1Guest {
    state: State,
    /// Ends the waiting of the current call at its deadline.
    killer: Option<Task<()>>,
}

enum State {
    Granted(Preview1),
    Made(Made),
    Broken,
}

struct Made {
    /// The functions of wasmer-wasix, without guards.
    functions: HashMap<Key, Function>,
    border: FunctionEnv<Arc<Border>>,
    process: WasiProcess,
    /// Keeps wasmer-wasix's threads alive.
    _surroundings: Arc<host::Surroundings>,
}

impl fmt::Debug for Preview1Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preview1Guest").finish_non_exhaustive()
    }
}

impl Preview1Guest {
    /// Creates the state of a component with these grants. The store's deadline and memory limits apply.
    pub fn new(grants: Preview1) -> Preview1Guest {
        Preview1Guest {
            state: State::Granted(grants),
            killer: None,
        }
    }

    /// Sets the deadline of the next call: a wait in a function of preview 1 ends then, and the call traps.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.killer = None;
        if let (State::Made(made), Some(deadline)) = (&self.state, deadline) {
            let process = made.process.clone();
            self.killer = kill_at(deadline, move || kill(&process));
        }
    }
}

/// Interval in which the waiting is ended again: what was about to wait has not seen that it is over.
const AGAIN: Duration = Duration::from_millis(50);

/// Ends the waiting of a process and of those that it forked, for other threads and for memory.
pub(super) fn kill(process: &WasiProcess) {
    let mut all = vec![process.clone()];
    while let Some(process) = all.pop() {
        process.signal_process(Signal::Sigkill);
        all.extend(process.lock().children.iter().cloned());
    }
}

/// Ends waiting at a deadline, by `kill`, again and again. Dropping the returned task ends that.
pub(super) fn kill_at(deadline: Instant, kill: impl Fn() + Send + 'static) -> Option<Task<()>> {
    let mut timer = Timer::at(deadline);
    let killing = executor::spawn(async move {
        loop {
            poll_fn(|cx| timer.poll(cx)).await;
            kill();
            timer = Timer::at(Instant::now() + AGAIN);
        }
    });
    killing
        .inspect_err(|error| log::warn!("cannot spawn the task of a deadline: {error}"))
        .ok()
}

/// Store data that contains a [`Preview1Guest`].
pub trait Preview1View: Send + 'static {
    /// Returns the calling component's state.
    fn preview1(&mut self) -> &mut Preview1Guest;
}

impl Preview1View for Preview1Guest {
    fn preview1(&mut self) -> &mut Preview1Guest {
        self
    }
}

/// Returns whether a component imports functions of preview 1 from its host.
pub fn is_imported(component: &Component) -> bool {
    component
        .imports()
        .iter()
        .any(|(name, _)| name.starts_with(PACKAGE))
}

/// Defines the functions of preview 1 and WASIX that `component` imports.
///
/// # Errors
/// [`Error::Redefined`] if the linker already defines one of them.
pub fn add_to_linker<T: Preview1View>(linker: &mut Linker<T>, component: &Component) -> Result<()> {
    let wanted: Arc<[Key]> = wanted(component).collect();
    for (name, ty) in component.imports() {
        let (Some(interface), ExternType::Instance(items)) = (name.strip_prefix(PACKAGE), ty) else {
            continue;
        };
        let mut instance = linker.instance(name)?;
        for (item, ty) in items {
            if let ExternType::Func(_) = ty {
                let (key, wanted) = (key(interface, item), wanted.clone());
                instance.func_core(item, move |cx| function(cx, &key, &wanted))?;
            }
        }
    }
    Ok(())
}

/// A function's module and name in the core module's imports.
pub(super) type Key = (String, String);

fn key(interface: &str, item: &str) -> Key {
    let module = interface.split('@').next().unwrap_or_default();
    (module.replace('-', "_"), item.replace('-', "_"))
}

/// Returns all functions of preview 1 and WASIX that a component imports.
fn wanted(component: &Component) -> impl Iterator<Item = Key> {
    let interfaces = component.imports().iter().filter_map(|(name, ty)| match ty {
        ExternType::Instance(items) => Some((name.strip_prefix(PACKAGE)?, items)),
        _ => None,
    });
    interfaces.flat_map(|(interface, items)| items.iter().map(move |(item, _)| key(interface, item)))
}

/// Returns one of the functions. The first call creates all of them.
fn function<T: Preview1View>(cx: &mut StoreContextMut<'_, T>, key: &Key, wanted: &[Key]) -> Result<Function> {
    let state = std::mem::replace(&mut cx.data_mut().preview1().state, State::Broken);
    let state = match state {
        State::Granted(grants) => {
            let made = contain("the module's environment", || make(cx, grants, wanted));
            let made = made.map_err(|panicked| panicked.trap())?;
            State::Made(made.map_err(|error| Error::Host {
                name: format!("{}#{}", key.0, key.1),
                source: Box::new(error),
            })?)
        }
        made => made,
    };
    let found = match &state {
        State::Made(made) => find(cx, made, key),
        _ => None,
    };
    cx.data_mut().preview1().state = state;
    found.ok_or_else(|| Error::MissingImport {
        name: format!("{}#{}", key.0, key.1),
        hint: "the host has no function with this name".into(),
    })
}

fn find<T: Preview1View>(
    cx: &mut StoreContextMut<'_, T>,
    made: &Made,
    (module, name): &Key,
) -> Option<Function> {
    let look_up = |name: &str| made.functions.get(&(module.clone(), name.to_owned())).cloned();
    let guarded = border::guard(cx.wasmer_mut(), &made.border, (module, name), look_up);
    guarded.or_else(|| {
        cx.imports_unguarded();
        look_up(name)
    })
}

fn make<T: Preview1View>(
    cx: &mut StoreContextMut<'_, T>,
    grants: Preview1,
    wanted: &[Key],
) -> std::result::Result<Made, Preview1Error> {
    let setup = |error: &dyn fmt::Display| Preview1Error::Setup(error.to_string());
    let _context = executor::enter().map_err(Preview1Error::Executor)?;
    let plain = wanted.iter().all(|(module, _)| border::is_plain(module));
    let (builder, surroundings) = host::environment(grants, Deadlines::new(None), None, plain)?;
    let environment = builder.build().map_err(|error| setup(&error))?;
    let process = environment.process.clone();
    let mut environment = WasiFunctionEnv::new(cx.wasmer_mut(), environment);
    let functions = functions(cx.wasmer_mut(), &environment.env);
    let names = wanted.iter().map(|(module, name)| (&**module, &**name));
    let border = Border::new(names, surroundings.opened.clone());
    let instantiated = border.clone();
    cx.wait_for_instance(InstanceHook::new(move |store, instance| {
        instantiated.instantiated(instance, None);
        environment
            .initialize(store, instance.clone())
            .map_err(|error| Error::Instantiate(error.to_string()))
    }));
    Ok(Made {
        functions,
        border: FunctionEnv::new(cx.wasmer_mut(), border),
        process,
        _surroundings: surroundings,
    })
}

pub(super) fn functions(
    store: &mut wasmer::StoreMut<'_>,
    environment: &FunctionEnv<WasiEnv>,
) -> HashMap<Key, Function> {
    let versions = [
        WasiVersion::Snapshot0,
        WasiVersion::Snapshot1,
        WasiVersion::Wasix32v1,
    ];
    let mut functions = HashMap::new();
    for version in versions {
        let imports = wasmer_wasix::generate_import_object_from_env(store, environment, version);
        for ((module, name), item) in &imports {
            if let wasmer::Extern::Function(function) = item {
                functions.insert((module, name), function);
            }
        }
    }
    functions
}
