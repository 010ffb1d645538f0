//! Memory of the host process, as reported by the system.

use std::sync::atomic::{AtomicU64, Ordering};

/// The highest peak before the last reset of the system's peak.
static HIGHEST: AtomicU64 = AtomicU64::new(0);

/// Returns this process's peak memory in bytes, if the system reports it.
pub fn peak() -> Option<u64> {
    Some(field("VmHWM:")?.max(HIGHEST.load(Ordering::Relaxed)))
}

/// Returns the process's current memory, and resets the peak.
pub(super) fn begin() -> Option<u64> {
    HIGHEST.fetch_max(field("VmHWM:")?, Ordering::Relaxed);
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    field("VmRSS:")
}

/// Returns the growth up to the peak, or 0 where the system does not report it.
pub(super) fn grown_since(before: Option<u64>) -> u64 {
    match (before, field("VmHWM:")) {
        (Some(before), Some(peak)) => peak.saturating_sub(before),
        _ => 0,
    }
}

fn field(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kib.checked_mul(1024)
}
