//! Folders by a policy: each call asks it about the path that the object really has. A denial has no effect, and the audit
//! has it with its rule.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use airssys_wasm::host::WasiAccess;
use airssys_wasm::security::{Capability, Effect, MemorySink, Policy, SecurityContext};
use airssys_wasm::wasi::{FsPerms, WasiCtxBuilder};

use crate::bench::{Bench, Step, at, between, call, open};

/// Descriptors of the folders that the rules grant.
const DATA: u32 = 0;
const MORE: u32 = 1;
/// The first descriptor after them.
const OPENED: u32 = 2;

/// Rules, where `$` is the parent of the folders.
const RULES: [&str; 12] = [
    "allow filesystem:read:$/data",
    "allow filesystem:write:$/data",
    "allow filesystem:list:$/data",
    "allow filesystem:delete:$/data",
    "allow filesystem:read:$/more",
    "allow filesystem:write:$/more",
    "deny filesystem:read:$/data/keys",
    "deny filesystem:write:$/data/fixed",
    "deny filesystem:delete:$/data/kept",
    "deny filesystem:list:$/data/hidden",
    "deny filesystem:read:$/data/box/inner",
    "deny filesystem:read:$/secret",
];

/// A component with folders by a policy.
pub(crate) struct Guarded {
    bench: Bench,
    audit: Arc<MemorySink>,
    security: SecurityContext,
    root: String,
}

impl Guarded {
    pub(crate) fn new(rules: &[&str]) -> Guarded {
        Guarded::beside(rules, |_| WasiCtxBuilder::new())
    }

    /// Creates a component with folders by a policy, beside those that `grant` gives it.
    fn beside(rules: &[&str], grant: impl FnOnce(&Path) -> WasiCtxBuilder) -> Guarded {
        let audit = Arc::new(MemorySink::default());
        let mut made = None;
        let bench = Bench::granted(|root| {
            fill(root);
            let text = root.to_str().expect("UTF-8").to_owned();
            let mut policy = Policy::builder();
            for rule in rules {
                let rule = rule.replace('$', &text);
                policy = match rule.split_once(' ') {
                    Some(("allow", capability)) => policy.allow(capability),
                    Some(("deny", capability)) => policy.deny(capability),
                    _ => panic!("{rule} is no rule"),
                };
            }
            let context = SecurityContext::builder().audit(audit.clone());
            let context = context
                .policy(policy.build().expect("the rules are valid"))
                .build();
            let mut builder = grant(root);
            WasiAccess::new(context.grants_undeclared("guest")).add_to(&mut builder, true);
            made = Some((context, text));
            builder
        });
        let (security, root) = made.expect("it was granted");
        Guarded {
            bench,
            audit,
            security,
            root,
        }
    }

    /// Makes a call, and returns its result and the denials that it caused, as `CAPABILITY: RULE OR CAUSE`.
    pub(crate) fn take(&mut self, step: Step) -> (String, Vec<String>) {
        let before = self.audit.records().len();
        let answer = self.bench.take(step);
        let records = self.audit.records();
        let denied = records[before..]
            .iter()
            .filter(|record| record.verdict == "denied");
        let denied = denied.map(|record| {
            let reason = match &record.rule {
                Some(rule) if rule.effect() == Effect::Deny => rule.capability().to_string(),
                _ => record.cause.unwrap_or_default().to_owned(),
            };
            let text = format!("{}: {reason}", record.capability);
            text.replace(&self.root, "$").replace("filesystem:", "")
        });
        (answer, denied.collect())
    }

    pub(crate) fn revoke(&self, capability: &str) {
        let capability = Capability::new(&capability.replace('$', &self.root)).expect("a capability");
        let revoked = self.security.revoke(Some("guest"), &capability, None);
        revoked.expect("it is known");
    }
}

fn fill(root: &Path) {
    for folder in ["data", "database", "fixed"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    for (folder, file) in [
        ("data/keys", "key.txt"),
        ("data/keysafe", "x.txt"),
        ("data/fixed", "f.txt"),
        ("data/kept", "k.txt"),
        ("data/hidden", "h.txt"),
        ("data/box/inner", "i.txt"),
        ("data/free/inner", "i.txt"),
        ("data/real/deep", "r.txt"),
        ("database", "d.txt"),
        ("more", "m.txt"),
    ] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
        fs::write(root.join(folder).join(file), "text").expect("a file");
    }
    for (target, link) in [
        ("keys", "to-keys"),
        ("keys/key.txt", "to-key"),
        ("to-key", "to-link"),
        ("fixed/new.txt", "to-new"),
        ("real/deep", "to-deep"),
    ] {
        symlink(target, root.join("data").join(link)).expect("a link");
    }
}

/// A call that is denied, its result, the denial in the audit, and a similar call that is allowed.
type Row = (Step, &'static str, &'static str, Step);

fn rows() -> Vec<Row> {
    let read = |path| open(DATA, path, "read");
    let follow = |path| open(DATA, path, "read symlink-follow");
    let key = "read:$/data/keys/key.txt: read:$/data/keys";
    let fixed = "write:$/data/fixed/f.txt: write:$/data/fixed";
    let new = "write:$/data/fixed/new: write:$/data/fixed";
    let safe = || open(DATA, "keysafe/x.txt", "read");
    vec![
        (read("keys/key.txt"), "access", key, safe()),
        (read("./keys//key.txt"), "access", key, read("./keysafe//x.txt")),
        (
            read("keysafe/../keys/key.txt"),
            "access",
            key,
            read("keys/../keysafe/x.txt"),
        ),
        (read("keys/./key.txt"), "access", key, read("keysafe/./x.txt")),
        (follow("to-key"), "access", key, follow("link")),
        (follow("to-link"), "access", key, read("to-deep/r.txt")),
        (
            read("to-keys/key.txt"),
            "access",
            key,
            read("to-deep/../deep/r.txt"),
        ),
        (
            open(DATA, "keys/key.txt", "read write"),
            "access",
            key,
            open(DATA, "keysafe/x.txt", "read write"),
        ),
        (
            open(DATA, "keys/absent.txt", "read"),
            "access",
            "read:$/data/keys/absent.txt: read:$/data/keys",
            safe(),
        ),
        (
            open(DATA, "keys/made.txt", "read write create"),
            "access",
            "read:$/data/keys/made.txt: read:$/data/keys",
            open(DATA, "keys/made.txt", "write create"),
        ),
        // Out of the folder: to a look-alike, by links, by an absolute path.
        (
            read("../database/d.txt"),
            "not-permitted",
            "read:$/database/d.txt: no-rule",
            safe(),
        ),
        (
            read("sub/../../database/d.txt"),
            "not-permitted",
            "read:$/database/d.txt: no-rule",
            read("sub/../keysafe/x.txt"),
        ),
        (
            read("../secret/secret.txt"),
            "not-permitted",
            "read:$/secret/secret.txt: read:$/secret",
            safe(),
        ),
        (
            follow("through"),
            "not-permitted",
            "read:$/secret/secret.txt: read:$/secret",
            follow("link"),
        ),
        (
            read("out/secret.txt"),
            "not-permitted",
            "read:$/secret/secret.txt: read:$/secret",
            read("sub/inner.txt"),
        ),
        (
            follow("absolute"),
            "not-permitted",
            "read:/etc/passwd: no-rule",
            follow("link"),
        ),
        (
            read("/etc/passwd"),
            "not-permitted",
            "read:/etc/passwd: no-rule",
            safe(),
        ),
        (
            read("../fixed/x"),
            "not-permitted",
            "read:$/fixed/x: no-rule",
            safe(),
        ),
        // Text that no rule can name.
        (
            read("a\\b"),
            "access",
            "read:$/data/a\\b: invalid-request",
            safe(),
        ),
        (
            read("%2e%2e"),
            "access",
            "read:$/data/%2e%2e: invalid-request",
            safe(),
        ),
        // Changes.
        (
            open(DATA, "fixed/f.txt", "write"),
            "access",
            fixed,
            open(DATA, "fixed/f.txt", "read"),
        ),
        (
            open(DATA, "fixed/f.txt", "read write"),
            "access",
            fixed,
            open(DATA, "sub/inner.txt", "read write"),
        ),
        (
            open(DATA, "fixed/f.txt", "read truncate"),
            "access",
            fixed,
            open(DATA, "empty.txt", "read truncate"),
        ),
        (
            open(DATA, "fixed/f.txt", "read create"),
            "access",
            fixed,
            open(DATA, "sub/inner.txt", "read create"),
        ),
        (
            open(DATA, "fixed/new", "write create"),
            "access",
            new,
            open(DATA, "sub/new", "write create"),
        ),
        (
            open(DATA, "fixed/new", "write create exclusive"),
            "access",
            new,
            open(DATA, "sub/exclusive", "write create exclusive"),
        ),
        (
            open(DATA, "to-new", "write create symlink-follow"),
            "access",
            "write:$/data/fixed/new.txt: write:$/data/fixed",
            open(DATA, "link", "write symlink-follow"),
        ),
        (
            at("create-directory-at", DATA, "fixed/new"),
            "access",
            new,
            at("create-directory-at", DATA, "sub/folder"),
        ),
        (
            at("set-times-at", DATA, "fixed/f.txt"),
            "access",
            fixed,
            at("set-times-at", DATA, "sub/inner.txt"),
        ),
        (
            between("symlink-at", DATA, "x", DATA, "fixed/new"),
            "access",
            new,
            between("symlink-at", DATA, "x", DATA, "sub/link"),
        ),
        (
            at("unlink-file-at", DATA, "kept/k.txt"),
            "access",
            "delete:$/data/kept/k.txt: delete:$/data/kept",
            at("unlink-file-at", DATA, "sub/link"),
        ),
        (
            at("remove-directory-at", DATA, "kept"),
            "access",
            "delete:$/data/kept: delete:$/data/kept",
            at("remove-directory-at", DATA, "sub/folder"),
        ),
        (
            at("unlink-file-at", MORE, "m.txt"),
            "access",
            "delete:$/more/m.txt: no-rule",
            at("unlink-file-at", DATA, "sub/new"),
        ),
        // Names and places that would give an object more permissions.
        (
            between("link-at", DATA, "keys/key.txt", DATA, "sub/key"),
            "access",
            key,
            between("link-at", DATA, "keysafe/x.txt", DATA, "sub/x"),
        ),
        (
            between("link-at", DATA, "keys/key.txt", MORE, "key"),
            "access",
            key,
            between("link-at", DATA, "hello.txt", MORE, "h"),
        ),
        (
            between("link-at", DATA, "fixed/f.txt", DATA, "sub/f"),
            "access",
            fixed,
            between("link-at", DATA, "hello.txt", DATA, "h"),
        ),
        (
            between("link-at", DATA, "hello.txt", DATA, "fixed/new"),
            "access",
            new,
            between("link-at", DATA, "h", DATA, "sub/h"),
        ),
        (
            between("link-at", DATA, "kept/k.txt", DATA, "sub/k"),
            "access",
            "delete:$/data/kept/k.txt: delete:$/data/kept",
            between("link-at", DATA, "kept/k.txt", MORE, "k"),
        ),
        (
            between("rename-at", DATA, "keys/key.txt", DATA, "sub/key"),
            "access",
            key,
            between("rename-at", DATA, "sub/x", DATA, "sub/y"),
        ),
        (
            between("rename-at", DATA, "keys", DATA, "open"),
            "access",
            "read:$/data/keys: read:$/data/keys",
            between("rename-at", DATA, "free", DATA, "freed"),
        ),
        (
            between("rename-at", DATA, "keys", MORE, "open"),
            "access",
            "read:$/data/keys: read:$/data/keys",
            between("rename-at", DATA, "freed", MORE, "freed"),
        ),
        (
            between("rename-at", DATA, "box", DATA, "open"),
            "access",
            "read:$/data/box/inner: read:$/data/box/inner",
            between("rename-at", DATA, "keysafe", DATA, "safe"),
        ),
        (
            between("rename-at", DATA, "kept/k.txt", DATA, "sub/k"),
            "access",
            "delete:$/data/kept/k.txt: delete:$/data/kept",
            between("rename-at", DATA, "sub/y", MORE, "y"),
        ),
        (
            between("rename-at", DATA, "hello.txt", DATA, "fixed/f.txt"),
            "access",
            fixed,
            between("rename-at", DATA, "hello.txt", DATA, "sub/hello.txt"),
        ),
        (
            between("rename-at", MORE, "m.txt", DATA, "m.txt"),
            "access",
            "delete:$/more/m.txt: no-rule",
            between("rename-at", DATA, "safe/x.txt", MORE, "m.txt"),
        ),
    ]
}

#[test]
fn each_denied_call_is_audited_with_its_rule_and_a_similar_one_is_allowed() {
    let mut guarded = Guarded::new(&RULES);
    let mut wrong = Vec::new();
    let rows = rows();
    assert!(rows.len() >= 45, "{}", rows.len());
    for (number, (denied, answer, audit, allowed)) in rows.into_iter().enumerate() {
        let text = format!("{number}: {} `{}` {:?}", denied.call, denied.path, denied.flags);
        let (found, records) = guarded.take(denied);
        if found != answer || records != [audit] {
            wrong.push(format!("{text}: {found}, {records:?}"));
        }
        let text = format!(
            "{number}: {} `{}` {:?}",
            allowed.call, allowed.path, allowed.flags
        );
        let (found, records) = guarded.take(allowed);
        if !found.starts_with("ok") || !records.is_empty() {
            wrong.push(format!("{text}: {found}, {records:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fs::exists(guarded.bench.host("data/keys/key.txt")).expect("a folder"));
    assert!(!fs::exists(guarded.bench.host("data/fixed/new")).expect("a folder"));
}

#[test]
fn a_folder_is_listed_only_with_permission() {
    let mut guarded = Guarded::new(&RULES);
    assert_eq!(guarded.take(open(DATA, "hidden", "read directory")).0, "ok 2");
    let denied = "list:$/data/hidden: list:$/data/hidden".to_owned();
    assert_eq!(
        guarded.take(call("list", OPENED)),
        ("access".to_owned(), vec![denied])
    );
    assert_eq!(guarded.take(open(OPENED, "h.txt", "read")).0, "ok 3");
    assert_eq!(guarded.take(open(DATA, "keys", "read directory")).0, "ok 4");
    let (answer, denied) = guarded.take(call("list", 4));
    assert!(
        answer.contains("key.txt") && denied.is_empty(),
        "{answer} {denied:?}"
    );
    // The folder that was opened has the rules of its path.
    let denied = "read:$/data/keys/key.txt: read:$/data/keys".to_owned();
    assert_eq!(
        guarded.take(open(4, "key.txt", "read")),
        ("access".to_owned(), vec![denied])
    );
}

/// The grant of one file opens its folder, and nothing else in it.
#[test]
fn a_granted_file_is_reached_through_its_folder() {
    let mut guarded = Guarded::new(&["allow filesystem:read:$/data/keys/key.txt"]);
    assert_eq!(guarded.take(open(DATA, "key.txt", "read")).0, "ok 1");
    let denied = |path: &str| vec![format!("read:$/data/keys/{path}: no-rule")];
    let refused = "access".to_owned();
    assert_eq!(
        guarded.take(open(DATA, "key.txt.bak", "read")),
        (refused.clone(), denied("key.txt.bak"))
    );
    assert_eq!(
        guarded.take(at("stat-at", DATA, "other")),
        (refused, denied("other"))
    );
    assert_eq!(
        guarded.take(at("stat-at", DATA, "key.txt")).0,
        "ok regular-file 4"
    );
}

#[test]
fn a_revocation_ends_what_is_open() {
    let mut guarded = Guarded::new(&RULES);
    let opened = [
        open(DATA, "sub/inner.txt", "read write"),
        open(DATA, "sub", "read directory"),
    ];
    for (number, step) in opened.into_iter().enumerate() {
        assert_eq!(guarded.take(step).0, format!("ok {}", number as u32 + OPENED));
    }
    let (file, folder) = (OPENED, OPENED + 1);
    let all = || {
        [
            ("read", call("read", file)),
            ("read", call("read-via-stream", file)),
            ("write", call("write", file)),
            ("write", call("append-via-stream", file)),
            ("write", call("set-size", file)),
            ("write", call("set-times", file)),
            ("list", call("list", folder)),
            ("read", open(folder, "inner.txt", "read")),
            ("delete", at("unlink-file-at", folder, "absent")),
        ]
    };
    for (_, step) in all() {
        let (answer, denied) = guarded.take(step.clone());
        assert!(denied.is_empty(), "{}: {answer} {denied:?}", step.call);
    }
    let mut revoked = Vec::new();
    for action in ["read", "write", "list", "delete"] {
        guarded.revoke(&format!("filesystem:{action}:$/data/sub"));
        revoked.push(action);
        for (needed, step) in all() {
            let name = step.call.clone();
            let (answer, denied) = guarded.take(step);
            if revoked.contains(&needed) {
                assert!(answer.ends_with("access"), "{name} after {revoked:?}: {answer}");
                assert_eq!(denied.len(), 1, "{name} after {revoked:?}: {denied:?}");
            } else {
                assert!(denied.is_empty(), "{name} after {revoked:?}: {answer} {denied:?}");
            }
        }
    }
    assert_eq!(guarded.take(call("stat", file)).0, "access");
    assert_eq!(
        guarded.take(open(DATA, "keysafe/x.txt", "read")).0,
        "ok 5",
        "it is not revoked"
    );
}

/// A folder of the host itself needs no rule, but a rule that denies holds in it, by the written path and by the real one.
#[test]
fn rules_that_deny_hold_in_folders_of_the_host_itself() {
    let grant = |root: &Path| {
        symlink(root.join("data"), root.join("alias")).expect("a link");
        let mut builder = WasiCtxBuilder::new();
        for (folder, guest, perms) in [
            ("alias", "/mine", FsPerms::ReadWrite),
            ("fixed", "/fixed", FsPerms::ReadOnly),
        ] {
            builder
                .preopened_dir(root.join(folder), guest, perms)
                .expect("it is there");
        }
        builder
    };
    let rules = [
        "allow filesystem:read:$/more",
        "deny filesystem:read:$/data/keys",
        "deny filesystem:read:$/alias/hidden",
    ];
    let mut guarded = Guarded::beside(&rules, grant);
    let refused = |audit: &str| ("access".to_owned(), vec![audit.to_owned()]);
    assert_eq!(
        guarded.take(open(0, "keys/key.txt", "read")),
        refused("read:$/data/keys/key.txt: read:$/data/keys")
    );
    assert_eq!(
        guarded.take(open(0, "hidden/h.txt", "read")),
        refused("read:$/alias/hidden/h.txt: read:$/alias/hidden")
    );
    assert_eq!(guarded.take(open(0, "sub/inner.txt", "read write")).0, "ok 3");
    assert_eq!(guarded.take(open(1, "hello.txt", "read")).0, "ok 4");
    assert_eq!(guarded.take(open(1, "hello.txt", "write")).0, "read-only");
    assert_eq!(guarded.take(open(2, "m.txt", "read")).0, "ok 5");
    fs::remove_file(guarded.bench.host("alias")).expect("a link");
}
