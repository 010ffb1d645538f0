//! The plan of one function type: its parameters and result, and the core signatures that they flatten to.

use std::sync::Arc;

use crate::core_value::{CoreSignature, CoreType};
use crate::error::AbiError;
use crate::layout::{Flat, MAX_FLAT_ASYNC_PARAMS, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, Sequence};
use crate::plan::{Needs, Plan};
use crate::planner::Planner;
use crate::types::{FuncType, Type};

/// The plan by which calls of one function type cross the boundary, in both directions ("Flattening",
/// `flatten_functype`).
#[derive(Clone, Debug)]
pub struct FuncPlan {
    params: Box<[(Arc<str>, Plan)]>,
    /// Offsets of the parameters in a tuple in memory.
    param_offsets: Box<[u32]>,
    params_size: u32,
    params_align: u32,
    params_need: Needs,
    result: Option<Plan>,
    params_in_memory: bool,
    result_in_memory: bool,
    export: CoreSignature,
    import: CoreSignature,
}

impl FuncPlan {
    /// Creates the plan of a function type.
    ///
    /// # Errors
    /// [`AbiError::TypeTooDeep`], [`AbiError::TypeTooLarge`] (also for parameters that together would not fit into
    /// memory), [`AbiError::EmptyType`], [`AbiError::TooManyFlags`]; [`AbiError::Unsupported`] for error
    /// contexts.
    pub fn new(ty: &FuncType) -> Result<FuncPlan, AbiError> {
        FuncPlan::with(ty, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS)
    }

    /// Creates the plan of a function type that is lowered asynchronously ([`flatten_functype`]): at most
    /// [`MAX_FLAT_ASYNC_PARAMS`] flat parameters, and a result always in memory. The core result of its
    /// [`import_signature`](FuncPlan::import_signature) is the state of the call, which this plan does not make; as the plan of an export
    /// it has no meaning.
    ///
    /// # Errors
    /// As [`FuncPlan::new`].
    ///
    /// [`flatten_functype`]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md#flattening
    pub fn async_import(ty: &FuncType) -> Result<FuncPlan, AbiError> {
        let mut plan = FuncPlan::with(ty, MAX_FLAT_ASYNC_PARAMS, 0)?;
        plan.import.results = vec![CoreType::I32];
        Ok(plan)
    }

    fn with(ty: &FuncType, max_params: usize, max_results: usize) -> Result<FuncPlan, AbiError> {
        let mut planner = Planner::new();
        let mut sequence = Sequence::new();
        let mut flat = Flat::new(&[]);
        let mut params_need = Needs::default();
        let mut params = Vec::with_capacity(ty.params.len());
        let mut param_offsets = Vec::with_capacity(ty.params.len());
        for (name, ty) in &ty.params {
            let plan = supported(&mut planner, ty, || format!("parameter `{name}`"))?;
            params_need = params_need.and(plan.needs());
            param_offsets.push(sequence.push(plan.size(), plan.align())?);
            flat.append(plan.flat());
            params.push((Arc::clone(name), plan));
        }
        let (params_size, params_align) = sequence.finish()?;
        let result = ty.result.as_ref();
        let result = result
            .map(|ty| supported(&mut planner, ty, || "the result".to_owned()))
            .transpose()?;

        let flat_params = flat.finish();
        let params_in_memory = flat_params.as_ref().is_none_or(|flat| flat.len() > max_params);
        params_need.memory |= params_in_memory;
        let core_params = match flat_params {
            Some(flat) if !params_in_memory => flat.into_vec(),
            _ => vec![CoreType::I32],
        };
        let flat_result = match &result {
            Some(plan) => plan.flat(),
            None => Some(&[][..]),
        };
        let in_registers = flat_result
            .filter(|flat| flat.len() <= max_results)
            .map(<[CoreType]>::to_vec);
        let result_in_memory = in_registers.is_none();
        let (export, import) = match in_registers {
            Some(results) => {
                let signature = CoreSignature {
                    params: core_params,
                    results,
                };
                (signature.clone(), signature)
            }
            None => {
                let mut with_pointer = core_params.clone();
                with_pointer.push(CoreType::I32);
                (
                    CoreSignature {
                        params: core_params,
                        results: vec![CoreType::I32],
                    },
                    CoreSignature {
                        params: with_pointer,
                        results: Vec::new(),
                    },
                )
            }
        };
        Ok(FuncPlan {
            params: params.into(),
            param_offsets: param_offsets.into(),
            params_size,
            params_align,
            params_need,
            result,
            params_in_memory,
            result_in_memory,
            export,
            import,
        })
    }

    /// Returns the parameters' names and plans.
    pub fn params(&self) -> &[(Arc<str>, Plan)] {
        &self.params
    }

    /// Returns the requirements of the crossing beside the parameters themselves.
    pub fn params_need(&self) -> Needs {
        self.params_need
    }

    /// Returns the result's plan.
    pub fn result(&self) -> Option<&Plan> {
        self.result.as_ref()
    }

    /// Returns whether the parameters go through memory, as a tuple, instead of flat.
    pub fn params_in_memory(&self) -> bool {
        self.params_in_memory
    }

    /// Returns whether the result goes through memory: a lifted export returns a pointer to it, a lowered import
    /// receives a pointer to write it to.
    pub fn result_in_memory(&self) -> bool {
        self.result_in_memory
    }

    /// Returns the offset of each parameter in the tuple of parameters, in bytes.
    pub fn param_offsets(&self) -> &[u32] {
        &self.param_offsets
    }

    /// Returns the size, in bytes, of the tuple of parameters; 0 if there are none.
    pub fn params_size(&self) -> u32 {
        self.params_size
    }

    /// Returns the alignment of the tuple of parameters, in bytes.
    pub fn params_align(&self) -> u32 {
        self.params_align
    }

    /// Returns the core signature of a lifted export (`canon lift`): for a result in memory it returns a pointer.
    pub fn export_signature(&self) -> &CoreSignature {
        &self.export
    }

    /// Returns the core signature of a lowered import (`canon lower`): a result in memory adds a trailing pointer
    /// parameter.
    pub fn import_signature(&self) -> &CoreSignature {
        &self.import
    }
}

/// Plans a type whose values can cross.
fn supported(planner: &mut Planner, ty: &Type, place: impl FnOnce() -> String) -> Result<Plan, AbiError> {
    let plan = planner.plan(ty)?;
    if planner.has_error_context() {
        return Err(AbiError::Unsupported {
            place: place(),
            ty: ty.summary(),
        });
    }
    Ok(plan)
}
