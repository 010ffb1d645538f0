//! Table of denials: each row has a request that is denied, the reason that the audit names, and a similar request that is
//! allowed.

use super::{context, decide, policy};

/// A request that is denied, the reason or the rule, and a request that is allowed.
type Row = (&'static str, &'static str, &'static str);

/// Rows for one policy.
type Block = (&'static [&'static str], &'static [Row]);

#[path = "denials_files.rs"]
mod files;
#[path = "denials_names.rs"]
mod names;
#[path = "denials_network.rs"]
mod network;
#[path = "denials_targets.rs"]
mod targets;

/// Checks the rows of a table, and returns their number.
fn check(blocks: &[Block]) -> usize {
    let mut wrong = Vec::new();
    for (rules, rows) in blocks {
        let (context, sink) = context(policy(rules));
        let grants = context.grants_undeclared("worker");
        for (denied, reason, allowed) in *rows {
            let record = decide(&grants, &sink, denied);
            let found = match (record.cause, &record.rule) {
                (Some("rule"), Some(rule)) => format!("deny {}", rule.capability()),
                (cause, _) => cause.unwrap_or("allowed").to_owned(),
            };
            if found != *reason {
                wrong.push(format!("{rules:?}: {denied}: {found}, not {reason}"));
            }
            let record = decide(&grants, &sink, allowed);
            let rule = record.rule.map_or_else(String::new, |rule| rule.to_string());
            let written = rules.iter().any(|written| rule.starts_with(written));
            if record.verdict != "allowed" || !written {
                wrong.push(format!("{rules:?}: {allowed}: {} by {rule}", record.verdict));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    blocks.iter().map(|(_, rows)| rows.len()).sum()
}

#[test]
fn each_denial_is_audited_with_its_rule() {
    let rows = [files::BLOCKS, network::BLOCKS, targets::BLOCKS, names::BLOCKS].map(check);
    assert!(rows.iter().sum::<usize>() >= 200, "{rows:?}");
}
