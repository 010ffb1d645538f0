//! `bindgen`: prints Rust source for a host of a WIT world.

use airssys_wasm_bindgen::{Error, Options, Selection, generate};

use crate::args::BindgenArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::{files, output};

/// The path of this library in hosts.
const CRATE: &str = "::airssys_wasm";

pub(crate) fn run(args: &BindgenArgs) -> Outcome {
    let made = generate(&options(args))?;
    match &args.output {
        Some(path) => files::write(path, made.source.as_bytes())?,
        None => output::print(made.source.trim_end())?,
    }
    Ok(Exit::Done)
}

fn options(args: &BindgenArgs) -> Options {
    let crate_path = args.crate_path.as_deref();
    let mut options = Options::new(crate_path.unwrap_or(CRATE));
    options.name_crate = crate_path.is_some_and(|path| path != CRATE);
    options.paths.clone_from(&args.paths);
    options.world.clone_from(&args.world);
    options.with.clone_from(&args.with);
    options
        .trappable_error_type
        .clone_from(&args.trappable_error_type);
    options.trappable_imports = selection(&args.trappable_imports);
    options.store_imports = selection(&args.store_imports);
    options.additional_derives.clone_from(&args.additional_derives);
    options.features.clone_from(&args.features);
    options.all_features = args.all_features;
    options
}

/// Converts the names of functions, or `all`.
fn selection(names: &[String]) -> Selection {
    match names {
        [] => Selection::None,
        [all] if all == "all" => Selection::All,
        names => Selection::Only(names.to_vec()),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let exit = match &error {
            // The same exit code as for a component that cannot be loaded.
            Error::Wit { .. } | Error::Unsupported { .. } | Error::NoPlan { .. } | Error::NoFile(_) => {
                Exit::Load
            }
            _ => Exit::Usage,
        };
        Failure::new(exit, error)
    }
}
