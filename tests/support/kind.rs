//! Kinds of fixtures.

/// Reports whether bytes begin like a component, and not like a core module.
pub fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x0d\0\x01\0")
}
