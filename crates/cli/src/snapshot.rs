//! `snapshot`: initializes a component, and saves it as an artifact that begins initialized.

use airssys_wasm::ComponentRuntime;
use airssys_wasm::artifact::{Artifact, SecretKey, Trust};
use airssys_wasm::load::Format;
use airssys_wasm::runtime::RuntimeError;

use crate::args::SnapshotArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::interrupt::Interrupt;
use crate::{command, compile, files, keys, load, options, policy, run};

pub(crate) fn run(args: &SnapshotArgs) -> Outcome {
    compile::refuse_tiered(args.backend.backend)?;
    let key = args.sign.as_deref().map(keys::secret).transpose()?;
    let accepted = keys::accepted(&args.trust)?;
    compile::expect_folder(&args.output)?;
    let data = args.config_data.as_deref().map(files::data).transpose()?;
    let path = args.component.as_path();
    let source = load::source(path)?;
    let config = run::builder(&args.backend, args.timeout, None, load::records(&source));
    let config = config.with_fuel_metering(policy::limits_fuel(&args.security, path)?);
    let config = config.build().map_err(RuntimeError::from)?;
    let grants = command::grants_without_environment(&args.wasi, path)?;
    let interrupt = Interrupt::watch()?;
    let compiled;
    let (artifact, trust) = match source.format() {
        Format::Artifact => {
            let artifact = config.loader().verify(&source);
            (artifact.map_err(|error| load::failed(path, error))?, accepted)
        }
        Format::Wai => return Err(load::wai(path)),
        _ => {
            // Trusted by a key that is created for this alone.
            let once = SecretKey::generate().map_err(|error| Failure::new(Exit::Host, error))?;
            compiled = compile::artifact(config.engine(), (path, &source, None), Some(&once), &interrupt)?;
            (Artifact::open(&compiled)?, Trust::new([once.public()]))
        }
    };
    let component = artifact
        .load(&trust)
        .map_err(|error| load::refused(path, error))?;
    let given = options::Given {
        path,
        source: &source,
        component: Some(&component),
        config: &args.config,
        security: &args.security,
        wasi: &args.wasi,
    };
    let mut options = given.options(config.loader(), grants)?;
    if let Some(data) = data {
        options = options.with_config_data(data);
    }
    let runtime = ComponentRuntime::new(config)?;
    let id = runtime.load_compiled(&component, options)?;
    runtime.init(&id)?;
    let file = runtime.snapshot(&id, &artifact, key.as_ref())?;
    interrupt.writing()?;
    files::write(&args.output, &file)?;
    compile::tell(&args.output, args.json, &file)
}
