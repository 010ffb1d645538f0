//! Types of streams and futures.

use std::sync::OnceLock;

use airssys_wasm_abi::{AbiError, Plan, Type};

/// One component instance's view of a stream or future type.
#[derive(Debug, Clone)]
pub(crate) struct TransmitTable {
    pub(crate) instance: u32,
    /// The identity of the type: equal numbers are equal types.
    pub(crate) ty: u32,
    pub(crate) payload: Option<Type>,
    plan: OnceLock<Result<Option<Plan>, AbiError>>,
}

impl TransmitTable {
    pub(crate) fn new(instance: u32, ty: u32, payload: Option<Type>) -> TransmitTable {
        TransmitTable {
            instance,
            ty,
            payload,
            plan: OnceLock::new(),
        }
    }

    /// Returns the layout of the elements; `None` for those that have none.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub(crate) fn plan(&self) -> Result<Option<&Plan>, AbiError> {
        let plan = self
            .plan
            .get_or_init(|| self.payload.as_ref().map(Plan::new).transpose());
        plan.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }
}
