//! Translation of a component's bytes to [`Ir`]: the only module that uses the translator.
//!
//! Validation comes first and is the translator's own; after it, every index below is in range.

use std::collections::HashMap;
use std::sync::Arc;

use airssys_wasm_abi as abi;
use wasmtime_environ::component as env;
use wasmtime_environ::wasmparser::{BinaryReaderError, Encoding, Parser, Payload, Validator};
use wasmtime_environ::{EntityIndex, EntityRef, PrimaryMap, ScopeVec, StaticModuleIndex, Tunables};

use crate::component::compile::async_adapters;
use crate::component::compile::features;
use crate::component::compile::packed_results;
use crate::component::compile::post_return;
use crate::component::compile::shim;
use crate::component::compile::unused_exports;
use crate::component::ir::{
    AdapterFunc, Builtin, CoreDef, CoreExport, Counts, Export, ExternType, Function, ImportArg, Initializer,
    Ir, ModuleSource, Options, ResourceTable, RuntimeImport, Trampoline, Transcode,
};
use crate::component::load::module_type::ModuleType;
use crate::engine::Engine;
use crate::error::{Error, Result};

mod concurrency;
mod context;
mod core_types;
#[cfg(test)]
mod tests;
mod threads;
mod types;

/// Translates a component in its binary form.
pub(crate) fn translate(engine: &Engine, bytes: &[u8]) -> Result<Ir> {
    expect_component(bytes)?;
    // The translator does not read the bodies of functions.
    let features = features::validate(engine, bytes)?;
    let concurrent = features != features::supported();
    let scope = ScopeVec::new();
    let tunables = tunables(concurrent);
    let mut validator = Validator::new_with_features(features);
    let mut types = env::ComponentTypesBuilder::new(&validator);
    let translator = env::Translator::new(&tunables, &mut validator, &mut types, &scope);
    let (translation, modules) = translator.translate(bytes).map_err(invalid)?;
    let converter = Converter::new(&translation.component, &types, &modules, concurrent);
    let mut ir = converter.ir(&translation.trampolines)?;
    shim::untie(&mut ir);
    unused_exports::remove(&mut ir);
    Ok(ir)
}

fn tunables(concurrent: bool) -> Tunables {
    // Without concurrency support, adapters need none of the asynchronous intrinsics.
    Tunables {
        concurrency_support: concurrent,
        ..Tunables::default_u64()
    }
}

/// Rejects core modules and other formats, before anything else is read.
fn expect_component(bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() {
        return Err(Error::NotWasm("the input is empty".into()));
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version {
            encoding: Encoding::Module,
            ..
        })) => Err(Error::CoreModule),
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) if bytes.starts_with(b"\0asm") => Err(features::invalid(&error)),
        _ => Err(Error::NotWasm("it does not start with the bytes `\\0asm`".into())),
    }
}

fn invalid(error: wasmtime_environ::error::Error) -> Error {
    match error.downcast_ref::<BinaryReaderError>() {
        Some(error) => features::invalid(error),
        None => Error::Unsupported(format!("{error:#}")),
    }
}

struct Converter<'a> {
    component: &'a env::Component,
    types: &'a env::ComponentTypesBuilder,
    modules: &'a PrimaryMap<StaticModuleIndex, wasmtime_environ::ModuleTranslation<'a>>,
    /// Types already converted: types share their parts, and each is converted once.
    functions: HashMap<env::TypeFuncIndex, Arc<Function>>,
    converted: HashMap<env::InterfaceType, abi::Type>,
    /// The parameters of `task.return`, by the results that it takes.
    returns: HashMap<env::TypeTupleIndex, Arc<Function>>,
    /// The names of the import or export that is being converted, outermost first.
    path: Vec<String>,
    /// True for a component with asynchronous functions, streams or futures.
    concurrent: bool,
    /// Number of core instances that precede the translator's.
    before: u32,
    /// The number of each of the translator's core instances, among which others are.
    numbers: Vec<u32>,
    /// For each table that threads' functions are taken from, the core instance that starts them.
    starters: Vec<u32>,
    /// The names of each module's exports, by the exported item.
    export_names: HashMap<StaticModuleIndex, HashMap<EntityIndex, &'a str>>,
    /// The module of each core instance so far, by which exports that are named by index get their names. `None` for
    /// imported modules, whose exports have names.
    instances: Vec<Option<StaticModuleIndex>>,
}

impl<'a> Converter<'a> {
    fn new(
        component: &'a env::Component,
        types: &'a env::ComponentTypesBuilder,
        modules: &'a PrimaryMap<StaticModuleIndex, wasmtime_environ::ModuleTranslation<'a>>,
        concurrent: bool,
    ) -> Converter<'a> {
        Converter {
            component,
            types,
            modules,
            functions: HashMap::new(),
            converted: HashMap::new(),
            returns: HashMap::new(),
            path: Vec::new(),
            concurrent,
            before: u32::from(concurrent && context::is_used(component)),
            numbers: Vec::new(),
            starters: Vec::new(),
            export_names: HashMap::new(),
            instances: Vec::new(),
        }
    }

    fn ir(mut self, trampolines: &PrimaryMap<env::TrampolineIndex, env::Trampoline>) -> Result<Ir> {
        let component = self.component;
        let mut imports = Vec::new();
        for (_, (name, item)) in component.import_types.iter() {
            let ty = self.named(name, |this| this.extern_type(&item.ty))?;
            imports.push((name.clone(), ty));
        }
        let runtime_imports = component
            .imports
            .values()
            .map(|(import, path)| RuntimeImport {
                import: import.as_u32(),
                path: path.clone(),
            })
            .collect();
        let (initializers, lowerings) = self.initializers()?;
        let mut trampolines = trampolines
            .iter()
            .map(|(index, trampoline)| self.trampoline(index, trampoline))
            .collect::<Result<Vec<_>>>()?;
        let options = component
            .options
            .values()
            .map(|options| self.options(options))
            .collect::<Result<_>>()?;
        let mut exports = Vec::new();
        for (name, (index, _)) in component.exports.raw_iter() {
            let export = self.named(name, |this| this.export(*index))?;
            exports.push((name.to_string(), export));
        }
        let resource_tables = (0..self.types.num_resource_tables())
            .map(|index| self.resource_table(env::TypeResourceTableIndex::new(index)))
            .collect();
        let (modules, mut adapters) = self.rewritten(&initializers, &trampolines)?;
        self.number_starters(&mut trampolines, &mut adapters)?;
        let concurrency = match self.concurrent {
            true => Some(Box::new(self.concurrency(adapters)?)),
            false => None,
        };
        Ok(Ir {
            modules,
            imports,
            runtime_imports,
            lowerings,
            initializers,
            trampolines,
            options,
            exports,
            resource_tables,
            imported_resources: component
                .imported_resources
                .values()
                .map(|import| import.as_u32())
                .collect(),
            defined_resources: component
                .defined_resource_instances
                .values()
                .map(|instance| instance.as_u32())
                .collect(),
            counts: Counts {
                core_instances: self.next_instance()?,
                component_instances: component.num_runtime_component_instances,
                memories: component.num_runtime_memories,
                reallocs: component.num_runtime_reallocs,
                post_returns: component.num_runtime_post_returns,
            },
            concurrency,
        })
    }

    /// Converts an item within the import or export of this name.
    fn named<T>(&mut self, name: &str, convert: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.path.push(name.to_owned());
        let converted = convert(self);
        self.path.pop();
        converted
    }

    /// Returns the core modules, with the adapter modules rewritten, and those of their functions that the host calls.
    fn rewritten(
        &self,
        initializers: &[Initializer],
        trampolines: &[Trampoline],
    ) -> Result<(Vec<Vec<u8>>, Vec<AdapterFunc>)> {
        let mut modules = self
            .modules
            .values()
            .map(|module| module.wasm.to_vec())
            .collect::<Vec<_>>();
        if self.before > 0 {
            modules.push(context::module());
        }
        if !self.starters.is_empty() {
            modules.push(threads::module());
        }
        // Before the guards, which look for the first global that an adapter sets.
        let adapters = async_adapters::rewrite_all(&mut modules, initializers, trampolines)?;
        post_return::guard_all(&mut modules, initializers)?;
        let modules = packed_results::pack_all(modules, initializers, trampolines)?;
        Ok((modules, adapters))
    }

    fn resource_table(&self, index: env::TypeResourceTableIndex) -> ResourceTable {
        match &self.types[index] {
            env::TypeResourceTable::Concrete { ty, instance } => ResourceTable::Concrete {
                resource: ty.as_u32(),
                instance: instance.as_u32(),
            },
            env::TypeResourceTable::Abstract(_) => ResourceTable::Abstract,
        }
    }

    fn initializers(&mut self) -> Result<(Vec<Initializer>, Vec<u32>)> {
        let mut initializers = Vec::new();
        let mut lowerings = Vec::new();
        let component = self.component;
        if self.before > 0 {
            initializers.push(context::initializer(self.modules.len())?);
        }
        for initializer in &component.initializers {
            initializers.push(match initializer {
                env::GlobalInitializer::InstantiateModule(
                    env::InstantiateModule::Static(module, args),
                    _,
                ) => {
                    let args = args.iter().map(|def| self.core_def(def)).collect::<Result<_>>()?;
                    self.add_instance(Some(*module))?;
                    Initializer::InstantiateModule {
                        module: module.as_u32(),
                        args,
                    }
                }
                env::GlobalInitializer::InstantiateModule(
                    env::InstantiateModule::Import(import, args),
                    _,
                ) => {
                    let args = args
                        .iter()
                        .flat_map(|(module, items)| items.iter().map(move |(name, def)| (module, name, def)));
                    let args = args.map(|(module, name, def)| {
                        Ok(ImportArg {
                            module: module.clone(),
                            name: name.clone(),
                            def: self.core_def(def)?,
                        })
                    });
                    let args = args.collect::<Result<_>>()?;
                    self.add_instance(None)?;
                    Initializer::InstantiateImport {
                        import: import.as_u32(),
                        args,
                    }
                }
                env::GlobalInitializer::LowerImport { index, import } => {
                    if index.index() != lowerings.len() {
                        return Err(Error::bug("lowered imports out of order"));
                    }
                    lowerings.push(import.as_u32());
                    continue;
                }
                env::GlobalInitializer::ExtractMemory(memory) => Initializer::ExtractMemory {
                    index: memory.index.as_u32(),
                    export: self.core_export(&memory.export)?,
                },
                env::GlobalInitializer::ExtractRealloc(realloc) => Initializer::ExtractRealloc {
                    index: realloc.index.as_u32(),
                    def: self.core_def(&realloc.def)?,
                },
                env::GlobalInitializer::ExtractPostReturn(post_return) => Initializer::ExtractPostReturn {
                    index: post_return.index.as_u32(),
                    def: self.core_def(&post_return.def)?,
                },
                env::GlobalInitializer::Resource(resource) => Initializer::Resource {
                    index: resource.index.as_u32(),
                    dtor: resource.dtor.as_ref().map(|def| self.core_def(def)).transpose()?,
                    instance: resource.instance.as_u32(),
                },
                env::GlobalInitializer::ExtractCallback(callback) if self.concurrent => {
                    Initializer::ExtractCallback {
                        index: callback.index.as_u32(),
                        def: self.core_def(&callback.def)?,
                    }
                }
                env::GlobalInitializer::ExtractCallback(_) => {
                    return Err(unsupported("asynchronous functions"));
                }
                env::GlobalInitializer::ExtractTable(table) if self.concurrent => {
                    if table.index.index() != self.starters.len() {
                        return Err(Error::bug("tables out of order"));
                    }
                    let export = self.core_export(&table.export)?;
                    let number = self.next_instance()?;
                    self.starters.push(number);
                    threads::initializer(self.modules.len() + self.before as usize, export)?
                }
                env::GlobalInitializer::ExtractTable(_) => return Err(unsupported("threads")),
            });
        }
        Ok((initializers, lowerings))
    }

    fn core_def(&mut self, def: &env::CoreDef) -> Result<CoreDef> {
        Ok(match def {
            env::CoreDef::Export(export) => CoreDef::Export(self.core_export(export)?),
            env::CoreDef::InstanceFlags(instance) => CoreDef::InstanceFlags(instance.as_u32()),
            env::CoreDef::Trampoline(index) => CoreDef::Trampoline(index.as_u32()),
            env::CoreDef::UnsafeIntrinsic(intrinsic) if self.before > 0 => {
                CoreDef::Export(context::function(*intrinsic)?)
            }
            env::CoreDef::UnsafeIntrinsic(_) => return Err(unsupported("intrinsics of another runtime")),
            env::CoreDef::TaskMayBlock if self.concurrent => CoreDef::TaskMayBlock,
            env::CoreDef::TaskMayBlock => return Err(unsupported("asynchronous functions")),
        })
    }

    fn core_export<I: Copy + Into<EntityIndex>>(
        &mut self,
        export: &env::CoreExport<I>,
    ) -> Result<CoreExport> {
        let name = match &export.item {
            env::ExportItem::Name(name) => name.clone(),
            env::ExportItem::Index(index) => {
                let module = self
                    .instances
                    .get(export.instance.index())
                    .copied()
                    .flatten()
                    .ok_or_else(|| Error::bug("an export of a core instance that is not created yet"))?;
                let modules = self.modules;
                let names = self.export_names.entry(module).or_insert_with(|| {
                    let module = &modules[module].module;
                    let exports = module.exports.iter();
                    exports
                        .map(|(name, entity)| (*entity, &module.strings[name]))
                        .collect()
                });
                let name = names.get(&(*index).into());
                (*name.ok_or_else(|| Error::bug("an export that its core module does not name"))?).to_owned()
            }
        };
        let number = self.numbers.get(export.instance.index()).copied();
        Ok(CoreExport {
            instance: number
                .ok_or_else(|| Error::bug("an export of a core instance that is not created yet"))?,
            name,
        })
    }

    /// Returns the number of the next core instance.
    fn next_instance(&self) -> Result<u32> {
        let number = self.before as usize + self.numbers.len() + self.starters.len();
        u32::try_from(number).map_err(|_| Error::bug("too many core instances"))
    }

    /// Records a core instance of the translator's, with its module if that is the component's.
    fn add_instance(&mut self, module: Option<StaticModuleIndex>) -> Result<()> {
        self.numbers.push(self.next_instance()?);
        self.instances.push(module);
        Ok(())
    }

    /// Adds the functions that start threads to those of adapter modules, and names them in the built-ins, which name tables so far.
    fn number_starters(&self, trampolines: &mut [Trampoline], adapters: &mut Vec<AdapterFunc>) -> Result<()> {
        let first = u32::try_from(adapters.len()).map_err(|_| Error::bug("too many functions"))?;
        let functions = self.starters.iter().copied().flat_map(threads::functions);
        adapters.extend(functions);
        for trampoline in trampolines {
            if let Trampoline::Concurrent(Builtin::ThreadNewIndirect { take, .. }) = trampoline {
                *take = first + 2 * *take;
            }
        }
        Ok(())
    }

    fn trampoline(
        &mut self,
        index: env::TrampolineIndex,
        trampoline: &env::Trampoline,
    ) -> Result<Trampoline> {
        Ok(match trampoline {
            env::Trampoline::LowerImport {
                index,
                lower_ty,
                options,
            } => Trampoline::LowerImport {
                lowering: index.as_u32(),
                function: self.function(*lower_ty)?,
                options: options.as_u32(),
            },
            env::Trampoline::Transcoder {
                op,
                from,
                from64: false,
                to,
                to64: false,
            } => Trampoline::Transcoder {
                op: transcoding(*op),
                from: from.as_u32(),
                to: to.as_u32(),
            },
            env::Trampoline::ResourceNew { instance, ty } => Trampoline::ResourceNew {
                instance: instance.as_u32(),
                table: ty.as_u32(),
            },
            env::Trampoline::ResourceRep { ty, .. } => Trampoline::ResourceRep { table: ty.as_u32() },
            env::Trampoline::ResourceDrop { instance, ty } => Trampoline::ResourceDrop {
                instance: instance.as_u32(),
                table: ty.as_u32(),
            },
            env::Trampoline::ResourceTransferOwn => Trampoline::ResourceTransferOwn,
            env::Trampoline::ResourceTransferBorrow => Trampoline::ResourceTransferBorrow,
            env::Trampoline::EnterSyncCall => Trampoline::EnterSyncCall,
            env::Trampoline::ExitSyncCall => Trampoline::ExitSyncCall,
            env::Trampoline::Trap => Trampoline::Trap,
            other if self.concurrent => Trampoline::Concurrent(self.builtin(index, other)?),
            other => return Err(unsupported_builtin(other)),
        })
    }

    fn options(&self, options: &env::CanonicalOptions) -> Result<Options> {
        let env::CanonicalOptionsDataModel::LinearMemory(memory) = options.data_model else {
            return Err(unsupported("the garbage-collected canonical ABI"));
        };
        if !self.concurrent && (options.async_ || options.callback.is_some()) {
            return Err(unsupported("asynchronous functions"));
        }
        Ok(Options {
            instance: options.instance.as_u32(),
            string_encoding: match options.string_encoding {
                env::StringEncoding::Utf8 => abi::StringEncoding::Utf8,
                env::StringEncoding::Utf16 => abi::StringEncoding::Utf16,
                env::StringEncoding::CompactUtf16 => abi::StringEncoding::CompactUtf16,
            },
            memory: memory.memory.map(|index| index.as_u32()),
            realloc: memory.realloc.map(|index| index.as_u32()),
            post_return: options.post_return.map(|index| index.as_u32()),
            is_async: options.async_,
            callback: options.callback.map(|index| index.as_u32()),
            cancellable: options.cancellable,
        })
    }

    fn export(&mut self, index: env::ExportIndex) -> Result<Export> {
        let component = self.component;
        Ok(match &component.export_items[index] {
            env::Export::LiftedFunction { ty, func, options } => Export::Func {
                function: self.function(*ty)?,
                def: self.core_def(func)?,
                options: options.as_u32(),
            },
            env::Export::Instance { ty, exports } => {
                let mut items = Vec::new();
                for (name, (index, _)) in exports.raw_iter() {
                    let item = self.named(name, |this| this.export(*index))?;
                    items.push((name.to_string(), item));
                }
                // The translator keeps the exports of an instance that is put together of items in an arbitrary order.
                let declared = self.types[*ty].exports.iter().enumerate();
                let places: HashMap<&str, usize> = declared
                    .map(|(place, (name, _))| (name.as_str(), place))
                    .collect();
                items.sort_by_key(|(name, _)| places.get(name.as_str()));
                Export::Instance(items)
            }
            env::Export::Type(env::TypeDef::Resource(table)) => Export::Resource(table.as_u32()),
            env::Export::Type(env::TypeDef::Interface(ty)) => Export::Type(self.ty(ty)?),
            env::Export::Type(other) => return Err(unsupported(&format!("an exported {}", other.desc()))),
            env::Export::ModuleStatic { index, .. } => Export::Module {
                // Its own type, which may be more than it is exported as: an importer needs all of its imports to instantiate it.
                ty: self
                    .modules
                    .get(*index)
                    .and_then(|module| ModuleType::read(module.wasm))
                    .map(Arc::new)
                    .ok_or_else(|| Error::bug("an exported core module without a type"))?,
                source: ModuleSource::Defined(index.as_u32()),
            },
            env::Export::ModuleImport { ty, import } => Export::Module {
                ty: Arc::new(core_types::module_type(self.types, *ty)?),
                source: ModuleSource::Imported(import.as_u32()),
            },
        })
    }

    fn extern_type(&mut self, ty: &env::TypeDef) -> Result<ExternType> {
        Ok(match ty {
            env::TypeDef::ComponentFunc(index) => ExternType::Func(self.function(*index)?),
            env::TypeDef::ComponentInstance(index) => {
                let types = self.types;
                let mut items = Vec::new();
                for (name, item) in &types[*index].exports {
                    let ty = self.named(name, |this| this.extern_type(&item.ty))?;
                    items.push((name.clone(), ty));
                }
                ExternType::Instance(items)
            }
            env::TypeDef::Resource(table) => ExternType::Resource(abi::ResourceType(table.as_u32())),
            env::TypeDef::Interface(ty) => ExternType::Type(self.ty(ty)?),
            env::TypeDef::Module(index) => {
                ExternType::Module(Arc::new(core_types::module_type(self.types, *index)?))
            }
            env::TypeDef::Component(_) => ExternType::Component,
            env::TypeDef::CoreFunc(_) => return Err(unsupported("a core function outside a core module")),
        })
    }
}

fn unsupported(what: &str) -> Error {
    Error::Unsupported(format!(
        "it uses {what}, which is outside the component model that this host supports"
    ))
}

fn unsupported_builtin(trampoline: &env::Trampoline) -> Error {
    unsupported(&format!("the canonical built-in `{}`", trampoline.symbol_name()))
}

fn transcoding(op: env::Transcode) -> Transcode {
    match op {
        env::Transcode::Copy(env::FixedEncoding::Utf8) => Transcode::CopyUtf8,
        env::Transcode::Copy(env::FixedEncoding::Utf16) => Transcode::CopyUtf16,
        env::Transcode::Copy(env::FixedEncoding::Latin1) => Transcode::CopyLatin1,
        env::Transcode::Latin1ToUtf16 => Transcode::Latin1ToUtf16,
        env::Transcode::Latin1ToUtf8 => Transcode::Latin1ToUtf8,
        env::Transcode::Utf16ToCompactProbablyUtf16 => Transcode::Utf16ToCompactProbablyUtf16,
        env::Transcode::Utf16ToCompactUtf16 => Transcode::Utf16ToCompactUtf16,
        env::Transcode::Utf16ToLatin1 => Transcode::Utf16ToLatin1,
        env::Transcode::Utf16ToUtf8 => Transcode::Utf16ToUtf8,
        env::Transcode::Utf8ToCompactUtf16 => Transcode::Utf8ToCompactUtf16,
        env::Transcode::Utf8ToLatin1 => Transcode::Utf8ToLatin1,
        env::Transcode::Utf8ToUtf16 => Transcode::Utf8ToUtf16,
    }
}
