//! `inspect`: shows a component's imports, exports and metadata.

use airssys_wasm::component::{Component, ExternType, TypeNames};
use airssys_wasm::load::LoadOptions;
use airssys_wasm::runtime::{ComponentOptions, RuntimeError};
use airssys_wasm::{ComponentRuntime, Error};
use serde_json::{Value, json};

use crate::args::InspectArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::header::About;
use crate::metadata::Answers;
use crate::{keys, load, output, run, text};

type Items = [(String, ExternType)];

pub(crate) fn run(args: &InspectArgs) -> Outcome {
    #[cfg(feature = "adapt")]
    if args.wit {
        return crate::wit::print(&args.component);
    }
    let trust = keys::accepted(&args.trust)?;
    let path = args.component.as_path();
    let source = load::source(path)?;
    let runtime = ComponentRuntime::new(run::config(&args.backend, None, None, load::records(&source))?)?;
    let (about, component) = match source.artifact_file() {
        Some(file) => {
            let artifact = runtime.loader().verify(&source);
            let artifact = artifact.map_err(|error| load::failed(path, error))?;
            let about = About::new(&artifact, load::bytes(file))?;
            // The header needs no trust; the component's metadata requires running it.
            if !args.trust.is_given() || about.obstacle.is_some() {
                return header(args, &about);
            }
            let component = artifact.load(&trust);
            (
                Some(about),
                component.map_err(|error| load::refused(path, error))?,
            )
        }
        None => {
            let loaded = load::from(runtime.loader(), (path, &source), &trust, &LoadOptions::default())?;
            (None, loaded.component().ok_or_else(|| load::wai(path))?)
        }
    };
    let report = Report {
        about,
        unmet: runtime.unmet_imports(&component),
        life: Life::of(&runtime, &component),
        component,
    };
    if args.json {
        output::print_json(&report.json(args))?;
    } else {
        output::print(&report.text(args))?;
    }
    match report.life {
        Life::Stopped(failure) => Err(failure),
        _ => Ok(Exit::Done),
    }
}

/// Shows the header of an artifact, without loading it.
fn header(args: &InspectArgs, about: &About) -> Outcome {
    let name = args.component.to_string_lossy();
    if args.json {
        output::print_json(&json!({ "component": name, "artifact": about.json() }))?;
    } else {
        output::print(&format!(
            "{}: an artifact\n\n{}\n\nits imports, exports and metadata are shown only if it runs on this host and is trusted \
             (--trust, --allow-unsigned)",
            text::line(&name),
            indent(&about.text())
        ))?;
    }
    Ok(Exit::Done)
}

/// The result of asking a component for its metadata.
pub(crate) enum Life {
    /// The component returned its metadata.
    Answers(Box<Answers>),
    /// The component does not follow the contract, or cannot be loaded here; the text is the reason.
    No(String),
    /// The component failed while it was asked.
    Stopped(Failure),
}

impl Life {
    /// Loads the component and asks for its metadata, codecs and health.
    pub(crate) fn of(runtime: &ComponentRuntime, component: &Component) -> Life {
        let id = match runtime.load_compiled(component, ComponentOptions::new()) {
            Ok(id) => id,
            Err(error) => return Life::No(error.to_string()),
        };
        let ask = || -> Result<Answers, RuntimeError> {
            Ok(Answers {
                metadata: runtime.metadata(&id)?,
                codecs: runtime.supported_codecs(&id)?,
                health: runtime.health(&id)?,
            })
        };
        match ask() {
            Ok(answers) => Life::Answers(Box::new(answers)),
            Err(error) => Life::Stopped(error.into()),
        }
    }
}

struct Report {
    about: Option<About>,
    component: Component,
    unmet: Vec<Error>,
    life: Life,
}

impl Report {
    fn json(&self, args: &InspectArgs) -> Value {
        let (contract, why_not) = match &self.life {
            Life::Answers(answers) => (answers.json(), None),
            Life::No(why) => (Value::Null, Some(why.clone())),
            Life::Stopped(failure) => (Value::Null, Some(failure.to_string())),
        };
        let names = TypeNames::of(&self.component);
        json!({
            "component": args.component.to_string_lossy(),
            "bytes": self.component.size(),
            "core-modules": self.component.core_modules(),
            "backend": self.component.backend().name(),
            "artifact": self.about.as_ref().map(About::json),
            "imports": items_json(self.component.imports(), &names),
            "exports": items_json(self.component.exports(), &names),
            "missing-imports": self.unmet.iter().map(Error::to_string).collect::<Vec<_>>(),
            "contract": contract,
            "why-no-contract": why_not,
        })
    }

    fn text(&self, args: &InspectArgs) -> String {
        let component = &self.component;
        let mut lines = vec![format!(
            "{}: {} bytes, {} core modules, compiled with {}",
            text::line(&args.component.to_string_lossy()),
            component.size(),
            component.core_modules(),
            component.backend(),
        )];
        if let Some(about) = &self.about {
            lines.push("\nartifact".to_owned());
            lines.push(indent(&about.text()));
        }
        match &self.life {
            Life::Answers(answers) => {
                lines.push("\ncontract".to_owned());
                lines.push(indent(&output::table(&answers.lines())));
            }
            Life::No(why) => lines.push(format!(
                "\ndoes not implement the contract: {}",
                text::message(why)
            )),
            Life::Stopped(_) => {}
        }
        if !self.unmet.is_empty() {
            lines.push("\nmissing imports".to_owned());
            let missing = self.unmet.iter().map(|error| text::message(&error.to_string()));
            lines.extend(missing.map(|error| indent(&error)));
        }
        let names = TypeNames::of(component);
        for (title, items) in [("imports", component.imports()), ("exports", component.exports())] {
            if !items.is_empty() {
                lines.push(format!("\n{title}"));
                items_text(items, &names, 1, &mut lines);
            }
        }
        lines.join("\n")
    }
}

fn indent(text: &str) -> String {
    format!("  {}", text.replace('\n', "\n  "))
}

fn items_text<'a>(items: &'a Items, names: &TypeNames<'a>, depth: usize, lines: &mut Vec<String>) {
    let names = names.within(items);
    for (name, item) in items {
        let shown = match item {
            ExternType::Func(function) => format!("{name}: {}", names.func(&function.ty)),
            ExternType::Type(ty) => names.definition(name, ty),
            ExternType::Instance(_) => format!("interface {name}"),
            other => format!("{} {name}", other.kind()),
        };
        lines.push(format!("{}{}", "  ".repeat(depth), text::line(&shown)));
        if let ExternType::Instance(items) = item {
            items_text(items, &names, depth + 1, lines);
        }
    }
}

fn items_json<'a>(items: &'a Items, names: &TypeNames<'a>) -> Vec<Value> {
    let names = names.within(items);
    items
        .iter()
        .map(|(name, item)| {
            let mut json = json!({ "name": name, "kind": item.kind() });
            match item {
                ExternType::Func(function) => json["type"] = names.func(&function.ty).into(),
                ExternType::Type(ty) => json["type"] = names.definition(name, ty).into(),
                ExternType::Instance(items) => json["items"] = items_json(items, &names).into(),
                _ => {}
            }
            json
        })
        .collect()
}
