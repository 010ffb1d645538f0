//! `serve`: a component behind an HTTP server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use airssys_wasm::wasi::http::serve::{ServeError, ServeLimits, Server};

use crate::args::ServeArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::{command, load};

pub(crate) fn run(args: &ServeArgs) -> Outcome {
    let engine = load::engine(&args.backend)?;
    let cache = load::cache(&args.cache)?;
    let component = load::component(&engine, &args.component, &args.trust, cache.as_ref())?;
    let grants = command::grants(&args.wasi, &args.component)?;
    let server = Server::bind(&engine, &component, args.addr, &grants, limits(args))?;
    let shutdown = server.shutdown_handle();
    let asked = AtomicBool::new(false);
    let stop = move || {
        if asked.swap(true, Ordering::SeqCst) {
            std::process::exit(Exit::Interrupted.code().into());
        }
        shutdown.shutdown();
    };
    ctrlc::set_handler(stop)
        .map_err(|error| Failure::new(Exit::Host, error).context("Ctrl-C cannot be watched for"))?;
    eprintln!("serving http://{}/", server.local_addr());
    server.run()?;
    Ok(Exit::Done)
}

fn limits(args: &ServeArgs) -> ServeLimits {
    let mut limits = ServeLimits::default();
    if let Some(timeout) = args.timeout {
        limits.request_time = Duration::from_millis(timeout);
    }
    if let Some(threads) = args.threads {
        limits.threads = threads;
    }
    if let Some(connections) = args.connections {
        limits.connections = connections;
    }
    if let Some(bytes) = args.max_body {
        limits.body_bytes = bytes;
    }
    limits
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Failure {
        match error {
            ServeError::Component(error) => error.into(),
            error => Failure::new(Exit::Host, error),
        }
    }
}
