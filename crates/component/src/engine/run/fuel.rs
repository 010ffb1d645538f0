//! The counter of metered code, which all modules of one store share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use wasmer::{AsStoreMut, Global, Value};
use wasmer_types::ModuleInfo;

/// The module name of the import that metered modules have for the counter. It is reserved for this host.
pub(in crate::engine) const IMPORT: &str = "airssys:fuel";

/// Reports whether a module's code consumes fuel. The counter follows its own imports.
pub(in crate::engine) fn is_metered(info: &ModuleInfo) -> bool {
    info.imports.keys().any(|import| import.module == IMPORT)
}

/// The fuel of one store.
#[derive(Debug)]
pub(crate) struct Fuel {
    counter: OnceLock<Global>,
    /// The store's fuel at first.
    first: u64,
    /// The fuel that was set last.
    given: AtomicU64,
    /// True if fuel was set: code without metering may not run.
    limited: AtomicBool,
    /// True if code without metering may run.
    unmetered: AtomicBool,
}

/// Most fuel that a store can have: the counter is signed.
const MOST: u64 = i64::MAX as u64;

impl Fuel {
    /// Creates the fuel of a store; `None` for no limit.
    pub(crate) fn new(fuel: Option<u64>) -> Fuel {
        let first = fuel.unwrap_or(MOST).min(MOST);
        Fuel {
            counter: OnceLock::new(),
            first,
            given: AtomicU64::new(first),
            limited: AtomicBool::new(fuel.is_some()),
            unmetered: AtomicBool::new(false),
        }
    }

    /// Returns the counter for a metered module.
    pub(crate) fn counter(&self, store: &mut impl AsStoreMut) -> Global {
        let given = self.given.load(Ordering::Relaxed);
        let new = || Global::new_mut(store, Value::I64(i64::try_from(given).unwrap_or(i64::MAX)));
        self.counter.get_or_init(new).clone()
    }

    /// Notes that a module without metering is to run. Returns false if fuel is limited.
    pub(crate) fn admit_unmetered(&self) -> bool {
        self.unmetered.store(true, Ordering::Relaxed);
        !self.limited.load(Ordering::Relaxed)
    }

    /// Sets the fuel. Returns false if code without metering runs in the store.
    pub(crate) fn set(&self, store: &mut impl AsStoreMut, fuel: u64) -> bool {
        if self.unmetered.load(Ordering::Relaxed) {
            return false;
        }
        let fuel = fuel.min(MOST);
        self.given.store(fuel, Ordering::Relaxed);
        self.limited.store(true, Ordering::Relaxed);
        let value = Value::I64(i64::try_from(fuel).unwrap_or(i64::MAX));
        // The counter is mutable, of this type, and of this store.
        self.counter(store).set(store, value).is_ok()
    }

    /// Notes that the counter is as it was at first.
    pub(crate) fn begin_again(&self) {
        self.given.store(self.first, Ordering::Relaxed);
    }

    /// Returns the fuel that is left; `None` if code without metering runs in the store.
    pub(crate) fn left(&self, store: &mut impl AsStoreMut) -> Option<u64> {
        match self.unmetered.load(Ordering::Relaxed) {
            true => None,
            false => Some(u64::try_from(self.count(store)).unwrap_or(0)),
        }
    }

    /// Returns the fuel that was given, if all of it is consumed.
    pub(crate) fn exhausted(&self, store: &mut impl AsStoreMut) -> Option<u64> {
        (self.count(store) < 0).then(|| self.given.load(Ordering::Relaxed))
    }

    fn count(&self, store: &mut impl AsStoreMut) -> i64 {
        let given = self.given.load(Ordering::Relaxed);
        match self.counter.get().map(|counter| counter.get(store)) {
            Some(Value::I64(count)) => count,
            _ => i64::try_from(given).unwrap_or(i64::MAX),
        }
    }
}
