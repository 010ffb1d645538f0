//! Constructors of the host functions that are placed between core modules.

use std::sync::Arc;

use airssys_wasm_abi::CoreSignature;
use airssys_wasm_abi::CoreType::{self, I32};
use wasmer::StoreMut;

use crate::component::call::core_call::host_function;
use crate::component::call::crossing::{borrow, lend};
use crate::component::concurrent::builtins::{self, Maker};
use crate::component::concurrent::host_call::run_sync;
use crate::component::instance::InstanceInner;
use crate::component::instance::adapter_trap::adapter_trap;
use crate::component::instance::transcode;
use crate::component::ir::{Options, Trampoline};
use crate::component::link::host_func::Import;
use crate::component::link::resolve::Resolved;
use crate::component::resource::handles::Handle;
use crate::component::resource::run_dtor;
use crate::component::store::{StoreContextMut, StoreCore};
use crate::error::{Error, ResourceError, Result};

/// Creates the trampoline at `index` of the instance's component.
pub(crate) fn make<T: Send + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    instance: &Arc<InstanceInner>,
    index: u32,
    imports: &[Resolved<T>],
) -> Result<wasmer::Function> {
    let trampoline = instance
        .ir()
        .trampolines
        .get(index as usize)
        .ok_or_else(|| Error::bug("a trampoline out of range"))?;
    let builder = Builder {
        instance: instance.clone(),
        core: cx.core.clone(),
    };
    Ok(match *trampoline {
        Trampoline::LowerImport {
            lowering,
            ref function,
            options,
        } => {
            let import = instance.ir().lowerings.get(lowering as usize);
            let host = match import.and_then(|import| imports.get(*import as usize)) {
                Some(Resolved::Func(host)) => host.clone(),
                _ => return Err(Error::bug("a lowered import that is not resolved")),
            };
            let options = *instance
                .ir()
                .options
                .get(options as usize)
                .ok_or_else(|| Error::bug("options out of range"))?;
            let import = Import {
                name: host.name.clone(),
                instance: builder.instance,
                core: builder.core,
                function: function.clone(),
                options,
            };
            (host.bind)(cx, import)?
        }
        Trampoline::Transcoder { op, from, to } => {
            let (params, results) = transcode::signature(op);
            let params = vec![I32; params];
            builder.function(cx, params, packed_results(results), move |store, b, args| {
                let (from, to) = (b.instance.memory(from), b.instance.memory(to));
                let (Some(from), Some(to)) = (from, to) else {
                    return Err(Error::bug("a transcoder without its memories"));
                };
                transcode::run(op, from, to, store, args)
            })
        }
        Trampoline::ResourceNew { instance, table } => {
            builder.function(cx, vec![I32], vec![I32], move |store, b, args| {
                b.instance.check_may_leave(store, instance)?;
                let (component_instance, resource, _) = b.instance.resource_table(table)?;
                let handle = Handle::Own {
                    resource,
                    rep: arg(args, 0)?,
                    lends: 0,
                };
                let index = b
                    .instance
                    .handles(component_instance, |table| table.insert(handle))?;
                Ok(vec![index])
            })
        }
        Trampoline::ResourceRep { table } => builder.function(cx, vec![I32], vec![I32], move |_, b, args| {
            let (component_instance, resource, _) = b.instance.resource_table(table)?;
            let index = arg(args, 0)?;
            let rep = b.instance.handles(component_instance, |table| {
                table.get(index, resource).map(|handle| handle.rep())
            })?;
            Ok(vec![rep])
        }),
        Trampoline::ResourceDrop { instance, table } => {
            builder.function(cx, vec![I32], vec![], move |store, b, args| {
                b.instance.check_may_leave(store, instance)?;
                b.drop_handle(store, table, arg(args, 0)?)?;
                Ok(vec![])
            })
        }
        Trampoline::ResourceTransferOwn => builder.function(cx, vec![I32; 3], vec![I32], |_, b, args| {
            let (index, from, to) = (arg(args, 0)?, arg(args, 1)?, arg(args, 2)?);
            let (component_instance, resource, _) = b.instance.resource_table(from)?;
            let handle = b
                .instance
                .handles(component_instance, |table| table.remove(index, resource))?;
            let Handle::Own { rep, .. } = handle else {
                return Err(ResourceError::NotOwned(index).into());
            };
            let (component_instance, resource, _) = b.instance.resource_table(to)?;
            let handle = Handle::Own {
                resource,
                rep,
                lends: 0,
            };
            Ok(vec![
                b.instance
                    .handles(component_instance, |table| table.insert(handle))?,
            ])
        }),
        Trampoline::ResourceTransferBorrow => builder.function(cx, vec![I32; 3], vec![I32], |_, b, args| {
            let (index, from, to) = (arg(args, 0)?, arg(args, 1)?, arg(args, 2)?);
            let (component_instance, resource, _) = b.instance.resource_table(from)?;
            let rep = lend(&b.core, &b.instance, component_instance, index, resource)?;
            let (component_instance, resource, runtime) = b.instance.resource_table(to)?;
            Ok(vec![borrow(
                &b.core,
                &b.instance,
                component_instance,
                resource,
                runtime,
                rep,
            )?])
        }),
        Trampoline::EnterSyncCall if instance.is_concurrent() => {
            builtins::make_enter_sync_call(cx, &builder.maker())
        }
        Trampoline::ExitSyncCall if instance.is_concurrent() => {
            builtins::make_exit_sync_call(cx, &builder.maker())
        }
        Trampoline::EnterSyncCall => builder.function(cx, vec![I32; 3], vec![], |_, b, _| {
            b.core.enter_scope();
            Ok(vec![])
        }),
        Trampoline::ExitSyncCall => builder.function(cx, vec![], vec![], |_, b, _| {
            b.core.exit_scope()?;
            Ok(vec![])
        }),
        Trampoline::Concurrent(ref builtin) => builtins::make(cx, &builder.maker(), builtin)?,
        Trampoline::Trap => builder.function(cx, vec![I32], vec![], |_, _, args| {
            Err(adapter_trap(arg(args, 0)?).into())
        }),
    })
}

fn arg(args: &[u32], index: usize) -> Result<u32> {
    args.get(index)
        .copied()
        .ok_or_else(|| Error::bug("a trampoline called with too few arguments"))
}

/// Returns the result types with which adapter modules import an intrinsic: two results are packed in one.
fn packed_results(results: usize) -> Vec<CoreType> {
    if results == 2 {
        vec![CoreType::I64]
    } else {
        vec![I32; results]
    }
}

/// The most parameters of any intrinsic: those of the transcoders.
const MAX_PARAMS: usize = 6;

struct Builder {
    instance: Arc<InstanceInner>,
    core: Arc<StoreCore>,
}

impl Builder {
    fn maker(&self) -> Maker {
        Maker {
            instance: self.instance.clone(),
            core: self.core.clone(),
        }
    }

    /// Creates a function of 32-bit integers that does not access the host's data. Two results that are declared as one
    /// 64-bit result are packed, the first in the low half.
    fn function<T: Send + 'static>(
        self,
        cx: &mut StoreContextMut<'_, T>,
        params: Vec<CoreType>,
        results: Vec<CoreType>,
        body: impl Fn(&mut StoreMut<'_>, &Builder, &[u32]) -> Result<Vec<u32>> + Send + Sync + 'static,
    ) -> wasmer::Function {
        let signature = CoreSignature { params, results };
        host_function(&mut cx.store, &signature, move |store, args| {
            let mut words = [0; MAX_PARAMS];
            for (word, bits) in words.iter_mut().zip(args) {
                *word = (bits & u64::from(u32::MAX)) as u32;
            }
            let results = body(store, &self, &words[..args.len().min(MAX_PARAMS)])?;
            let word = |index: usize| results.get(index).copied().map_or(0, u64::from);
            Ok(word(1) << 32 | word(0))
        })
    }

    /// Drops a handle (`canon resource.drop`).
    fn drop_handle(&self, store: &mut StoreMut<'_>, table: u32, index: u32) -> Result<()> {
        let (component_instance, resource, runtime) = self.instance.resource_table(table)?;
        match self
            .instance
            .handles(component_instance, |table| table.remove(index, resource))?
        {
            Handle::Own { rep, .. } => match &runtime.dtor {
                Some(dtor) => {
                    // The destructor is a call of its own, with its own loans.
                    self.core.enter_scope();
                    match self.instance.is_concurrent() {
                        false => run_dtor(dtor, store, rep)?,
                        true => {
                            let options = Options {
                                instance: runtime.definer.unwrap_or(u32::MAX),
                                ..Options::of_host()
                            };
                            run_sync(store, &self.core, &self.instance, &options, |store| {
                                run_dtor(dtor, store, rep)
                            })?;
                        }
                    }
                    self.core.exit_scope()?;
                    Ok(())
                }
                None => Ok(()),
            },
            Handle::Borrow { scope, .. } => {
                let mut state = self.core.state();
                let scope = state
                    .scopes
                    .get_mut(scope)
                    .ok_or_else(|| Error::bug("a borrow from no call"))?;
                scope.borrows = scope.borrows.saturating_sub(1);
                Ok(())
            }
            Handle::Waitable(_) | Handle::WaitableSet(_) => Err(ResourceError::WrongType(index).into()),
        }
    }
}
