//! `run` with modules that are built with the WAI tools.

use serde_json::json;

use crate::process::{airssys, fixture};

#[test]
fn a_module_is_run_as_a_component_is() {
    let guest = fixture("counter-wai");
    let ran = airssys(&["run", &guest, "--operation", "increment", "--config", "start=6"]).ended(0);
    assert_eq!(ran.json(), json!({"count": 7}));
    assert_eq!(ran.stderr, "");
    let denied = ["--operation", "read", "--params", r#"{"path":"/etc/passwd"}"#];
    let ran = airssys(&[&["run", &guest][..], &denied].concat()).ended(1);
    assert!(
        ran.stderr.contains("filesystem:read:/etc/passwd"),
        "{}",
        ran.stderr
    );
    let ran = airssys(&["run", &guest]).ended(2);
    assert!(ran.stderr.contains("increment"), "{}", ran.stderr);
}
