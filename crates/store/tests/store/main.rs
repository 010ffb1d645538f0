//! Tests of the store on real files.

mod damage;
mod kill;
mod opening;
mod operations;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use airssys_wasm_store::{ConfigurationBounds, Store, StoreOptions};

/// A folder that is removed with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("airssys-store-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("host.redb")
    }

    fn open(&self) -> Store {
        open(&self.file())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path) -> Store {
    Store::open(StoreOptions::new(path)).expect("it opens")
}

/// Returns the values of a queue.
fn values(store: &Store, component: &str) -> Vec<Vec<u8>> {
    let entries = store.queue(component, None, usize::MAX).expect("it is read");
    entries.into_iter().map(|entry| entry.value).collect()
}

fn bounds() -> ConfigurationBounds {
    ConfigurationBounds::new(3, 8, 100, 120)
}
