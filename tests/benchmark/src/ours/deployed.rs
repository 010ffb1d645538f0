//! Our side of a precompiled guest: a signed artifact in a file.

use super::types::ComponentConfig;
use super::{NAME, linker};
use crate::host::{Host, OPERATIONS, SUM};
use crate::measure::Side;
use airssys_wasm::artifact::{self, ArtifactFile, PublicKey, Records, SecretKey, Trust};
use airssys_wasm::component::{
    Component, Instance, InstancePool, Linker, PooledInstance, Store, StoreContextMut,
};
use airssys_wasm::engine::{Backend, Config, Engine, StoreLimits};
use airssys_wasm::host::{ComponentError, ComponentMetadata, ConfigError};
use anyhow::{Context, Result, ensure};
use std::hint::black_box;
use std::path::{Path, PathBuf};

/// A guest in a file, with the objects that outlive a component: engine, linker, trusted keys.
#[derive(Debug)]
pub(crate) struct Deployed {
    file: PathBuf,
    trust: Trust,
    records: Records,
    engine: Engine,
    component: Component,
    linker: Linker<Host>,
}

/// Compiles a guest into a file; returns its signer.
pub(crate) fn precompile(backend: Backend, guest: &[u8], file: &Path) -> Result<PublicKey> {
    let key = SecretKey::generate()?;
    let engine = Engine::new(Config::new().backend(backend))?;
    let artifact = artifact::compile(&engine, guest, Some(&key))?;
    std::fs::write(file, artifact).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(key.public())
}

impl Deployed {
    /// Opens a guest that [`precompile`] has written.
    pub(crate) fn new(backend: Backend, file: &Path, signer: PublicKey) -> Result<Deployed> {
        let engine = Engine::new(Config::new().backend(backend))?;
        let trust = Trust::new([signer]);
        // As after an installation: verified, and recorded as such.
        let records = Records::open(&file.with_extension("verified"))?;
        let artifact = ArtifactFile::open(file)?;
        artifact.verify_once(&records)?;
        let (artifact, known) = artifact.verify_once(&records)?;
        ensure!(known, "{} is not recorded as verified", file.display());
        let component = artifact.load(&trust)?;
        let mut linker = linker(&engine)?;
        linker.define_unknown_imports_as_traps(&component)?;
        Ok(Deployed {
            file: file.to_owned(),
            trust,
            records,
            engine,
            component,
            linker,
        })
    }

    /// Returns the guest's file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Runs from a file of this guest to the first result.
    fn first(&self, file: &Path) -> Result<u32> {
        let (artifact, _) = ArtifactFile::open(file)?.verify_once(&self.records)?;
        let component = artifact.load(&self.trust)?;
        let mut store = Store::new(&self.engine, Host::default());
        let instance = self.linker.instantiate(&mut store, &component)?;
        add(&mut store, &instance)
    }

    /// Measures from the file to the first result.
    pub(crate) fn cold(&self) -> Result<Side<'_>> {
        ensure!(self.first(&self.file)? == SUM, "a wrong sum");
        Ok(Side::new(NAME, move |times| {
            for _ in 0..times {
                black_box(self.first(&self.file)?);
            }
            Ok(())
        }))
    }

    /// Runs once from a copy of the file to the first result.
    pub(crate) fn uncached(&self, copy: &Path) -> Result<()> {
        ensure!(self.first(copy)? == SUM, "a wrong sum");
        Ok(())
    }

    /// Measures reading and verifying the whole file, as done the first time.
    pub(crate) fn verify(&self) -> Result<Side<'_>> {
        Ok(Side::new(NAME, move |times| {
            for _ in 0..times {
                ArtifactFile::open(&self.file)?
                    .verify()?
                    .check_signer(&self.trust)?;
            }
            Ok(())
        }))
    }

    /// Measures one more instance from a pool, and with `call` its first result.
    pub(crate) fn pooled(&self, call: bool) -> Result<Side<'_>> {
        let pre = self.linker.instantiate_pre(&self.component)?;
        let pool = InstancePool::new(&self.engine, pre, StoreLimits::default(), 4);
        ensure!(answer(&mut pool.get(Host::default())?)? == SUM, "a wrong sum");
        if pool.idle() == 0 {
            eprintln!("instances of {} are not reused", self.file.display());
        }
        Ok(Side::new(NAME, move |times| {
            for _ in 0..times {
                let mut instance = pool.get(Host::default())?;
                if call {
                    black_box(answer(&mut instance)?);
                }
            }
            Ok(())
        }))
    }

    /// Measures one more newly created instance, and with `call` its first result.
    pub(crate) fn again(&self, call: bool) -> Result<Side<'_>> {
        let pre = self.linker.instantiate_pre(&self.component)?;
        Ok(Side::new("airssys-wasm, made anew", move |times| {
            for _ in 0..times {
                let mut store = Store::new(&self.engine, Host::default());
                let instance = pre.instantiate(&mut store)?;
                if call {
                    black_box(add(&mut store, &instance)?);
                }
            }
            Ok(())
        }))
    }

    /// Creates `count` instances, each of which has returned once.
    pub(crate) fn idle(&self, count: usize) -> Result<Vec<(Store<Host>, Instance)>> {
        let pre = self.linker.instantiate_pre(&self.component)?;
        let one = || {
            let mut store = Store::new(&self.engine, Host::default());
            let instance = pre.instantiate(&mut store)?;
            ensure!(add(&mut store, &instance)? == SUM, "a wrong sum");
            Ok((store, instance))
        };
        std::iter::repeat_with(one).take(count).collect()
    }
}

/// The interface of the contract's components.
const LIFECYCLE: &str = "airssys:component-core/component-lifecycle@1.0.0";

impl Deployed {
    /// Creates `count` instances of a component of the contract, each of which has returned its metadata and is initialized.
    pub(crate) fn idle_relays(&self, count: usize) -> Result<Vec<(Store<Host>, Instance)>> {
        let mut linker = Linker::new(&self.engine);
        let mut services = linker.instance("airssys:host-core/host-services@1.0.0")?;
        services.func_wrap("get-config", |_: StoreContextMut<'_, Host>, (_,): (String,)| {
            Ok((Ok::<Option<String>, ConfigError>(None),))
        })?;
        linker.define_unknown_imports_as_traps(&self.component)?;
        let pre = linker.instantiate_pre(&self.component)?;
        let one = || {
            let mut store = Store::new(&self.engine, Host::default());
            let instance = pre.instantiate(&mut store)?;
            let metadata =
                instance.get_typed_func::<(), (ComponentMetadata,)>(&mut store, [LIFECYCLE, "metadata"])?;
            let (metadata,) = metadata.call(&mut store, ())?;
            ensure!(metadata.name == "relay", "another component");
            let init = instance.get_typed_func::<(&ComponentConfig,), (Result<(), ComponentError>,)>(
                &mut store,
                [LIFECYCLE, "init"],
            )?;
            let (initialized,) = init.call(&mut store, (&ComponentConfig::default(),))?;
            ensure!(initialized.is_ok(), "it is not initialized");
            Ok((store, instance))
        };
        std::iter::repeat_with(one).take(count).collect()
    }
}

fn answer(instance: &mut PooledInstance<Host>) -> Result<u32> {
    let (store, instance) = instance.parts();
    add(store, instance)
}

fn add(store: &mut Store<Host>, instance: &Instance) -> Result<u32> {
    let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut *store, [OPERATIONS, "add"])?;
    let (sum,) = add.call(store, black_box((40, 2)))?;
    Ok(sum)
}
