//! The types of `guests/values.wit`, generated, and their paths between Rust and a guest.

use crate::typed::Case;

airssys_wasm::component::bindgen!("values-only" in "guests");

pub(crate) fn cases() -> Vec<Case> {
    macro_rules! cases {
        ($($ty:ident)*) => { vec![$(Case::of::<equality::types::values::$ty>()),*] };
    }
    cases!(
        T0 T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15 T16 T17 T18 T19 T20 T21 T22 T23 T24 T25 T26 T27 T28 T29
        T30 T31 T32 T33 T34 T35 T36 T37 T38 T39 T40
    )
}
