//! The runtime of a host, and the start of its components.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use airssys_wasm::actors::NewVersion;
use airssys_wasm::artifact::{Records, Trust};
use airssys_wasm::host_file::{CacheChoice, DeclaredComponent, HostFile, HostSettings};
use airssys_wasm::limits::Resource;
use airssys_wasm::load::{Format, LoadOptions, Loaded, Source};
use airssys_wasm::manifest::ComponentManifest;
use airssys_wasm::messaging::MailboxLimits;
use airssys_wasm::runtime::RuntimeError;
use airssys_wasm::security::{JsonLines, Origin, Policy, RuleDraft, SecurityContext};
use airssys_wasm::{ComponentOptions, ComponentRuntime, RuntimeConfig};

use crate::args::CacheArg;
use crate::exit::{Exit, Failure, Outcome};
use crate::{keys, load, manifest};

/// Part of the names of WASIX that components import.
const WASIX: &[u8] = b"airssys:core-imports";

/// Loads the components of a host, each file once.
pub(super) struct Starter {
    pub(super) runtime: ComponentRuntime,
    context: SecurityContext,
    pub(super) trust: Trust,
    loaded: Mutex<HashMap<PathBuf, (Loaded, Option<ComponentManifest>)>>,
}

impl Starter {
    /// Creates the runtime of a host that the file `path` declares.
    pub(super) fn new(path: &Path, file: &HostFile) -> Outcome<Starter> {
        let settings = &file.host;
        let trust = match settings.allow_unsigned {
            true => crate::unsigned::trust(),
            false => keys::trust(&settings.trust)?,
        };
        let context = context(path, file)?;
        let runtime = ComponentRuntime::new(config(file, &context)?)?;
        Ok(Starter {
            runtime,
            context,
            trust,
            loaded: Mutex::default(),
        })
    }

    /// Loads the component, and returns the options of its instances. A file that was loaded before is not read again.
    pub(super) fn load(&self, declared: &DeclaredComponent) -> Outcome<(Loaded, ComponentOptions)> {
        let known = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(&declared.path).cloned();
        let read = match found {
            Some(found) => found,
            None => {
                let read = self.read(&declared.path)?;
                known().insert(declared.path.clone(), read.clone());
                read
            }
        };
        self.with_options(declared, read)
    }

    /// Forgets the files that were loaded.
    pub(super) fn forget(&self) {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Reads another version of the component, from the file that `declared` names now. The library compiles it, at a lower
    /// priority; it is loaded here if it need not be compiled, or if it may import WASIX.
    pub(super) fn new_version(
        &self,
        declared: &DeclaredComponent,
    ) -> Outcome<(NewVersion, ComponentOptions)> {
        let path = &declared.path;
        let source = load::source(path)?;
        let Some(bytes) = uncompiled(&source) else {
            let (loaded, options) = self.with_options(declared, self.read_source(path, &source)?)?;
            return Ok((loaded.into(), options));
        };
        let manifest = self.manifest(declared, self.found_manifest(&source)?)?;
        let options = self.options(declared, manifest.as_ref())?;
        #[cfg(feature = "adapt")]
        let options = {
            let args = crate::args::CoreModuleArgs::default();
            options.with_core_module(args.world(), args.preview1())
        };
        Ok((bytes.to_vec().into(), options))
    }

    fn with_options(
        &self,
        declared: &DeclaredComponent,
        (loaded, found): (Loaded, Option<ComponentManifest>),
    ) -> Outcome<(Loaded, ComponentOptions)> {
        let manifest = self.manifest(declared, found)?;
        Ok((loaded, self.options(declared, manifest.as_ref())?))
    }

    /// Returns the manifest that was declared, or else the one that was found; both must agree.
    fn manifest(
        &self,
        declared: &DeclaredComponent,
        found: Option<ComponentManifest>,
    ) -> Outcome<Option<ComponentManifest>> {
        let Some(file) = &declared.manifest else {
            return Ok(found);
        };
        let other = ComponentManifest::from_file(file).map_err(manifest::failure)?;
        let agreed = match found {
            None => Ok(other),
            Some(inside) => inside.agreed(&declared.path, &other, file),
        };
        Ok(Some(agreed.map_err(manifest::failure)?))
    }

    fn found_manifest(&self, source: &Source<'_>) -> Outcome<Option<ComponentManifest>> {
        ComponentManifest::from_loader(self.runtime.loader(), source).map_err(manifest::failure)
    }

    /// Reads and compiles a file, and reads its manifest.
    fn read(&self, path: &Path) -> Outcome<(Loaded, Option<ComponentManifest>)> {
        self.read_source(path, &load::source(path)?)
    }

    fn read_source(&self, path: &Path, source: &Source<'_>) -> Outcome<(Loaded, Option<ComponentManifest>)> {
        #[cfg(feature = "adapt")]
        let options = crate::args::CoreModuleArgs::default().options();
        #[cfg(not(feature = "adapt"))]
        let options = LoadOptions::default();
        let options: LoadOptions = options;
        let loaded = load::from(self.runtime.loader(), (path, source), &self.trust, &options)?;
        #[cfg(feature = "wasix")]
        if let Some(component) = loaded.component()
            && airssys_wasm::wasi::preview1::is_imported(&component)
        {
            let message = "it imports WASIX, which no policy restricts: only `airssys-wasm run` runs it";
            return Err(load::cannot(
                path,
                Failure::new(Exit::Load, anyhow::Error::msg(message)),
            ));
        }
        Ok((loaded, self.found_manifest(source)?))
    }

    fn options(
        &self,
        declared: &DeclaredComponent,
        manifest: Option<&ComponentManifest>,
    ) -> Outcome<ComponentOptions> {
        let unreadable = |error| Failure::new(Exit::Load, error);
        let mailbox = declared.mailbox.limits();
        let mut limits = declared.limits.clone();
        for (resource, bound) in [
            (Resource::MailboxMessages, mailbox.messages),
            (Resource::MailboxBytes, mailbox.bytes),
        ] {
            let bound = u64::try_from(bound).unwrap_or(u64::MAX);
            let lower = limits.get(resource).map_or(bound, |limit| limit.min(bound));
            limits = limits.with(resource, lower);
        }
        let mut options = ComponentOptions::new()
            .with_id(declared.id.clone())
            .with_security(self.context.clone())
            .with_resource_limits(limits);
        if let Some(manifest) = manifest {
            options = options
                .with_manifest_limits(&manifest.metadata)
                .with_requested_capabilities(&manifest.capabilities);
        }
        for (key, value) in &declared.config {
            let text = value.read().map_err(unreadable)?;
            options = match value.is_elsewhere() {
                true => options.with_secret_config(key, text),
                false => options.with_config(key, text),
            };
        }
        for (name, value) in &declared.env {
            let text = value.read().map_err(unreadable)?;
            options = match value.is_elsewhere() {
                true => options.with_secret_env(name, text),
                false => options.with_env(name, text),
            };
        }
        if let Some(data) = &declared.config_data {
            options = options.with_config_data(data.payload().map_err(unreadable)?);
        }
        Ok(options)
    }
}

/// Returns the bytes of a component or core module that certainly does not import WASIX; `None` for everything else.
fn uncompiled<'s>(source: &'s Source<'_>) -> Option<&'s [u8]> {
    let bytes = source.bytes()?;
    let is_free = match source.format() {
        // The names of imports are in the bytes as they are.
        Format::Component => !bytes.windows(WASIX.len()).any(|name| name == WASIX),
        #[cfg(feature = "adapt")]
        Format::CoreModule => {
            use airssys_wasm::adapt::{Preview1, provider};
            provider(bytes, Preview1::Auto).is_ok_and(|provider| provider != Preview1::Host)
        }
        _ => false,
    };
    is_free.then_some(bytes)
}

/// Returns the context with the rules of the policy file, then the grants of each component.
fn context(path: &Path, file: &HostFile) -> Outcome<SecurityContext> {
    let mut policy = Policy::builder();
    if let Some(file) = &file.host.policy {
        policy = policy.file(file);
    }
    for component in &file.components {
        let origin = Origin::Flag(format!("{}: {}", path.display(), component.id).into());
        for grant in &component.grants {
            let rule = RuleDraft::allow(grant.as_str())
                .for_component(component.id.as_str())
                .from_origin(origin.clone());
            policy = policy.rule(rule);
        }
    }
    let policy = policy.build().map_err(|error| Failure::new(Exit::Load, error))?;
    let mut context = SecurityContext::builder()
        .policy(policy)
        .principal(file.host.principal.clone().unwrap_or_default());
    if let Some(file) = &file.host.audit {
        let sink = JsonLines::open(file).map_err(|error| {
            Failure::new(Exit::Host, error).context(format!("the audit cannot go to `{}`", file.display()))
        })?;
        context = context.audit(Arc::new(sink));
    }
    Ok(context.build())
}

fn config(file: &HostFile, context: &SecurityContext) -> Outcome<RuntimeConfig> {
    let settings = &file.host;
    let limits_fuel = |component: &DeclaredComponent| {
        let policy = context.limits_for(component.id.as_str());
        component.limits.get(Resource::Fuel).is_some() || policy.get(Resource::Fuel).is_some()
    };
    let mailbox = ceiling(&file.components);
    let mut config = RuntimeConfig::builder()
        .with_osl_security_integration()
        .with_rt_actor_integration()
        .with_mailbox_capacity(mailbox.messages)
        .with_mailbox_bytes(mailbox.bytes)
        .with_max_message_bytes(mailbox.message_bytes)
        .with_fuel_metering(file.components.iter().any(limits_fuel));
    if let Some(backend) = settings.backend {
        config = config.with_backend(backend);
    }
    if let Some(time) = settings.call_time {
        config = config.with_default_timeout(time.duration());
    }
    if let Some(cache) = load::component_cache(&cache(settings))? {
        config = config.with_cache(cache);
    }
    match Records::for_user() {
        Ok(records) => config = config.with_records(records),
        Err(error) => log::info!("verified files are not recorded: {error}"),
    }
    Ok(config.build().map_err(RuntimeError::from)?)
}

fn cache(settings: &HostSettings) -> CacheArg {
    CacheArg {
        cache: match &settings.cache {
            None => None,
            Some(CacheChoice::Folder(folder)) => Some(folder.clone()),
            Some(_) => Some("off".into()),
        },
    }
}

/// Returns the largest bounds of all mailboxes. Those of each component lower them.
fn ceiling(components: &[DeclaredComponent]) -> MailboxLimits {
    let mut most = MailboxLimits::default();
    for bounds in components.iter().map(|component| component.mailbox.limits()) {
        most.messages = most.messages.max(bounds.messages);
        most.bytes = most.bytes.max(bounds.bytes);
        most.message_bytes = most.message_bytes.max(bounds.message_bytes);
    }
    most
}

/// Longest time of a drain without a setting.
pub(super) const DRAIN_TIME: Duration = Duration::from_secs(30);
