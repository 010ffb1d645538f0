//! The host's memory, as the system counts it.

use std::sync::atomic::{AtomicU64, Ordering};

/// The highest peak before the last time that they were counted anew.
static HIGHEST: AtomicU64 = AtomicU64::new(0);

/// Most memory that this process has had at once, in bytes, as far as the system tells.
pub fn peak() -> Option<u64> {
    Some(field("VmHWM:")?.max(HIGHEST.load(Ordering::Relaxed)))
}

/// What the process has now; peaks are counted anew from here.
pub(super) fn begin() -> Option<u64> {
    HIGHEST.fetch_max(field("VmHWM:")?, Ordering::Relaxed);
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    field("VmRSS:")
}

/// How much more it had at its peak, or 0 where that cannot be told.
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
