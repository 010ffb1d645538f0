//! `host undeclare`, and declarations of placed components that do not agree with a host file.

use std::fs;

use airssys_wasm_test_support::nats::Server;

use crate::host::{Hosting, folder, start};
use crate::host_cluster::{member, until};

const LABELS: &str = "labels = ['eu']\nlease-time = '1500ms'\n";

/// A component with more lines.
fn component(id: &str, rest: &str) -> String {
    format!("[[component]]\nid = '{id}'\npath = 'COUNTER'\n{rest}\n")
}

const PLACED: &str = "cluster = { place-on = ['eu'] }";

fn state(host: &Hosting, id: &str) -> String {
    host.row(id)["state"].as_str().expect("text").to_owned()
}

#[track_caller]
fn ended(host: Hosting) -> String {
    let (status, rest) = host.end("-TERM");
    assert_eq!(status, Some(0), "{rest}");
    rest
}

/// A declaration stays in the registry when no host file has the component any more.
#[test]
fn a_declaration_that_no_host_file_has_is_withdrawn() {
    let (folder, server) = (folder("cluster-undeclare"), Server::start());
    let file = |components: &str| member(&folder, "one", &server.url(), LABELS, components);
    let last = component("z-last", PLACED);
    let host = start(&file(&(component("former", PLACED) + &last)));
    until("the former component", || state(&host, "former") == "ready");
    let told = host.ask(&["stop", "former"]).ended(2);
    told.says("the cluster places `former`");
    told.says("airssys-wasm host undeclare former");
    ended(host);

    // Components are started in the order of their identities.
    let host = start(&file(&last));
    until("the last component", || state(&host, "z-last") == "ready");
    let told = host.ask(&["undeclare", "former"]).ended(0).stdout;
    assert_eq!(told, "former is not declared any more\n");
    let told = host.ask(&["undeclare", "former"]).ended(2);
    told.says("no component `former` is declared in the cluster");
    host.ask(&["undeclare", "a b"]).ended(2);
    let rest = ended(host);
    assert!(
        rest.contains("the host file does not declare `former`")
            && rest.contains("airssys-wasm host undeclare former"),
        "{rest}"
    );

    let host = start(&file(&last));
    until("the last component", || state(&host, "z-last") == "ready");
    // One that a host file has is stopped on its host.
    let told = host.ask(&["undeclare", "z-last", "--json"]).ended(0).json();
    assert_eq!(told, serde_json::json!({ "id": "z-last" }));
    until("the end of the last component", || {
        state(&host, "z-last") == "elsewhere"
    });
    let rest = ended(host);
    assert!(!rest.contains("former"), "{rest}");
    fs::remove_dir_all(&folder).expect("it is ours");
}

/// The file of the host changed: it runs the component itself, or has stopped it, and the declaration of before is still there.
#[test]
fn a_component_without_place_on_is_not_started_by_the_cluster() {
    let (folder, server) = (folder("cluster-own"), Server::start());
    let file = |components: &str| member(&folder, "one", &server.url(), LABELS, components);
    let last = component("z-last", PLACED);
    let host = start(&file(&(component("own", PLACED) + &last)));
    until("the component", || state(&host, "own") == "ready");
    ended(host);

    let host = start(&file(&(component("own", "") + &last)));
    assert_eq!(state(&host, "own"), "ready");
    until("the last component", || state(&host, "z-last") == "ready");
    host.ask(&["stop", "own"]).ended(0);
    // The cluster looks each half second.
    for _ in 0..20 {
        assert_eq!(state(&host, "own"), "unloaded");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let rest = ended(host);
    assert!(
        rest.contains("the host file does not give `place-on` for `own`"),
        "{rest}"
    );
    fs::remove_dir_all(&folder).expect("it is ours");
}
