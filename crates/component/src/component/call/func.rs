//! Exported functions, called with dynamic values.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use airssys_wasm_abi::steps::{GuestPtr, allocate, check_value};
use airssys_wasm_abi::{AbiError, CoreValue, FuncPlan, FuncType, Needs, ResourceType as TableType};
use wasmer::StoreMut;

use crate::component::call::core_call::CoreFunc;
use crate::component::call::crossing::{LiftContext, LowerContext};
use crate::component::call::typed::{
    ComponentNamedList, FlatReader, FlatValues, LiftList, LowerList, Plans, TypeContext, TypedFunc,
};
use crate::component::concurrent::host::Lift;
use crate::component::concurrent::host_call;
use crate::component::instance::InstanceInner;
use crate::component::instance::lookup::name_of;
use crate::component::ir::{Function, Options};
use crate::component::link::type_equality::Same;
use crate::component::resource::ResourceType;
use crate::component::store::{AsContext, AsContextMut, StoreCore};
use crate::component::types::ComponentFunc;
use crate::component::{TypeNames, Val};
use crate::error::{CoreTrap, Error, Result, TrapKind};

/// An exported function of an [`Instance`](crate::component::Instance), called with [`Val`](crate::component::Val)s. Cheap to clone.
///
/// Implements [`canon lift`].
///
/// [`canon lift`]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#canon-lift
#[derive(Clone)]
pub struct Func {
    pub(super) inner: Arc<FuncInner>,
}

pub(crate) struct FuncInner {
    /// Its place among the component's exports.
    pub(crate) path: Box<[usize]>,
    pub(crate) instance: Arc<InstanceInner>,
    pub(crate) function: Arc<Function>,
    pub(crate) core: CoreFunc,
    pub(crate) post_return: Option<CoreFunc>,
    pub(crate) options: Options,
    /// True if its component uses concurrency.
    pub(crate) is_concurrent: bool,
}

impl Func {
    pub(crate) fn new(inner: FuncInner) -> Func {
        Func {
            inner: Arc::new(inner),
        }
    }

    /// Returns the function's type.
    pub fn ty(&self, _store: impl AsContext) -> ComponentFunc {
        ComponentFunc::new(self.inner.function.clone())
    }

    fn func_type(&self) -> &FuncType {
        &self.inner.function.ty
    }

    /// The function with Rust types for its parameters and results.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] if the types differ from the component's; [`Error::WrongStore`].
    pub fn typed<P: ComponentNamedList, R: ComponentNamedList>(
        &self,
        store: impl AsContext,
    ) -> Result<TypedFunc<P, R>> {
        if store.as_context().core.id != self.inner.instance.store {
            return Err(Error::WrongStore("the function"));
        }
        self.typecheck::<P, R>()?;
        Ok(TypedFunc::new(self.clone()))
    }

    /// Checks that tuples of Rust types represent the function's parameters and results.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] if they do not.
    #[doc(hidden)]
    pub fn typecheck<P: ComponentNamedList, R: ComponentNamedList>(&self) -> Result<()> {
        let look_up = |table: TableType| self.resource_type(table);
        let cx = TypeContext { look_up: &look_up };
        let ty = self.func_type();
        let params = ty.params.iter().map(|(_, ty)| ty).collect::<Vec<_>>();
        let results = ty.result.iter().collect::<Vec<_>>();
        let mismatch = |place: &str, message| Error::TypeMismatch {
            function: name_of(self.inner.instance.component(), &self.inner.path),
            place: place.to_owned(),
            message,
        };
        P::typecheck_list(&params, &cx).map_err(|message| mismatch("in the parameters", message))?;
        R::typecheck_list(&results, &cx).map_err(|message| mismatch("in the results", message))
    }

    /// Checks that an importing component declares this function with the same type.
    pub(in crate::component) fn check_same(
        &self,
        wanted: &Function,
        types: &TypeContext<'_>,
    ) -> std::result::Result<(), String> {
        if wanted.is_async != self.is_async() {
            let (wanted, theirs) = match wanted.is_async {
                true => ("", "not "),
                false => ("not ", ""),
            };
            return Err(format!(
                "the type is {wanted}`async`, and that of the export of another instance, which the linker has, is {theirs}so"
            ));
        }
        let look_up = |table: TableType| self.resource_type(table);
        let theirs = TypeContext { look_up: &look_up };
        match Same::new(types, &theirs).functions(&wanted.ty, self.func_type()) {
            true => Ok(()),
            false => Err(format!(
                "the linker has the export of another instance, of type {}",
                TypeNames::of(self.inner.instance.component()).brief_func(self.func_type())
            )),
        }
    }

    fn resource_type(&self, table: TableType) -> Option<ResourceType> {
        self.inner.instance.resource_type(table)
    }

    /// Calls the function and waits for its end, its post-return included.
    ///
    /// `results` has as many values as the function has results: none or one. Their content before the call does not
    /// matter.
    ///
    /// # Errors
    /// [`Error::Argument`] if `params` or the length of `results` do not fit the type: then nothing was called.
    /// [`Error::Trap`] if the guest trapped, returned a value that breaks the canonical ABI, is executing already, or
    /// trapped before; [`Error::Host`] if a host function that it called failed. After a trap of the guest or a failure
    /// of a host function, the instance refuses further calls.
    ///
    /// Of a component that uses concurrency, [`Error::Resource`] if the store has no room for a task, [`Error::SuspendedCalls`], and errors of the
    /// host's tasks in the background: then the instance can be called again.
    pub fn call(&self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
        let wanted = usize::from(self.func_type().result.is_some());
        if results.len() != wanted {
            return Err(Error::Argument(AbiError::WrongArgumentCount {
                expected: wanted,
                got: results.len(),
            }));
        }
        let result = self.call_dynamic(&mut store, params)?;
        if let (Some(slot), Some(result)) = (results.first_mut(), result) {
            *slot = result;
        }
        Ok(())
    }

    /// As [`Func::call`], but returns the result, if the function has one.
    ///
    /// # Errors
    /// As [`Func::call`].
    pub fn call_dynamic(&self, store: impl AsContextMut, params: &[Val]) -> Result<Option<Val>> {
        let plan = self.inner.function.plan()?;
        self.enter(
            store,
            plan.params_need(),
            &mut FlatValues::room(),
            |cx, flat| {
                let mut values = Vec::new();
                plan.lower_params(cx, params, &mut values)?;
                values.iter().for_each(|value| flat.push(value.bits()));
                Ok(())
            },
            lift_dynamic,
        )
    }

    /// As [`TypedFunc::call`](crate::component::TypedFunc::call), with types that passed [`Func::typecheck`], or the same types
    /// with other lifetimes. With types that do not match, values are garbled, or the call traps.
    ///
    /// # Errors
    /// As [`Func::call`].
    #[doc(hidden)]
    #[inline(always)]
    pub fn call_typed<P: LowerList, R: LiftList>(&self, store: impl AsContextMut, params: P) -> Result<R> {
        let plan = self.inner.function.plan()?;
        // A constant, as far as the types say.
        let needs = Needs {
            memory: const { P::LAYOUT.memory || P::LAYOUT.params_in_memory() },
            scope: P::LAYOUT.handles && plan.params_need().scope,
        };
        let (mut few, mut many);
        let room = if const { P::LAYOUT.flat <= 4 } {
            few = [0; 4];
            &mut few[..]
        } else {
            many = FlatValues::room();
            &mut many[..]
        };
        self.enter(
            store,
            needs,
            room,
            |cx, flat| lower_params(cx, plan, &params, flat),
            |cx, function, flat, form| lift_result(cx, function.plan()?, flat, form),
        )
    }

    // Inlined whole, with the functions that it calls: a call's closures are never moved through memory.
    #[inline(always)]
    fn enter<R>(
        &self,
        mut store: impl AsContextMut,
        needs: Needs,
        room: &mut [u64],
        lower: impl FnOnce(&mut LowerContext<'_>, &mut FlatValues<'_>) -> Result<()>,
        lift: impl FnOnce(&mut LiftContext<'_>, &Function, &[u64], Form) -> Result<R> + Send + 'static,
    ) -> Result<R>
    where
        R: Send + 'static,
    {
        let inner = &*self.inner;
        let mut cx = store.as_context_mut();
        if cx.core.id != inner.instance.store {
            return Err(Error::WrongStore("the function"));
        }
        let core = cx.core;
        if inner.is_concurrent {
            return self.enter_concurrent(&mut cx.store, core, needs, room, lower, lift);
        }
        guarded(&mut cx.store, core, &inner.instance, needs.scope, |store| {
            inner.call(store, core, needs.memory, room, lower, lift)
        })
    }
}

/// The form in which a flat result is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// As the result of the core function.
    Result,
    /// As the parameters of `task.return`.
    Returned,
}

impl Func {
    pub(in crate::component) fn instance(&self) -> &Arc<InstanceInner> {
        &self.inner.instance
    }

    pub(in crate::component) fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Returns whether its type is `async`.
    pub(in crate::component) fn is_async(&self) -> bool {
        self.inner.function.is_async
    }

    /// Returns whether a call of it may lend something.
    pub(in crate::component) fn lends(&self) -> Result<bool> {
        Ok(self.inner.function.plan()?.params_need().scope)
    }

    /// Returns the identity of its result type.
    pub(in crate::component) fn result_type(&self) -> u32 {
        self.inner.function.result_type
    }

    /// Calls its core function.
    pub(in crate::component) fn call_core(&self, store: &mut StoreMut<'_>, args: &[u64]) -> Result<u64> {
        self.inner.core.call(store, args)
    }

    /// Calls its post-return function, if it has one.
    pub(in crate::component) fn call_post_return(&self, store: &mut StoreMut<'_>, result: u64) -> Result<()> {
        let inner = &*self.inner;
        let Some(post_return) = &inner.post_return else {
            return Ok(());
        };
        let result = [result];
        let result = &result[..inner.function.plan()?.export_signature().results.len().min(1)];
        inner.instance.staying(store, inner.options.instance, |store| {
            post_return.call(store, result)
        })?;
        Ok(())
    }

    /// As [`Func::enter`], in a component that uses concurrency.
    fn enter_concurrent<R>(
        &self,
        store: &mut StoreMut<'_>,
        core: &Arc<StoreCore>,
        needs: Needs,
        room: &mut [u64],
        lower: impl FnOnce(&mut LowerContext<'_>, &mut FlatValues<'_>) -> Result<()>,
        lift: impl FnOnce(&mut LiftContext<'_>, &Function, &[u64], Form) -> Result<R> + Send + 'static,
    ) -> Result<R>
    where
        R: Send + 'static,
    {
        let FuncInner {
            instance,
            function,
            options,
            ..
        } = &*self.inner;
        if !function.is_async {
            return guarded(store, core, instance, true, |store| {
                host_call::run_sync(store, core, instance, options, |store| {
                    self.inner.call(store, core, needs.memory, room, lower, lift)
                })
            });
        }
        guarded_apart(store, core, instance, |store| {
            let lower = |store: &mut StoreMut<'_>| {
                let mut flat = FlatValues::new(room);
                instance.staying(store, options.instance, |store| {
                    lower(&mut LowerContext::new(store, core, instance, options), &mut flat)
                })?;
                Ok(flat.as_slice().to_vec())
            };
            host_call::call(store, core, self, lower, Func::lifting(lift))
        })
    }

    /// Returns the step that lifts the flat result of a task.
    pub(super) fn lifting<R, L>(lift: L) -> impl Lift<R> + use<R, L>
    where
        L: FnOnce(&mut LiftContext<'_>, &Function, &[u64], Form) -> Result<R> + Send,
    {
        move |func: &Func, store: &mut StoreMut<'_>, core: &Arc<StoreCore>, flat: &[u64]| {
            let FuncInner {
                instance,
                function,
                options,
                ..
            } = &*func.inner;
            let form = match options.is_async {
                true => Form::Returned,
                false => Form::Result,
            };
            lift(
                &mut LiftContext::new(store, core, instance, options),
                function,
                flat,
                form,
            )
        }
    }
}

/// Lifts a result as a dynamic value.
pub(super) fn lift_dynamic(
    cx: &mut LiftContext<'_>,
    function: &Function,
    flat: &[u64],
    form: Form,
) -> Result<Option<Val>> {
    if let Form::Returned = form {
        return lift_returned(cx, function.returned_plan()?, flat);
    }
    let plan = function.plan()?;
    let results = &plan.export_signature().results;
    let mut flat = FlatReader::new(flat);
    let result = results
        .first()
        .map(|ty| CoreValue::from_bits(*ty, flat.next_bits()));
    plan.lift_result(cx, result.as_slice())
}

/// Lifts the result that is the parameter of `task.return`.
fn lift_returned(cx: &mut LiftContext<'_>, plan: &FuncPlan, flat: &[u64]) -> Result<Option<Val>> {
    let types = plan.import_signature().params.iter().zip(flat);
    let flat: Vec<_> = types.map(|(ty, bits)| CoreValue::from_bits(*ty, *bits)).collect();
    Ok(plan.lift_params(cx, &flat)?.pop())
}

#[inline(always)]
pub(super) fn lower_params<P: LowerList>(
    cx: &mut LowerContext<'_>,
    plan: &FuncPlan,
    params: &P,
    flat: &mut FlatValues<'_>,
) -> Result<()> {
    let plans = Plans::Params(plan.params());
    params.check(plans)?;
    if const { P::LAYOUT.params_in_memory() } {
        let at = allocate(cx, plan.params_align(), plan.params_size())?;
        params.store(cx, plans, at)?;
        flat.push(u64::from(at.0));
        return Ok(());
    }
    params.lower_flat(cx, plans, flat)
}

#[inline(always)]
pub(super) fn lift_result<R: LiftList>(
    cx: &mut LiftContext<'_>,
    plan: &FuncPlan,
    flat: &[u64],
    form: Form,
) -> Result<R> {
    let mut flat = FlatReader::new(flat);
    let plans = Plans::Result(plan.result());
    let in_memory = match form {
        Form::Result => const { R::LAYOUT.result_in_memory() },
        Form::Returned => const { R::LAYOUT.params_in_memory() },
    };
    if in_memory {
        let at = GuestPtr(flat.next_u32());
        let at = check_value(cx, at, u64::from(R::LAYOUT.size), R::LAYOUT.align)?;
        return R::load(cx, plans, at);
    }
    R::lift_flat(cx, plans, &mut flat)
}

impl FuncInner {
    /// Calls the lifted function (`canon lift`).
    #[inline(always)]
    fn call<R>(
        &self,
        store: &mut StoreMut<'_>,
        core: &StoreCore,
        memory: bool,
        room: &mut [u64],
        lower: impl FnOnce(&mut LowerContext<'_>, &mut FlatValues<'_>) -> Result<()>,
        lift: impl FnOnce(&mut LiftContext<'_>, &Function, &[u64], Form) -> Result<R>,
    ) -> Result<R> {
        let FuncInner {
            instance,
            function,
            options,
            ..
        } = self;
        let mut flat = FlatValues::new(room);
        if memory {
            instance.set_may_leave(store, options.instance, false)?;
        }
        let lowered = lower(&mut LowerContext::new(store, core, instance, options), &mut flat);
        if memory {
            instance.set_may_leave(store, options.instance, true)?;
        }
        lowered?;
        let result = [self.core.call(store, flat.as_slice())?];
        let result = &result[..function.plan()?.export_signature().results.len().min(1)];
        let mut cx = LiftContext::new(store, core, instance, options);
        let value = lift(&mut cx, function, result, Form::Result)?;
        if let Some(post_return) = &self.post_return {
            instance.staying(store, options.instance, |store| post_return.call(store, result))?;
        }
        Ok(value)
    }
}

impl fmt::Debug for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Func")
            .field("ty", &self.inner.function.ty)
            .finish_non_exhaustive()
    }
}

/// Runs guest code of `instance` as one call: refuses a poisoned or executing instance, tracks the borrows of the call
/// if it is `scoped`, and poisons the instance if the guest was stopped.
#[inline(always)]
pub(crate) fn guarded<R>(
    store: &mut StoreMut<'_>,
    core: &StoreCore,
    instance: &InstanceInner,
    scoped: bool,
    call: impl FnOnce(&mut StoreMut<'_>) -> Result<R>,
) -> Result<R> {
    guarded_by(store, core, instance, scoped, false, call)
}

/// As [`guarded`], for a call that poisons the instance itself: it may end for another reason than the guest.
fn guarded_apart<R>(
    store: &mut StoreMut<'_>,
    core: &StoreCore,
    instance: &InstanceInner,
    call: impl FnOnce(&mut StoreMut<'_>) -> Result<R>,
) -> Result<R> {
    guarded_by(store, core, instance, false, true, call)
}

#[inline(always)]
fn guarded_by<R>(
    store: &mut StoreMut<'_>,
    core: &StoreCore,
    instance: &InstanceInner,
    scoped: bool,
    intact: bool,
    call: impl FnOnce(&mut StoreMut<'_>) -> Result<R>,
) -> Result<R> {
    if instance.entered.load(Ordering::Relaxed) {
        return Err(TrapKind::Reentrance.into());
    }
    if instance.poisoned.load(Ordering::Relaxed) {
        return Err(TrapKind::Poisoned.into());
    }
    let _running = core.interrupter.enter();
    instance.entered.store(true, Ordering::Relaxed);
    let mut entered = Entered {
        core,
        instance,
        depth: core.depth(),
        intact,
    };
    if scoped {
        core.enter_scope();
    }
    let mut result = match core.is_unguarded() {
        false => call(store),
        true => contained(store, call),
    };
    if scoped && result.is_ok() {
        result = match core.exit_scope() {
            Ok(()) => result,
            Err(trap) => Err(trap.into()),
        };
    }
    // A host's value that did not fit was found before the guest ran: the instance is unchanged.
    entered.intact |= matches!(result, Ok(_) | Err(Error::Argument(_) | Error::Resource(_)));
    match result {
        Ok(value) => Ok(value),
        Err(error) => Err(explained(store, core, error)),
    }
}

/// Names the trap of a guest that has consumed its fuel: its code traps as it does for `unreachable`.
#[cold]
#[inline(never)]
pub(in crate::component) fn explained(store: &mut StoreMut<'_>, core: &StoreCore, error: Error) -> Error {
    match error {
        Error::Trap(trap) if *trap.kind() == TrapKind::Core(CoreTrap::Unreachable) => {
            let kind = match core.fuel.exhausted(store) {
                Some(given) => TrapKind::OutOfFuel { given },
                None => trap.kind().clone(),
            };
            Error::Trap(Box::new(trap.because(kind)))
        }
        other => other,
    }
}

/// Runs a step. If it is `unguarded`, a panic of an import becomes a trap.
pub(in crate::component) fn contained_if<R>(
    unguarded: bool,
    store: &mut StoreMut<'_>,
    step: impl FnOnce(&mut StoreMut<'_>) -> Result<R>,
) -> Result<R> {
    match unguarded {
        false => step(store),
        true => contained(store, step),
    }
}

#[cold]
#[inline(never)]
fn contained<R>(store: &mut StoreMut<'_>, call: impl FnOnce(&mut StoreMut<'_>) -> Result<R>) -> Result<R> {
    crate::panics::contain("an import", || call(store)).unwrap_or_else(|panicked| Err(panicked.trap()))
}

/// A call in flight. However it ends, a panic included, its borrows are released.
struct Entered<'a> {
    core: &'a StoreCore,
    instance: &'a InstanceInner,
    depth: usize,
    intact: bool,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        self.core.unwind_scopes(self.depth);
        if !self.intact {
            self.instance.poisoned.store(true, Ordering::Relaxed);
        }
        self.instance.entered.store(false, Ordering::Relaxed);
    }
}
