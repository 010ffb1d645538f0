//! The host of the attackers: one function without effect, one that takes text, one that returns much, and one resource.

use airssys_wasm::Error;
use airssys_wasm::component::{Linker, Resource, ResourceTable, ResourceType, Store, StoreContextMut, Val};
use airssys_wasm::engine::Engine;

#[derive(Debug, Default)]
pub(crate) struct Host {
    things: ResourceTable,
}

/// A resource of the host.
#[derive(Debug)]
struct Thing;

pub(crate) fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    define(&mut linker).expect("each name is defined once");
    linker
}

fn define(linker: &mut Linker<Host>) -> airssys_wasm::Result<()> {
    type Cx<'a> = StoreContextMut<'a, Host>;
    let mut root = linker.root();
    root.func_wrap("tick", |_: Cx<'_>, (): ()| Ok(()))?;
    root.func_wrap("hear", |_: Cx<'_>, (text,): (String,)| Ok((text.len() as u32,)))?;
    root.func_wrap("tell", |_: Cx<'_>, (bytes,): (u32,)| {
        Ok((vec![0u8; bytes.min(1 << 20) as usize],))
    })?;
    root.resource("thing", ResourceType::host::<Thing>(), |mut cx: Cx<'_>, rep| {
        cx.data_mut().things.delete(Resource::<Thing>::new_own(rep))?;
        Ok(())
    })?;
    root.func_wrap("make", |mut cx: Cx<'_>, (): ()| {
        Ok((cx.data_mut().things.push(Thing)?,))
    })
}

/// Drops what an attack returned: a resource of the guest has a destructor.
pub(crate) fn finish(store: &mut Store<Host>, answer: Option<Val>) -> Result<(), Error> {
    match answer {
        Some(Val::Resource(resource)) => resource.resource_drop(store),
        _ => Ok(()),
    }
}
