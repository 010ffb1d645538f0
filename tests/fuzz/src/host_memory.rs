//! How much memory the host takes.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Bytes that `action` had allocated at once at most, beyond what there was before.
pub fn peak_of<R>(action: impl FnOnce() -> R) -> (R, u64) {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let result = action();
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    (result, peak as u64)
}

/// Bytes that `action` left allocated.
pub(crate) fn kept_by(action: impl FnOnce()) -> u64 {
    let before = ALLOCATOR.current_usage();
    action();
    ALLOCATOR.current_usage().saturating_sub(before) as u64
}
