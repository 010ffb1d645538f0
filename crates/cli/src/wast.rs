//! `wast`: runs component-model test scripts.

use std::time::Duration;

use airssys_wasm_conformance::Options;
use airssys_wasm_conformance::wast::{self, FileReport, Totals};

use crate::args::WastArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::{engines, files, output, text};

pub(crate) fn run(args: &WastArgs) -> Outcome {
    let subjects = engines::subjects(&args.backend)?;
    let mut options = Options::default();
    options.host_instance = args.host_instance;
    options.gated_async = args.gated_async;
    options.whole = Some(Duration::from_millis(args.timeout));
    options.deadline = Duration::from_millis(args.call_timeout);
    // Scripts may use as much memory as they ask for: some have strings of gigabytes.
    let bytes = args.memory_limit.map_or(u64::MAX, |mib| mib << 20);
    options.limits.memory_bytes = bytes;
    options.limits.total_memory_bytes = bytes;
    options.limits.lift_bytes = bytes;
    // All are read before the first runs, so that a wrong name is reported at once.
    let scripts = args.files.iter().map(|path| {
        let source = files::text(path)?;
        Ok((path.display().to_string(), source))
    });
    let scripts: Vec<(String, String)> = scripts.collect::<Outcome<_>>()?;

    let mut totals = Totals::default();
    for (file, source) in &scripts {
        for subject in &subjects {
            let report = wast::run(subject.as_ref(), file, source, &options);
            if !args.json {
                output::print(&lines(&report))?;
            }
            totals.add(report);
        }
    }
    if args.json {
        let json = serde_json::to_value(&totals);
        output::print_json(&json.map_err(|error| Failure::new(Exit::Host, error))?)?;
    } else {
        output::print(&format!(
            "{} passed, {} failed, {} unsupported",
            totals.passed, totals.failed, totals.unsupported
        ))?;
    }
    Ok(if totals.failed > 0 {
        Exit::Answered
    } else {
        Exit::Done
    })
}

/// Formats a report: one line for the file, one for each failure and each missing feature.
fn lines(report: &FileReport) -> String {
    let mut lines = vec![format!(
        "{} [{}]: {} passed, {} failed, {} unsupported",
        text::line(&report.file),
        report.backend,
        report.passed,
        report.failed,
        report.unsupported
    )];
    for failure in &report.failures {
        lines.push(format!(
            "  line {}: expected {}",
            failure.line,
            text::line(&failure.expected)
        ));
        lines.push(format!("      got {}", text::line(&failure.got)));
    }
    for (feature, count) in report.missing_features() {
        let at: Vec<String> = report
            .lacking
            .iter()
            .filter(|lacking| lacking.feature == feature)
            .take(5)
            .map(|lacking| lacking.line.to_string())
            .collect();
        let more = if count > at.len() { ", …" } else { "" };
        lines.push(format!(
            "  unsupported: {}: {count} (line {}{more})",
            text::line(feature),
            at.join(", ")
        ));
    }
    lines.join("\n")
}
