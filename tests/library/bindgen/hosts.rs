//! Hand-written hosts for some fixture worlds: their functions have the types that a component of the world imports.

use airssys_wasm::component::{HasSelf, HostResult, Linker, Resource, Store};

use crate::bindgen::common::default_engine;
use crate::bindgen::worlds::{component, resolve};

/// The host of every world here.
struct Host;

mod sessions {
    airssys_wasm::component::bindgen!("resources-world" in "wit/accepted/resources-world.wit");
}

impl sessions::HostSession for Host {
    fn new(&mut self, _: String) -> Resource<sessions::Session> {
        Resource::new_own(0)
    }

    fn user(&mut self, _: Resource<sessions::Session>) -> String {
        String::new()
    }

    fn open(&mut self) -> Resource<sessions::Session> {
        Resource::new_own(1)
    }

    fn drop(&mut self, _: Resource<sessions::Session>) -> HostResult<()> {
        Ok(())
    }
}

impl sessions::ResourcesWorldImports for Host {
    fn current(&mut self) -> sessions::Login {
        let session = sessions::HostSession::open(self);
        sessions::Login { session, at: 0 }
    }
}

mod versions {
    airssys_wasm::component::bindgen!({ path: "wit/accepted/versions", trappable_imports: true });
}

impl versions::dep::store1_0_0::kv::Host for Host {
    fn get(&mut self, key: String) -> HostResult<Option<String>> {
        Ok(Some(key))
    }
}

impl versions::dep::store2_1_0_rc_1::kv::Host for Host {
    fn get(&mut self, key: String) -> HostResult<Option<versions::dep::store2_1_0_rc_1::kv::Entry>> {
        let value = Vec::new();
        Ok(Some(versions::dep::store2_1_0_rc_1::kv::Entry { key, value }))
    }
}

mod inline_interfaces {
    airssys_wasm::component::bindgen!("inline-interfaces" in "wit/accepted/inline-interfaces.wit");
}

impl inline_interfaces::console::Host for Host {
    fn print(&mut self, _: String, _: inline_interfaces::console::Stream) {}
}

impl inline_interfaces::exports::Host for Host {
    fn ping(&mut self) -> u8 {
        0
    }
}

mod variants {
    airssys_wasm::component::bindgen!("variants" in "wit/accepted/variants.wit");
}

use variants::fixture::variants::choices;

impl choices::Host for Host {
    fn choose(&mut self, filter: choices::Filter, _: choices::Colour) -> choices::Filter {
        filter
    }

    fn paint(&mut self, colour: Option<choices::Colour>) -> Result<choices::Colour, choices::Failure> {
        colour.ok_or(choices::Failure::Timeout)
    }

    fn try_it(&mut self, _: Result<choices::Filter, choices::Colour>) -> Result<(), choices::Failure> {
        Ok(())
    }

    fn plain(&mut self) -> Result<(), ()> {
        Ok(())
    }

    fn ok_only(&mut self, value: Result<String, ()>) -> Result<String, ()> {
        value
    }

    fn err_only(&mut self, value: Result<(), String>) -> Result<(), String> {
        value
    }

    fn colour_error(&mut self) -> Result<u8, choices::Colour> {
        Err(choices::Colour::Red)
    }
}

macro_rules! fits {
    ($($test:ident: $world:path = $name:literal in $path:literal;)*) => {$(
        #[test]
        fn $test() {
            use $world as World;
            let engine = default_engine();
            let (resolve, package) = resolve($path);
            let component = component(&engine, &resolve, package, $name);
            let mut linker: Linker<Host> = Linker::new(&engine);
            World::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host).expect("defined once");
            assert!(linker.unmet_imports(&component).is_empty(), "{:?}", linker.unmet_imports(&component));
            let mut store = Store::new(&engine, Host);
            World::instantiate(&mut store, &component, &linker).expect("its imports and exports fit");
        }
    )*};
}

fits! {
    a_resource_of_the_world: sessions::ResourcesWorld = "resources-world" in "wit/accepted/resources-world.wit";
    two_versions: versions::Versions = "versions" in "wit/accepted/versions";
    inline_interfaces_of_both_sides: inline_interfaces::InlineInterfaces =
        "inline-interfaces" in "wit/accepted/inline-interfaces.wit";
    variants_of_all_forms: variants::Variants = "variants" in "wit/accepted/variants.wit";
}
