//! A module that only forwards calls, so that a test can call the functions of preview 1 from outside.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use airssys_wasm::adapt::{self, Preview1, World};
use airssys_wasm::component::{Component, Instance, Linker, Store, Val};
use airssys_wasm::engine::Engine;
use airssys_wasm::wasi::{self, WasiCtxBuilder, WasiState};

/// Forwarded functions, with their parameters.
const FUNCTIONS: [(&str, &str); 20] = [
    ("args-sizes-get", "ii"),
    ("clock-time-get", "iIi"),
    ("fd-allocate", "iII"),
    ("fd-close", "i"),
    ("fd-fdstat-get", "ii"),
    ("fd-filestat-get", "ii"),
    ("fd-prestat-get", "ii"),
    ("fd-prestat-dir-name", "iii"),
    ("fd-read", "iiii"),
    ("fd-readdir", "iiiIi"),
    ("fd-renumber", "ii"),
    ("fd-seek", "iIii"),
    ("fd-write", "iiii"),
    ("path-create-directory", "iii"),
    ("path-open", "iiiiiIIii"),
    ("poll-oneoff", "iiii"),
    ("random-get", "ii"),
    ("sock-shutdown", "ii"),
    // The module's own functions.
    ("peek", "i"),
    ("poke", "iI"),
];

/// Size of the module's memory, in bytes.
pub(super) const MEMORY: u32 = 1 << 16;

/// Addresses of the driver's lists, texts, data, and results.
const LIST: u32 = 4096;
const TEXT: u32 = 8192;
const DATA: u32 = 16 << 10;
const ANSWER: u32 = 128;

/// Returns a world with its own file: tests run in parallel.
pub(super) fn world(name: &str, items: &str) -> World {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let file = format!("preview1-{}-{number}.wit", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let text = format!("package test:{name}; world {name} {{ {items} }}");
    std::fs::write(&path, text).expect("the target folder can be written");
    World::Wit { path, name: None }
}

pub(super) struct Driver {
    store: Store<WasiState>,
    instance: Instance,
}

type Answer<T> = Result<T, u32>;

impl Driver {
    pub(super) fn new(engine: &Engine, grants: &WasiCtxBuilder) -> Driver {
        let (mut imports, mut functions, mut items) = (String::new(), String::new(), String::new());
        for (name, params) in FUNCTIONS {
            let core: Vec<_> = params
                .chars()
                .map(|c| if c == 'i' { "i32" } else { "i64" })
                .collect();
            let core = core.join(" ");
            let wit: Vec<_> = (0..)
                .zip(params.chars())
                .map(|(index, c)| format!("p{index}: {}", if c == 'i' { "u32" } else { "u64" }))
                .collect();
            writeln!(items, "export {name}: func({}) -> u32;", wit.join(", ")).unwrap();
            if matches!(name, "peek" | "poke") {
                continue;
            }
            let import = name.replace('-', "_");
            writeln!(
                imports,
                r#"(import "wasi_snapshot_preview1" "{import}" (func ${name} (param {core}) (result i32)))"#
            )
            .unwrap();
            let locals: Vec<_> = (0..params.len())
                .map(|index| format!("(local.get {index})"))
                .collect();
            writeln!(
                functions,
                r#"(func (export "{name}") (param {core}) (result i32) (call ${name} {}))"#,
                locals.join(" ")
            )
            .unwrap();
        }
        let text = format!(
            r#"(module {imports} (memory (export "memory") 1) {functions}
                (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
                (func (export "poke") (param i32 i64) (result i32) (i64.store8 (local.get 0) (local.get 1)) (i32.const 0)))"#
        );
        let module = wat::parse_str(text).expect("the text parses");
        let mut driver = Driver::of(engine, &module, &world("driver", &items), grants);
        // Results are only noticed if memory held something else before.
        driver.poke(0, &[0xee; 256]);
        driver
    }

    pub(super) fn of(engine: &Engine, module: &[u8], world: &World, grants: &WasiCtxBuilder) -> Driver {
        let bytes = adapt::lift(module, world, Preview1::Auto).expect("it is lifted");
        let component = Component::from_binary(engine, &bytes).expect("it compiles");
        let mut linker = Linker::new(engine);
        wasi::add_to_linker(&mut linker).expect("an empty linker");
        let mut store = Store::new(engine, WasiState::from(grants.build()));
        let instance = linker.instantiate(&mut store, &component).expect("it is linked");
        Driver { store, instance }
    }

    pub(super) fn call(&mut self, name: &str, args: &[u64]) -> u32 {
        let params = FUNCTIONS.iter().find(|(known, _)| *known == name);
        let params = params.map_or("", |(_, params)| *params);
        assert_eq!(params.len(), args.len(), "{name}");
        let args = params.chars().zip(args).map(|(ty, arg)| match ty {
            'i' => Val::U32(u32::try_from(*arg).expect("a number of 32 bits")),
            _ => Val::U64(*arg),
        });
        let args: Vec<_> = args.collect();
        let function = self
            .instance
            .get_func(&mut self.store, [name])
            .expect("it is exported");
        match function.call_dynamic(&mut self.store, &args) {
            Ok(Some(Val::U32(answer))) => answer,
            other => panic!("{name}: {other:?}"),
        }
    }

    pub(super) fn poke(&mut self, at: u32, bytes: &[u8]) {
        for (at, byte) in (at..).zip(bytes) {
            self.call("poke", &[at.into(), (*byte).into()]);
        }
    }

    pub(super) fn bytes(&mut self, at: u32, len: u32) -> Vec<u8> {
        let bytes = (at..at + len).map(|at| self.call("peek", &[at.into()]));
        bytes.map(|byte| u8::try_from(byte).expect("a byte")).collect()
    }

    pub(super) fn u32(&mut self, at: u32) -> u32 {
        u32::from_le_bytes(self.bytes(at, 4).try_into().expect("4 bytes"))
    }

    fn u64(&mut self, at: u32) -> u64 {
        u64::from_le_bytes(self.bytes(at, 8).try_into().expect("8 bytes"))
    }

    /// Writes a text; returns its address and length.
    pub(super) fn text(&mut self, text: &str) -> (u64, u64) {
        self.poke(TEXT, text.as_bytes());
        (TEXT.into(), text.len().try_into().expect("short"))
    }

    fn answer<T>(&mut self, errno: u32, value: impl FnOnce(&mut Driver) -> T) -> Answer<T> {
        match errno {
            0 => Ok(value(self)),
            errno => Err(errno),
        }
    }

    /// Opens with the rights to read, and to write if the file is created or appended to.
    pub(super) fn open(&mut self, fd: u32, path: &str, ways: u64, flags: u64) -> Answer<u32> {
        let write = if ways & 9 != 0 || flags & 1 != 0 {
            1 << 6
        } else {
            0
        };
        self.open_with(fd, path, ways, flags, 1 << 1 | write)
    }

    pub(super) fn open_with(
        &mut self,
        fd: u32,
        path: &str,
        ways: u64,
        flags: u64,
        rights: u64,
    ) -> Answer<u32> {
        let (at, len) = self.text(path);
        let args = [fd.into(), 1, at, len, ways, rights, rights, flags, ANSWER.into()];
        let errno = self.call("path-open", &args);
        self.answer(errno, |it| it.u32(ANSWER))
    }

    pub(super) fn write(&mut self, fd: u32, parts: &[&[u8]]) -> Answer<u32> {
        let mut at = DATA;
        for (index, part) in (0..).zip(parts) {
            self.poke(at, part);
            let len = u32::try_from(part.len()).expect("short");
            self.poke(LIST + index * 8, &[at.to_le_bytes(), len.to_le_bytes()].concat());
            at += len;
        }
        let args = [
            fd.into(),
            LIST.into(),
            parts.len().try_into().expect("short"),
            ANSWER.into(),
        ];
        let errno = self.call("fd-write", &args);
        self.answer(errno, |it| it.u32(ANSWER))
    }

    pub(super) fn read(&mut self, fd: u32, rooms: &[u32]) -> Answer<Vec<u8>> {
        let mut at = DATA;
        for (index, room) in (0..).zip(rooms) {
            self.poke(LIST + index * 8, &[at.to_le_bytes(), room.to_le_bytes()].concat());
            at += room;
        }
        let args = [
            fd.into(),
            LIST.into(),
            rooms.len().try_into().expect("short"),
            ANSWER.into(),
        ];
        let errno = self.call("fd-read", &args);
        self.answer(errno, |it| {
            let len = it.u32(ANSWER);
            it.bytes(DATA, len)
        })
    }

    pub(super) fn seek(&mut self, fd: u32, by: i64, whence: u64) -> Answer<u64> {
        let errno = self.call("fd-seek", &[fd.into(), by.cast_unsigned(), whence, ANSWER.into()]);
        self.answer(errno, |it| it.u64(ANSWER))
    }

    /// Lists the names in a folder with a buffer of this many bytes, as C libraries do: truncated entries are read again.
    pub(super) fn list(&mut self, fd: u32, room: u32) -> Vec<String> {
        let (mut names, mut cookie) = (Vec::new(), 0);
        loop {
            let errno = self.call(
                "fd-readdir",
                &[fd.into(), DATA.into(), room.into(), cookie, ANSWER.into()],
            );
            assert_eq!(errno, 0);
            let used = self.u32(ANSWER);
            let bytes = self.bytes(DATA, used);
            let mut rest = &bytes[..];
            while rest.len() >= 24 {
                let next = u64::from_le_bytes(rest[..8].try_into().expect("8 bytes"));
                let len = u32::from_le_bytes(rest[16..20].try_into().expect("4 bytes")) as usize;
                let Some(name) = rest.get(24..24 + len) else { break };
                names.push(String::from_utf8(name.to_vec()).expect("text"));
                cookie = next;
                rest = &rest[24 + len..];
            }
            if used < room {
                return names;
            }
        }
    }

    /// Writes a subscription to a clock.
    pub(super) fn clock(&mut self, at: u32, userdata: u64, clock: u32, time: u64, absolute: bool) {
        let mut subscription = [0; 48];
        subscription[..8].copy_from_slice(&userdata.to_le_bytes());
        subscription[16..20].copy_from_slice(&clock.to_le_bytes());
        subscription[24..32].copy_from_slice(&time.to_le_bytes());
        subscription[40] = absolute.into();
        self.poke(at, &subscription);
    }

    /// Polls; returns each event's number and error.
    pub(super) fn poll(&mut self, at: u32, count: u64) -> Vec<(u64, u32)> {
        let errno = self.call("poll-oneoff", &[at.into(), DATA.into(), count, ANSWER.into()]);
        assert_eq!(errno, 0);
        let events = self.u32(ANSWER);
        let event = |it: &mut Driver, index| {
            let at = DATA + index * 32;
            (it.u64(at), it.u32(at + 8) & 0xffff)
        };
        (0..events).map(|index| event(self, index)).collect()
    }

    /// Returns the number of open resources beside the standard streams and the granted folder.
    pub(super) fn resources(&self) -> usize {
        self.store.data().table.len().saturating_sub(4)
    }
}
