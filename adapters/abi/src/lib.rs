//! The canonical ABI.
