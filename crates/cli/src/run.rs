//! `run`: runs one operation of a component that follows the contract.

use std::path::Path;
use std::time::Duration;

#[cfg(all(feature = "adapt", feature = "wasix"))]
use airssys_wasm::adapt;
use airssys_wasm::artifact::{ComponentCache, Records};
use airssys_wasm::codec::{self, Codec, CodecError};
use airssys_wasm::runtime::{ComponentState, RuntimeConfigBuilder, RuntimeError};
use airssys_wasm::wasi;
use airssys_wasm::{ComponentId, ComponentRuntime, RuntimeConfig};
use serde_json::{Map, Value, json};

use crate::args::{BackendArg, RunArgs};
#[cfg(all(feature = "adapt", feature = "wasix"))]
use crate::core_module;
use crate::exit::{Exit, Failure, Outcome};
#[cfg(feature = "wasix")]
use crate::program;
use crate::{command, files, keys, load, options, output, policy, text};

pub(crate) fn run(args: &RunArgs) -> Outcome {
    let question = question(args)?;
    let trust = keys::accepted(&args.trust)?;
    let path = args.component.as_path();
    let source = load::source(path)?;
    let cache = load::cache(&args.cache, &source)?;
    let config = builder(&args.backend, args.timeout, cache, load::records(&source));
    let config = config.with_fuel_metering(policy::limits_fuel(&args.security, path)?);
    let config = config.build().map_err(RuntimeError::from)?;
    let engine = config.engine();
    #[cfg(all(feature = "adapt", feature = "wasix"))]
    if let Some(kind) = core_module::by_wasix(path, &source, &args.core)? {
        program::refuse_network(&args.wasi)?;
        if kind == adapt::ModuleKind::Program {
            if args.security.is_given() {
                return Err(policy::wasix());
            }
            return program::run(args, engine, source.bytes().unwrap_or_default());
        }
    }
    // Folders are opened before the component is compiled, so that a wrong name is reported at once.
    let mut grants = command::grants_without_environment(&args.wasi, path)?;
    #[cfg(feature = "adapt")]
    let options = args.core.options();
    #[cfg(not(feature = "adapt"))]
    let options = airssys_wasm::load::LoadOptions::default();
    let loaded = load::from(config.loader(), (path, &source), &trust, &options)?;
    let component = loaded.component();
    if let Some(component) = &component {
        if command::is_program(component) {
            policy::grant(&args.security, (path, &source), component, &mut grants)?;
            return command::run(args, engine, component, grants);
        }
        if !args.args.is_empty() && !wasi::is_of_another_version(component) {
            return Err(Failure::usage(format!(
                "`{}` is not a program (it does not export wasi:cli/run) and accepts no arguments: use --operation NAME",
                path.display()
            )));
        }
    }
    let given = options::Given {
        path,
        source: &source,
        component: component.as_ref(),
        config: &args.config,
        security: &args.security,
        wasi: &args.wasi,
    };
    let options = given.options(config.loader(), grants)?;
    let runtime = ComponentRuntime::new(config)?;
    let id = runtime.load_loaded(&loaded, options)?;
    converse(args, &runtime, &id, question)
}

/// Calls `init`, then the operation, then `shutdown`.
fn converse(
    args: &RunArgs,
    runtime: &ComponentRuntime,
    id: &ComponentId,
    question: Option<Vec<u8>>,
) -> Outcome {
    let Some(question) = question else {
        return Err(nothing_asked(runtime, id));
    };
    runtime.init(id)?;
    let answer = runtime.execute(id, &question);
    // The answer is printed whether or not the shutdown succeeds.
    let told = answer
        .map_err(Failure::from)
        .and_then(|answer| tell(args, &answer));
    match (told, shut_down(runtime, id)) {
        (Ok(()), shut_down) => shut_down.map(|()| Exit::Done),
        (Err(failure), _) => Err(failure),
    }
}

/// Returns the configuration of a runtime with the backend and the time for a call from the command line.
pub(crate) fn config(
    backend: &BackendArg,
    timeout: Option<u64>,
    cache: Option<ComponentCache>,
    records: Option<Records>,
) -> Outcome<RuntimeConfig> {
    let config = builder(backend, timeout, cache, records).build();
    Ok(config.map_err(RuntimeError::from)?)
}

/// As [`config`], for further settings.
pub(crate) fn builder(
    backend: &BackendArg,
    timeout: Option<u64>,
    cache: Option<ComponentCache>,
    records: Option<Records>,
) -> RuntimeConfigBuilder {
    let mut config = RuntimeConfig::builder();
    if let Some(backend) = backend.backend {
        config = config.with_backend(backend);
    }
    if let Some(timeout) = timeout {
        config = config.with_default_timeout(Duration::from_millis(timeout));
    }
    if let Some(cache) = cache {
        config = config.with_cache(cache);
    }
    if let Some(records) = records {
        config = config.with_records(records);
    }
    config
}

/// Returns the payload to send, if the command line has one.
fn question(args: &RunArgs) -> Outcome<Option<Vec<u8>>> {
    if let Some(input) = &args.input {
        return Ok(Some(codec::encode(args.codec.code(), &files::data(input)?)));
    }
    let Some(operation) = &args.operation else {
        return Ok(None);
    };
    let params = args.params.as_ref().unwrap_or(&Value::Null);
    match codec::operation(args.codec, operation, params) {
        Ok(question) => Ok(Some(question)),
        Err(CodecError::NotSelfDescribing(codec)) => Err(Failure::usage(format!(
            "{codec} cannot represent an operation's name: send data in the component's own schema with --input"
        ))),
        Err(error) => Err(Failure::new(Exit::Usage, error)),
    }
}

/// Returns the usage error for a command line without an operation; it lists the component's operations.
fn nothing_asked(runtime: &ComponentRuntime, id: &ComponentId) -> Failure {
    let metadata = match runtime.metadata(id) {
        Ok(metadata) => metadata,
        Err(error) => return error.into(),
    };
    let operations: Vec<_> = metadata
        .supported_operations
        .iter()
        .map(|operation| text::line(operation))
        .collect();
    let has = if operations.is_empty() {
        "none with a name".to_owned()
    } else {
        operations.join(", ")
    };
    Failure::usage(format!(
        "choose an operation with --operation NAME or --input FILE; the operations of `{id}` are: {has}"
    ))
}

/// Shuts the component down if it can still be called.
fn shut_down(runtime: &ComponentRuntime, id: &ComponentId) -> Outcome<()> {
    if runtime.state(id)? == ComponentState::Initialized {
        runtime
            .shutdown(id)
            .map_err(|error| Failure::from(error).context("the component did not shut down"))?;
    }
    Ok(())
}

fn tell(args: &RunArgs, answer: &[u8]) -> Outcome<()> {
    show(&Shown {
        operation: args.operation.as_deref(),
        output: args.output.as_deref(),
        json: args.json,
        answer,
    })
}

/// An answer of a component, and the way to show it.
pub(crate) struct Shown<'a> {
    pub(crate) operation: Option<&'a str>,
    /// File for the data, which are not printed then.
    pub(crate) output: Option<&'a Path>,
    pub(crate) json: bool,
    pub(crate) answer: &'a [u8],
}

/// Prints an answer, or writes it to its file.
pub(crate) fn show(args: &Shown<'_>) -> Outcome<()> {
    let unreadable =
        |error: CodecError| Failure::new(Exit::Answered, error).context("the result cannot be read");
    let payload = codec::decode(args.answer).map_err(unreadable)?;
    if let Some(path) = args.output {
        files::write(path, payload.data)?;
    }
    if args.json {
        let mut report = Map::new();
        report.insert("codec".into(), payload.codec.name().into());
        report.insert("operation".into(), json!(args.operation));
        if let Some(path) = args.output {
            report.insert("output".into(), path.to_string_lossy().into());
            report.insert("bytes".into(), payload.data.len().into());
        } else if payload.codec.self_describing() {
            report.insert("answer".into(), codec::to_json(&payload).map_err(unreadable)?);
        } else {
            report.insert("answer-hex".into(), hex(payload.data).into());
        }
        output::print_json(&report.into())
    } else if args.output.is_some() {
        Ok(())
    } else if payload.codec.self_describing() {
        output::print_json(&codec::to_json(&payload).map_err(unreadable)?)
    } else {
        output::print(&codec::hex_dump(payload.data))
    }
}

/// Writes bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the name of the codec of this number, or else the number.
pub(crate) fn codec_name(code: u64) -> String {
    Codec::from_code(code).map_or_else(|| format!("{code:#x}"), |codec| codec.name().to_owned())
}
