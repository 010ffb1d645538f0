//! `run`: runs one operation of a component that follows the contract.

use std::time::Duration;

#[cfg(all(feature = "adapt", feature = "wasix"))]
use airssys_wasm::adapt;
use airssys_wasm::artifact::ComponentCache;
use airssys_wasm::codec::{self, Codec, CodecError};
use airssys_wasm::runtime::{ComponentState, RuntimeError};
#[cfg(feature = "wai")]
use airssys_wasm::wai;
use airssys_wasm::wasi;
use airssys_wasm::{ComponentId, ComponentOptions, ComponentRuntime, RuntimeConfig};
use serde_json::{Map, Value, json};

use crate::args::{BackendArg, RunArgs};
#[cfg(feature = "adapt")]
use crate::core_module;
use crate::exit::{Exit, Failure, Outcome};
#[cfg(all(feature = "adapt", feature = "wasix"))]
use crate::program;
use crate::{command, files, keys, load, output, text};

pub(crate) fn run(args: &RunArgs) -> Outcome {
    let question = question(args)?;
    let accepted = keys::accepted(&args.trust)?;
    // Read once, since it may be a pipe.
    let bytes = match load::is_artifact(&args.component)? {
        true => None,
        false => Some(files::wasm(&args.component)?),
    };
    #[cfg(feature = "wai")]
    if let Some(bytes) = bytes.as_deref().filter(|bytes| wai::is_wai_module(bytes)) {
        let runtime = runtime(&args.backend, args.timeout, None)?;
        let id = runtime.load_component(bytes, options(args)?)?;
        return converse(args, &runtime, &id, question);
    }
    let engine = load::engine(&args.backend)?;
    #[cfg(all(feature = "adapt", feature = "wasix"))]
    if let Some(bytes) = &bytes
        && let Some(kind) = core_module::by_wasix(&args.component, bytes, &args.core)?
    {
        program::refuse_network(&args.wasi)?;
        if kind == adapt::ModuleKind::Program {
            return program::run(args, &engine, bytes);
        }
    }
    let options = options(args)?;
    let cache = match &bytes {
        None => None,
        Some(_) => load::cache(&args.cache)?,
    };
    let bytes = bytes.as_deref();
    #[cfg(feature = "adapt")]
    let bytes = bytes
        .map(|bytes| core_module::lifted(&args.component, bytes, &args.core))
        .transpose()?;
    let component = match &bytes {
        None => load::artifact(&load::open(&args.component)?, &accepted)?,
        Some(bytes) => load::compiled(&engine, &args.component, bytes, cache.as_ref())?,
    };
    if wasi::is_command(&component) {
        return command::run(args, &engine, &component);
    }
    if !args.args.is_empty() && !wasi::is_of_another_version(&component) {
        return Err(Failure::usage(format!(
            "`{}` is not a program (it does not export wasi:cli/run) and accepts no arguments: use --operation NAME",
            args.component.display()
        )));
    }
    let runtime = runtime(&args.backend, args.timeout, cache)?;
    let id = match &bytes {
        // Faster code may replace it later.
        Some(bytes) if !engine.starts().is_empty() => runtime.load_component(bytes, options)?,
        _ => runtime.load_compiled(&component, options)?,
    };
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

/// Creates a runtime with the backend and the time for a call from the command line.
pub(crate) fn runtime(
    backend: &BackendArg,
    timeout: Option<u64>,
    cache: Option<ComponentCache>,
) -> Outcome<ComponentRuntime> {
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
    let config = config.build().map_err(RuntimeError::from)?;
    Ok(ComponentRuntime::new(config)?)
}

fn options(args: &RunArgs) -> Outcome<ComponentOptions> {
    let options = ComponentOptions::new()
        .with_name_of(&args.component)
        .with_wasi(command::grants(&args.wasi, &args.component)?);
    let options = args
        .config
        .iter()
        .fold(options, |options, (key, value)| options.with_config(key, value));
    #[cfg(feature = "adapt")]
    let options = options.with_core_module(args.core.world(), args.core.preview1());
    #[cfg(all(feature = "adapt", feature = "wasix"))]
    let options = options.with_preview1(program::grants(&args.wasi, &args.component)?);
    let env = args.wasi.env.iter();
    Ok(env.fold(options, |options, (name, value)| options.with_env(name, value)))
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
    let unreadable =
        |error: CodecError| Failure::new(Exit::Answered, error).context("the result cannot be read");
    let payload = codec::decode(answer).map_err(unreadable)?;
    if let Some(path) = &args.output {
        files::write(path, payload.data)?;
    }
    if args.json {
        let mut report = Map::new();
        report.insert("codec".into(), payload.codec.name().into());
        report.insert("operation".into(), json!(args.operation));
        if let Some(path) = &args.output {
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the name of the codec of this number, or else the number.
pub(crate) fn codec_name(code: u64) -> String {
    Codec::from_code(code).map_or_else(|| format!("{code:#x}"), |codec| codec.name().to_owned())
}
