//! `conformance`: compares the same calls on several engines.

use airssys_wasm::component::Val;
use airssys_wasm_conformance::{
    Calls, CompareError, Comparison, Fault, Options, Outcome as Answer, Row, compare, show, to_binary,
};
use serde_json::{Value, json};

use crate::args::ConformanceArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::{engines, files, output, text};

pub(crate) fn run(args: &ConformanceArgs) -> Outcome {
    let subjects = engines::subjects(&args.engines)?;
    let component = files::wasm_or_text(&args.component)?;
    let component = to_binary(&component).map_err(|error| {
        Failure::new(Exit::Load, error).context(format!("`{}` is not a component", args.component.display()))
    })?;
    let name = args.calls.display();
    let calls = files::text(&args.calls)?;
    let calls = Calls::from_toml(&calls).map_err(|error| {
        Failure::new(Exit::Usage, error).context(format!("`{name}` is not a valid list of calls"))
    })?;
    let comparison =
        compare(&component, &calls, &subjects, &Options::default()).map_err(|error| match error {
            CompareError::Load(error) => Failure::from(error).context("the component cannot be loaded"),
            error => Failure::new(Exit::Usage, error).context("the calls cannot be run"),
        })?;
    if args.json {
        output::print_json(&to_json(&comparison))?;
    } else {
        output::print(&to_text(&comparison))?;
    }
    Ok(if comparison.agreed() == comparison.rows.len() {
        Exit::Done
    } else {
        Exit::Answered
    })
}

fn answer_text(answer: &Answer<Option<Val>>) -> String {
    text::line(&match answer {
        Ok(Some(value)) => show(value),
        Ok(None) => "returned".into(),
        Err(failure) => failure.to_string(),
    })
}

/// Formats the comparison: one line for each call, and one more for each engine where they differ.
fn to_text(comparison: &Comparison) -> String {
    let mut lines = Vec::new();
    for row in &comparison.rows {
        let call = text::line(&row.call);
        match &row.fault {
            None => {
                // Engines have different texts for the same trap.
                let answer = row.answers.first().map(|answer| match answer {
                    Err(failure) => failure.kind.to_string(),
                    answer => answer_text(answer),
                });
                lines.push(format!("agree   {call} -> {}", answer.unwrap_or_default()));
            }
            Some(fault) => {
                let word = match fault {
                    Fault::Differ => "DIFFER",
                    _ => "WRONG ",
                };
                lines.push(format!("{word}  {call}: {}", text::line(&fault.to_string())));
                let width = comparison.engines.iter().map(String::len).max().unwrap_or(0);
                for (engine, answer) in comparison.engines.iter().zip(&row.answers) {
                    lines.push(format!("        {engine:width$}  {}", answer_text(answer)));
                }
            }
        }
    }
    let (agreed, calls) = (comparison.agreed(), comparison.rows.len());
    lines.push(format!(
        "{calls} calls on {}: {agreed} agree, {} differ",
        comparison.engines.join(", "),
        calls - agreed
    ));
    lines.join("\n")
}

fn to_json(comparison: &Comparison) -> Value {
    let rows: Vec<Value> = comparison
        .rows
        .iter()
        .map(|row| row_json(comparison, row))
        .collect();
    json!({
        "engines": comparison.engines,
        "calls": rows,
        "agreed": comparison.agreed(),
        "disagreed": comparison.rows.len() - comparison.agreed(),
    })
}

fn row_json(comparison: &Comparison, row: &Row) -> Value {
    let answers = comparison
        .engines
        .iter()
        .zip(&row.answers)
        .map(|(engine, answer)| match answer {
            Ok(value) => json!({"engine": engine, "value": value.as_ref().map(show)}),
            Err(failure) => {
                json!({"engine": engine, "failure": failure.kind.to_string(), "message": failure.message})
            }
        });
    json!({
        "call": row.call,
        "fault": row.fault.as_ref().map(Fault::to_string),
        "answers": answers.collect::<Vec<_>>(),
    })
}
