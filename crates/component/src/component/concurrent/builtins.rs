//! The core functions of concurrency, as guests and adapter modules import them.

use std::sync::Arc;

use airssys_wasm_abi::CoreType::{self, I32, I64};
use airssys_wasm_abi::steps::GuestPtr;
use airssys_wasm_abi::{CoreSignature, Plan, StringEncoding};
use wasmer::StoreMut;

use super::adapters::{Prepared, Results, start_call};
use super::block::block;
use super::state::{Lift, Wait};
use super::task::{enter_sync_call, exit_sync_call, task_cancel, task_return};
use super::threads::SwitchTo;
use super::transmit::Used;
use super::waitable::Event;
use crate::component::call::core_call::{at_border, host_function};
use crate::component::instance::InstanceInner;
use crate::component::ir::{Builtin, End, Function, Options, Transmit};
use crate::component::store::{StoreContextMut, StoreCore};
use crate::error::{AsyncTrap, Error, ResourceError, Result, TrapKind};

/// A built-in's instance and store.
#[derive(Clone)]
pub(crate) struct Maker {
    pub(crate) instance: Arc<InstanceInner>,
    pub(crate) core: Arc<StoreCore>,
}

/// Signature of a core function: parameters, and the result.
type Signature = (Vec<CoreType>, Option<CoreType>);

impl Maker {
    fn function<T: Send + 'static>(
        &self,
        cx: &mut StoreContextMut<'_, T>,
        (params, result): Signature,
        body: impl Fn(&mut StoreMut<'_>, &Maker, &[u64]) -> Result<u64> + Send + 'static,
    ) -> wasmer::Function {
        let signature = CoreSignature {
            params,
            results: result.into_iter().collect(),
        };
        let signature = at_border(self.instance.backend(), &signature);
        let maker = self.clone();
        host_function(&mut cx.store, &signature, move |store, args| {
            body(store, &maker, args)
        })
    }

    fn options(&self, index: u32) -> Result<Options> {
        let options = self.instance.ir().options.get(index as usize).copied();
        options.ok_or_else(|| Error::bug("options out of range"))
    }

    /// Replaces the error for a handle that there is not, if the built-in is one that blocks, and is called where nothing may: the reference
    /// looks at that first.
    fn unless_blocking<R>(&self, is_async: bool, result: Result<R>) -> Result<R> {
        result.map_err(|error| match &error {
            Error::Trap(trap)
                if !is_async
                    && matches!(trap.kind(), TrapKind::Resource(ResourceError::UnknownHandle(_))) =>
            {
                let mut tasks = self.core.tasks();
                let checked = tasks.running().and_then(|key| tasks.check_may_wait(key));
                checked.err().unwrap_or(error)
            }
            _ => error,
        })
    }

    /// Writes the two values of an event to memory; returns its code.
    fn write_event(&self, store: &mut StoreMut<'_>, options: Options, at: u32, event: Event) -> Result<u64> {
        let (code, first, second) = event;
        let memory = options.memory.and_then(|index| self.instance.memory(index));
        let memory = memory.ok_or_else(|| Error::bug("an event without a memory"))?;
        let at = GuestPtr(at);
        at.check_aligned(4)?;
        let bytes = at.slice_mut(8, memory.data_mut(store))?;
        bytes[..4].copy_from_slice(&first.to_le_bytes());
        bytes[4..].copy_from_slice(&second.to_le_bytes());
        Ok(code.into())
    }
}

fn arg(args: &[u64], index: usize) -> Result<u32> {
    let bits = args.get(index).copied();
    // The signature has an `i32` there.
    bits.map(|bits| bits as u32)
        .ok_or_else(|| Error::bug("a built-in called with too few arguments"))
}

/// Creates the core function of a built-in.
///
/// # Errors
/// [`Error::Unsupported`] for those that this host lacks.
pub(crate) fn make<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    maker: &Maker,
    builtin: &Builtin,
) -> Result<wasmer::Function> {
    Ok(match *builtin {
        Builtin::BackpressureInc { instance } => {
            maker.function(cx, (vec![], None), move |_, m, _| m.backpressure(instance, true))
        }
        Builtin::BackpressureDec { instance } => {
            maker.function(cx, (vec![], None), move |_, m, _| m.backpressure(instance, false))
        }
        Builtin::TaskReturn {
            instance,
            ref function,
            options,
        } => {
            let (params, result_type) = (flat_result(function)?, function.result_type);
            let Options {
                memory,
                string_encoding,
                ..
            } = maker.options(options)?;
            maker.function(cx, (params, None), move |store, m, args| {
                m.instance.check_may_leave(store, instance)?;
                task_return(store, &m.core, result_type, memory, string_encoding, args)?;
                Ok(0)
            })
        }
        Builtin::TaskCancel { instance } => maker.function(cx, (vec![], None), move |store, m, _| {
            m.instance.check_may_leave(store, instance)?;
            task_cancel(&m.core)?;
            Ok(0)
        }),
        Builtin::WaitableSetNew { instance } => {
            maker.function(cx, (vec![], Some(I32)), move |store, m, _| {
                m.instance.check_may_leave(store, instance)?;
                Ok(m.instance.waitable_set_new(&m.core, instance)?.into())
            })
        }
        Builtin::WaitableSetWait { instance, options } => {
            let options = maker.options(options)?;
            maker.function(cx, (vec![I32; 2], Some(I32)), move |store, m, args| {
                m.instance.check_may_leave(store, instance)?;
                let (set, at) = (arg(args, 0)?, arg(args, 1)?);
                let event =
                    m.instance
                        .waitable_set_wait(store, &m.core, instance, set, options.cancellable)?;
                m.write_event(store, options, at, event)
            })
        }
        Builtin::WaitableSetPoll { instance, options } => {
            let options = maker.options(options)?;
            maker.function(cx, (vec![I32; 2], Some(I32)), move |store, m, args| {
                m.instance.check_may_leave(store, instance)?;
                let (set, at) = (arg(args, 0)?, arg(args, 1)?);
                let event = m
                    .instance
                    .waitable_set_poll(&m.core, instance, set, options.cancellable)?;
                m.write_event(store, options, at, event)
            })
        }
        Builtin::WaitableSetDrop { instance } => {
            maker.function(cx, (vec![I32], None), move |store, m, args| {
                m.instance.check_may_leave(store, instance)?;
                m.instance.waitable_set_drop(&m.core, instance, arg(args, 0)?)?;
                Ok(0)
            })
        }
        Builtin::WaitableJoin { instance } => {
            maker.function(cx, (vec![I32; 2], None), move |store, m, args| {
                m.instance.check_may_leave(store, instance)?;
                let (waitable, set) = (arg(args, 0)?, arg(args, 1)?);
                m.instance.waitable_join(&m.core, instance, waitable, set)?;
                Ok(0)
            })
        }
        Builtin::SubtaskDrop { instance } => maker.function(cx, (vec![I32], None), move |store, m, args| {
            m.instance.check_may_leave(store, instance)?;
            m.instance.subtask_drop(&m.core, instance, arg(args, 0)?)?;
            Ok(0)
        }),
        Builtin::SubtaskCancel { instance, is_async } => {
            maker.function(cx, (vec![I32], Some(I32)), move |store, m, args| {
                m.instance.check_may_leave(store, instance)?;
                let index = arg(args, 0)?;
                let state = m
                    .instance
                    .subtask_cancel(store, &m.core, instance, index, is_async);
                Ok(m.unless_blocking(is_async, state)?.into())
            })
        }
        Builtin::New { instance, transmit } => maker.function(cx, (vec![], Some(I64)), move |store, m, _| {
            m.instance.check_may_leave(store, instance)?;
            m.instance.transmit_new(&m.core, instance, transmit)
        }),
        Builtin::Copy {
            instance,
            transmit,
            end,
            options,
        } => make_copy(cx, maker, (instance, transmit, end), maker.options(options)?),
        Builtin::CancelCopy {
            instance,
            transmit,
            end,
            is_async,
        } => maker.function(cx, (vec![I32], Some(I32)), move |store, m, args| {
            m.instance.check_may_leave(store, instance)?;
            let used = used(instance, transmit, end, args)?;
            let result = m.instance.transmit_cancel(store, &m.core, used, is_async);
            Ok(m.unless_blocking(is_async, result)?.into())
        }),
        Builtin::DropEnd {
            instance,
            transmit,
            end,
        } => maker.function(cx, (vec![I32], None), move |store, m, args| {
            m.instance.check_may_leave(store, instance)?;
            m.instance
                .transmit_drop(&m.core, used(instance, transmit, end, args)?)?;
            Ok(0)
        }),
        Builtin::ThreadYield {
            instance,
            cancellable,
        } => maker.function(cx, (vec![], Some(I32)), move |store, m, _| {
            m.instance.check_may_leave(store, instance)?;
            Ok(block(store, &m.core, Wait::Yield, cancellable)?.into())
        }),
        Builtin::ThreadIndex { instance } => maker.function(cx, (vec![], Some(I32)), move |store, m, _| {
            m.instance.check_may_leave(store, instance)?;
            Ok(m.instance.thread_index(&m.core, instance)?.into())
        }),
        Builtin::ThreadNewIndirect { instance, take } => {
            maker.function(cx, (vec![I32; 2], Some(I32)), move |store, m, args| {
                m.instance.check_may_leave(store, instance)?;
                let (function, argument) = (arg(args, 0)?, arg(args, 1)?);
                let index = m
                    .instance
                    .thread_new(store, &m.core, (instance, take), function, argument)?;
                Ok(index.into())
            })
        }
        Builtin::ThreadResumeLater { instance } => {
            maker.function(cx, (vec![I32], None), move |store, m, args| {
                m.instance.check_may_leave(store, instance)?;
                m.instance.thread_resume_later(&m.core, instance, arg(args, 0)?)?;
                Ok(0)
            })
        }
        Builtin::ThreadSuspend {
            instance,
            cancellable,
        } => maker.function(cx, (vec![], Some(I32)), move |store, m, _| {
            m.instance.check_may_leave(store, instance)?;
            Ok(block(store, &m.core, Wait::Suspended, cancellable)?.into())
        }),
        Builtin::ThreadSwitch {
            instance,
            cancellable,
            yields,
            promotes,
        } => maker.function(cx, (vec![I32], Some(I32)), move |store, m, args| {
            m.instance.check_may_leave(store, instance)?;
            let by = SwitchTo {
                yields,
                promotes,
                cancellable,
            };
            let index = arg(args, 0)?;
            let cancelled = m.instance.thread_switch(store, &m.core, instance, index, by)?;
            Ok(cancelled.into())
        }),
        Builtin::PrepareCall { memory, ref params } => make_prepare(cx, maker, memory, params),
        Builtin::SyncStartCall { callback, result } => {
            let lift = callback.map_or(Lift::Stackful, Lift::Callback);
            maker.function(cx, (vec![I32; 2], result), move |store, m, args| {
                start_call(store, &m.core, &m.instance, arg(args, 0)?, lift, None, true)
            })
        }
        Builtin::AsyncStartCall {
            callback,
            post_return,
        } => maker.function(cx, (vec![I32; 4], Some(I32)), move |store, m, args| {
            let lift = match (arg(args, 3)? & ASYNC_CALLEE != 0, callback) {
                (false, _) => Lift::Sync,
                (true, None) => Lift::Stackful,
                (true, Some(callback)) => Lift::Callback(callback),
            };
            let callee = arg(args, 0)?;
            start_call(store, &m.core, &m.instance, callee, lift, post_return, false)
        }),
        Builtin::StreamTransfer => make_transfer(cx, maker, Transmit::Stream),
        Builtin::FutureTransfer => make_transfer(cx, maker, Transmit::Future),
        Builtin::ErrorContextNew { .. }
        | Builtin::ErrorContextDebugMessage { .. }
        | Builtin::ErrorContextDrop { .. }
        | Builtin::ErrorContextTransfer => {
            return Err(Error::Unsupported("it uses error contexts".into()));
        }
    })
}

/// The flag of a started call whose callee was lifted asynchronously.
const ASYNC_CALLEE: u32 = 1;

/// Returns the core types of the result that a function has as its parameter.
fn flat_result(function: &Function) -> Result<Vec<CoreType>> {
    let Some((_, ty)) = function.ty.params.first() else {
        return Ok(Vec::new());
    };
    let plan = Plan::new(ty).map_err(|error| Error::Unsupported(format!("the type of a result: {error}")))?;
    Ok(plan.flat().map_or_else(|| vec![I32], <[CoreType]>::to_vec))
}

fn used(component_instance: u32, transmit: Transmit, end: End, args: &[u64]) -> Result<Used> {
    Ok(Used {
        component_instance,
        transmit,
        end,
        index: arg(args, 0)?,
    })
}

fn make_copy<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    maker: &Maker,
    (instance, transmit, end): (u32, Transmit, End),
    options: Options,
) -> wasmer::Function {
    let params = match transmit {
        Transmit::Stream(_) => vec![I32; 3],
        Transmit::Future(_) => vec![I32; 2],
    };
    maker.function(cx, (params, Some(I32)), move |store, m, args| {
        m.instance.check_may_leave(store, instance)?;
        let length = match transmit {
            Transmit::Stream(_) => arg(args, 2)?,
            Transmit::Future(_) => 1,
        };
        let used = used(instance, transmit, end, args)?;
        let result = m
            .instance
            .transmit_copy(store, &m.core, used, options, arg(args, 1)?, length);
        Ok(m.unless_blocking(options.is_async, result)?.into())
    })
}

fn make_transfer<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    maker: &Maker,
    kind: fn(u32) -> Transmit,
) -> wasmer::Function {
    maker.function(cx, (vec![I32; 3], Some(I32)), move |_, m, args| {
        let (index, from, to) = (arg(args, 0)?, arg(args, 1)?, arg(args, 2)?);
        let index = m
            .instance
            .transmit_transfer(&m.core, index, kind(from), kind(to))?;
        Ok(index.into())
    })
}

/// Parameters that all prepared calls have, before the caller's own.
const PREPARED: usize = 8;

fn make_prepare<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    maker: &Maker,
    memory: Option<u32>,
    params: &[CoreType],
) -> wasmer::Function {
    let params = [I32; PREPARED].iter().chain(params).copied().collect();
    maker.function(cx, (params, None), move |store, m, args| {
        let caller = arg(args, 2)?;
        m.instance.check_may_leave(store, caller)?;
        let prepared = Prepared {
            start: arg(args, 0)?,
            return_: arg(args, 1)?,
            caller,
            callee: arg(args, 3)?,
            result_type: arg(args, 4)?,
            is_async: arg(args, 5)? != 0,
            string_encoding: match arg(args, 6)? {
                0 => StringEncoding::Utf8,
                1 => StringEncoding::Utf16,
                _ => StringEncoding::CompactUtf16,
            },
            memory,
            results: Results::of(arg(args, 7)?),
            is_sync_caller: Results::is_sync(arg(args, 7)?),
            params: args.get(PREPARED..).unwrap_or_default().to_vec(),
        };
        let mut tasks = m.core.tasks();
        let current = tasks.running()?;
        if prepared.is_async && prepared.is_sync_caller {
            tasks.check_may_wait(current)?;
        }
        tasks.thread(current)?.prepared = Some(prepared);
        Ok(0)
    })
}

/// Creates the function that begins a synchronous call of one component by another.
pub(crate) fn make_enter_sync_call<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    maker: &Maker,
) -> wasmer::Function {
    maker.function(cx, (vec![I32; 3], None), |store, m, args| {
        let place = (m.instance.id, arg(args, 2)?);
        enter_sync_call(store, &m.core, place, arg(args, 1)? != 0)?;
        Ok(0)
    })
}

/// Creates the function that ends it.
pub(crate) fn make_exit_sync_call<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    maker: &Maker,
) -> wasmer::Function {
    maker.function(cx, (vec![], None), |store, m, _| {
        exit_sync_call(store, &m.core)?;
        Ok(0)
    })
}

/// The most that a component instance may hold tasks back.
const MOST_BACKPRESSURE: u32 = (1 << 16) - 1;

impl Maker {
    /// `backpressure.inc` and `backpressure.dec`.
    fn backpressure(&self, component_instance: u32, more: bool) -> Result<u64> {
        let place = (self.instance.id, component_instance);
        let mut tasks = self.core.tasks();
        let state = tasks.instance(place);
        let changed = match more {
            true => state
                .backpressure
                .checked_add(1)
                .filter(|count| *count <= MOST_BACKPRESSURE),
            false => state.backpressure.checked_sub(1),
        };
        state.backpressure = changed.ok_or(AsyncTrap::Backpressure)?;
        tasks.instance_changed(place);
        Ok(0)
    }
}
