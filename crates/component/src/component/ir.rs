//! The representation of a component that this runtime executes: core modules, a linear list of initializers, and
//! trampolines. The names are the component model's; the indices count within one component.

use std::fmt;
use std::sync::{Arc, OnceLock};

use borsh::{BorshDeserialize, BorshSerialize};

use airssys_wasm_abi::{AbiError, CoreSignature, CoreType, FuncPlan, FuncType, StringEncoding, Type};

use crate::component::load::module_type::ModuleType;

mod transmit;

pub(crate) use transmit::TransmitTable;

/// A translated component.
#[derive(Debug)]
pub(crate) struct Ir {
    /// Core modules, in the order of their appearance; adapter modules come last.
    #[cfg_attr(
        not(feature = "compile"),
        expect(dead_code, reason = "unused in builds without a compiler")
    )]
    pub(crate) modules: Vec<Vec<u8>>,
    /// The root imports, by name.
    pub(crate) imports: Vec<(String, ExternType)>,
    /// The root imports that are used: an index into `imports` and the path of names within.
    pub(crate) runtime_imports: Vec<RuntimeImport>,
    /// For each lowered import, its runtime import.
    pub(crate) lowerings: Vec<u32>,
    pub(crate) initializers: Vec<Initializer>,
    pub(crate) trampolines: Vec<Trampoline>,
    pub(crate) options: Vec<Options>,
    /// The root exports, by name.
    pub(crate) exports: Vec<(String, Export)>,
    pub(crate) resource_tables: Vec<ResourceTable>,
    /// Runtime imports that are resources; resource indices start with these.
    pub(crate) imported_resources: Vec<u32>,
    /// For each resource that the component defines, the component instance that defines it.
    pub(crate) defined_resources: Vec<u32>,
    pub(crate) counts: Counts,
    /// Items that asynchronous functions need; `None` for a component that has none.
    pub(crate) concurrency: Option<Box<Concurrency>>,
}

/// Items of a component that uses asynchronous functions, streams or futures.
#[derive(Debug, Default)]
pub(crate) struct Concurrency {
    /// Functions of adapter modules with which a call from one component to another is started and answered. Adapter modules name them by
    /// their numbers here.
    pub(crate) adapters: Vec<AdapterFunc>,
    /// Component instances' views of the stream types.
    pub(crate) streams: Vec<TransmitTable>,
    /// Component instances' views of the future types.
    pub(crate) futures: Vec<TransmitTable>,
    /// Number of callback functions.
    pub(crate) callbacks: u32,
}

/// A function that an adapter module exports to the host.
#[derive(Debug, Clone)]
pub(crate) struct AdapterFunc {
    pub(crate) export: CoreExport,
    /// With any number of results.
    pub(crate) signature: CoreSignature,
}

/// Numbers of run-time items that an instance needs room for.
#[derive(Debug, Clone, Copy, BorshSerialize, BorshDeserialize)]
pub(crate) struct Counts {
    pub(crate) core_instances: u32,
    pub(crate) component_instances: u32,
    pub(crate) memories: u32,
    pub(crate) reallocs: u32,
    pub(crate) post_returns: u32,
}

/// The type of an import or export.
#[derive(Debug, Clone)]
pub enum ExternType {
    /// A function.
    Func(Arc<Function>),
    /// An instance: names and types.
    Instance(Vec<(String, ExternType)>),
    /// A resource type.
    Resource(airssys_wasm_abi::ResourceType),
    /// A value type.
    Type(Type),
    /// A core module.
    Module(Arc<ModuleType>),
    /// A component.
    Component,
}

impl ExternType {
    /// Returns the component model's word for the kind of item.
    pub fn kind(&self) -> &'static str {
        match self {
            ExternType::Func(_) => "function",
            ExternType::Instance(_) => "instance",
            ExternType::Resource(_) => "resource",
            ExternType::Type(_) => "type",
            ExternType::Module(_) => "core module",
            ExternType::Component => "component",
        }
    }
}

/// The type of a component function, with the plan by which its values cross.
pub struct Function {
    /// Parameters and result.
    pub ty: FuncType,
    /// True for an `async` function.
    pub(crate) is_async: bool,
    /// The identity of its result type among those of the component; 0 in components without asynchronous functions.
    pub(crate) result_type: u32,
    /// Made when it is first used: a component declares more functions than it imports, and a host calls few of those that it exports.
    plan: OnceLock<Result<FuncPlan, AbiError>>,
    /// The plan of its result as a parameter of `task.return`, likewise.
    returned: OnceLock<Box<Result<FuncPlan, AbiError>>>,
    /// The plan of an asynchronously lowered import, likewise.
    async_import: OnceLock<Box<Result<FuncPlan, AbiError>>>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("ty", &self.ty)
            .field("is_async", &self.is_async)
            .field("result_type", &self.result_type)
            .finish_non_exhaustive()
    }
}

impl Function {
    /// A function of this type.
    pub(crate) fn new(ty: FuncType) -> Function {
        Function::concurrent(ty, false, 0)
    }

    /// A function of this type in a component with asynchronous functions.
    pub(crate) fn concurrent(ty: FuncType, is_async: bool, result_type: u32) -> Function {
        Function {
            ty,
            is_async,
            result_type,
            plan: OnceLock::new(),
            returned: OnceLock::new(),
            async_import: OnceLock::new(),
        }
    }

    /// Returns the plan of the crossing.
    ///
    /// # Errors
    /// As [`FuncPlan::new`].
    #[inline]
    pub fn plan(&self) -> Result<&FuncPlan, AbiError> {
        let plan = self.plan.get_or_init(|| FuncPlan::new(&self.ty));
        plan.as_ref().map_err(Clone::clone)
    }

    /// Returns the plan of the result's crossing as a parameter of `task.return`.
    ///
    /// # Errors
    /// As [`FuncPlan::new`].
    pub(crate) fn returned_plan(&self) -> Result<&FuncPlan, AbiError> {
        let plan = self.returned.get_or_init(|| {
            let result = self.ty.result.iter();
            Box::new(FuncPlan::new(&FuncType {
                params: result.map(|ty| (Arc::from("result"), ty.clone())).collect(),
                result: None,
            }))
        });
        (**plan).as_ref().map_err(Clone::clone)
    }

    /// Returns the plan of the crossing for an import that is lowered synchronously or not.
    ///
    /// # Errors
    /// As [`FuncPlan::new`].
    #[inline]
    pub(crate) fn import_plan(&self, is_async: bool) -> Result<&FuncPlan, AbiError> {
        if !is_async {
            return self.plan();
        }
        let plan = self
            .async_import
            .get_or_init(|| Box::new(FuncPlan::async_import(&self.ty)));
        (**plan).as_ref().map_err(Clone::clone)
    }
}

#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct RuntimeImport {
    pub(crate) import: u32,
    pub(crate) path: Vec<String>,
}

/// The options of a canonical definition, with the memory and functions that they name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) instance: u32,
    pub(crate) string_encoding: StringEncoding,
    pub(crate) memory: Option<u32>,
    pub(crate) realloc: Option<u32>,
    pub(crate) post_return: Option<u32>,
    /// True for the asynchronous form of a lift, lower or built-in.
    pub(crate) is_async: bool,
    /// The callback of an asynchronous lift.
    pub(crate) callback: Option<u32>,
    /// True for a wait that ends when the task is cancelled.
    pub(crate) cancellable: bool,
}

impl Options {
    /// Options of code that the host runs for no component instance in particular.
    pub(crate) fn of_host() -> Options {
        Options {
            instance: u32::MAX,
            string_encoding: StringEncoding::Utf8,
            memory: None,
            realloc: None,
            post_return: None,
            is_async: false,
            callback: None,
            cancellable: false,
        }
    }
}

#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
pub(crate) enum CoreDef {
    Export(CoreExport),
    InstanceFlags(u32),
    Trampoline(u32),
    /// The global that holds a value of the running task's thread-local storage: 0 or 1.
    Context(u32),
    /// A global that adapter modules import and do not use.
    TaskMayBlock,
}

#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct CoreExport {
    pub(crate) instance: u32,
    pub(crate) name: String,
}

/// Argument for an import of an imported core module, by name: which imports it has, and in which order, is known
/// when it is there.
#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
pub(crate) struct ImportArg {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) def: CoreDef,
}

#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Initializer {
    InstantiateModule {
        module: u32,
        args: Vec<CoreDef>,
    },
    /// Makes an instance of a core module that the host provides: of this runtime import.
    InstantiateImport {
        import: u32,
        args: Vec<ImportArg>,
    },
    ExtractMemory {
        index: u32,
        export: CoreExport,
    },
    ExtractRealloc {
        index: u32,
        def: CoreDef,
    },
    ExtractPostReturn {
        index: u32,
        def: CoreDef,
    },
    Resource {
        index: u32,
        dtor: Option<CoreDef>,
        instance: u32,
    },
    ExtractCallback {
        index: u32,
        def: CoreDef,
    },
}

impl Ir {
    /// Returns the number of host functions that an instance gets, and of guest functions that other core instances import.
    pub(crate) fn functions(&self) -> (usize, usize) {
        let (mut host, mut guest) = (0, 0);
        for def in self.initializers.iter().flat_map(Initializer::args) {
            match def {
                CoreDef::Trampoline(_) => host += 1,
                CoreDef::Export(_) => guest += 1,
                CoreDef::InstanceFlags(_) | CoreDef::Context(_) | CoreDef::TaskMayBlock => {}
            }
        }
        (host, guest)
    }
}

impl Initializer {
    /// Returns the arguments of the core instance, if this creates one.
    pub(crate) fn args(&self) -> impl Iterator<Item = &CoreDef> {
        let (in_order, by_name): (&[CoreDef], &[ImportArg]) = match self {
            Initializer::InstantiateModule { args, .. } => (args, &[]),
            Initializer::InstantiateImport { args, .. } => (&[], args),
            _ => (&[], &[]),
        };
        in_order.iter().chain(by_name.iter().map(|arg| &arg.def))
    }

    /// As [`Initializer::args`], to be changed.
    #[cfg(feature = "compile")]
    pub(crate) fn args_mut(&mut self) -> impl Iterator<Item = &mut CoreDef> {
        let (in_order, by_name): (&mut [CoreDef], &mut [ImportArg]) = match self {
            Initializer::InstantiateModule { args, .. } => (args, &mut []),
            Initializer::InstantiateImport { args, .. } => (&mut [], args),
            _ => (&mut [], &mut []),
        };
        in_order
            .iter_mut()
            .chain(by_name.iter_mut().map(|arg| &mut arg.def))
    }
}

/// A function of the host that is placed between core modules.
#[derive(Debug)]
pub(crate) enum Trampoline {
    LowerImport {
        lowering: u32,
        function: Arc<Function>,
        options: u32,
    },
    Transcoder {
        op: Transcode,
        from: u32,
        to: u32,
    },
    ResourceNew {
        instance: u32,
        table: u32,
    },
    ResourceRep {
        table: u32,
    },
    ResourceDrop {
        instance: u32,
        table: u32,
    },
    ResourceTransferOwn,
    ResourceTransferBorrow,
    EnterSyncCall,
    ExitSyncCall,
    Trap,
    /// Only in components with asynchronous functions.
    Concurrent(Builtin),
}

/// A built-in of the component model's concurrency, or a function of the host's that adapter modules call for it. `instance` is the
/// component instance that calls it.
#[derive(Debug)]
pub(crate) enum Builtin {
    BackpressureInc {
        instance: u32,
    },
    BackpressureDec {
        instance: u32,
    },
    /// `function` has the result as its parameter, if there is one.
    TaskReturn {
        instance: u32,
        function: Arc<Function>,
        options: u32,
    },
    TaskCancel {
        instance: u32,
    },
    WaitableSetNew {
        instance: u32,
    },
    WaitableSetWait {
        instance: u32,
        options: u32,
    },
    WaitableSetPoll {
        instance: u32,
        options: u32,
    },
    WaitableSetDrop {
        instance: u32,
    },
    WaitableJoin {
        instance: u32,
    },
    SubtaskDrop {
        instance: u32,
    },
    SubtaskCancel {
        instance: u32,
        is_async: bool,
    },
    /// `stream.new` and `future.new`.
    New {
        instance: u32,
        transmit: Transmit,
    },
    /// `{stream,future}.{read,write}`.
    Copy {
        instance: u32,
        transmit: Transmit,
        end: End,
        options: u32,
    },
    /// `{stream,future}.cancel-{read,write}`.
    CancelCopy {
        instance: u32,
        transmit: Transmit,
        end: End,
        is_async: bool,
    },
    /// `{stream,future}.drop-{readable,writable}`.
    DropEnd {
        instance: u32,
        transmit: Transmit,
        end: End,
    },
    ErrorContextNew {
        instance: u32,
        options: u32,
    },
    ErrorContextDebugMessage {
        instance: u32,
        options: u32,
    },
    ErrorContextDrop {
        instance: u32,
    },
    ThreadYield {
        instance: u32,
        cancellable: bool,
    },
    /// `params` are those after the eight that all have: numbers of the start and return functions, caller, callee, result type, whether the
    /// callee's type is `async`, string encoding, and number of results.
    PrepareCall {
        memory: Option<u32>,
        params: Vec<CoreType>,
    },
    /// Parameters: number of the callee's function, and its number of parameters.
    SyncStartCall {
        callback: Option<u32>,
        result: Option<CoreType>,
    },
    /// Parameters: number of the callee's function, its numbers of parameters and results, flags.
    AsyncStartCall {
        callback: Option<u32>,
        post_return: Option<u32>,
    },
    StreamTransfer,
    FutureTransfer,
    ErrorContextTransfer,
    ThreadIndex {
        instance: u32,
    },
    /// `take` is the number of the function that takes the new thread's from its table; the next number is that of the function that starts
    /// it.
    ThreadNewIndirect {
        instance: u32,
        take: u32,
    },
    ThreadResumeLater {
        instance: u32,
    },
    ThreadSuspend {
        instance: u32,
        cancellable: bool,
    },
    /// `thread.{suspend,yield}-then-{resume,promote}`.
    ThreadSwitch {
        instance: u32,
        cancellable: bool,
        yields: bool,
        promotes: bool,
    },
}

/// Limit on the threads that one component instance has at a time. Each has a place in a table, which reserves room for all of them. Stops a
/// component that creates threads without end.
pub(crate) const MOST_THREADS: u32 = 1 << 14;

/// A stream or future type, as an index of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Transmit {
    Stream(u32),
    Future(u32),
}

/// One end of a stream or future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum End {
    Readable,
    Writable,
}

/// String transcodings that fused adapters use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Transcode {
    CopyUtf8,
    CopyUtf16,
    CopyLatin1,
    Latin1ToUtf16,
    Latin1ToUtf8,
    Utf16ToCompactProbablyUtf16,
    Utf16ToCompactUtf16,
    Utf16ToLatin1,
    Utf16ToUtf8,
    Utf8ToCompactUtf16,
    Utf8ToLatin1,
    Utf8ToUtf16,
}

/// One component instance's view of one resource type.
#[derive(Debug, Clone, Copy, BorshSerialize, BorshDeserialize)]
pub(crate) enum ResourceTable {
    Concrete {
        resource: u32,
        instance: u32,
    },
    /// Of a resource type that appears in types only.
    Abstract,
}

#[derive(Debug)]
pub(crate) enum Export {
    Func {
        function: Arc<Function>,
        def: CoreDef,
        options: u32,
    },
    Instance(Vec<(String, Export)>),
    Resource(u32),
    Type(Type),
    Module {
        /// Of a module of the component's, its own type; of an imported one, as it was declared.
        ty: Arc<ModuleType>,
        source: ModuleSource,
    },
}

/// Where an exported core module comes from.
#[derive(Debug, Clone, Copy, BorshSerialize, BorshDeserialize)]
pub(crate) enum ModuleSource {
    /// One of the component's modules.
    Defined(u32),
    /// A runtime import.
    Imported(u32),
}

impl Export {
    pub(crate) fn extern_type(&self) -> ExternType {
        match self {
            Export::Func { function, .. } => ExternType::Func(function.clone()),
            Export::Instance(items) => ExternType::Instance(
                items
                    .iter()
                    .map(|(name, item)| (name.clone(), item.extern_type()))
                    .collect(),
            ),
            Export::Resource(table) => ExternType::Resource(airssys_wasm_abi::ResourceType(*table)),
            Export::Type(ty) => ExternType::Type(ty.clone()),
            Export::Module { ty, .. } => ExternType::Module(ty.clone()),
        }
    }
}
