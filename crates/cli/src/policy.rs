//! `policy`: checks policy files, and explains what they allow.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use airssys_wasm::ComponentId;
use airssys_wasm::component::Component;
use airssys_wasm::host::WasiAccess;
use airssys_wasm::limits::Resource;
use airssys_wasm::load::Source;
use airssys_wasm::manifest::{ComponentManifest, RequestedCapabilities};
use airssys_wasm::security::{
    Capability, Effect, Explanation, JsonLines, Policy, PolicyError, Rule, SecurityContext,
    SecurityContextBuilder,
};
use airssys_wasm::wasi::WasiCtxBuilder;
use serde_json::{Value, json};

use crate::args::{
    PolicyArgs, PolicyCheckArgs, PolicyCommand, PolicyExplainArgs, PolicyLayers, SecurityArgs,
};
use crate::exit::{Exit, Failure, Outcome};
use crate::{explain, load, manifest, output, text};

/// Runs `policy`.
pub(crate) fn run(args: &PolicyArgs) -> Outcome {
    match &args.command {
        PolicyCommand::Check(args) => check(args),
        PolicyCommand::Explain(args) => explain(args),
    }
}

fn check(args: &PolicyCheckArgs) -> Outcome {
    let policy = Policy::from_file(&args.file).map_err(|error| Failure::new(Exit::Load, error))?;
    let now = SystemTime::now();
    let count = |effect| {
        policy
            .rules()
            .iter()
            .filter(|rule| rule.effect() == effect)
            .count()
    };
    let (allow, deny) = (count(Effect::Allow), count(Effect::Deny));
    let limits = policy.limits().len();
    let expired = (policy.rules().iter()).filter(|rule| rule.until().is_some_and(|end| end <= now));
    if args.json {
        let expired: Vec<_> = expired.map(|rule| rule_json(rule)).collect();
        output::print_json(&json!({ "allow": allow, "deny": deny, "limits": limits, "expired": expired }))?;
        return Ok(Exit::Done);
    }
    let file = args.file.display().to_string();
    let limits = match limits {
        0 => String::new(),
        limits => format!(", {limits} limits"),
    };
    let mut lines = vec![format!(
        "{}: {allow} allow, {deny} deny{limits}",
        text::line(&file)
    )];
    lines.extend(expired.map(|rule| format!("expired: {}", text::line(&rule.to_string()))));
    output::print(&lines.join("\n"))?;
    Ok(Exit::Done)
}

/// Starts a context with the policy of a file and of flags, in this order.
fn layered(layers: &PolicyLayers) -> Outcome<SecurityContextBuilder> {
    let mut builder = Policy::builder();
    if let Some(file) = &layers.policy {
        builder = builder.file(file);
    }
    let policy = builder
        .flags("--grant", Effect::Allow, layers.grant.iter().map(String::as_str))
        .flags("--deny", Effect::Deny, layers.deny.iter().map(String::as_str));
    let policy = policy.build().map_err(|error| {
        let exit = match error {
            PolicyError::Capability { ref place, .. } if place.starts_with("--") => Exit::Usage,
            _ => Exit::Load,
        };
        Failure::new(exit, error)
    })?;
    let principal = layers.principal.clone().unwrap_or_default();
    Ok(SecurityContext::builder().policy(policy).principal(principal))
}

/// Reports whether the policy limits the fuel of a component, so that its code has to count.
pub(crate) fn limits_fuel(args: &SecurityArgs, component: &Path) -> Outcome<bool> {
    if args.layers.policy.is_none() {
        return Ok(false);
    }
    let context = layered(&args.layers)?.build();
    let limits = context.limits_for(identity(component).as_str());
    Ok(limits.get(Resource::Fuel).is_some())
}

/// Returns the identity of a component that is run.
fn identity(component: &Path) -> ComponentId {
    let stem = component.file_stem().unwrap_or_default();
    ComponentId::near(&stem.to_string_lossy())
}

/// Returns the context for a component that is run, if the command line has one.
pub(crate) fn context(args: &SecurityArgs) -> Outcome<Option<SecurityContext>> {
    if !args.is_given() {
        return Ok(None);
    }
    let mut context = layered(&args.layers)?;
    if let Some(file) = &args.audit {
        let sink = JsonLines::open(file).map_err(|error| {
            Failure::new(Exit::Host, error).context(format!("the audit cannot go to `{}`", file.display()))
        })?;
        context = context.audit(Arc::new(sink));
    }
    Ok(Some(context.build()))
}

/// Returns the capabilities that the manifest of a source declares; `None` without a manifest.
fn declared(source: &Source<'_>) -> Outcome<Option<RequestedCapabilities>> {
    let manifest = ComponentManifest::from_source(source).map_err(manifest::failure)?;
    Ok(manifest.map(|manifest| manifest.capabilities))
}

/// Gives a component that is not run by the contract, such as a program, the WASI powers that the policy grants.
pub(crate) fn grant(
    args: &SecurityArgs,
    (path, source): (&Path, &Source<'_>),
    component: &Component,
    wasi: &mut WasiCtxBuilder,
) -> Outcome<()> {
    let Some(context) = context(args)? else {
        return Ok(());
    };
    #[cfg(feature = "wasix")]
    if airssys_wasm::wasi::preview1::is_imported(component) {
        return Err(wasix());
    }
    let id = identity(path);
    let grants = match declared(source)? {
        None => context.grants_undeclared(id.as_str()),
        Some(RequestedCapabilities {
            required, optional, ..
        }) => context
            .grants_for(id.as_str(), &required, &optional)
            .map_err(|error| load::cannot(path, Failure::new(Exit::Load, error)))?,
    };
    WasiAccess::new(grants).add_to(wasi, WasiAccess::uses_files(component));
    Ok(())
}

/// Returns the failure for a policy on a module that wasmer-wasix serves.
#[cfg(feature = "wasix")]
pub(crate) fn wasix() -> Failure {
    Failure::usage(
        "a policy has no effect on wasmer-wasix, which serves this module's imports: use --preview1 own, or grant \
         folders with --dir and without a policy"
            .to_owned(),
    )
}

fn explain(args: &PolicyExplainArgs) -> Outcome {
    let context = layered(&args.layers)?.build();
    explain::run(args, &context)
}

/// Returns the lines of an explanation.
pub(crate) fn lines((capability, explanation): &(Capability, Explanation)) -> Vec<String> {
    let first = match &explanation.decision {
        Ok(rule) => format!("{capability}: allowed by `{rule}`"),
        Err(cause) => format!("{capability}: denied: {cause}"),
    };
    let exceptions = explanation.exceptions.iter();
    let exceptions = exceptions.map(|rule| format!("  except {}: `{rule}`", rule.capability()));
    std::iter::once(first)
        .chain(exceptions)
        .map(|line| {
            let indent = line.len() - line.trim_start().len();
            format!("{}{}", " ".repeat(indent), text::line(line.trim_start()))
        })
        .collect()
}

pub(crate) fn explanation_json((capability, explanation): &(Capability, Explanation)) -> Value {
    let (verdict, cause, rule) = match &explanation.decision {
        Ok(rule) => ("allowed", None, Some(rule)),
        Err(cause) => ("denied", Some(cause.word()), cause.rule()),
    };
    json!({
        "capability": capability.as_str(),
        "verdict": verdict,
        "cause": cause,
        "rule": rule.map(|rule| rule_json(rule)),
        "exceptions": explanation.exceptions.iter().map(|rule| rule_json(rule)).collect::<Vec<_>>(),
    })
}

pub(crate) fn rule_json(rule: &Rule) -> Value {
    json!({
        "effect": match rule.effect() {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        },
        "capability": rule.capability().as_str(),
        "origin": rule.origin().to_string(),
        "reason": rule.reason(),
    })
}
