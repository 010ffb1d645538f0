//! Misuse of WASI by guests, and its consequences.

use airssys_wasm::wasi::{Stdin, WasiLimits};

use crate::program::{nothing, programs};

#[test]
fn a_hundred_thousand_resources_are_too_many() {
    for program in programs() {
        for what in ["pollables", "streams"] {
            // One of them is the stream for its output.
            assert_eq!(program.run(&[what, "9000"], nothing).lines(), ["9000"]);
            program
                .run(&[what, "100000"], nothing)
                .was_ended("the resource table is full");
        }
    }
}

#[test]
fn a_hundred_thousand_resources_after_each_other_are_not() {
    for program in programs() {
        let ran = program.run(&["churn", "100000"], nothing);
        assert_eq!(ran.lines(), ["done"]);
        assert_eq!(ran.left, 0);
    }
}

#[test]
fn the_limit_is_the_hosts() {
    for program in programs() {
        let few = |builder: &mut airssys_wasm::wasi::WasiCtxBuilder| {
            builder.limits({
                let mut limits = WasiLimits::default();
                limits.resources = 10;
                limits.poll_list = 5;
                limits.random_bytes = 16;
                limits
            });
        };
        assert_eq!(program.run(&["pollables", "9"], few).lines(), ["9"]);
        program.run(&["pollables", "11"], few).was_ended("full");
        assert_eq!(program.run(&["poll-many", "5"], few).lines(), ["5"]);
        program
            .run(&["poll-many", "6"], few)
            .was_ended("6 pollables, more than the limit of 5");
        assert_eq!(program.run(&["random", "16"], few).lines(), ["16"]);
        program
            .run(&["random", "17"], few)
            .was_ended("more than the limit of 16");
    }
}

#[test]
fn rules_of_polling() {
    for program in programs() {
        program.run(&["poll-nothing"], nothing).was_ended("empty list");
        program
            .run(&["poll-many", "10001"], nothing)
            .was_ended("more than the limit of 10000");
        program
            .run(&["poll-many", "100000"], nothing)
            .was_ended("more than the limit of 10000");
        program.run(&["orphan"], nothing).was_ended("deleted first");
    }
}

#[test]
fn rules_of_writing() {
    for program in programs() {
        for (what, why) in [
            ("write-unasked", "`check-write` permitted 0"),
            ("write-more", "`check-write` permitted 65536"),
            ("zeroes-more", "18446744073709551615 zeroes"),
            ("write-long", "more than the limit of 4096"),
        ] {
            let ran = program.run(&[what], nothing);
            ran.was_ended(why);
            assert_eq!(ran.stdout, "");
        }
    }
}

#[test]
fn a_read_of_everything_is_a_read_of_some() {
    for program in programs() {
        let ran = program.run(&["read-everything"], |builder| {
            builder.stdin(Stdin::Bytes(vec![b'x'; 1 << 20]));
        });
        assert_eq!(ran.lines(), ["65536"]);
    }
}

#[test]
fn random_bytes_are_bounded() {
    for program in programs() {
        for what in ["random", "insecure"] {
            assert_eq!(program.run(&[what, "0"], nothing).lines(), ["0"]);
            assert_eq!(program.run(&[what, "65536"], nothing).lines(), ["65536"]);
            for many in ["16777217", "4294967296", "18446744073709551615"] {
                program.run(&[what, many], nothing).was_ended("random bytes");
            }
        }
    }
}
