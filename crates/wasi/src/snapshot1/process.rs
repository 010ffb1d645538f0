//! Arguments, environment, clocks, random numbers, and the program's exit.

use super::errno::{Errno, Result};
use super::guest::{Caller, Stretch, int, long, size};
use crate::bindings::wasi::cli::{environment, exit};
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::random::random;

pub(super) const REALTIME: u32 = 0;
pub(super) const MONOTONIC: u32 = 1;

pub(super) fn args_sizes_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let all = environment::Host::get_arguments(guest.wasi())?;
    sizes(guest, args, &all)
}

pub(super) fn args_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let all = environment::Host::get_arguments(guest.wasi())?;
    strings(guest, args, &all)
}

pub(super) fn environ_sizes_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let all = environment(guest)?;
    sizes(guest, args, &all)
}

pub(super) fn environ_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let all = environment(guest)?;
    strings(guest, args, &all)
}

fn environment(guest: &mut dyn Caller) -> Result<Vec<String>> {
    let all = environment::Host::get_environment(guest.wasi())?;
    Ok(all
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect())
}

/// Writes the number of strings, and their bytes, including a zero after each.
fn sizes(guest: &mut dyn Caller, args: &[u64], all: &[String]) -> Result {
    let bytes = all.iter().map(|one| one.len() + 1).sum();
    guest.write_u32(int(args, 0), size(all.len()))?;
    guest.write_u32(int(args, 1), size(bytes))
}

/// Writes the addresses of the strings, and the strings.
fn strings(guest: &mut dyn Caller, args: &[u64], all: &[String]) -> Result {
    let (mut list, mut at) = (int(args, 0), int(args, 1));
    for one in all {
        guest.write_u32(list, at)?;
        guest.write(at, &[one.as_bytes(), b"\0"].concat())?;
        list = list.checked_add(4).ok_or(Errno::FAULT)?;
        at = at.checked_add(size(one.len() + 1)).ok_or(Errno::FAULT)?;
    }
    Ok(())
}

fn nanoseconds(time: wall_clock::Datetime) -> Result<u64> {
    let seconds = time.seconds.checked_mul(1_000_000_000);
    let all = seconds.and_then(|nanos| nanos.checked_add(time.nanoseconds.into()));
    Ok(all.ok_or(Errno::OVERFLOW)?)
}

pub(super) fn clock_res_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let resolution = match int(args, 0) {
        REALTIME => nanoseconds(wall_clock::Host::resolution(guest.wasi())?)?,
        MONOTONIC => monotonic_clock::Host::resolution(guest.wasi())?,
        _ => return Err(Errno::INVAL.into()),
    };
    guest.write_u64(int(args, 1), resolution)
}

pub(super) fn clock_time_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let now = now(guest, int(args, 0))?;
    guest.write_u64(int(args, 2), now)
}

/// Returns a clock's time, in nanoseconds. Clocks of processor time are not supported.
pub(super) fn now(guest: &mut dyn Caller, clock: u32) -> Result<u64> {
    match clock {
        REALTIME => nanoseconds(wall_clock::Host::now(guest.wasi())?),
        MONOTONIC => Ok(monotonic_clock::Host::now(guest.wasi())?),
        _ => Err(Errno::INVAL.into()),
    }
}

pub(super) fn random_get(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (mut at, mut len) = (int(args, 0), int(args, 1));
    guest.bytes(Stretch { at, len })?;
    while len > 0 {
        let most = size(guest.wasi().limits.random_bytes.max(1));
        let part = len.min(most);
        let bytes = random::Host::get_random_bytes(guest.wasi(), part.into())?;
        guest.write(at, &bytes)?;
        at = at.saturating_add(part);
        len -= part;
    }
    Ok(())
}

/// Exits with the low 8 bits of the status, as operating systems do.
pub(super) fn proc_exit(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let code = long(args, 0).to_le_bytes()[0];
    Ok(exit::Host::exit_with_code(guest.wasi(), code)?)
}

pub(super) fn proc_raise(_: &mut dyn Caller, _: &[u64]) -> Result {
    Err(Errno::NOTSUP.into())
}

pub(super) fn sched_yield(_: &mut dyn Caller, _: &[u64]) -> Result {
    std::thread::yield_now();
    Ok(())
}

/// Refuses functions of sockets: preview 1 has no way to open one.
pub(super) fn no_socket(guest: &mut dyn Caller, args: &[u64]) -> Result {
    guest.wasi().open()?.get(int(args, 0))?;
    Err(Errno::NOTSOCK.into())
}
