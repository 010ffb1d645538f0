//! Guests that break the rules, generated from tables: for each, the exact error that the documentation promises, the state
//! of the instance afterwards, and whether the reference engine does the same.

pub mod advisories;
mod asynchronous;
mod case;
mod echoes;
mod guest;
mod handle_guests;
mod handles;
mod leave;
mod limits;
mod lists;
mod memory;
mod places;
mod realloc;
mod run;
mod scalars;
mod strings;
mod types;
mod wrong;

pub use case::{Case, Expected, HOST, RUN, Reference};
pub use memory::peak;
pub use run::{run_ours, run_subject};

/// Returns all cases.
pub fn cases() -> Vec<Case> {
    let groups = [
        strings::cases(),
        scalars::cases(),
        lists::cases(),
        lists::pointers(),
        realloc::cases(),
        leave::cases(),
        handles::cases(),
        types::cases(),
        limits::cases(),
        wrong::cases(),
        echoes::cases(),
        asynchronous::cases(),
    ];
    groups.into_iter().flatten().collect()
}
