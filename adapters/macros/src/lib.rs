//! `bindgen!` and the derives of component types.
