//! Built-ins and tables of components with asynchronous functions, streams or futures.

use std::sync::Arc;

use airssys_wasm_abi as abi;
use wasmtime_environ::component as env;
use wasmtime_environ::{EntityRef, WasmValType};

use super::{Converter, unsupported, unsupported_builtin};
use crate::component::ir::{AdapterFunc, Builtin, Concurrency, End, Function, Transmit, TransmitTable};
use crate::error::{Error, Result};

/// Number of parameters that every function that prepares a call has.
const PREPARE_PARAMS: usize = 8;

impl Converter<'_> {
    /// Converts the tables, and adds the functions of adapter modules that the host calls.
    pub(super) fn concurrency(&mut self, adapters: Vec<AdapterFunc>) -> Result<Concurrency> {
        let types = self.types;
        let streams = (0..types.num_stream_tables()).map(|index| {
            let table = &types[env::TypeStreamTableIndex::new(index)];
            let payload = self.optional(&types[table.ty].payload)?;
            let (instance, ty) = (table.instance.as_u32(), table.ty.as_u32());
            Ok(TransmitTable::new(instance, ty, payload))
        });
        let streams = streams.collect::<Result<_>>()?;
        let futures = (0..types.num_future_tables()).map(|index| {
            let table = &types[env::TypeFutureTableIndex::new(index)];
            let payload = self.optional(&types[table.ty].payload)?;
            let (instance, ty) = (table.instance.as_u32(), table.ty.as_u32());
            Ok(TransmitTable::new(instance, ty, payload))
        });
        Ok(Concurrency {
            adapters,
            streams,
            futures: futures.collect::<Result<_>>()?,
            callbacks: self.component.num_runtime_callbacks,
        })
    }

    /// Converts a trampoline that only components with asynchronous functions have.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for the others.
    pub(super) fn builtin(
        &mut self,
        index: env::TrampolineIndex,
        trampoline: &env::Trampoline,
    ) -> Result<Builtin> {
        use env::Trampoline as T;
        if let Some(builtin) = transmit(trampoline) {
            return Ok(builtin);
        }
        Ok(match trampoline {
            T::BackpressureInc { instance } => Builtin::BackpressureInc {
                instance: instance.as_u32(),
            },
            T::BackpressureDec { instance } => Builtin::BackpressureDec {
                instance: instance.as_u32(),
            },
            T::TaskReturn {
                instance,
                results,
                options,
            } => Builtin::TaskReturn {
                instance: instance.as_u32(),
                function: self.returned(*results)?,
                options: options.as_u32(),
            },
            T::TaskCancel { instance } => Builtin::TaskCancel {
                instance: instance.as_u32(),
            },
            T::WaitableSetNew { instance } => Builtin::WaitableSetNew {
                instance: instance.as_u32(),
            },
            T::WaitableSetWait { instance, options } => Builtin::WaitableSetWait {
                instance: instance.as_u32(),
                options: options.as_u32(),
            },
            T::WaitableSetPoll { instance, options } => Builtin::WaitableSetPoll {
                instance: instance.as_u32(),
                options: options.as_u32(),
            },
            T::WaitableSetDrop { instance } => Builtin::WaitableSetDrop {
                instance: instance.as_u32(),
            },
            T::WaitableJoin { instance } => Builtin::WaitableJoin {
                instance: instance.as_u32(),
            },
            T::SubtaskDrop { instance } => Builtin::SubtaskDrop {
                instance: instance.as_u32(),
            },
            T::SubtaskCancel { instance, async_ } => Builtin::SubtaskCancel {
                instance: instance.as_u32(),
                is_async: *async_,
            },
            T::ErrorContextNew {
                instance, options, ..
            } => Builtin::ErrorContextNew {
                instance: instance.as_u32(),
                options: options.as_u32(),
            },
            T::ErrorContextDebugMessage {
                instance, options, ..
            } => Builtin::ErrorContextDebugMessage {
                instance: instance.as_u32(),
                options: options.as_u32(),
            },
            T::ErrorContextDrop { instance, .. } => Builtin::ErrorContextDrop {
                instance: instance.as_u32(),
            },
            T::ThreadYield {
                instance,
                cancellable,
            } => Builtin::ThreadYield {
                instance: instance.as_u32(),
                cancellable: *cancellable,
            },
            T::ThreadIndex { instance } => Builtin::ThreadIndex {
                instance: instance.as_u32(),
            },
            T::ThreadNewIndirect {
                instance,
                start_func_table_idx,
                ..
            } => Builtin::ThreadNewIndirect {
                instance: instance.as_u32(),
                // The table, until the functions have numbers.
                take: start_func_table_idx.as_u32(),
            },
            T::ThreadResumeLater { instance } => Builtin::ThreadResumeLater {
                instance: instance.as_u32(),
            },
            T::ThreadSuspend {
                instance,
                cancellable,
            } => Builtin::ThreadSuspend {
                instance: instance.as_u32(),
                cancellable: *cancellable,
            },
            T::ThreadSuspendThenResume {
                instance,
                cancellable,
            } => switch(*instance, *cancellable, false, false),
            T::ThreadYieldThenResume {
                instance,
                cancellable,
            } => switch(*instance, *cancellable, true, false),
            T::ThreadSuspendThenPromote {
                instance,
                cancellable,
            } => switch(*instance, *cancellable, false, true),
            T::ThreadYieldThenPromote {
                instance,
                cancellable,
            } => switch(*instance, *cancellable, true, true),
            T::PrepareCall { memory } => {
                let (params, _) = self.signature(index)?;
                let params = params.get(PREPARE_PARAMS..);
                let params = params.ok_or_else(|| Error::bug("a prepared call with too few parameters"))?;
                Builtin::PrepareCall {
                    memory: memory.map(|memory| memory.as_u32()),
                    params: params.iter().map(core_type).collect::<Result<_>>()?,
                }
            }
            T::SyncStartCall { callback } => {
                let result = match self.signature(index)?.1 {
                    [] => None,
                    [result] => Some(core_type(result)?),
                    _ => return Err(Error::bug("a call with more than one core result")),
                };
                Builtin::SyncStartCall {
                    callback: callback.map(|callback| callback.as_u32()),
                    result,
                }
            }
            T::AsyncStartCall {
                callback,
                post_return,
            } => Builtin::AsyncStartCall {
                callback: callback.map(|callback| callback.as_u32()),
                post_return: post_return.map(|post_return| post_return.as_u32()),
            },
            T::StreamTransfer => Builtin::StreamTransfer,
            T::FutureTransfer => Builtin::FutureTransfer,
            T::ErrorContextTransfer => Builtin::ErrorContextTransfer,
            other => return Err(unsupported_builtin(other)),
        })
    }

    /// Returns the parameters and results of a trampoline.
    fn signature(&self, index: env::TrampolineIndex) -> Result<(&[WasmValType], &[WasmValType])> {
        let ty = self.component.trampolines[index];
        let func = self.types[ty].as_func();
        let func = func.ok_or_else(|| Error::bug("a trampoline without a function type"))?;
        Ok((func.params(), func.results()))
    }

    /// Returns a function whose parameters are these results.
    fn returned(&mut self, results: env::TypeTupleIndex) -> Result<Arc<Function>> {
        if let Some(function) = self.returns.get(&results) {
            return Ok(function.clone());
        }
        let types = self.types;
        let params = types[results].types.iter();
        let params = params.map(|ty| Ok((Arc::from("result"), self.ty(ty)?)));
        let params: Box<[(Arc<str>, abi::Type)]> = params.collect::<Result<_>>()?;
        if params.len() > 1 {
            return Err(unsupported("a function with more than one result"));
        }
        let ty = abi::FuncType { params, result: None };
        let function = Arc::new(Function::concurrent(ty, false, results.as_u32()));
        self.returns.insert(results, function.clone());
        Ok(function)
    }
}

/// Converts the built-ins of streams and futures.
fn transmit(trampoline: &env::Trampoline) -> Option<Builtin> {
    use env::Trampoline as T;
    use {End::*, Transmit::*};
    Some(match trampoline {
        T::StreamNew { instance, ty } => new(*instance, Stream(ty.as_u32())),
        T::FutureNew { instance, ty } => new(*instance, Future(ty.as_u32())),
        T::StreamRead {
            instance,
            ty,
            options,
        } => copy(*instance, Stream(ty.as_u32()), Readable, *options),
        T::StreamWrite {
            instance,
            ty,
            options,
        } => copy(*instance, Stream(ty.as_u32()), Writable, *options),
        T::FutureRead {
            instance,
            ty,
            options,
        } => copy(*instance, Future(ty.as_u32()), Readable, *options),
        T::FutureWrite {
            instance,
            ty,
            options,
        } => copy(*instance, Future(ty.as_u32()), Writable, *options),
        T::StreamCancelRead { instance, ty, async_ } => {
            cancel(*instance, Stream(ty.as_u32()), Readable, *async_)
        }
        T::StreamCancelWrite { instance, ty, async_ } => {
            cancel(*instance, Stream(ty.as_u32()), Writable, *async_)
        }
        T::FutureCancelRead { instance, ty, async_ } => {
            cancel(*instance, Future(ty.as_u32()), Readable, *async_)
        }
        T::FutureCancelWrite { instance, ty, async_ } => {
            cancel(*instance, Future(ty.as_u32()), Writable, *async_)
        }
        T::StreamDropReadable { instance, ty } => drop_end(*instance, Stream(ty.as_u32()), Readable),
        T::StreamDropWritable { instance, ty } => drop_end(*instance, Stream(ty.as_u32()), Writable),
        T::FutureDropReadable { instance, ty } => drop_end(*instance, Future(ty.as_u32()), Readable),
        T::FutureDropWritable { instance, ty } => drop_end(*instance, Future(ty.as_u32()), Writable),
        _ => return None,
    })
}

fn new(instance: env::RuntimeComponentInstanceIndex, transmit: Transmit) -> Builtin {
    Builtin::New {
        instance: instance.as_u32(),
        transmit,
    }
}

fn copy(
    instance: env::RuntimeComponentInstanceIndex,
    transmit: Transmit,
    end: End,
    options: env::OptionsIndex,
) -> Builtin {
    Builtin::Copy {
        instance: instance.as_u32(),
        transmit,
        end,
        options: options.as_u32(),
    }
}

fn cancel(
    instance: env::RuntimeComponentInstanceIndex,
    transmit: Transmit,
    end: End,
    is_async: bool,
) -> Builtin {
    Builtin::CancelCopy {
        instance: instance.as_u32(),
        transmit,
        end,
        is_async,
    }
}

fn switch(
    instance: env::RuntimeComponentInstanceIndex,
    cancellable: bool,
    yields: bool,
    promotes: bool,
) -> Builtin {
    Builtin::ThreadSwitch {
        instance: instance.as_u32(),
        cancellable,
        yields,
        promotes,
    }
}

fn drop_end(instance: env::RuntimeComponentInstanceIndex, transmit: Transmit, end: End) -> Builtin {
    Builtin::DropEnd {
        instance: instance.as_u32(),
        transmit,
        end,
    }
}

fn core_type(ty: &WasmValType) -> Result<abi::CoreType> {
    Ok(match ty {
        WasmValType::I32 => abi::CoreType::I32,
        WasmValType::I64 => abi::CoreType::I64,
        WasmValType::F32 => abi::CoreType::F32,
        WasmValType::F64 => abi::CoreType::F64,
        WasmValType::V128 | WasmValType::Ref(_) => {
            return Err(Error::bug(
                "a call of a component with parameters of another kind",
            ));
        }
    })
}
