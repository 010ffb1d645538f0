//! The four crossings of a call ([Lifting and Lowering Values]).
//!
//! [Lifting and Lowering Values]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#lifting-and-lowering-values

use crate::core_value::{CoreValue, check_core_values};
use crate::error::AbiError;
use crate::func::FuncPlan;
use crate::guest::{Guest, GuestVal, LiftGuest, LowerGuest};
use crate::lift::{Source, lift};
use crate::lower::{Target, lower};
use crate::memory::{GuestPtr, allocate, check_value, vec_with_room};

impl FuncPlan {
    /// Lowers the arguments of a lifted export, which the host calls. `out` is cleared, then holds the core arguments,
    /// as [`export_signature`](FuncPlan::export_signature) says; on an error, its content has no meaning. All arguments
    /// are checked before the guest is touched.
    ///
    /// # Errors
    /// [`Fault::Host`](crate::Fault::Host) for arguments that do not fit; [`AbiError::InvalidReallocResult`]; errors of
    /// the guest's `realloc` and resource tables.
    pub fn lower_params<G: LowerGuest>(
        &self,
        guest: &mut G,
        args: &[GuestVal<G>],
        out: &mut Vec<CoreValue>,
    ) -> Result<(), G::Error> {
        let (expected, got) = (self.params().len(), args.len());
        if expected != got {
            return Err(AbiError::WrongArgumentCount { expected, got }.into());
        }
        for (index, ((_, plan), arg)) in self.params().iter().zip(args).enumerate() {
            plan.check(arg)
                .map_err(|error| error.within(|| format!("argument {index}")))?;
        }
        out.clear();
        if !self.params_in_memory() {
            for ((_, plan), arg) in self.params().iter().zip(args) {
                lower(guest, plan, arg, Target::Flat(out))?;
            }
            return Ok(());
        }
        let tuple = allocate(guest, self.params_align(), self.params_size())?;
        for (((_, plan), offset), arg) in self.params().iter().zip(self.param_offsets()).zip(args) {
            lower(
                guest,
                plan,
                arg,
                Target::Memory(tuple.offset(u64::from(*offset))?),
            )?;
        }
        out.push(CoreValue::I32(tuple.0.cast_signed()));
        Ok(())
    }

    /// Lifts the result of a lifted export from the core results of its call.
    ///
    /// # Errors
    /// [`Fault::Guest`](crate::Fault::Guest) for a violation of the ABI; [`Fault::Internal`](crate::Fault::Internal) if
    /// `flat` does not match [`export_signature`](FuncPlan::export_signature); errors of the guest's tables and budget.
    pub fn lift_result<G: LiftGuest>(
        &self,
        guest: &mut G,
        flat: &[CoreValue],
    ) -> Result<Option<GuestVal<G>>, G::Error> {
        check_core_values(&self.export_signature().results, flat)?;
        let Some(plan) = self.result() else {
            return Ok(None);
        };
        let source = match flat {
            [ptr] if self.result_in_memory() => {
                Source::Memory(checked(guest, *ptr, u64::from(plan.size()), plan.align())?)
            }
            flat => Source::Flat(flat),
        };
        lift(guest, plan, source).map(Some)
    }

    /// Lifts the arguments of a lowered import, which the guest calls, from all the core arguments of the call (a
    /// trailing return pointer is left for [`lower_result`](FuncPlan::lower_result)).
    ///
    /// # Errors
    /// As for [`lift_result`](FuncPlan::lift_result), with [`import_signature`](FuncPlan::import_signature).
    pub fn lift_params<G: LiftGuest>(
        &self,
        guest: &mut G,
        flat: &[CoreValue],
    ) -> Result<Vec<GuestVal<G>>, G::Error> {
        check_core_values(&self.import_signature().params, flat)?;
        let mut source = match flat {
            [ptr, ..] if self.params_in_memory() => Source::Memory(checked(
                guest,
                *ptr,
                u64::from(self.params_size()),
                self.params_align(),
            )?),
            flat => Source::Flat(flat),
        };
        let count = self.params().len() as u64;
        guest.consume_lift_budget(count.saturating_mul(size_of::<GuestVal<G>>() as u64))?;
        let mut vals = vec_with_room(count)?;
        for ((_, plan), offset) in self.params().iter().zip(self.param_offsets()) {
            let member = source.member(plan, u64::from(*offset))?;
            vals.push(lift(guest, plan, member)?);
        }
        Ok(vals)
    }

    /// Lowers the result of a lowered import: to the core result to return, or, if it goes through memory, to the
    /// address in the last of the core arguments `flat_args` (and then returns `None`, as it does if the function has
    /// no result). The value is checked before the guest is touched.
    ///
    /// # Errors
    /// [`Fault::Host`](crate::Fault::Host) for a result that does not fit; [`Fault::Guest`](crate::Fault::Guest) for a
    /// bad return pointer; otherwise as for [`lower_params`](FuncPlan::lower_params).
    pub fn lower_result<G: LowerGuest>(
        &self,
        guest: &mut G,
        result: Option<&GuestVal<G>>,
        flat_args: &[CoreValue],
    ) -> Result<Option<CoreValue>, G::Error> {
        let (plan, val) = match (self.result(), result) {
            (None, None) => return Ok(None),
            (Some(plan), Some(val)) => (plan, val),
            (Some(plan), None) => {
                return Err(AbiError::MissingResult {
                    expected: plan.ty().summary(),
                }
                .into());
            }
            (None, Some(val)) => return Err(AbiError::UnexpectedResult { got: val.kind_name() }.into()),
        };
        plan.check(val)
            .map_err(|error| error.within(|| String::from("result")))?;
        if !self.result_in_memory() {
            let mut flat = Vec::with_capacity(1);
            lower(guest, plan, val, Target::Flat(&mut flat))?;
            return Ok(flat.pop());
        }
        check_core_values(&self.import_signature().params, flat_args)?;
        let Some(ptr) = flat_args.last() else {
            return Err(AbiError::NotFlat.into());
        };
        let ptr = checked(guest, *ptr, u64::from(plan.size()), plan.align())?;
        lower(guest, plan, val, Target::Memory(ptr))?;
        Ok(None)
    }
}

/// Checks a guest's pointer to a value in memory: aligned, and all of the value within bounds.
fn checked<G: Guest>(guest: &G, ptr: CoreValue, size: u64, align: u32) -> Result<GuestPtr, G::Error> {
    check_value(guest, GuestPtr(ptr.u32()?), size, align)
}
