// A host of a world with a resource of the host's and one of the component's.

bindgen!({
    path: "../../examples/guests/rust/key-value/wit",
    world: "key-value",
    with: { "guests:key-value/store.bucket": Bucket },
});

#[allow(unreachable_pub, reason = "the bindings of wasmtime re-export it")]
pub struct Bucket {
    name: String,
}

#[derive(Default)]
struct Host {
    table: ResourceTable,
    values: std::collections::BTreeMap<(String, String), String>,
    dropped: u32,
}

impl guests::key_value::store::Host for Host {}

impl guests::key_value::store::HostBucket for Host {
    fn new(&mut self, name: String) -> Resource<Bucket> {
        self.table.push(Bucket { name }).expect("there is room")
    }

    fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Option<String> {
        let bucket = self.table.get(&bucket).expect("it is open");
        self.values.get(&(bucket.name.clone(), key)).cloned()
    }

    fn set(&mut self, bucket: Resource<Bucket>, key: String, value: String) {
        let bucket = self.table.get(&bucket).expect("it is open");
        self.values.insert((bucket.name.clone(), key), value);
    }

    fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        self.dropped += 1;
        Ok(())
    }
}

pub(crate) fn run() -> Result<(u32, u32, u32, u32, usize)> {
    let engine = Engine::default();
    let component = Component::from_file(&engine, "../../tests/fixtures/key-value.wasm")?;
    let mut linker = Linker::new(&engine);
    KeyValue::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    let mut store = Store::new(&engine, Host::default());
    let world = KeyValue::instantiate(&mut store, &component, &linker)?;

    let carts = world.guests_key_value_carts();
    let cart = carts.cart().call_constructor(&mut store, "alice")?;
    let apples = carts.cart().call_add(&mut store, cart, "apple", 3)?;
    cart.resource_drop(&mut store)?;
    let cart = carts.cart().call_constructor(&mut store, "alice")?;
    let pears = carts.cart().call_add(&mut store, cart, "pear", 1)?;
    let all = carts.call_checkout(&mut store, cart)?;
    // The cart is transferred.
    assert!(carts.cart().call_add(&mut store, cart, "plum", 1).is_err());
    let host = store.data();
    assert!(host.table.is_empty());
    Ok((apples, pears, all, host.dropped, host.values.len()))
}
