//! `verify`: checks an artifact, and shows its signer.

use serde_json::Value;

use crate::args::VerifyArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::header::About;
use crate::{keys, load, output, text};

pub(crate) fn run(args: &VerifyArgs) -> Outcome {
    let trust = keys::trust(&args.trust)?;
    let file = load::open(&args.artifact)?;
    let artifact = load::verify(&file)?;
    let trusted = match args.trust.is_empty() {
        true => None,
        false => {
            artifact.check_signer(&trust).map_err(|error| {
                let whole = format!("`{}` is intact, but not trusted", args.artifact.display());
                Failure::from(error).context(whole)
            })?;
            Some(true)
        }
    };
    let about = About::new(&artifact, load::bytes(&file))?;
    let name = args.artifact.to_string_lossy();
    if args.json {
        let mut json = about.json();
        if let Some(json) = json.as_object_mut() {
            json.insert("artifact".into(), name.into());
            json.insert("trusted".into(), trusted.map_or(Value::Null, Value::Bool));
        }
        output::print_json(&json)?;
    } else {
        let signer = match trusted {
            Some(_) => "intact, signed by a trusted key",
            None => "intact; no trusted key was given",
        };
        output::print(&format!("{}: {signer}\n{}", text::line(&name), about.text()))?;
    }
    Ok(Exit::Done)
}
