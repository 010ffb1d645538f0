//! Arbitrary bytes as a component: loaded, linked with traps for its imports, instantiated, and its functions called.

use std::sync::LazyLock;
use std::time::Duration;

use airssys_wasm::Error;
use airssys_wasm::component::{Component, ExternType, FuncType, Instance, Linker, Store, display_func};
use airssys_wasm::engine::{Backend, Config, Engine, StoreLimits};

use crate::expect_no_bug;
use crate::values::Values;
use crate::watchdog::watch;

/// From the start of an instance to the end of its last call.
const TIME: Duration = Duration::from_millis(50);
/// Functions that are called.
const CALLS: usize = 16;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    // Compiles fastest, and its code runs for a moment only.
    Engine::new(Config::new().backend(Backend::Singlepass)).expect("the backend is compiled in")
});

fn limits() -> StoreLimits {
    let mut limits = StoreLimits::default();
    limits.memory_bytes = 16 << 20;
    limits.memories = 10;
    limits.table_elements = 10_000;
    limits.tables = 10;
    limits.core_instances = 50;
    limits.handles = 1000;
    limits.lift_bytes = 4 << 20;
    limits
}

/// Runs one input.
///
/// # Panics
/// If something is found.
pub fn run(bytes: &[u8]) {
    if let Err(error) = load_and_call(bytes) {
        expect_no_bug(&error);
    }
}

fn load_and_call(bytes: &[u8]) -> Result<(), Error> {
    let component = Component::from_binary(&ENGINE, bytes)?;
    let mut linker: Linker<()> = Linker::new(&ENGINE);
    linker.define_unknown_imports_as_traps(&component)?;
    let pre = linker.instantiate_pre(&component)?;
    let mut store = Store::with_limits(&ENGINE, (), limits());
    let _watched = watch(store.interrupt_handle(), TIME);
    let instance = pre.instantiate(&mut store)?;

    let mut functions = Vec::new();
    collect(component.exports(), &[], &mut functions);
    let mut values = Values::default();
    for (path, ty) in functions {
        call(&mut store, &instance, &path, ty, &mut values);
        if instance.is_poisoned() {
            break;
        }
    }
    for resource in values.into_resources() {
        // Stale if a call took it.
        if let Err(error) = resource.resource_drop(&mut store) {
            expect_no_bug(&error);
        }
    }
    Ok(())
}

/// The functions among exports, with the path of names to each.
fn collect<'a>(
    exports: &'a [(String, ExternType)],
    path: &[&'a str],
    found: &mut Vec<(Vec<&'a str>, &'a FuncType)>,
) {
    for (name, ty) in exports {
        let path = [path, &[name.as_str()]].concat();
        match ty {
            ExternType::Func(function) if found.len() < CALLS => found.push((path, &function.ty)),
            ExternType::Instance(items) => collect(items, &path, found),
            _ => {}
        }
    }
}

fn call(store: &mut Store<()>, instance: &Instance, path: &[&str], ty: &FuncType, values: &mut Values) {
    assert!(display_func(ty).starts_with("func("));
    let func = match instance.try_get_func(&mut *store, path) {
        Ok(func) => func,
        Err(error) => {
            expect_no_bug(&error);
            assert!(!matches!(error, Error::MissingExport { .. }), "{path:?}: {error}");
            return;
        }
    };
    let Some(args) = values.list(func.ty(&*store).params.iter().map(|(_, ty)| ty)) else {
        return;
    };
    match func.call_dynamic(&mut *store, &args) {
        Ok(result) => {
            assert_eq!(result.is_some(), func.ty(&*store).result.is_some(), "{path:?}");
            result.iter().for_each(|val| values.keep(val));
        }
        Err(error) => {
            expect_no_bug(&error);
            assert!(!matches!(error, Error::Argument(_)), "{path:?}: {error}");
        }
    }
}
