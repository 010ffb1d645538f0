//! Calls: functions, values on their way across, and the accounts of a call.

mod concurrent;
pub(super) mod core_call;
pub(super) mod crossing;
pub(super) mod func;
pub(super) mod scope;
pub(super) mod trap;
pub(super) mod typed;
