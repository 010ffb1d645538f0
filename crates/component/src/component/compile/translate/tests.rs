//! The traps of adapters.

use wasmtime_environ::Trap;

use crate::component::instance::adapter_trap::{NAMED, adapter_trap};

#[test]
fn the_names_of_adapters_traps_are_the_translator_s() {
    for code in NAMED {
        let theirs = u8::try_from(*code).ok().and_then(Trap::from_u8);
        let theirs = theirs.expect("a trap of the translator's").to_string();
        let ours = adapter_trap(*code).to_string();
        let words = theirs.trim_start_matches("wasm trap: ");
        let words = words.trim_start_matches("cannot leave component instance");
        assert!(
            ours.contains(words) || ours.contains("cannot leave"),
            "{code}: {ours}, {theirs}"
        );
    }
    for (code, trap) in [
        (1, Trap::MemoryOutOfBounds),
        (17, Trap::CannotEnterComponent),
        (23, Trap::CannotLeaveComponent),
    ] {
        assert_eq!(Trap::from_u8(code), Some(trap));
    }
}
