//! Items of asynchronous functions, streams and futures, in a table of their own that only components with them have.

use airssys_wasm_abi::{CoreSignature, CoreType};
use borsh::{BorshDeserialize, BorshSerialize};

use super::Malformed;
use super::items::Readers;
use super::types::{Node, Types};
use crate::component::ir::{
    AdapterFunc, Builtin, Concurrency, CoreExport, End, Options, Transmit, TransmitTable,
};

/// The first bytes of the table.
const MARK: [u8; 8] = *b"async\0\0\x01";

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct WireConcurrency {
    mark: [u8; 8],
    /// One for each function.
    pub(super) functions: Vec<FuncConcurrency>,
    /// One for each entry of the options.
    options: Vec<WireAsyncOptions>,
    adapters: Vec<WireAdapter>,
    streams: Vec<WireTable>,
    futures: Vec<WireTable>,
    callbacks: u32,
}

/// The part of a function's type that other components do without.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct FuncConcurrency {
    pub(super) is_async: bool,
    pub(super) result_type: u32,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct WireAsyncOptions {
    is_async: bool,
    callback: Option<u32>,
    cancellable: bool,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct WireAdapter {
    export: CoreExport,
    params: Vec<u8>,
    results: Vec<u8>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct WireTable {
    instance: u32,
    ty: u32,
    payload: Option<u32>,
}

fn write_types(types: &[CoreType]) -> Vec<u8> {
    let number = |ty: &CoreType| match ty {
        CoreType::I32 => 0,
        CoreType::I64 => 1,
        CoreType::F32 => 2,
        CoreType::F64 => 3,
    };
    types.iter().map(number).collect()
}

fn read_type(number: u8) -> Result<CoreType, Malformed> {
    Ok(match number {
        0 => CoreType::I32,
        1 => CoreType::I64,
        2 => CoreType::F32,
        3 => CoreType::F64,
        other => return Err(Malformed(format!("there is no core type {other}"))),
    })
}

fn read_types(numbers: &[u8]) -> Result<Vec<CoreType>, Malformed> {
    numbers.iter().map(|number| read_type(*number)).collect()
}

/// The tables of the payloads' types are still being written.
pub(super) struct Writer {
    streams: Vec<WireTable>,
    futures: Vec<WireTable>,
}

impl Writer {
    pub(super) fn new(concurrency: &Concurrency, types: &mut Types) -> Writer {
        let mut tables = |tables: &[TransmitTable]| {
            let tables = tables.iter().map(|table| WireTable {
                instance: table.instance,
                ty: table.ty,
                payload: table.payload.as_ref().map(|payload| types.ty(payload)),
            });
            tables.collect()
        };
        Writer {
            streams: tables(&concurrency.streams),
            futures: tables(&concurrency.futures),
        }
    }

    pub(super) fn finish(
        self,
        concurrency: Concurrency,
        functions: Vec<FuncConcurrency>,
        options: &[Options],
    ) -> WireConcurrency {
        let options = options.iter().map(|options| WireAsyncOptions {
            is_async: options.is_async,
            callback: options.callback,
            cancellable: options.cancellable,
        });
        let adapters = concurrency.adapters.into_iter().map(|adapter| WireAdapter {
            export: adapter.export,
            params: write_types(&adapter.signature.params),
            results: write_types(&adapter.signature.results),
        });
        WireConcurrency {
            mark: MARK,
            functions,
            options: options.collect(),
            adapters: adapters.collect(),
            streams: self.streams,
            futures: self.futures,
            callbacks: concurrency.callbacks,
        }
    }
}

impl WireConcurrency {
    /// Reads the bytes after the tables that all components have; `None` if there are none.
    ///
    /// # Errors
    /// Other bytes than a table.
    pub(super) fn read(rest: &[u8], functions: usize) -> Result<Option<WireConcurrency>, Malformed> {
        if rest.is_empty() {
            return Ok(None);
        }
        let wire: WireConcurrency = borsh::from_slice(rest)
            .map_err(|error| Malformed(format!("the bytes at its end are not a table: {error}")))?;
        if wire.mark != MARK {
            return Err(Malformed::new("the bytes at its end are not a known table"));
        }
        if wire.functions.len() != functions {
            return Err(Malformed(format!(
                "{} of {functions} functions are described",
                wire.functions.len()
            )));
        }
        Ok(Some(wire))
    }

    pub(super) fn concurrency(&self, readers: &Readers) -> Result<Concurrency, Malformed> {
        let adapters = self.adapters.iter().map(|adapter| {
            Ok(AdapterFunc {
                export: adapter.export.clone(),
                signature: CoreSignature {
                    params: read_types(&adapter.params)?,
                    results: read_types(&adapter.results)?,
                },
            })
        });
        let tables = |tables: &[WireTable]| {
            let tables = tables.iter().map(|table| {
                let payload = table.payload.map(|payload| readers.ty(payload)).transpose()?;
                Ok(TransmitTable::new(table.instance, table.ty, payload))
            });
            tables.collect::<Result<Vec<_>, Malformed>>()
        };
        Ok(Concurrency {
            adapters: adapters.collect::<Result<_, Malformed>>()?,
            streams: tables(&self.streams)?,
            futures: tables(&self.futures)?,
            callbacks: self.callbacks,
        })
    }

    /// Completes options with what other components do without.
    pub(super) fn add_to(&self, options: &mut [Options]) -> Result<(), Malformed> {
        if self.options.len() != options.len() {
            return Err(Malformed(format!(
                "{} of {} options are described",
                self.options.len(),
                options.len()
            )));
        }
        for (options, more) in options.iter_mut().zip(&self.options) {
            options.is_async = more.is_async;
            options.callback = self.callback(more.callback)?;
            options.cancellable = more.cancellable;
        }
        Ok(())
    }

    fn callback(&self, callback: Option<u32>) -> Result<Option<u32>, Malformed> {
        match callback {
            Some(index) if index >= self.callbacks => Err(Malformed(format!("there is no callback {index}"))),
            callback => Ok(callback),
        }
    }

    /// Checks the number of a function that takes threads' functions. The next is that of the one that starts them.
    fn starter(&self, take: u32) -> Result<u32, Malformed> {
        let is_of = |adapter: &WireAdapter, results: &[CoreType]| {
            adapter.params == write_types(&[CoreType::I32; 2]) && adapter.results == write_types(results)
        };
        match self.adapters.get(take as usize..) {
            Some([first, start, ..]) if is_of(first, &[CoreType::I32]) && is_of(start, &[]) => Ok(take),
            _ => Err(Malformed(format!("there are no functions {take} for threads"))),
        }
    }

    fn transmit(&self, transmit: Transmit) -> Result<Transmit, Malformed> {
        let (kind, index, tables) = match transmit {
            Transmit::Stream(index) => ("stream", index, &self.streams),
            Transmit::Future(index) => ("future", index, &self.futures),
        };
        match tables.get(index as usize) {
            Some(_) => Ok(transmit),
            None => Err(Malformed(format!("there is no {kind} table {index}"))),
        }
    }

    fn options(&self, index: u32) -> Result<u32, Malformed> {
        match self.options.get(index as usize) {
            Some(_) => Ok(index),
            None => Err(Malformed(format!("there are no options {index}"))),
        }
    }
}

/// Checks that each stream and future among the types has its table.
pub(super) fn check_types(nodes: &[Node], concurrent: Option<&WireConcurrency>) -> Result<(), Malformed> {
    for node in nodes {
        let transmit = match node {
            Node::Stream(table, _) => Transmit::Stream(*table),
            Node::Future(table, _) => Transmit::Future(*table),
            _ => continue,
        };
        let concurrent = concurrent.ok_or_else(|| {
            Malformed::new("a stream or future of a component without asynchronous functions")
        })?;
        concurrent.transmit(transmit)?;
    }
    Ok(())
}

/// Copies a field that stays as it is, and reads the others with the function that checks them.
macro_rules! field {
    ($wire:ident, transmit, $value:expr) => {
        $wire.transmit($value)?
    };
    ($wire:ident, options, $value:expr) => {
        $wire.options($value)?
    };
    ($wire:ident, callback, $value:expr) => {
        $wire.callback($value)?
    };
    ($wire:ident, take, $value:expr) => {
        $wire.starter($value)?
    };
    ($wire:ident, $field:ident, $value:expr) => {
        $value
    };
}

/// The built-ins whose fields are numbers, written as they are; the others have their own form. Those behind the semicolon came later.
macro_rules! builtins {
    ($($variant:ident { $($field:ident: $ty:ty),* })* ; $($later:ident { $($part:ident: $kind:ty),* })*) => {
        #[derive(BorshSerialize, BorshDeserialize)]
        pub(super) enum WireBuiltin {
            $($variant { $($field: $ty),* },)*
            TaskReturn { instance: u32, func: u32, options: u32 },
            PrepareCall { memory: Option<u32>, params: Vec<u8> },
            SyncStartCall { callback: Option<u32>, result: Option<u8> },
            $($later { $($part: $kind),* },)*
        }

        pub(super) fn write_builtin(builtin: &Builtin, types: &mut Types) -> WireBuiltin {
            match builtin {
                $(Builtin::$variant { $($field),* } => WireBuiltin::$variant { $($field: *$field),* },)*
                $(Builtin::$later { $($part),* } => WireBuiltin::$later { $($part: *$part),* },)*
                Builtin::TaskReturn { instance, function, options } => WireBuiltin::TaskReturn {
                    instance: *instance,
                    func: types.func(function),
                    options: *options,
                },
                Builtin::PrepareCall { memory, params } => WireBuiltin::PrepareCall {
                    memory: *memory,
                    params: write_types(params),
                },
                Builtin::SyncStartCall { callback, result } => WireBuiltin::SyncStartCall {
                    callback: *callback,
                    result: result.and_then(|result| write_types(&[result]).pop()),
                },
            }
        }

        pub(super) fn read_builtin(
            builtin: &WireBuiltin,
            wire: &WireConcurrency,
            readers: &Readers,
        ) -> Result<Builtin, Malformed> {
            Ok(match builtin {
                $(WireBuiltin::$variant { $($field),* } => Builtin::$variant {
                    $($field: field!(wire, $field, *$field)),*
                },)*
                $(WireBuiltin::$later { $($part),* } => Builtin::$later {
                    $($part: field!(wire, $part, *$part)),*
                },)*
                WireBuiltin::TaskReturn { instance, func, options } => Builtin::TaskReturn {
                    instance: *instance,
                    function: readers.func(*func)?,
                    options: wire.options(*options)?,
                },
                WireBuiltin::PrepareCall { memory, params } => Builtin::PrepareCall {
                    memory: *memory,
                    params: read_types(params)?,
                },
                WireBuiltin::SyncStartCall { callback, result } => Builtin::SyncStartCall {
                    callback: wire.callback(*callback)?,
                    result: result.map(read_type).transpose()?,
                },
            })
        }
    };
}

builtins! {
    BackpressureInc { instance: u32 }
    BackpressureDec { instance: u32 }
    TaskCancel { instance: u32 }
    WaitableSetNew { instance: u32 }
    WaitableSetWait { instance: u32, options: u32 }
    WaitableSetPoll { instance: u32, options: u32 }
    WaitableSetDrop { instance: u32 }
    WaitableJoin { instance: u32 }
    SubtaskDrop { instance: u32 }
    SubtaskCancel { instance: u32, is_async: bool }
    New { instance: u32, transmit: Transmit }
    Copy { instance: u32, transmit: Transmit, end: End, options: u32 }
    CancelCopy { instance: u32, transmit: Transmit, end: End, is_async: bool }
    DropEnd { instance: u32, transmit: Transmit, end: End }
    ErrorContextNew { instance: u32, options: u32 }
    ErrorContextDebugMessage { instance: u32, options: u32 }
    ErrorContextDrop { instance: u32 }
    ThreadYield { instance: u32, cancellable: bool }
    AsyncStartCall { callback: Option<u32>, post_return: Option<u32> }
    StreamTransfer { }
    FutureTransfer { }
    ErrorContextTransfer { }
    ;
    ThreadIndex { instance: u32 }
    ThreadNewIndirect { instance: u32, take: u32 }
    ThreadResumeLater { instance: u32 }
    ThreadSuspend { instance: u32, cancellable: bool }
    ThreadSwitch { instance: u32, cancellable: bool, yields: bool, promotes: bool }
}
