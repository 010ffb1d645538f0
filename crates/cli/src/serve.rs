//! `serve`: serves HTTP with a component.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use airssys_wasm::load::LoadOptions;
use airssys_wasm::wasi::http::serve::{ServeError, ServeLimits, Server};

use crate::args::ServeArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::{command, interrupt, keys, load, policy};

pub(crate) fn run(args: &ServeArgs) -> Outcome {
    let trust = keys::accepted(&args.trust)?;
    let engine = load::engine(&args.backend)?;
    let path = args.component.as_path();
    let source = load::source(path)?;
    let cache = load::cache(&args.cache, &source)?;
    let component = load::component(&engine, cache, (path, &source), &trust, &LoadOptions::default())?;
    let mut grants = command::grants(&args.wasi, path)?;
    policy::grant(&args.security, (path, &source), &component, &mut grants)?;
    let server = Server::bind(&engine, &component, args.addr, &grants, limits(args))?;
    let shutdown = server.shutdown_handle();
    let asked = AtomicBool::new(false);
    let stop = move || {
        if asked.swap(true, Ordering::SeqCst) {
            std::process::exit(Exit::Interrupted.code().into());
        }
        shutdown.shutdown();
    };
    ctrlc::set_handler(stop).map_err(interrupt::unwatched)?;
    eprintln!("serving http://{}/", server.local_addr());
    server.run()?;
    Ok(Exit::Done)
}

fn limits(args: &ServeArgs) -> ServeLimits {
    let mut limits = ServeLimits::default();
    let times = [
        (args.timeout, &mut limits.request_time),
        (args.head_time, &mut limits.head_time),
        (args.read_time, &mut limits.read_time),
        (args.write_time, &mut limits.write_time),
        (args.half_closed_time, &mut limits.half_closed_time),
    ];
    for (asked, limit) in times {
        set(asked.map(Duration::from_millis), limit);
    }
    set(args.threads, &mut limits.threads);
    set(args.slow_threads, &mut limits.slow_threads);
    set(args.connections, &mut limits.connections);
    set(args.instance_concurrency, &mut limits.instance_concurrency);
    set(args.instance_requests, &mut limits.instance_requests);
    set(args.max_head, &mut limits.head_bytes);
    set(args.max_body, &mut limits.body_bytes);
    set(args.read_rate, &mut limits.read_rate);
    set(args.write_rate, &mut limits.write_rate);
    limits
}

fn set<T>(asked: Option<T>, limit: &mut T) {
    if let Some(asked) = asked {
        *limit = asked;
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Failure {
        match error {
            ServeError::Component(error) => error.into(),
            error @ ServeError::NoHandler(_) => Failure::new(Exit::Load, error),
            error @ ServeError::Limit(_) => Failure::new(Exit::Usage, error),
            error => Failure::new(Exit::Host, error),
        }
    }
}
