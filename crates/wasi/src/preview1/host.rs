//! The environment of a module: wasmer-wasix, configured with the module's grants.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmer_wasix::capabilities::Capabilities;
use wasmer_wasix::runtime::resolver::{MultiSource, Source};
use wasmer_wasix::runtime::task_manager::tokio::TokioTaskManager;
use wasmer_wasix::runtime::{InstantiationState, TaintReason};
use wasmer_wasix::virtual_fs::MountFileSystem;
use wasmer_wasix::virtual_net::DynVirtualNetworking;
use wasmer_wasix::wasmer;
use wasmer_wasix::{
    Runtime, UnsupportedVirtualNetworking, VIRTUAL_ROOT_FD, VirtualTaskManager, WasiEnvBuilder, WasiFs,
};

use super::border::{self, Border};
use super::folder::Folder;
use super::grants::{Grant, Preview1, Preview1Error, mount_point};
use super::opened::Opened;
use super::stdio::{StandardInput, StandardOutput};
use super::tasks::{Failure, Tasks};
use crate::cli::{OutputKind, SharedInput, SharedOutput};
use crate::executor;
use airssys_wasm_component::component::error_of;
use airssys_wasm_component::engine;
use airssys_wasm_component::error::{Error, TrapKind};

/// The runtime of wasmer-wasix: no network, no packages, no other modules. Its stores have the module's limits and
/// deadline.
pub(super) struct Surroundings {
    engine: wasmer::Engine,
    network: DynVirtualNetworking,
    tasks: Arc<dyn VirtualTaskManager>,
    deadline: engine::Deadlines,
    /// The failure of a thread of the module.
    pub(super) failure: Failure,
    pub(super) opened: Arc<Opened>,
    /// The first instance of a program.
    first: Mutex<Option<wasmer::Instance>>,
    has_begun: AtomicBool,
    /// Holds a program's code, which its threads run until they see that they are to end.
    _code: Option<wasmer::Engine>,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings")
    }
}

impl Surroundings {
    /// Returns the first instance of a program, which then is kept no longer.
    pub(super) fn first_instance(&self) -> Option<wasmer::Instance> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Runtime for Surroundings {
    fn networking(&self) -> &DynVirtualNetworking {
        &self.network
    }

    fn task_manager(&self) -> &Arc<dyn VirtualTaskManager> {
        &self.tasks
    }

    fn source(&self) -> Arc<dyn Source + Send + Sync> {
        Arc::new(MultiSource::new())
    }

    fn engine(&self) -> wasmer::Engine {
        self.engine.clone()
    }

    /// Creates a store for a thread of the module.
    fn new_store(&self) -> wasmer::Store {
        let mut store = wasmer::Store::new(self.engine.clone());
        self.deadline.watch(&mut store);
        store
    }

    /// Guards the imports of every instance of the module, including those of its threads.
    fn prepare_imports(
        &self,
        module: &wasmer::Module,
        store: &mut wasmer::StoreMut<'_>,
        imports: &mut wasmer::Imports,
    ) -> anyhow::Result<InstantiationState> {
        let wanted = border::imported(module);
        let names = wanted.iter().map(|(module, name)| (&**module, &**name));
        let border = Border::new(names, self.opened.clone());
        border::guard_all(store, imports, &border, &wanted);
        Ok(InstantiationState::new(border))
    }

    fn configure_new_instance(
        &self,
        _module: &wasmer::Module,
        _store: &mut wasmer::StoreMut<'_>,
        instance: &wasmer::Instance,
        imported_memory: Option<&wasmer::Memory>,
        state: InstantiationState,
    ) -> anyhow::Result<()> {
        state
            .take::<Arc<Border>>()?
            .instantiated(instance, imported_memory);
        // A library that the program is linked with has no `_start`.
        if instance.exports.contains("_start") && !self.has_begun.swap(true, Ordering::Relaxed) {
            *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(instance.clone());
        }
        Ok(())
    }

    /// Records a panic that ended a thread. A trap of the guest shows in the status that follows.
    fn on_taint(&self, reason: TaintReason) {
        if let TaintReason::RuntimeError(error) = reason
            && let error @ Error::Trap(_) = error_of(error)
            && error
                .trap()
                .is_some_and(|trap| matches!(trap.kind(), TrapKind::Panicked { .. }))
        {
            self.failure.set(error);
            // The others may wait for it in a loop.
            self.deadline.stop();
        }
    }
}

/// Builds the environment of a module from its grants. `plain` says that it imports only preview 1.
///
/// # Errors
/// [`Preview1Error`].
pub(super) fn environment(
    grants: Preview1,
    deadlines: engine::Deadlines,
    code: Option<wasmer::Engine>,
    plain: bool,
) -> Result<(WasiEnvBuilder, Arc<Surroundings>), Preview1Error> {
    let Preview1 {
        name,
        args,
        env,
        folders,
        stdin,
        stdout,
        stderr,
        limits,
        store_limits,
        deadline,
    } = grants;
    let setup = |error: &dyn fmt::Display| Preview1Error::Setup(error.to_string());
    let handle = executor::handle().map_err(Preview1Error::Executor)?.clone();
    let (failure, opened) = (Failure::default(), Arc::new(Opened::default()));
    let surroundings = Arc::new(Surroundings {
        engine: engine::program_engine(&store_limits, deadlines.waits().clone()),
        network: Arc::new(UnsupportedVirtualNetworking::default()),
        tasks: Arc::new(Tasks::new(
            TokioTaskManager::new(handle),
            failure.clone(),
            deadlines.clone(),
        )),
        deadline: deadlines,
        failure,
        opened: opened.clone(),
        first: Mutex::default(),
        has_begun: AtomicBool::new(false),
        _code: code,
    });
    let files = Arc::new(AtomicUsize::new(limits.open_files));
    let mounts = MountFileSystem::new();
    let mut builder = wasmer_wasix::WasiEnv::builder(&name)
        .args(args)
        .envs(env)
        .stdin(Box::new(StandardInput::new(SharedInput::new(&stdin), deadline)))
        .stdout(Box::new(output(&stdout, OutputKind::Stdout, 1, &name, &limits)))
        .stderr(Box::new(output(&stderr, OutputKind::Stderr, 2, &name, &limits)))
        .disable_default_builtins(true)
        .capabilities(capabilities(&limits))
        .runtime(surroundings.clone());
    // WASIX paths start at the root, where the folder then must appear under its name.
    let only = match &*folders {
        [only] if plain || mount_point(&only.guest).as_deref() == Some("/") => Some(name_of(only)?),
        _ => None,
    };
    let (alone, nothing) = (only.is_some(), folders.is_empty());
    builder = builder.setup_fs(Box::new(move |_, files| {
        if let Some(name) = &only {
            only_folder(files, name)?;
        }
        let granted = files.preopen_fds.read().unwrap_or_else(PoisonError::into_inner);
        let root = (!alone).then_some(VIRTUAL_ROOT_FD);
        match plain && nothing {
            true => opened.grant_nothing(),
            false => opened.grant(root.into_iter().chain(granted.iter().copied()).collect()),
        }
        Ok(())
    }));
    for grant in folders {
        let name = name_of(&grant)?;
        let place = match alone {
            true => "/".to_owned(),
            false => point_of(&grant)?,
        };
        let folder = Folder::new(grant.dir, grant.writable, files.clone(), limits.folder_entries);
        mounts
            .mount(Path::new(&place), Arc::new(folder))
            .map_err(|error| setup(&error))?;
        let writable = grant.writable;
        builder = builder
            .preopen_build(|preopen| {
                preopen
                    .directory(&place)
                    .read(true)
                    .write(writable)
                    .create(writable);
                // A folder whose name is its path needs no alias.
                match name == place {
                    true => preopen,
                    false => preopen.alias(&name),
                }
            })
            .map_err(|error| setup(&error))?;
    }
    Ok((builder.mount_fs(mounts), surroundings))
}

fn point_of(grant: &Grant) -> Result<String, Preview1Error> {
    mount_point(&grant.guest).ok_or_else(|| Preview1Error::GuestPath(grant.guest.clone()))
}

/// Returns the folder's name for the module.
fn name_of(grant: &Grant) -> Result<String, Preview1Error> {
    match grant.guest.starts_with('/') {
        true => point_of(grant),
        false => Ok(grant.guest.clone()),
    }
}

/// Replaces wasmer-wasix's descriptor 3, a folder of its own that contains all granted folders, by the only granted
/// folder: as on every other host.
fn only_folder(files: &mut WasiFs, name: &str) -> Result<(), String> {
    const MADE: u32 = VIRTUAL_ROOT_FD;
    const GRANTED: u32 = VIRTUAL_ROOT_FD + 1;
    let root = {
        let mut descriptors = files.fd_map.write().unwrap_or_else(PoisonError::into_inner);
        let folder = descriptors.remove(GRANTED).ok_or("the folder is not there")?;
        let root = folder.inode.clone();
        // The name has lost its slash.
        *root.name.write().unwrap_or_else(PoisonError::into_inner) = name.to_owned().into();
        descriptors.remove(MADE);
        descriptors.insert(true, MADE, folder);
        root
    };
    *files.preopen_fds.write().unwrap_or_else(PoisonError::into_inner) = vec![MADE];
    files.root_inode = root;
    Ok(())
}

fn output(
    to: &crate::Stdout,
    kind: OutputKind,
    number: u32,
    name: &str,
    limits: &super::Preview1Limits,
) -> StandardOutput {
    StandardOutput::new(SharedOutput::new(to, kind, name, limits.log_line), number)
}

fn capabilities(limits: &super::Preview1Limits) -> Capabilities {
    let mut capabilities = Capabilities::new();
    capabilities.polling.max_poll_subscriptions = Some(limits.subscriptions);
    capabilities.threading.max_threads = Some(limits.threads);
    capabilities
}
