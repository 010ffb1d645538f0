//! `host ps`, `logs`, `send`, `replace`, `rollback`, `publish`, `stop` and `undeclare`: the client's side of the socket.

use std::path::Path;

use airssys_wasm::codec;
use serde_json::{Value, json};

use super::file;
use super::protocol::{Answer, Answers, from_hex};
use super::socket::connect;
use crate::args::{
    HostLogsArgs, HostPsArgs, HostPublishArgs, HostReplaceArgs, HostRollbackArgs, HostSendArgs, HostStopArgs,
    HostUndeclareArgs, ReachArgs,
};
use crate::exit::{Exit, Failure, Outcome};
use crate::{files, output, run, text};

/// Sends a request to a host.
fn ask(reach: &ReachArgs, request: Value) -> Outcome<Answers> {
    let path = match &reach.socket {
        Some(path) => path.clone(),
        None => file(&reach.host)?.host.socket_of(&reach.host),
    };
    Answers::ask(connect(&path)?, request)
}

/// Runs `host ps`.
pub(super) fn ps(args: &HostPsArgs) -> Outcome {
    let answer = ask(&args.reach, json!({ "command": "ps" }))?.result()?;
    if args.json {
        output::print_json(&answer)?;
        return Ok(Exit::Done);
    }
    let heads = [
        "ID",
        "STATE",
        "RESTARTS",
        "WAITING",
        "SENT",
        "DELIVERED",
        "REFUSED",
        "DEAD",
        "CANCELED",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    for component in answer["components"].as_array().into_iter().flatten() {
        let messages = &component["messages"];
        let cells = [
            &component["id"],
            &component["state"],
            &component["restarts"],
            &component["waiting"],
            &messages["sent"],
            &messages["delivered"],
            &messages["refused"],
            &messages["dead-lettered"],
            &messages["canceled"],
        ];
        rows.push(cells.map(|cell| match cell {
            Value::Null => "-".to_owned(),
            Value::String(cell) => text::line(cell),
            cell => cell.to_string(),
        }));
    }
    output::print(&output::table(&rows))?;
    if let cluster @ Value::Object(_) = &answer["cluster"] {
        let part = |key: &str| text::line(cluster[key].as_str().unwrap_or_default());
        // There is none while the host joins.
        let server = match &cluster["server-version"] {
            Value::Null => String::new(),
            _ => format!(", nats-server {}", part("server-version")),
        };
        output::print(&format!(
            "cluster {}, host {}: {}{server}",
            part("name"),
            part("host"),
            part("state")
        ))?;
    }
    Ok(Exit::Done)
}

/// Runs `host logs`.
pub(super) fn logs(args: &HostLogsArgs) -> Outcome {
    let request = json!({ "command": "logs", "id": args.id.as_str(), "follow": args.follow });
    let mut answers = ask(&args.reach, request)?;
    loop {
        match answers.next()? {
            Answer::Line(line) if args.json => output::print(&text::json_line(&line))?,
            Answer::Line(line) => output::print(&shown(&line))?,
            Answer::Result(result) => {
                if let Some(lost @ 1..) = result["lost"].as_u64() {
                    log::warn!("{lost} older lines are not kept");
                }
                return Ok(Exit::Done);
            }
        }
    }
}

/// Formats one line of a log.
fn shown(line: &Value) -> String {
    let part = |key: &str| text::line(line[key].as_str().unwrap_or_default());
    let level = part("level").to_uppercase();
    let mut shown = format!("{} {level:5} {}", part("time"), part("message"));
    for (key, value) in line["fields"].as_object().into_iter().flatten() {
        let value = text::line(value.as_str().unwrap_or_default());
        shown.push_str(&format!(" {}={value}", text::line(key)));
    }
    shown
}

/// Runs `host send`.
pub(super) fn send(args: &HostSendArgs) -> Outcome {
    let params = args.params.as_ref().unwrap_or(&Value::Null);
    let payload = codec::operation(args.codec, &args.operation, params)
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let request = json!({
        "command": "send",
        "id": args.id,
        "payload": run::hex(&payload),
        "timeout-ms": args.timeout,
        "durable": args.durable,
        "message-id": args.message_id,
    });
    let answer = ask(&args.reach, request)?.result()?;
    if args.durable {
        match args.json {
            true => output::print_json(&answer)?,
            false => {
                let id = text::line(answer["message-id"].as_str().unwrap_or_default());
                output::print(&format!("stored {} as {id}", answer["stored"]))?;
            }
        }
        return Ok(Exit::Done);
    }
    let answer = answer["payload"]
        .as_str()
        .and_then(from_hex)
        .ok_or_else(|| Failure::new(Exit::Host, anyhow::Error::msg("the host's answer has no payload")))?;
    run::show(&run::Shown {
        operation: Some(&args.operation),
        output: None,
        json: args.json,
        answer: &answer,
    })?;
    Ok(Exit::Done)
}

/// Runs `host replace`.
pub(super) fn replace(args: &HostReplaceArgs) -> Outcome {
    // The host has another working folder.
    let absolute = |path: &Path| match std::path::absolute(path) {
        Ok(absolute) => Ok(absolute.to_string_lossy().into_owned()),
        Err(error) => Err(files::unreadable(path, error)),
    };
    let manifest = args.manifest.as_deref().map(absolute).transpose()?;
    let request = json!({
        "command": "replace",
        "id": args.id.as_str(),
        "path": absolute(&args.path)?,
        "manifest": manifest,
        "trial-messages": args.trial.unwrap_or(0),
        "trial-time-ms": args.trial_time,
        "share": args.share,
        "max-error-percent": args.max_errors,
        "keep-state": args.keep_state,
    });
    let answer = ask(&args.reach, request)?.result()?;
    match args.json {
        true => output::print_json(&answer)?,
        false => output::print(&format!("{}: version {}", args.id, answer["version"]))?,
    }
    Ok(Exit::Done)
}

/// Runs `host rollback`.
pub(super) fn rollback(args: &HostRollbackArgs) -> Outcome {
    let request = json!({ "command": "rollback", "id": args.id.as_str() });
    let answer = ask(&args.reach, request)?.result()?;
    match args.json {
        true => output::print_json(&answer)?,
        false => output::print(&format!("{}: version {}", args.id, answer["version"]))?,
    }
    Ok(Exit::Done)
}

/// Runs `host publish`.
pub(super) fn publish(args: &HostPublishArgs) -> Outcome {
    let path = std::path::absolute(&args.path).map_err(|error| files::unreadable(&args.path, error))?;
    let request = json!({ "command": "publish", "path": path.to_string_lossy() });
    let answer = ask(&args.reach, request)?.result()?;
    match args.json {
        true => output::print_json(&answer)?,
        false => output::print(&text::line(answer["digest"].as_str().unwrap_or_default()))?,
    }
    Ok(Exit::Done)
}

/// Runs `host stop`.
pub(super) fn stop(args: &HostStopArgs) -> Outcome {
    let request = json!({ "command": "stop", "id": args.id.as_str() });
    let answer = ask(&args.reach, request)?.result()?;
    match args.json {
        true => output::print_json(&answer)?,
        false => output::print(&format!("{} is stopped", args.id))?,
    }
    Ok(Exit::Done)
}

/// Runs `host undeclare`.
pub(super) fn undeclare(args: &HostUndeclareArgs) -> Outcome {
    let request = json!({ "command": "undeclare", "id": args.id.as_str() });
    let answer = ask(&args.reach, request)?.result()?;
    match args.json {
        true => output::print_json(&answer)?,
        false => output::print(&format!("{} is not declared any more", args.id))?,
    }
    Ok(Exit::Done)
}
