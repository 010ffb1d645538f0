//! Name resolution, and permitted names.

use crate::program::{connect, nothing, programs};

#[test]
fn no_name_is_asked_for_without_a_grant() {
    for program in programs() {
        for name in ["localhost", "example.com", "127.0.0.1", "not a name"] {
            assert_eq!(
                program.run(&["resolve", name], nothing).lines(),
                ["access-denied"]
            );
            let ran = program.run(&["resolve", name], connect("elsewhere.example"));
            let expected = match name {
                "127.0.0.1" => vec!["127.0.0.1", "end"],
                "not a name" => vec!["invalid-argument"],
                _ => vec!["access-denied"],
            };
            assert_eq!(ran.lines(), expected, "{name}");
        }
    }
}

#[test]
fn a_name_of_this_host_leads_nowhere_unless_it_is_granted() {
    for program in programs() {
        let ran = program.run(&["resolve", "localhost"], connect("*"));
        assert_eq!(ran.lines(), ["access-denied"]);
        let ran = program.run(&["resolve", "localhost"], connect("localhost:80"));
        let lines = ran.lines();
        let (end, addresses) = lines.split_last().expect("there are some");
        assert_eq!(*end, "end");
        assert!(!addresses.is_empty());
        for address in addresses {
            assert!(["127.0.0.1", "::1"].contains(address), "{address}");
        }
    }
}

#[test]
fn what_is_no_name_is_not_asked_for() {
    let long = "a".repeat(64);
    let longer = "a.".repeat(200);
    for program in programs() {
        for name in [
            "",
            ".",
            "a..b",
            "127.1",
            "0x7f.1",
            "2130706433",
            "a b",
            "a/b",
            "-.\0",
            "[::1",
            &long,
            &longer,
        ] {
            let ran = program.run(&["resolve", name], connect("*"));
            assert_eq!(ran.lines(), ["invalid-argument"], "{name:?}");
        }
        for (name, address) in [
            ("::1", "::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("10.0.0.1", "10.0.0.1"),
        ] {
            // Resolving a numeric address reveals nothing; it still cannot be connected to.
            let ran = program.run(&["resolve", name], connect("*"));
            assert_eq!(ran.lines(), [address, "end"]);
        }
    }
}

#[test]
fn a_name_that_nobody_has_does_not_resolve() {
    for program in programs() {
        let ran = program.run(&["resolve", "nobody.invalid"], connect("*"));
        let lines = ran.lines();
        assert!(
            [&["name-unresolvable"][..], &["temporary-resolver-failure"]].contains(&&*lines),
            "{lines:?}"
        );
    }
}
