//! The signal that stops a guest, held back while the guest's thread is in the host.
//!
//! To stop a guest, wasmer sends a signal to its thread, and the handler abandons whatever is on the guest's stack. That is more
//! than the guest's code: what wasmer does around host functions runs there too. It takes the lock of the table of interrupts, waits
//! for it, and makes what a thread keeps for waiting. Abandoned in the midst of that, the lock stays taken, the allocator stays
//! locked, or a destructor stays half registered: other calls hang, or the process dies as the thread ends. The sender holds that
//! very lock, so a guest that comes out of a host function then is likely to wait for it.
//!
//! So the signal counts only where its thread is in the functions of a guest, which hold no state of the host. Elsewhere it is passed over:
//! the engine has noted the request and ends the call when the host function returns; for the rest, who asks asks again.
//!
//! The engine names a trap by the instruction at which the thread was found, whatever the signal. An interruption there would be
//! reported as that instruction's trap (out of bounds at a load, stack overflow at a call), so the handler notes that it stopped the guest.
#![allow(unsafe_code, reason = "the system passes the thread's state as a pointer")]

use std::cell::Cell;
use std::ffi::c_void;
use std::ops::Range;

use wasmer::sys::vm::libcalls;

use super::guest_code::GuestCode;

/// Bytes that a function is taken to have, of which only the address is known. Each is shorter.
const LENGTH: usize = 4096;

/// As [`LENGTH`], for functions of the engine's.
const LENGTH_IN_ENGINE: usize = 512;

/// Has the signal pass over the host's code in this store. Guest code is where `code` says.
pub(in crate::engine) fn hold_back_in_host(store: &mut wasmer::Store, code: GuestCode) {
    let bulk = Bulk::new();
    store.set_trap_handler(Some(Box::new(move |signal, _, context| {
        if signal != libc::SIGUSR1 {
            STOPPED.set(false);
            return false;
        }
        // SAFETY: what the handler of a signal is given.
        let instruction = unsafe { instruction(context) };
        // SAFETY: as above.
        let stopped =
            code.contains(instruction) || bulk.is_at(&code, instruction, || unsafe { caller(context) });
        // A second signal may find the thread on its way out, before the first one is reported.
        if stopped {
            STOPPED.set(true);
        }
        !stopped
    })));
}

thread_local! {
    /// Set by the handler as it stops a guest on this thread. Has no destructor, so that a handler may use it.
    static STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// Reports whether the error that a call on this thread ended with is an interruption, whatever the engine calls it. The next error is
/// asked for anew.
pub(crate) fn take_stopped() -> bool {
    STOPPED.replace(false)
}

/// Operations on whole ranges of a guest's memory. Each may take long, and next to nothing else would be found between two of them. They
/// hold no state of the host, too.
#[derive(Debug)]
struct Bulk {
    /// The functions that fill and copy.
    workers: [Range<usize>; 3],
    /// The functions that call those for the guest. It may jump to them, so that they return to the guest.
    callers: [Range<usize>; 3],
}

impl Bulk {
    fn new() -> Bulk {
        let from = |start: usize, length| start..start.saturating_add(length);
        let workers = [
            libc::memset as *const () as usize,
            libc::memmove as *const () as usize,
            libc::memcpy as *const () as usize,
        ];
        let callers = [
            libcalls::wasmer_vm_memory32_fill as *const () as usize,
            libcalls::wasmer_vm_imported_memory32_fill as *const () as usize,
            libcalls::wasmer_vm_memory32_copy as *const () as usize,
        ];
        Bulk {
            workers: workers.map(|start| from(start, LENGTH)),
            callers: callers.map(|start| from(start, LENGTH_IN_ENGINE)),
        }
    }

    /// Returns whether one of them runs at this instruction. `caller` tells where its function returns to, if that calls nothing and keeps
    /// nothing on the stack, as what fills and copies does.
    fn is_at(&self, code: &GuestCode, instruction: usize, caller: impl FnOnce() -> usize) -> bool {
        let among = |ranges: &[Range<usize>], address| ranges.iter().any(|range| range.contains(&address));
        if !among(&self.workers, instruction) {
            return false;
        }
        let caller = caller();
        among(&self.callers, caller) || code.contains(caller)
    }
}

/// Registers of an interrupted thread: where it is, and what leads to its caller.
struct At {
    instruction: usize,
    /// The stack pointer on x86, where the address to return to is on the stack; elsewhere that address.
    way_back: usize,
}

/// The address of the instruction that was interrupted.
///
/// # Safety
/// `context` is what the system gives to the handler of a signal, in its third argument.
unsafe fn instruction(context: *const c_void) -> usize {
    // SAFETY: the caller's promise.
    unsafe { registers(context) }.instruction
}

/// Where the interrupted function returns to, if it calls nothing and keeps nothing on the stack.
///
/// # Safety
/// As for [`instruction`].
unsafe fn caller(context: *const c_void) -> usize {
    // SAFETY: the caller's promise.
    let way_back = unsafe { registers(context) }.way_back;
    if cfg!(target_arch = "x86_64") {
        // SAFETY: the top of the interrupted thread's stack, which it reads itself to return.
        unsafe { (way_back as *const usize).read_unaligned() }
    } else {
        way_back
    }
}

/// # Safety
/// As for [`instruction`].
#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe fn registers(context: *const c_void) -> At {
    // SAFETY: the caller's promise.
    let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    return At {
        instruction: registers.gregs[libc::REG_RIP as usize] as usize,
        way_back: registers.gregs[libc::REG_RSP as usize] as usize,
    };
    #[cfg(target_arch = "aarch64")]
    return At {
        instruction: registers.pc as usize,
        way_back: registers.regs[30] as usize,
    };
    #[cfg(target_arch = "riscv64")]
    return At {
        instruction: registers.__gregs[libc::REG_PC] as usize,
        way_back: registers.__gregs[libc::REG_RA] as usize,
    };
}

/// # Safety
/// As for [`instruction`].
#[cfg(target_vendor = "apple")]
unsafe fn registers(context: *const c_void) -> At {
    // SAFETY: the caller's promise; the pointer is where it is in every description of the record.
    let registers = unsafe { &(*(*context.cast::<libc::ucontext_t>()).uc_mcontext).__ss };
    #[cfg(target_arch = "x86_64")]
    return At {
        instruction: registers.__rip as usize,
        way_back: registers.__rsp as usize,
    };
    #[cfg(target_arch = "aarch64")]
    return At {
        instruction: registers.__pc as usize,
        way_back: registers.__lr as usize,
    };
}

#[cfg(not(any(
    all(
        any(target_os = "linux", target_os = "android"),
        any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
    ),
    all(target_vendor = "apple", any(target_arch = "x86_64", target_arch = "aarch64"))
)))]
compile_error!("guests cannot be interrupted safely on this target: build without the feature `interrupt`");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_and_copies_counts_where_the_guest_asked_for_it() {
        let code = GuestCode::default();
        code.add(Some(1000..2000));
        let bulk = Bulk::new();
        let fill = libc::memset as *const () as usize + 40;
        let asked = libcalls::wasmer_vm_memory32_fill as *const () as usize + 60;
        let other = Bulk::new as *const () as usize;
        assert!(bulk.is_at(&code, fill, || asked));
        assert!(bulk.is_at(&code, fill, || 1500));
        assert!(!bulk.is_at(&code, fill, || other));
        assert!(!bulk.is_at(&code, asked, || unreachable!("it is not looked at")));
    }
}
