//! `policy explain`: the capabilities and limits that a component has by a policy and its manifest.

use std::path::Path;

use airssys_wasm::limits::{EffectiveLimit, EffectiveLimits};
use airssys_wasm::manifest::ComponentManifest;
use airssys_wasm::runtime::RuntimeError;
use airssys_wasm::security::{Capability, Explanation, SecurityContext};
use airssys_wasm::{ComponentId, ComponentOptions, RuntimeConfig};
use serde_json::{Value, json};

use crate::args::PolicyExplainArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::policy::{self, explanation_json, rule_json};
use crate::{load, manifest, output, text};

/// A component as rules name it, with the manifest of its file.
struct Subject {
    id: String,
    manifest: Option<ComponentManifest>,
}

impl Subject {
    /// Reads the file of this name, or else takes the name as an identity.
    fn new(name: &str) -> Outcome<Subject> {
        let path = Path::new(name);
        if !path.is_file() {
            let (id, manifest) = (name.to_owned(), None);
            return Ok(Subject { id, manifest });
        }
        let source = load::source(path)?;
        let manifest = ComponentManifest::from_source(&source).map_err(manifest::failure)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let id = ComponentId::near(&stem).as_str().to_owned();
        Ok(Subject { id, manifest })
    }

    fn explained(
        &self,
        context: &SecurityContext,
        capability: Capability,
    ) -> Outcome<(Capability, Explanation)> {
        let explanation = context.explain(&self.id, &capability);
        let explanation = explanation.map_err(|error| Failure::new(Exit::Usage, error))?;
        Ok((capability, explanation))
    }

    /// Returns the limits that apply when the component is run with default settings.
    fn limits(&self, context: &SecurityContext) -> Outcome<EffectiveLimits> {
        let config = RuntimeConfig::builder().build().map_err(RuntimeError::Config)?;
        let id = self.id.parse::<ComponentId>();
        let id = id.map_err(|error| Failure::new(Exit::Usage, error))?;
        let mut options = ComponentOptions::new().with_security(context.clone());
        if let Some(manifest) = &self.manifest {
            options = options.with_manifest_limits(&manifest.metadata);
        }
        Ok(config.effective_limits(&id, &options))
    }
}

/// Runs `policy explain`.
pub(crate) fn run(args: &PolicyExplainArgs, context: &SecurityContext) -> Outcome {
    let subject = Subject::new(&args.component)?;
    if args.capabilities.is_empty() {
        return component(args, context, &subject);
    }
    let mut explained = Vec::new();
    for capability in &args.capabilities {
        let capability = Capability::new(capability).map_err(|error| Failure::new(Exit::Usage, error))?;
        explained.push(subject.explained(context, capability)?);
    }
    match args.json {
        true => output::print_json(&explained.iter().map(explanation_json).collect())?,
        false => output::print(
            &explained
                .iter()
                .flat_map(policy::lines)
                .collect::<Vec<_>>()
                .join("\n"),
        )?,
    }
    Ok(verdict(&explained))
}

/// Explains all: what the manifest declares, or the rules that apply, and the limits.
fn component(args: &PolicyExplainArgs, context: &SecurityContext, subject: &Subject) -> Outcome {
    let explain = |capabilities: &[Capability]| -> Outcome<Vec<_>> {
        let capabilities = capabilities.iter().cloned();
        capabilities
            .map(|capability| subject.explained(context, capability))
            .collect()
    };
    let requested = subject.manifest.as_ref().map(|manifest| &manifest.capabilities);
    let required = explain(requested.map_or(&[], |requested| &requested.required))?;
    let optional = explain(requested.map_or(&[], |requested| &requested.optional))?;
    let limits = subject.limits(context)?;
    let rules = match requested {
        None => context.rules_for(&subject.id),
        Some(_) => Vec::new(),
    };
    if args.json {
        let explanations =
            |list: &[(Capability, Explanation)]| list.iter().map(explanation_json).collect::<Vec<_>>();
        output::print_json(&json!({
            "component": subject.id,
            "required": requested.map(|_| explanations(&required)),
            "optional": requested.map(|_| explanations(&optional)),
            "rules": rules.iter().map(|rule| rule_json(rule)).collect::<Vec<_>>(),
            "limits": limits.iter().map(limit_json).collect::<Vec<_>>(),
        }))?;
        return Ok(verdict(&required));
    }
    let mut lines = Vec::new();
    for (title, list) in [("required:", &required), ("optional:", &optional)] {
        if !list.is_empty() {
            lines.push(title.to_owned());
            lines.extend(list.iter().flat_map(policy::lines).map(indented));
        }
    }
    match requested {
        Some(_) if lines.is_empty() => lines.push("the manifest declares no capabilities".to_owned()),
        None if rules.is_empty() => lines.push("no rule applies: everything is denied".to_owned()),
        _ => lines.extend(rules.iter().map(|rule| text::line(&rule.to_string()))),
    }
    lines.push("limits:".to_owned());
    lines.extend(
        limits
            .iter()
            .map(|limit| indented(text::line(&limit.to_string()))),
    );
    output::print(&lines.join("\n"))?;
    Ok(verdict(&required))
}

/// Returns the exit code: success if each capability is allowed as a whole.
fn verdict(explained: &[(Capability, Explanation)]) -> Exit {
    match explained
        .iter()
        .all(|(_, explanation)| explanation.decision.is_ok())
    {
        true => Exit::Done,
        false => Exit::Answered,
    }
}

fn indented(line: String) -> String {
    format!("  {line}")
}

fn limit_json(limit: &EffectiveLimit) -> Value {
    json!({
        "resource": limit.resource.name(),
        "value": limit.value,
        "unit": limit.resource.unit(),
        "source": limit.source.to_string(),
    })
}
