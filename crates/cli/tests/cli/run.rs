use serde_json::json;

use crate::process::{Ran, airssys, airssys_with_input, fixture, scratch, scratch_file};

fn text(operation: &str, params: &str, more: &[&str]) -> Ran {
    let component = fixture("text-processor");
    let args = ["run", &component, "--operation", operation, "--params", params];
    airssys(&[&args[..], more].concat())
}

const HAMLET: &str = r#"{"text":"to be or not to be"}"#;

#[test]
fn words_are_counted() {
    let ran = text("word-count", HAMLET, &[]).ended(0);
    assert_eq!(ran.json(), json!({"count": 6, "unique": 4}));
    assert_eq!(ran.stderr, "");
}

#[test]
fn text_of_any_script_is_measured() {
    let ran = text("statistics", "{\"text\":\"Grüße 世界\\nnaïve\"}", &[]).ended(0);
    let expected = json!({
        "chars": 14, "words": 3, "lines": 2, "bytes": 21, "average-word-length": 4.0, "longest-word": "Grüße",
    });
    assert_eq!(ran.json(), expected);
}

#[test]
fn answers_are_readable_in_other_self_describing_codecs() {
    let ran = text("word-count", HAMLET, &["--codec", "msgpack"]).ended(0);
    assert_eq!(ran.json(), json!({"count": 6, "unique": 4}));
    let ran = text("word-count", HAMLET, &["--codec", "msgpack", "--json"]).ended(0);
    let answer = json!({"count": 6, "unique": 4});
    assert_eq!(
        ran.json(),
        json!({"codec": "msgpack", "operation": "word-count", "answer": answer})
    );
}

#[test]
fn parameters_that_would_change_on_the_way_are_refused() {
    for (params, codec, reason) in [
        (
            r#"{"text":"a","text":"b"}"#,
            "json",
            "the key \"text\" occurs twice",
        ),
        (r#"{"text":1e400}"#, "json", "number out of range"),
        (
            r#"{"text":18446744073709551616}"#,
            "msgpack",
            "cannot represent whole numbers of more than 64 bits, at `params.text`",
        ),
        (
            r#"{"text":{"$bytes":"00"}}"#,
            "json",
            "json cannot represent bytes, at `params.text`",
        ),
    ] {
        let ran = text("reverse", params, &["--codec", codec]).ended(2);
        assert!(ran.stderr.contains(reason), "{params}: {}", ran.stderr);
    }
}

#[test]
fn what_a_terminal_acts_on_is_escaped() {
    let ran = text("reverse", "{\"text\":\"\u{9b}\\u001b[2J\u{202e}\"}", &[]).ended(0);
    assert!(ran.stdout.contains("\\u202eJ2[\\u001b\\u009b"), "{ran:?}");
    assert_eq!(ran.json(), json!({"text": "\u{202e}J2[\u{1b}\u{9b}"}));
}

#[test]
fn raw_data_goes_in_and_comes_out() {
    let component = fixture("checksum");
    let input = scratch_file("digits", b"123456789");
    let from_file = ["run", &component, "--codec", "raw", "--input", &input];
    let dump = "00000000  cb f4 39 26                                       |..9&|\n";
    assert_eq!(airssys(&from_file).ended(0).stdout, dump);

    let from_stdin = ["run", &component, "--codec", "raw", "--input", "-"];
    let more = ["--json", "--config", "algorithm=adler32"];
    let ran = airssys_with_input(&[&from_stdin[..], &more].concat(), b"123456789").ended(0);
    assert_eq!(
        ran.json(),
        json!({"codec": "raw", "operation": null, "answer-hex": "091e01de"})
    );
}

#[test]
fn data_of_an_answer_goes_to_a_file() {
    let path = scratch("answer.json");
    let name = path.to_str().expect("text");
    for _ in 0..2 {
        let ran = text("word-count", HAMLET, &["--output", name]).ended(0);
        assert_eq!(ran.stdout, "");
        assert_eq!(
            std::fs::read(&path).expect("the file is there"),
            br#"{"count":6,"unique":4}"#
        );
    }
    let ran = text("word-count", HAMLET, &["--output", name, "--json"]).ended(0);
    let report = json!({"codec": "json", "operation": "word-count", "output": name, "bytes": 22});
    assert_eq!(ran.json(), report);

    let folder = path.parent().expect("a folder");
    let left = std::fs::read_dir(folder).expect("the folder is there").flatten();
    let left = left.filter(|entry| entry.file_name().to_string_lossy().contains("answer.json."));
    assert_eq!(left.count(), 0, "nothing else is left behind");
}

#[test]
fn settings_reach_the_component() {
    let component = fixture("counter");
    let args = ["run", &component, "--operation", "increment", "--env", "A=b=c"];
    assert_eq!(airssys(&args).ended(0).json(), json!({"count": 1}));
    let settings = ["--config", "start=40", "--config", "step=2"];
    let ran = airssys(&[&args[..], &settings].concat()).ended(0);
    assert_eq!(ran.json(), json!({"count": 42}));
}

#[test]
fn log_lines_of_the_component_go_to_standard_error() {
    let component = fixture("counter");
    let args = [
        "run",
        &component,
        "--operation",
        "get",
        "--config",
        "start=7",
        "-v",
    ];
    let ran = airssys(&args).ended(0);
    assert_eq!(ran.json(), json!({"count": 7}));
    ran.says("INFO");
    ran.says("counter is ready");
    ran.says("component=counter count=7");
}

#[test]
fn errors_of_the_component_end_in_1() {
    let refused = text("shout", "null", &[]).ended(1);
    assert_eq!(refused.stdout, "");
    refused.says("there is no operation `shout`");
    text("reverse", "{}", &[]).ended(1).says("invalid input: ");
    text("reverse", "{}", &["--codec", "yaml"])
        .ended(1)
        .says("codec 0x114");

    let component = fixture("counter");
    let ran = airssys(&["run", &component, "--operation", "get", "--config", "start=x"]).ended(1);
    ran.says("invalid configuration");
    let hostile = text("a\u{1b}[31m\nerror: b", "null", &[]).ended(1);
    hostile.says("`a\\u{1b}[31m\\nerror: b`");
}

#[test]
fn usage_errors_end_in_2() {
    let component = fixture("text-processor");
    let run = |more: &[&str]| airssys(&[&["run", &component], more].concat()).ended(2);
    run(&[]).says("word-count, reverse, statistics");
    run(&["--operation", "reverse", "--codec", "raw"]).says("--input");
    run(&["--operation", "reverse", "--codec", "xml"]).says("unknown codec `xml`");
    run(&["--operation", "reverse", "--params", "{"]).says("line 1 column 1");
    run(&["--operation", "reverse", "--input", "-"]).says("--input");
    run(&["--operation", "reverse", "--config", "a"]).says("KEY=VALUE");
    run(&["--operation", "reverse", "--config", "=a"]).says("the key is empty");
    run(&["--operation", "reverse", "--env", "A=1", "--env", "A=2"]).says("set twice");
    run(&["--operation", "reverse", "--timeout", "0"]).says("timeout");
    run(&["--params", "1"]).says("--operation");
    airssys(&["run"]).ended(2);
    airssys(&["fly"]).ended(2);
}

#[test]
fn an_output_that_cannot_be_written_ends_in_5_and_an_input_that_cannot_be_read_in_3() {
    let nowhere = scratch("no-folder").join("answer");
    let nowhere = nowhere.to_str().expect("text");
    text("word-count", HAMLET, &["--output", nowhere])
        .ended(5)
        .says("cannot be written");
    let component = fixture("checksum");
    airssys(&["run", &component, "--codec", "raw", "--input", nowhere])
        .ended(3)
        .says("cannot be read");
}

#[cfg(unix)]
#[test]
fn a_component_may_come_out_of_a_pipe() {
    let component = std::fs::read(fixture("text-processor")).expect("it is committed");
    let params = r#"{"text":"to be or not to be"}"#;
    // A tiered start needs two compilers.
    let tiered = (airssys_wasm::engine::Backend::available().len() > 1).then_some("tiered");
    for backend in ["cranelift"].into_iter().chain(tiered) {
        let args = [
            "run",
            "/dev/stdin",
            "--operation",
            "word-count",
            "--params",
            params,
        ];
        let args = [&args[..], &["--backend", backend]].concat();
        let ran = airssys_with_input(&args, &component).ended(0);
        assert_eq!(ran.json()["count"], 6, "{backend}");
    }
}
