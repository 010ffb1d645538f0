//! What the fixtures are.

/// Whether bytes begin as a component's do, and not as those of a core module.
pub fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x0d\0\x01\0")
}
