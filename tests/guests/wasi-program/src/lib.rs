//! A WASI program that does what its arguments say, and tells on standard output what came of it: in the words of the
//! interfaces, one line each.

mod misuse;
mod tcp;
mod text;
mod udp;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "wasi-program", generate_all });
    use super::Program;
    export!(Program);
}

use bindings::exports::wasi::cli::run;
use bindings::wasi::cli::{
    environment, exit, stderr, stdin, terminal_stderr, terminal_stdin, terminal_stdout,
};
use bindings::wasi::clocks::monotonic_clock;
use bindings::wasi::io::streams::StreamError;
use bindings::wasi::random::random;
use text::{number, print};

struct Program;

impl run::Guest for Program {
    fn run() -> Result<(), ()> {
        let args = environment::get_arguments();
        let args: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
        let Some((what, args)) = args.split_first() else {
            print("nothing to do");
            return Ok(());
        };
        act(what, args)
    }
}

fn act(what: &str, args: &[&str]) -> Result<(), ()> {
    match what {
        "surroundings" => surroundings(args),
        "cat" => cat(),
        "stderr" => to_stderr(args),
        "exit" => exit::exit_with_code(number(args, 0) as u8),
        "exit-ok" => exit::exit(Ok(())),
        "exit-err" => exit::exit(Err(())),
        "fail" => return Err(()),
        "panic" => panic!("as it was told"),
        "spin" => loop {
            std::hint::black_box(());
        },
        "sleep" => {
            monotonic_clock::subscribe_duration(number(args, 0)).block();
            print("woke");
        }
        "sleep-until" => {
            monotonic_clock::subscribe_instant(number(args, 0)).block();
            print("woke");
        }
        "random" => print(&random::get_random_bytes(number(args, 0)).len().to_string()),
        _ => {
            if !tcp::act(what, args) && !udp::act(what, args) && !misuse::act(what, args) {
                print(&format!("there is no `{what}`"));
                return Err(());
            }
        }
    }
    Ok(())
}

fn surroundings(args: &[&str]) {
    for arg in args {
        print(&format!("argument {arg}"));
    }
    for (name, value) in environment::get_environment() {
        print(&format!("variable {name}={value}"));
    }
    print(&format!("folder {:?}", environment::initial_cwd()));
    let terminals = [
        terminal_stdin::get_terminal_stdin().is_some(),
        terminal_stdout::get_terminal_stdout().is_some(),
        terminal_stderr::get_terminal_stderr().is_some(),
    ];
    print(&format!("terminals {terminals:?}"));
}

fn cat() {
    let input = stdin::get_stdin();
    loop {
        match input.blocking_read(1000) {
            Ok(bytes) => text::write(&bytes),
            Err(StreamError::Closed) => return,
            Err(StreamError::LastOperationFailed(error)) => return print(&error.to_debug_string()),
        }
    }
}

fn to_stderr(args: &[&str]) {
    for arg in args {
        let line = format!("{arg}\n");
        let _ = stderr::get_stderr().blocking_write_and_flush(line.as_bytes());
    }
}
