//! Preview 1 for components that were core modules: their imports are wasmer-wasix's functions, behind their guards.
//!
//! [`adapt`](crate::adapt) has turned the imports of such a module to interfaces of one package, whose functions take and
//! give numbers. So what a component's core module gets are core functions, with nothing of the component model in between.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use wasmer_wasix::wasmer::{self, Function, FunctionEnv};
use wasmer_wasix::wasmer_wasix_types::wasi::Signal;
use wasmer_wasix::{WasiEnv, WasiFunctionEnv, WasiProcess, WasiVersion};

use super::border::{self, Border};
use super::grants::{Preview1, Preview1Error};
use super::host;
use crate::component::{Component, ExternType, Linker, StoreContextMut, Waiting};
use crate::engine::Deadlines;
use crate::error::{Error, Result};
use crate::panics::contain;
use crate::wasi::executor::{self, Task, Timer};

/// The package of the interfaces, as `adapt` writes it.
const PACKAGE: &str = "airssys:core-imports/";

/// What one component that was a core module has of preview 1. It is for one instance: what a second one in the same store
/// imports works on the first one's memory.
pub struct Preview1Guest {
    state: State,
    /// Ends what the call in flight waits for.
    killer: Option<Task<()>>,
}

enum State {
    Granted(Preview1),
    Made(Made),
    Broken,
}

struct Made {
    /// wasmer-wasix's, as they are.
    functions: HashMap<Key, Function>,
    border: FunctionEnv<Arc<Border>>,
    process: WasiProcess,
    /// Keeps wasmer-wasix's threads.
    _surroundings: Arc<host::Surroundings>,
}

impl fmt::Debug for Preview1Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preview1Guest").finish_non_exhaustive()
    }
}

impl Preview1Guest {
    /// One that is granted this. Its deadline and its limits on memory are the store's.
    pub fn new(grants: Preview1) -> Preview1Guest {
        Preview1Guest {
            state: State::Granted(grants),
            killer: None,
        }
    }

    /// Says when the call that follows has to be over: what it waits for in a function of preview 1 is ended then, and it
    /// traps.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.killer = None;
        if let (State::Made(made), Some(deadline)) = (&self.state, deadline) {
            self.killer = kill_at(deadline, made.process.clone());
        }
    }
}

/// Ends a process's waiting, for other threads and for memory.
pub(super) fn kill(process: &WasiProcess) {
    process.signal_process(Signal::Sigkill);
}

/// Ends a process's waiting at a deadline, as long as what is given back is kept.
pub(super) fn kill_at(deadline: Instant, process: WasiProcess) -> Option<Task<()>> {
    let mut timer = Timer::at(deadline);
    let killing = executor::spawn(async move {
        poll_fn(|cx| timer.poll(cx)).await;
        kill(&process);
    });
    killing
        .inspect_err(|error| log::warn!("no thread for a deadline: {error}"))
        .ok()
}

/// A store's data that has a [`Preview1Guest`].
pub trait Preview1View: Send + 'static {
    /// The calling component's part.
    fn preview1(&mut self) -> &mut Preview1Guest;
}

impl Preview1View for Preview1Guest {
    fn preview1(&mut self) -> &mut Preview1Guest {
        self
    }
}

/// Whether a component imports functions of preview 1 from its host.
pub fn is_imported(component: &Component) -> bool {
    component
        .imports()
        .iter()
        .any(|(name, _)| name.starts_with(PACKAGE))
}

/// Defines the functions of preview 1 and WASIX that `component` imports.
///
/// # Errors
/// [`Error::Redefined`] if the linker has one of them already.
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

/// All functions of preview 1 and WASIX that a component imports.
fn wanted(component: &Component) -> impl Iterator<Item = Key> {
    let interfaces = component.imports().iter().filter_map(|(name, ty)| match ty {
        ExternType::Instance(items) => Some((name.strip_prefix(PACKAGE)?, items)),
        _ => None,
    });
    interfaces.flat_map(|(interface, items)| items.iter().map(move |(item, _)| key(interface, item)))
}

/// One of the functions, which are made all together when the first one is asked for.
fn function<T: Preview1View>(cx: &mut StoreContextMut<'_, T>, key: &Key, wanted: &[Key]) -> Result<Function> {
    let state = std::mem::replace(&mut cx.data_mut().preview1().state, State::Broken);
    let state = match state {
        State::Granted(grants) => {
            let made = contain("the module's surroundings", || make(cx, grants, wanted));
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
        hint: "the host has no function of this name".into(),
    })
}

fn find<T: Preview1View>(
    cx: &mut StoreContextMut<'_, T>,
    made: &Made,
    (module, name): &Key,
) -> Option<Function> {
    let look_up = |name: &str| made.functions.get(&(module.clone(), name.to_owned())).cloned();
    let guarded = border::guard(&mut cx.store, &made.border, (module, name), look_up);
    guarded.or_else(|| {
        cx.core.imports_unguarded();
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
    let mut environment = WasiFunctionEnv::new(&mut cx.store, environment);
    let functions = functions(&mut cx.store, &environment.env);
    let names = wanted.iter().map(|(module, name)| (&**module, &**name));
    let border = Border::new(names, surroundings.opened.clone());
    let instantiated = border.clone();
    cx.core.state().waiting = Some(Waiting::new(move |store, instance| {
        instantiated.instantiated(instance, None);
        environment
            .initialize(store, instance.clone())
            .map_err(|error| Error::Instantiate(error.to_string()))
    }));
    Ok(Made {
        functions,
        border: FunctionEnv::new(&mut cx.store, border),
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
