//! The signal that stops a guest, held back while the guest's thread is in the host.
//!
//! The handler makes the guest trap where it is, by the handler that the engine has for a guest's own traps; that abandons whatever is on
//! the guest's stack. More than the guest's code runs there: what the engine does around host functions. It takes locks, allocates, and
//! makes what a thread keeps. Abandoned in the midst of that, a lock stays taken, the allocator stays locked, or a destructor stays half
//! registered: other calls hang, or the process dies as the thread ends.
//!
//! So the signal counts only where its thread is in the functions of a guest, which hold no state of the host. Elsewhere it is passed over:
//! the request is noted, and ends the call when the host function returns ([`check`](super::check)); for the rest, who asks asks again.
//!
//! The engine names a trap by the instruction at which the thread was found, whatever the signal. An interruption there would be
//! reported as that instruction's trap (out of bounds at a load, stack overflow at a call), so the handler notes that it stopped the guest.
#![allow(unsafe_code, reason = "the system passes the thread's state as a pointer")]

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;

use wasmer::sys::vm::{init_traps, libcalls};

use super::guest_code::GuestCode;
use super::target::{self, Target};
use super::thread;

/// The signal.
pub(super) const SIGNAL: libc::c_int = libc::SIGUSR1;

/// The signal of a trap that the engine handles on every system.
const TRAP: libc::c_int = libc::SIGSEGV;

/// Bytes that a function is taken to have, of which only the address is known. Each is shorter.
const LENGTH: usize = 4096;

/// As [`LENGTH`], for functions of the engine's.
const LENGTH_IN_ENGINE: usize = 512;

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut c_void);

/// State that the handler needs.
struct Installed {
    /// The handler of before.
    before: libc::sigaction,
    /// The engine's handler of traps.
    trap: libc::sigaction,
    bulk: Bulk,
}

static INSTALLED: OnceLock<Option<Installed>> = OnceLock::new();

/// Installs the handler, once for the process, after the engine's own ones.
pub(super) fn install() {
    INSTALLED.get_or_init(|| {
        init_traps();
        let installed = try_install();
        if let Err(error) = &installed {
            log::warn!("cannot install the handler of a signal: {error}; guests are not interrupted");
        }
        installed.ok()
    });
}

fn try_install() -> std::io::Result<Installed> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all fields may be zero.
    let action = unsafe { action.assume_init_mut() };
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    action.sa_sigaction = handle as *const () as usize;
    let trap = exchange(TRAP, None)?;
    // Before the handler runs for the first time, it finds no target, and needs nothing of what is stored here.
    let before = exchange(SIGNAL, Some(action))?;
    Ok(Installed {
        before,
        trap,
        bulk: Bulk::new(),
    })
}

/// Sets what handles a signal, if anything is given; returns what did before.
fn exchange(signal: libc::c_int, action: Option<&libc::sigaction>) -> std::io::Result<libc::sigaction> {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    let action = action.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: both are descriptions of handlers, or absent.
    match unsafe { libc::sigaction(signal, action, before.as_mut_ptr()) } {
        // SAFETY: the system has filled it.
        0 => Ok(unsafe { before.assume_init() }),
        _ => Err(std::io::Error::last_os_error()),
    }
}

extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(Some(installed)) = INSTALLED.get() else {
        return;
    };
    let stops = |target: &Target| {
        // SAFETY: what the handler of a signal is given.
        let instruction = unsafe { instruction(context) };
        let code = target.code();
        // SAFETY: as above.
        let in_bulk = || {
            installed
                .bulk
                .is_at(code, instruction, || unsafe { caller(context) })
        };
        target.is_requested() && (code.contains(instruction) || in_bulk())
    };
    // Several may come as one, or one after the note of another was seen.
    let is_own = thread::take_sent() || target::innermost(Target::is_requested) == Some(true);
    if !is_own {
        forward(&installed.before, signal, info, context);
    } else if target::innermost(stops) == Some(true) {
        stop(&installed.trap, context);
    }
}

/// Makes the guest trap where it is.
fn stop(trap: &libc::sigaction, context: *mut c_void) {
    if trap.sa_flags & libc::SA_SIGINFO == 0 {
        return;
    }
    // SAFETY: handlers with this flag have this type.
    let handler = unsafe { std::mem::transmute::<usize, Handler>(trap.sa_sigaction) };
    // SAFETY: a zeroed record is one without an address.
    let mut info = unsafe { MaybeUninit::<libc::siginfo_t>::zeroed().assume_init() };
    info.si_signo = TRAP;
    // SAFETY: what the handler of a signal is given.
    let place = unsafe { instruction(context) };
    STOPPED.set(true);
    handler(TRAP, &raw mut info, context);
    // SAFETY: as above.
    if unsafe { instruction(context) } == place {
        // The engine did not recognize its guest, and whatever came next may have given the signal up.
        STOPPED.set(false);
        if exchange(TRAP, None).is_ok_and(|now| now.sa_sigaction == libc::SIG_DFL) {
            let _ = exchange(TRAP, Some(trap));
        }
    }
}

/// Calls what handled the signal before, if there is something. Its default, the end of the process, is left out.
fn forward(before: &libc::sigaction, signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let handler = before.sa_sigaction;
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        return;
    }
    if before.sa_flags & libc::SA_SIGINFO != 0 {
        // SAFETY: handlers with this flag have this type.
        let handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
        handler(signal, info, context);
    } else {
        // SAFETY: handlers without the flag have this type.
        let handler = unsafe { std::mem::transmute::<usize, extern "C" fn(libc::c_int)>(handler) };
        handler(signal);
    }
}

thread_local! {
    /// Set by the handler as it stops a guest on this thread. Has no destructor, so that a handler may use it.
    static STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// Forgets an interruption of which the error was not converted.
#[inline]
pub(super) fn forget_stopped() {
    STOPPED.set(false);
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
    use std::sync::atomic::{AtomicI32, Ordering};

    use super::*;

    #[test]
    fn the_handler_of_before_gets_the_signals_of_others() {
        static SEEN: AtomicI32 = AtomicI32::new(0);
        extern "C" fn see(signal: libc::c_int) {
            SEEN.store(signal, Ordering::SeqCst);
        }
        let mut before = exchange(libc::SIGUSR2, None).expect("it has a handler");
        let forward = |before: &libc::sigaction| forward(before, 7, ptr::null_mut(), ptr::null_mut());
        forward(&before);
        before.sa_sigaction = see as *const () as usize;
        before.sa_flags = 0;
        forward(&before);
        assert_eq!(SEEN.load(Ordering::SeqCst), 7);
    }

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
