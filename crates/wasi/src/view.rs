//! The parts of a store's data that WASI works on.

use std::mem;
use std::ops::{Deref, DerefMut};

use airssys_wasm_component::component::{HasData, ResourceTable};

use super::WasiCtx;

/// A store's data that has a [`WasiCtx`] and a table for its resources.
pub trait WasiView: Send + 'static {
    /// The calling component's context and table.
    fn ctx(&mut self) -> WasiCtxView<'_>;
}

/// The context and table of [`WasiView::ctx`].
#[derive(Debug)]
pub struct WasiCtxView<'a> {
    /// The grants of the component.
    pub ctx: &'a mut WasiCtx,
    /// The resources that the component holds: streams, files, sockets. The host may keep resources of its own in the same table, which takes
    /// no more than [`WasiLimits::resources`](super::WasiLimits::resources) once WASI has used it.
    pub table: &'a mut ResourceTable,
}

/// The data of a store with only WASI.
#[derive(Debug)]
pub struct WasiState {
    /// The grants of the component.
    pub ctx: WasiCtx,
    /// The resources that the component holds.
    pub table: ResourceTable,
}

impl From<WasiCtx> for WasiState {
    fn from(ctx: WasiCtx) -> WasiState {
        WasiState {
            table: ResourceTable::with_max(ctx.limits.resources),
            ctx,
        }
    }
}

impl WasiView for WasiState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

/// [`Attached`] as generated code finds it.
pub(crate) enum HasWasi {}

impl HasData for HasWasi {
    type Data<'a> = Attached<'a>;
}

impl WasiCtxView<'_> {
    /// Puts the store's table into the context, until [`WasiCtxView::detach`].
    #[inline]
    pub(crate) fn attach(&mut self) {
        self.table.limit(self.ctx.limits.resources);
        mem::swap(&mut self.ctx.table, self.table);
    }

    /// Gives the table back.
    #[inline]
    pub(crate) fn detach(&mut self) {
        mem::swap(&mut self.ctx.table, self.table);
    }
}

/// A context with the store's table in it, for as long as a function of WASI runs.
pub(crate) struct Attached<'a>(WasiCtxView<'a>);

impl<'a> Attached<'a> {
    #[inline]
    pub(crate) fn new(mut view: WasiCtxView<'a>) -> Attached<'a> {
        view.attach();
        Attached(view)
    }
}

impl Drop for Attached<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.detach();
    }
}

impl Deref for Attached<'_> {
    type Target = WasiCtx;

    #[inline]
    fn deref(&self) -> &WasiCtx {
        self.0.ctx
    }
}

impl DerefMut for Attached<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut WasiCtx {
        self.0.ctx
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{WasiCtxBuilder, WasiLimits};

    #[test]
    fn a_context_works_on_the_table_of_the_store() {
        let limits = WasiLimits {
            resources: 2,
            ..WasiLimits::default()
        };
        let mut ctx = WasiCtxBuilder::new().limits(limits).build();
        let mut table = ResourceTable::new();
        let own = table.push("the host's").unwrap();
        let pushed = {
            let mut attached = Attached::new(WasiCtxView {
                ctx: &mut ctx,
                table: &mut table,
            });
            let pushed = attached.table.push(1_u8).unwrap();
            assert!(
                attached.table.push(2_u8).is_err(),
                "there are as many as there may be"
            );
            pushed
        };
        assert!(ctx.table.is_empty());
        assert_eq!(table.get(&pushed), Ok(&1));
        assert_eq!(table.get(&own), Ok(&"the host's"));
        assert!(table.push(3_u8).is_err(), "the limit stays");
    }
}
