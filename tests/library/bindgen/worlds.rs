//! Every fixture world: the macro's expansion compiles, and finds the exports of a component of that world.

use std::collections::BTreeSet;
use std::fs;

use airssys_wasm::component::{Component, Linker, ResourceType, Store};
use airssys_wasm::engine::Engine;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, PackageId, Resolve};

/// Returns an engine of the first backend.
pub(crate) fn engine() -> Engine {
    Engine::default()
}

/// Returns a component of a world, whose functions trap when called.
pub(crate) fn component(engine: &Engine, resolve: &Resolve, package: PackageId, world: &str) -> Component {
    let world = resolve.packages[package].worlds[world];
    let mut module = dummy_module(resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false).expect("embedded");
    let bytes = ComponentEncoder::default()
        .module(&module)
        .expect("a module of the world")
        .validate(true)
        .encode()
        .expect("encoded");
    Component::from_binary(engine, &bytes).expect("it loads")
}

pub(crate) fn resolve(path: &str) -> (Resolve, PackageId) {
    let mut resolve = Resolve::new();
    resolve.all_features = true;
    let path = airssys_wasm_test_support::root().join("tests").join(path);
    let (package, _) = resolve.push_path(path).expect("the fixture resolves");
    (resolve, package)
}

/// Defines a resource in an instance, or at the root if the instance has no name.
fn define(linker: &mut Linker<()>, instance: &str, resource: &str, ty: ResourceType) {
    let mut place = match instance {
        "" => linker.root(),
        name => linker.instance(name).expect("an instance"),
    };
    place
        .resource(resource, ty, |_, _| Ok(()))
        .expect("nothing else has the name");
}

macro_rules! worlds {
    // The types of exports that use an imported resource are checked against the host's type; an instance without a name is
    // the world itself.
    ($(
        $module:ident: $name:ident = $world:literal in $path:literal
        $(, $resource:literal of $instance:literal is $($of:ident)::+)?;
    )*) => {
        $(
            mod $module {
                airssys_wasm::component::bindgen!({ path: $path, world: $world, all_features: true });

                /// The same with traps, and with a different path to the crate.
                pub(super) mod trappable {
                    airssys_wasm::component::bindgen!({
                        path: $path,
                        world: $world,
                        all_features: true,
                        trappable_imports: true,
                        crate_path: airssys_wasm,
                    });
                }
            }

            #[test]
            fn $module() {
                let engine = engine();
                let (resolve, package) = resolve($path);
                let component = component(&engine, &resolve, package, $world);
                let mut linker = Linker::new(&engine);
                $(define(&mut linker, $instance, $resource, ResourceType::host::<$module::$($of)::+>());)?
                linker.define_unknown_imports_as_traps(&component).expect("defined");
                let mut store = Store::new(&engine, ());
                $module::$name::instantiate(&mut store, &component, &linker).expect("its exports are found");

                let mut linker = Linker::new(&engine);
                $(define(&mut linker, $instance, $resource, ResourceType::host::<$module::trappable::$($of)::+>());)?
                linker.define_unknown_imports_as_traps(&component).expect("defined");
                let instance = linker.instantiate(&mut store, &component).expect("it links");
                $module::trappable::$name::new(&mut store, &instance).expect("its exports are found");
            }
        )*

        /// The tested worlds: file or folder, and name.
        const WORLDS: &[(&str, &str)] = &[$(($path, $world)),*];
    };
}

worlds! {
    aliases: Aliases = "aliases" in "wit/accepted/aliases.wit";
    all_exported: AllExported = "all-exported" in "wit/accepted/use-chains.wit";
    async_functions: AsyncFunctions = "async-functions" in "wit/accepted/async-functions.wit";
    base: Base = "base" in "wit/accepted/include.wit";
    deps_folder: DepsFolder = "deps-folder" in "wit/accepted/deps-folder";
    docs: Docs = "docs" in "wit/accepted/docs.wit";
    empty: Empty = "empty" in "wit/accepted/empty.wit";
    errors: Errors = "errors" in "wit/accepted/errors.wit";
    fixed_lists: FixedLists = "fixed-lists" in "wit/accepted/fixed-lists.wit";
    generated_names: GeneratedNames = "generated-names" in "wit/accepted/generated-names.wit";
    include_plain: IncludePlain = "include-plain" in "wit/accepted/include.wit";
    include_renamed: IncludeRenamed = "include-renamed" in "wit/accepted/include.wit";
    inline_interfaces: InlineInterfaces = "inline-interfaces" in "wit/accepted/inline-interfaces.wit";
    keywords: Use = "use" in "wit/accepted/keywords.wit";
    large: Large = "large" in "wit/accepted/large.wit";
    lists: Lists = "lists" in "wit/accepted/lists.wit";
    many_flags: ManyFlags = "many-flags" in "wit/accepted/flags.wit";
    nested_packages: NestedPackages = "nested-packages" in "wit/accepted/nested-packages.wit";
    only_async: OnlyAsync = "only-async" in "wit/accepted/async-functions.wit";
    only_exports: OnlyExports = "only-exports" in "wit/accepted/several-interfaces.wit";
    parameters: Parameters = "parameters" in "wit/accepted/parameters.wit";
    prelude: Prelude = "prelude" in "wit/accepted/prelude.wit";
    records: Records = "records" in "wit/accepted/records.wit";
    resource_names: ResourceNames = "resource-names" in "wit/accepted/resource-names.wit";
    resources_both: ResourcesBoth = "resources-both" in "wit/accepted/resources-both.wit";
    resources_exported: ResourcesExported = "resources-exported" in "wit/accepted/resources-exported.wit";
    resources_imported: ResourcesImported = "resources-imported" in "wit/accepted/resources-imported.wit",
        "counter" of "fixture:resources-imported/counters" is fixture::resources_imported::counters::Counter;
    resources_world: ResourcesWorld = "resources-world" in "wit/accepted/resources-world.wit",
        "session" of "" is Session;
    results: Results = "results" in "wit/accepted/results.wit";
    scalars: Scalars = "scalars" in "wit/accepted/scalars.wit";
    several_interfaces: SeveralInterfaces = "several-interfaces" in "wit/accepted/several-interfaces.wit";
    shared_parts: SharedParts = "shared-parts" in "wit/accepted/shared-parts.wit";
    stability: Stability = "stability" in "wit/accepted/stability.wit";
    store_names: StoreNames = "store-names" in "wit/accepted/store-names.wit";
    streams: Streams = "streams" in "wit/accepted/streams.wit";
    strings: Strings = "strings" in "wit/accepted/strings.wit";
    types_only: TypesOnly = "types-only" in "wit/accepted/types-only.wit";
    use_chains: UseChains = "use-chains" in "wit/accepted/use-chains.wit";
    variants: Variants = "variants" in "wit/accepted/variants.wit";
    versions: Versions = "versions" in "wit/accepted/versions";
    world_functions: WorldFunctions = "world-functions" in "wit/accepted/world-functions.wit";
}

#[test]
fn every_world_of_every_fixture_is_tested() {
    let folder = "wit/accepted";
    let mut found = BTreeSet::new();
    let entries =
        fs::read_dir(airssys_wasm_test_support::root().join("tests").join(folder)).expect("a folder");
    for entry in entries {
        let name = entry
            .expect("readable")
            .file_name()
            .into_string()
            .expect("a name");
        let path = format!("{folder}/{name}");
        let (resolve, package) = resolve(&path);
        for world in resolve.packages[package].worlds.keys() {
            found.insert((path.clone(), world.clone()));
        }
    }
    let tested: BTreeSet<_> = WORLDS
        .iter()
        .map(|(path, world)| ((*path).to_owned(), (*world).to_owned()))
        .collect();
    assert_eq!(tested, found);
    assert!(found.len() >= 40, "{}", found.len());
}
