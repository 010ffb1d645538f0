//! `policy check` and `policy explain`.

use crate::process::{airssys, scratch_file};

const POLICY: &str = r#"[[allow]]
capabilities = ["filesystem:read:/data"]
components = ["files"]
reason = "reports"

[[deny]]
capabilities = ["filesystem:read:/data/keys"]
"#;

#[test]
fn a_policy_is_checked() {
    let good = scratch_file("policy-good.toml", POLICY.as_bytes());
    let ran = airssys(&["policy", "check", &good]).ended(0);
    assert_eq!(ran.stdout, format!("{good}: 1 allow, 1 deny\n"));
    let bad = scratch_file("policy-bad.toml", b"[[alow]]\n");
    airssys(&["policy", "check", &bad])
        .ended(3)
        .says(":1:3: there is no key `alow`; did you mean `allow`?");
}

#[test]
fn an_explanation_names_the_line() {
    let policy = scratch_file("policy-explain.toml", POLICY.as_bytes());
    let explain = |more: &[&str]| {
        let mut args = vec!["policy", "explain", "files", "--policy", &policy];
        args.extend(more);
        airssys(&args)
    };
    let ran = explain(&["filesystem:read:/data"]).ended(0);
    assert_eq!(
        ran.stdout,
        format!(
            "filesystem:read:/data: allowed by `allow filesystem:read:/data ({policy}:2: reports)`\n  \
             except filesystem:read:/data/keys: `deny filesystem:read:/data/keys ({policy}:7)`\n"
        )
    );
    let ran = explain(&["--json", "--deny", "filesystem:read", "filesystem:read:/data"]).ended(1);
    assert_eq!(ran.json()[0]["rule"]["origin"], "--deny");
    explain(&["--grant", "filesystem:raed"])
        .ended(2)
        .says("did you mean `read`?");
}
