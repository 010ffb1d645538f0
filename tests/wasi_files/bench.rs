//! A component with folders, and the host's view of them.
#![allow(unreachable_pub, reason = "a part of a test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use airssys_wasm::component::{Component, ComponentType, InstancePre, Lift, Linker, Lower, Store, TypedFunc};
use airssys_wasm::engine::Engine;
use airssys_wasm::wasi::{self, FsPerms, WasiCtxBuilder, WasiLimits, WasiState};

use crate::common;

/// One call, as an argument of the guest.
#[derive(Clone, Debug, Default, ComponentType, Lower, Lift)]
#[component(record)]
pub struct Step {
    pub call: String,
    pub descriptor: u32,
    pub path: String,
    pub other: u32,
    #[component(name = "new-path")]
    pub new_path: String,
    pub flags: Vec<String>,
    pub at: u64,
    pub length: u64,
    pub bytes: Vec<u8>,
}

/// Descriptors of the granted folders.
pub const DATA: u32 = 0;
pub const FIXED: u32 = 1;
pub const MORE: u32 = 2;

/// A call on a descriptor.
pub fn call(call: &str, descriptor: u32) -> Step {
    Step {
        call: call.into(),
        descriptor,
        bytes: b"x".to_vec(),
        length: 100,
        ..Step::default()
    }
}

/// A call with a path.
pub fn at(name: &str, descriptor: u32, path: &str) -> Step {
    Step {
        path: path.into(),
        ..call(name, descriptor)
    }
}

/// A call with two paths.
pub fn between(name: &str, descriptor: u32, path: &str, other: u32, new_path: &str) -> Step {
    Step {
        other,
        new_path: new_path.into(),
        ..at(name, descriptor, path)
    }
}

impl Step {
    /// Sets flags, by their names.
    pub fn with(mut self, flags: &str) -> Step {
        self.flags = flags.split_whitespace().map(str::to_owned).collect();
        self
    }

    /// Sets an offset or a size.
    pub fn number(mut self, at: u64) -> Step {
        self.at = at;
        self
    }
}

/// Opens a path.
pub fn open(descriptor: u32, path: &str, flags: &str) -> Step {
    at("open-at", descriptor, path).with(flags)
}

/// A component with `/data` and `/more` to change and `/fixed` to read, in a folder with further content. `/data` and
/// `/fixed` begin with the same content, `/more` is empty.
pub struct Bench {
    root: PathBuf,
    pub store: Store<WasiState>,
    take: TypedFunc<(Step,), (String,)>,
}

impl Bench {
    pub fn new() -> Bench {
        Bench::with(WasiLimits::default())
    }

    pub fn with(limits: WasiLimits) -> Bench {
        Bench::granted(|root| {
            let mut builder = WasiCtxBuilder::new();
            builder.limits(limits);
            for (folder, access) in [
                ("data", FsPerms::ReadWrite),
                ("fixed", FsPerms::ReadOnly),
                ("more", FsPerms::ReadWrite),
            ] {
                builder
                    .preopened_dir(root.join(folder), format!("/{folder}"), access)
                    .expect("it is there");
            }
            builder
        })
    }

    /// Creates the folders, and a component with the grants that `grant` returns for their parent.
    pub fn granted(grant: impl FnOnce(&Path) -> WasiCtxBuilder) -> Bench {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "airssys-wasm-files-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(root.join("more")).expect("a folder");
        fs::create_dir(root.join("secret")).expect("a folder");
        fs::write(root.join("secret/secret.txt"), "secret").expect("a file");
        for folder in ["data", "fixed"] {
            fill(&root.join(folder));
        }

        let (engine, cases) = guest();
        let builder = grant(&root);
        let mut store = Store::new(engine, WasiState::from(builder.build()));
        let instance = cases.instantiate(&mut store).expect("it has all it needs");
        let take = instance
            .get_typed_func(&mut store, ["fixtures:wasi-cases/steps", "take"])
            .expect("it is exported");
        Bench { root, store, take }
    }

    /// Returns a path below the parent of the granted folders.
    pub fn host(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Makes a call and returns its result.
    pub fn take(&mut self, step: Step) -> String {
        self.try_take(step).expect("it does not trap")
    }

    pub fn try_take(&mut self, step: Step) -> airssys_wasm::Result<String> {
        Ok(self.take.call(&mut self.store, (step,))?.0)
    }

    /// Checks that files beyond the guest's rights are unchanged.
    pub fn unharmed(&self) -> Result<(), String> {
        let names = |path: &str| {
            let entries = fs::read_dir(self.host(path)).expect("a folder");
            let mut names: Vec<_> = entries
                .map(|entry| {
                    entry
                        .expect("an entry")
                        .file_name()
                        .into_string()
                        .expect("a name")
                })
                .collect();
            names.sort();
            names.join(" ")
        };
        let text = |path: &str| fs::read_to_string(self.host(path)).unwrap_or_default();
        let checks = [
            (names(""), "data fixed more secret"),
            (names("secret"), "secret.txt"),
            (text("secret/secret.txt"), "secret"),
            (names("fixed"), ENTRIES),
            (text("fixed/hello.txt"), "hello"),
            (names("fixed/sub"), "deeper inner.txt"),
        ];
        match checks.iter().find(|(found, expected)| found != expected) {
            Some((found, expected)) => Err(format!("there is `{found}` outside, which was `{expected}`")),
            None => Ok(()),
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

const ENTRIES: &str = "absolute around empty.txt hello.txt link loop-a loop-b out sub through";

fn fill(folder: &Path) {
    fs::create_dir_all(folder.join("sub/deeper")).expect("a folder");
    fs::write(folder.join("hello.txt"), "hello").expect("a file");
    fs::write(folder.join("empty.txt"), "").expect("a file");
    fs::write(folder.join("sub/inner.txt"), "inner").expect("a file");
    for (target, link) in [
        ("hello.txt", "link"),
        ("../secret", "out"),
        ("../secret/secret.txt", "through"),
        ("../data/hello.txt", "around"),
        ("/etc/passwd", "absolute"),
        ("loop-b", "loop-a"),
        ("loop-a", "loop-b"),
    ] {
        symlink(target, folder.join(link)).expect("a link");
    }
}

/// The guest, compiled once.
fn guest() -> &'static (Engine, InstancePre<WasiState>) {
    static GUEST: OnceLock<(Engine, InstancePre<WasiState>)> = OnceLock::new();
    GUEST.get_or_init(|| {
        let engine = common::default_engine();
        let component =
            Component::from_binary(&engine, &common::fixture("wasi-cases.wasm")).expect("the fixture loads");
        let mut linker = Linker::new(&engine);
        wasi::add_to_linker(&mut linker).expect("the linker is empty");
        let cases = linker.instantiate_pre(&component).expect("it has all it needs");
        (engine, cases)
    })
}
