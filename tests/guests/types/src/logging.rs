use crate::Types;
use crate::bindings::exports::fixtures::types::logging::Guest;
use crate::bindings::fixtures::types::host_logger::{self, Logger};
use std::cell::RefCell;

thread_local! {
    static KEPT: RefCell<Vec<Logger>> = const { RefCell::new(Vec::new()) };
}

fn log_all(name: &str, messages: &[String]) -> (Logger, u32) {
    let logger = Logger::new(name);
    let count = messages.iter().fold(0, |_, message| logger.log(message));
    (logger, count)
}

/// A logger with whatever handle: for the tests of what a host refuses.
fn forged(handle: u32) -> Logger {
    // SAFETY: none; whether the host catches it is the test.
    unsafe { Logger::from_handle(handle) }
}

impl Guest for Types {
    fn use_logger(name: String, messages: Vec<String>) -> u32 {
        log_all(&name, &messages).1
    }

    fn give_logger(name: String, messages: Vec<String>) -> u32 {
        host_logger::take(log_all(&name, &messages).0)
    }

    fn keep_logger(logger: Logger) -> u32 {
        KEPT.with_borrow_mut(|kept| {
            kept.push(logger);
            kept.len() as u32
        })
    }

    fn use_kept(message: String) -> u32 {
        KEPT.with_borrow(|kept| kept.last().map_or(0, |logger| logger.log(&message)))
    }

    fn drop_kept() -> u32 {
        KEPT.take().len() as u32
    }

    fn return_kept() -> Option<Logger> {
        KEPT.with_borrow_mut(Vec::pop)
    }

    fn borrow_logger(logger: &Logger) -> u32 {
        logger.log("borrowed");
        host_logger::count(logger)
    }

    fn leak_borrow(logger: &Logger) -> u32 {
        logger.take_handle()
    }

    fn forge_log(handle: u32) -> u32 {
        let logger = std::mem::ManuallyDrop::new(forged(handle));
        logger.log("forged")
    }

    fn forge_drop(handle: u32) {
        drop(forged(handle));
    }

    fn drop_twice() {
        let logger = Logger::new("dropped twice");
        let handle = logger.handle();
        drop(logger);
        drop(forged(handle));
    }

    fn use_after_drop() -> u32 {
        let logger = Logger::new("used after its end");
        let handle = logger.handle();
        drop(logger);
        Self::forge_log(handle)
    }
}
