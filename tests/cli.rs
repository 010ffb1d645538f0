//! The command-line program, as a process.
