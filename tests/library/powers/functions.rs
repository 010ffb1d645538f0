//! `call-host-function`.

use std::time::{Duration, Instant};

use airssys_wasm::codec::{self, Codec};
use airssys_wasm::host::{HostFunctionError, HostFunctions, HostLimits, HostPowers};
use serde_json::json;

use super::{Caller, Failure, bytes, data, failure, text};

fn powers() -> HostPowers {
    let functions = HostFunctions::new()
        .with_raw("echo", |_, args| Ok(args.to_vec()))
        .and_then(|functions| {
            functions.with_raw("who", |info, _| {
                let request = info.request_id.unwrap_or_default();
                Ok(format!("{} {} {request}", info.component, info.function).into_bytes())
            })
        })
        .and_then(|functions| functions.with_raw("panics", |_, _| panic!("secret state")))
        .and_then(|functions| {
            functions.with_raw("fails", |_, _| {
                Err(HostFunctionError::Failed("it does not work".into()))
            })
        })
        .and_then(|functions| functions.with_raw("large", |_, _| Ok(vec![0; 1001])))
        .and_then(|functions| {
            functions.with_raw("waits", |info, _| {
                let left = info.remaining().expect("the call has a deadline");
                assert!(left <= Duration::from_millis(50));
                std::thread::sleep(left);
                assert_eq!(info.remaining(), Some(Duration::ZERO));
                Err(HostFunctionError::Failed("the time is over".into()))
            })
        })
        .and_then(|functions| {
            functions.with_typed("math.add", |_, (a, b): (u32, u32)| {
                a.checked_add(b).ok_or("the sum is too large")
            })
        });
    let mut limits = HostLimits::default();
    limits.function_argument_bytes = 100;
    limits.function_result_bytes = 1000;
    HostPowers::new()
        .with_functions(functions.unwrap())
        .with_limits(limits)
}

impl Caller {
    pub(super) fn function(&mut self, name: &str, args: &[u8]) -> Result<Vec<u8>, Failure> {
        self.call("call-host-function", &[text(name), bytes(args)])
            .map(data)
    }
}

#[test]
fn granted_functions_are_called_and_others_are_denied() {
    let rules = [
        "allow host-function:call:echo",
        "allow host-function:call:who",
        "allow host-function:call:absent",
    ];
    let mut caller = Caller::new(&rules, powers());
    assert_eq!(caller.function("echo", b"\x55abc").unwrap(), b"\x55abc");
    assert_eq!(caller.last().verdict, "allowed");
    assert_eq!(caller.function("who", b"").unwrap(), b"caller who request-7");
    assert_eq!(caller.function("absent", b""), Err(failure("unknown", "absent")));
    // A denial does not reveal which functions exist.
    for name in ["fails", "hidden", "Echo", "echo2", "ech"] {
        let needed = format!("host-function:call:{name}");
        assert_eq!(caller.function(name, b""), Err(failure("denied", &needed)));
        let last = caller.last();
        assert_eq!(
            (last.verdict, last.capability, last.request_id.as_str()),
            ("denied", needed, "request-7")
        );
    }
    for name in ["", " echo", "echo ", "echo\0", "echo\n"] {
        let (case, _) = caller.function(name, b"").unwrap_err();
        assert_eq!(case, "denied", "{name:?}");
    }
}

#[test]
fn typed_functions_answer_in_the_codec_of_their_arguments() {
    let mut caller = Caller::new(&["allow host-function:call"], powers());
    for codec in [Codec::Json, Codec::MsgPack, Codec::Yaml] {
        let args = codec::from_json(codec, &json!([2, 3])).unwrap();
        let result = caller.function("math.add", &args).unwrap();
        let payload = codec::decode(&result).unwrap();
        assert_eq!(payload.codec, codec);
        assert_eq!(codec::to_json(&payload).unwrap(), json!(5));
    }
    let add = |caller: &mut Caller, args: serde_json::Value| {
        let args = codec::from_json(Codec::Json, &args).unwrap();
        caller.function("math.add", &args).unwrap_err()
    };
    assert_eq!(
        add(&mut caller, json!([u32::MAX, 1])),
        failure("failed", "the sum is too large")
    );
    for args in [json!([1]), json!({"a": 1}), json!(["1", "2"]), json!([1, -1])] {
        let (case, text) = add(&mut caller, args);
        assert_eq!(case, "failed");
        assert!(text.starts_with("the arguments: "), "{text}");
    }
    for args in [&b""[..], b"\x55raw", b"\xff\xff", b"\x80\x04{"] {
        let (case, text) = caller.function("math.add", args).unwrap_err();
        assert_eq!(case, "failed", "{text}");
    }
}

#[test]
fn failures_panics_and_sizes_are_contained() {
    let mut caller = Caller::new(&["allow host-function:call"], powers());
    assert_eq!(
        caller.function("fails", b""),
        Err(failure("failed", "it does not work"))
    );
    for _ in 0..3 {
        assert_eq!(
            caller.function("panics", b""),
            Err(failure("failed", "the function panicked"))
        );
    }
    assert!(caller.function("echo", &[0; 100]).is_ok());
    let (case, text) = caller.function("echo", &[0; 101]).unwrap_err();
    assert_eq!(
        (case.as_str(), text.as_str()),
        (
            "failed",
            "the arguments have 101 bytes, more than the limit of 100"
        )
    );
    let (case, text) = caller.function("large", b"").unwrap_err();
    assert_eq!(
        (case.as_str(), text.as_str()),
        ("failed", "the result has 1001 bytes, more than the limit of 1000")
    );
    assert!(!caller.instance.is_poisoned());
}

#[test]
fn a_function_knows_the_end_of_the_call() {
    let mut caller = Caller::new(&["allow host-function:call:waits"], powers());
    caller.leave(Duration::from_millis(50));
    assert_eq!(
        caller.function("waits", b""),
        Err(failure("failed", "the time is over"))
    );
}

#[test]
fn asynchronous_functions_are_awaited_until_the_deadline() {
    let functions = HostFunctions::new()
        .with_async("sleeps", async |info, args| {
            // A timer of tokio, which needs its executor.
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok([info.function.as_bytes(), args].concat())
        })
        .and_then(|functions| functions.with_async("waits", async |_, _| std::future::pending().await))
        .and_then(|functions| {
            functions.with_async("panics", async |_, _| {
                tokio::task::yield_now().await;
                panic!("secret state")
            })
        })
        .and_then(|functions| {
            functions.with_async("large", async |_, _| {
                tokio::task::yield_now().await;
                Ok(vec![0; 17 << 20])
            })
        });
    let powers = HostPowers::new().with_functions(functions.unwrap());
    let rules = ["allow host-function:call", "deny host-function:call:denied"];
    let mut caller = Caller::new(&rules, powers);
    assert_eq!(caller.function("sleeps", b"!").unwrap(), b"sleeps!");
    assert_eq!(
        caller.function("panics", b""),
        Err(failure("failed", "the function panicked"))
    );
    let (case, text) = caller.function("large", b"").unwrap_err();
    assert!(case == "failed" && text.contains("limit"), "{text}");
    let start = Instant::now();
    caller.leave(Duration::from_millis(50));
    assert_eq!(
        caller.function("waits", b""),
        Err(failure(
            "failed",
            "the function did not end within the time of the call"
        ))
    );
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert!(start.elapsed() < Duration::from_secs(10));
    caller.leave(Duration::from_secs(60));
    // The component goes on, and checks apply as to other functions.
    assert_eq!(caller.function("sleeps", b"").unwrap(), b"sleeps");
    let (case, _) = caller.function("denied", b"").unwrap_err();
    assert_eq!(case, "denied");
}
