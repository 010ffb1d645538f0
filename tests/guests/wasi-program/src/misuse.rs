//! Misuse of WASI.

use crate::bindings::wasi::cli::{stdin, stdout};
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::io::poll::poll;
use crate::bindings::wasi::random::insecure;
use crate::text::{number, print};

pub(crate) fn act(what: &str, args: &[&str]) -> bool {
    match what {
        "poll-nothing" => {
            poll(&[]);
        }
        "poll-many" => {
            let ready = monotonic_clock::subscribe_duration(0);
            let list = vec![&ready; number(args, 0) as usize];
            print(&poll(&list).len().to_string());
        }
        "poll-two" => {
            let never = monotonic_clock::subscribe_duration(u64::MAX);
            let soon = monotonic_clock::subscribe_duration(10_000_000);
            print(&format!("{:?} {:?}", never.ready(), poll(&[&never, &soon])));
        }
        "pollables" => {
            let most = number(args, 0);
            let all: Vec<_> = (0..most).map(|_| monotonic_clock::subscribe_duration(0)).collect();
            print(&all.len().to_string());
        }
        "streams" => {
            let most = number(args, 0);
            let all: Vec<_> = (0..most).map(|_| stdout::get_stdout()).collect();
            print(&all.len().to_string());
        }
        "churn" => {
            for _ in 0..number(args, 0) {
                let input = stdin::get_stdin();
                input.subscribe().block();
            }
            print("done");
        }
        "orphan" => {
            let input = stdin::get_stdin();
            let pollable = input.subscribe();
            drop(input);
            pollable.block();
        }
        "write-unasked" => {
            let _ = stdout::get_stdout().write(b"unasked");
        }
        "write-more" => {
            let output = stdout::get_stdout();
            let permit = output.check_write().expect("open");
            let _ = output.write(&vec![0; permit as usize + 1]);
        }
        "zeroes-more" => {
            let output = stdout::get_stdout();
            output.check_write().expect("open");
            let _ = output.write_zeroes(u64::MAX);
        }
        "write-long" => {
            let _ = stdout::get_stdout().blocking_write_and_flush(&[0; 4097]);
        }
        "read-everything" => {
            let bytes = stdin::get_stdin().blocking_read(u64::MAX).expect("there is some");
            print(&bytes.len().to_string());
        }
        "insecure" => {
            print(&insecure::get_insecure_random_bytes(number(args, 0)).len().to_string());
        }
        _ => return false,
    }
    true
}
