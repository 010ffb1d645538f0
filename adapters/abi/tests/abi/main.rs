//! Tests of the canonical ABI through its public interface, one subject per file.

mod budget;
mod check;
mod flat;
mod guest;
mod hostile;
mod layout;
mod memory;
mod random;
mod resources;
mod roundtrip;
mod shorthand;
mod strings;
