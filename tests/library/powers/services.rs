//! `host-services`: messages and settings, which need no capability, but obey rules that deny.

use airssys_wasm::component::Val;
use airssys_wasm::host::HostPowers;
use airssys_wasm::messaging::Message;

use super::{Caller, Failure, bytes, id, text};

const SERVICES: &str = "airssys:host-core/host-services@1.0.0";

impl Caller {
    fn service(&mut self, name: &str, params: &[Val]) -> Result<Option<Val>, Failure> {
        self.call_of(SERVICES, name, params)
    }

    fn deliver(&self, sender: &str) {
        let mailbox = &self.store.data().mailbox;
        let message = Message {
            sender: id(sender),
            payload: vec![1],
            sent_at_millis: 0,
            request_id: None,
            trace: None,
        };
        mailbox.put(message).expect("the mailbox is empty");
    }
}

fn denied() -> Result<Option<Val>, Failure> {
    Err(("denied".to_owned(), String::new()))
}

#[test]
fn messages_and_settings_are_denied_by_rules_only() {
    let rules = [
        "deny messaging:send:other",
        "deny messaging:receive:noisy",
        "deny config:read:db.password",
        "deny config:write:db",
    ];
    let mut caller = Caller::new(&rules, HostPowers::new());
    let denial = |caller: &Caller| {
        let record = caller.last();
        let rule = record.rule.expect("a rule denied it");
        (record.capability, rule.capability().to_string())
    };
    let expect = |caller: &mut Caller, name: &str, params: &[Val], capability: &str, rule: &str| {
        assert_eq!(caller.service(name, params), denied(), "{capability}");
        assert_eq!(denial(caller), (capability.to_owned(), rule.to_owned()));
    };
    let set = |key: &str| [text(key), text("value")];
    let send = |target: &str| [text(target), bytes(b"x")];

    expect(
        &mut caller,
        "send-message",
        &send("other"),
        "messaging:send:other",
        "messaging:send:other",
    );
    expect(
        &mut caller,
        "set-config",
        &set("db.host"),
        "config:write:db.host",
        "config:write:db",
    );
    expect(
        &mut caller,
        "get-config",
        &[text("db.password")],
        "config:read:db.password",
        "config:read:db.password",
    );
    caller.deliver("noisy");
    expect(
        &mut caller,
        "receive-message",
        &[],
        "messaging:receive:noisy",
        "messaging:receive:noisy",
    );
    assert_eq!(
        caller.service("receive-message", &[]),
        Ok(Some(Val::Option(None))),
        "it was removed"
    );

    let records = caller.audit.records().len();
    caller.deliver("other");
    assert!(matches!(
        caller.service("receive-message", &[]),
        Ok(Some(Val::Option(Some(_))))
    ));
    assert_eq!(caller.service("set-config", &set("dbx")), Ok(None));
    assert!(caller.service("get-config", &[text("dbx")]).is_ok());
    // There is no other component.
    assert_eq!(
        caller.service("send-message", &send("others")),
        Err(("closed".to_owned(), String::new()))
    );
    assert_eq!(
        caller.audit.records().len(),
        records,
        "what needs no capability is not recorded"
    );
}

/// A name that no rule can have is denied with the whole action.
#[test]
fn an_invalid_name_is_denied_with_the_whole_action() {
    let mut caller = Caller::new(&["deny messaging:send"], HostPowers::new());
    assert_eq!(
        caller.service("send-message", &[text("a\nb"), bytes(b"")]),
        denied()
    );
    let mut caller = Caller::new(&["deny messaging:send:x"], HostPowers::new());
    let answer = caller.service("send-message", &[text("a\nb"), bytes(b"")]);
    assert_eq!(answer, Err(("closed".to_owned(), String::new())));
}
