//! A WIT world in, readable Rust host glue out.
