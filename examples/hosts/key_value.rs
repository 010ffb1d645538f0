//! A host of a custom world: a component stores shopping carts in the host's key-value store.
//! `cargo run --release --example key-value`

use airssys_wasm::component::{Component, HasSelf, HostResult, Linker, Resource, ResourceTable, Store};
use airssys_wasm::engine::Engine;
use std::collections::HashMap;

airssys_wasm::component::bindgen!({
    path: "examples/guests/rust/key-value/wit",
    with: { "guests:key-value/store/bucket": String }, // An open bucket is a name in the table.
    trappable_imports: true,
});

#[derive(Default)]
struct Host {
    open: ResourceTable,
    values: HashMap<(String, String), String>,
}

impl guests::key_value::store::Host for Host {}
impl guests::key_value::store::HostBucket for Host {
    fn new(&mut self, name: String) -> HostResult<Resource<String>> {
        Ok(self.open.push(name)?)
    }
    fn get(&mut self, bucket: Resource<String>, key: String) -> HostResult<Option<String>> {
        let name = self.open.get(&bucket)?.clone();
        Ok(self.values.get(&(name, key)).cloned())
    }
    fn set(&mut self, bucket: Resource<String>, key: String, value: String) -> HostResult<()> {
        let name = self.open.get(&bucket)?.clone();
        self.values.insert((name, key), value);
        Ok(())
    }
    fn drop(&mut self, bucket: Resource<String>) -> HostResult<()> {
        Ok(self.open.delete(bucket).map(|_| ())?)
    }
}

fn main() -> anyhow::Result<()> {
    shop().map(|told| println!("{told}"))
}

pub(crate) fn shop() -> anyhow::Result<String> {
    let engine = Engine::default();
    let component = Component::from_binary(&engine, include_bytes!("../../tests/fixtures/key-value.wasm"))?;
    let mut linker = Linker::new(&engine);
    KeyValue::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    let mut store = Store::new(&engine, Host::default());
    let world = KeyValue::instantiate(&mut store, &component, &linker)?;
    let carts = world.guests_key_value_carts();
    let cart = carts.cart().call_constructor(&mut store, "alice")?;
    let apples = carts.cart().call_add(&mut store, cart, "apple", 3)?;
    cart.resource_drop(&mut store)?; // Alice leaves, and comes back with another cart.
    let cart = carts.cart().call_constructor(&mut store, "alice")?;
    let pears = carts.cart().call_add(&mut store, cart, "pear", 1)?;
    let all = carts.call_checkout(&mut store, cart)?;
    let open = store.data().open.len();
    Ok(format!("{apples} apples, {pears} pear: {all}; {open} open"))
}
