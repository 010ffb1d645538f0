//! `poll_oneoff`.

use super::descriptors::{Open, lent};
use super::errno::{Errno, Failure, Result};
use super::guest::{Caller, Stretch, int, size, u32_at, u64_at};
use super::process::{MONOTONIC, REALTIME, now};
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::filesystem::types::HostDescriptor;
use crate::bindings::wasi::io::poll::{self, HostPollable};
use crate::bindings::wasi::io::streams::{HostInputStream, HostOutputStream};
use crate::io::Pollable;
use airssys_wasm_component::component::Resource;

/// Bytes of a subscription and of an event.
const SUBSCRIPTION: usize = 48;
const EVENT: u32 = 32;

const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;
/// `subscription_clock_abstime`.
const ABSOLUTE: u32 = 1;

/// The state of a subscription.
enum Stand {
    /// An event has occurred, with this number of bytes.
    Ready(u64),
    /// An event has occurred that is an error.
    Failed(Errno),
    /// No event has occurred yet.
    Waits(Resource<Pollable>),
}

pub(super) fn oneoff(guest: &mut dyn Caller, args: &[u64]) -> Result {
    let (from, to, count) = (int(args, 0), int(args, 1), int(args, 2));
    let most = guest.wasi().limits.poll_list;
    if count == 0 || usize::try_from(count).map_or(true, |count| count > most) {
        return Err(Errno::INVAL.into());
    }
    let len = |one| u32::checked_mul(count, one).ok_or(Errno::FAULT);
    let list = Stretch {
        at: from,
        len: len(size(SUBSCRIPTION))?,
    };
    let subscriptions = guest.bytes(list)?.to_vec();
    guest.bytes(Stretch {
        at: to,
        len: len(EVENT)?,
    })?;
    let mut stands = Vec::new();
    let outcome = subscribe_all(guest, &subscriptions, &mut stands).and_then(|()| wait(guest, &mut stands));
    for stand in &mut stands {
        if let Stand::Waits(pollable) = stand {
            HostPollable::drop(guest.wasi(), lent(pollable))?;
        }
    }
    outcome?;
    let mut events: u32 = 0;
    for (subscription, stand) in subscriptions.chunks_exact(SUBSCRIPTION).zip(stands) {
        let (errno, bytes) = match stand {
            Stand::Ready(bytes) => (Errno(0), bytes),
            Stand::Failed(errno) => (errno, 0),
            Stand::Waits(_) => continue,
        };
        let mut event = [0; 32];
        event[..8].copy_from_slice(&u64_at(subscription, 0).to_le_bytes());
        event[8..10].copy_from_slice(&errno.0.to_le_bytes());
        event[10] = subscription.get(8).copied().unwrap_or(0);
        event[16..24].copy_from_slice(&bytes.to_le_bytes());
        guest.write(to + events * EVENT, &event)?;
        events += 1;
    }
    guest.write_u32(int(args, 3), events)
}

fn subscribe_all(guest: &mut dyn Caller, subscriptions: &[u8], stands: &mut Vec<Stand>) -> Result {
    for subscription in subscriptions.chunks_exact(SUBSCRIPTION) {
        stands.push(match subscribe(guest, subscription) {
            Ok(stand) => stand,
            Err(Failure::Errno(errno)) => Stand::Failed(errno),
            Err(ended) => return Err(ended),
        });
    }
    Ok(())
}

fn subscribe(guest: &mut dyn Caller, subscription: &[u8]) -> Result<Stand> {
    match subscription.get(8).copied().unwrap_or(u8::MAX) {
        CLOCK => {
            let (clock, time) = (u32_at(subscription, 16), u64_at(subscription, 24));
            let nanoseconds = match (clock, u32_at(subscription, 40) & ABSOLUTE != 0) {
                (REALTIME | MONOTONIC, false) => time,
                (REALTIME | MONOTONIC, true) => time.saturating_sub(now(guest, clock)?),
                _ => return Err(Errno::INVAL.into()),
            };
            let alarm = monotonic_clock::Host::subscribe_duration(guest.wasi(), nanoseconds)?;
            Ok(Stand::Waits(alarm))
        }
        ty @ (FD_READ | FD_WRITE) => {
            let wasi = guest.wasi();
            match (ty, wasi.open()?.get(u32_at(subscription, 16))?) {
                (FD_READ, Open::Input { stream, .. }) => {
                    let stream = lent(stream);
                    Ok(Stand::Waits(HostInputStream::subscribe(wasi, stream)?))
                }
                (FD_WRITE, Open::Output { stream, .. }) => {
                    let stream = lent(stream);
                    Ok(Stand::Waits(HostOutputStream::subscribe(wasi, stream)?))
                }
                // Files are always ready.
                (FD_READ, Open::File(file)) => {
                    let (descriptor, at) = (lent(&file.descriptor), file.at);
                    let len = HostDescriptor::stat(wasi, descriptor)?.size;
                    Ok(Stand::Ready(len.saturating_sub(at)))
                }
                (_, Open::File(_)) => Ok(Stand::Ready(1)),
                _ => Err(Errno::BADF.into()),
            }
        }
        _ => Err(Errno::INVAL.into()),
    }
}

/// Waits until a subscription has an event. If one has an event already, only checks the others.
fn wait(guest: &mut dyn Caller, stands: &mut [Stand]) -> Result {
    let wasi = guest.wasi();
    let due = stands.iter().any(|stand| !matches!(stand, Stand::Waits(_)));
    let mut places = Vec::new();
    let mut list = Vec::new();
    for (place, stand) in stands.iter().enumerate() {
        if let Stand::Waits(pollable) = stand {
            places.push(place);
            list.push(lent(pollable));
        }
    }
    let ready = match due {
        true => {
            let mut ready = Vec::new();
            for (index, pollable) in (0..).zip(list) {
                if HostPollable::ready(wasi, pollable)? {
                    ready.push(index);
                }
            }
            ready
        }
        false => poll::Host::poll(wasi, list)?,
    };
    for index in ready {
        let place = usize::try_from(index).ok().and_then(|index| places.get(index));
        if let Some(stand) = place.and_then(|place| stands.get_mut(*place))
            && let Stand::Waits(pollable) = stand
        {
            let pollable = lent(pollable);
            *stand = Stand::Ready(1);
            HostPollable::drop(wasi, pollable)?;
        }
    }
    Ok(())
}
