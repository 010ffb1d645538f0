//! Shared parts of the integration tests: fixtures, a host for the `types` fixture, WAT.

pub mod echo;
pub mod host;
pub mod kind;
pub mod nats;
pub mod surface;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use airssys_wasm::component::{
    Component, HostResult, Instance, Linker, Resource, ResourceTable, ResourceType, Store, StoreContextMut,
    Val,
};
use airssys_wasm::engine::{Backend, Config, Engine};

/// Returns the folder of the workspace.
pub fn root() -> &'static Path {
    const TESTS: &str = env!("CARGO_MANIFEST_DIR");
    Path::new(TESTS.strip_suffix("/tests").unwrap_or(TESTS))
}

/// Returns the file of a committed fixture.
pub fn fixture_path(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

/// Returns the bytes of a committed fixture.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = fixture_path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A port of this host on which nothing listens, and which no other test can get while this exists.
#[derive(Debug)]
pub struct ClosedPort {
    /// The address, which refuses connections.
    pub addr: SocketAddr,
    _connection: (TcpListener, TcpStream),
}

impl ClosedPort {
    /// Takes a port: that of the client's end of a connection.
    ///
    /// # Panics
    /// Panics if the system has no ports.
    #[allow(clippy::new_without_default)]
    pub fn new() -> ClosedPort {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let connected = listener.local_addr().and_then(TcpStream::connect);
        let connected = connected.expect("it listens");
        ClosedPort {
            addr: connected.local_addr().expect("it is connected"),
            _connection: (listener, connected),
        }
    }
}

/// Reports whether everything has to be tested: then a part that a machine cannot test fails.
pub fn require_all() -> bool {
    std::env::var("AIRSSYS_REQUIRE_ALL").is_ok_and(|value| value == "1")
}

/// Returns the file of a guest that is too large to commit, and that `cargo xtask guests` builds. Prints a notice and
/// returns `None` if it is not built; where everything is required, that fails.
pub fn built(name: &str) -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let path = target.join("guests").join(format!("{name}.wasm"));
    match path.try_exists() {
        Ok(true) => Some(path),
        found => {
            let what = format!(
                "{} is not there ({found:?}); build it with `cargo xtask guests {name}`",
                path.display()
            );
            assert!(!require_all(), "{what}");
            eprintln!("LEFT OUT: {name} is not tested: {what}");
            None
        }
    }
}

/// Returns the bytes of a guest that is [`built`].
pub fn built_bytes(name: &str) -> Option<Vec<u8>> {
    let path = built(name)?;
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Returns an engine for each backend of this build.
pub fn engines() -> Vec<Engine> {
    let engines: Vec<Engine> = Backend::available()
        .iter()
        .map(|backend| engine(*backend))
        .collect();
    assert!(
        !engines.is_empty(),
        "this build has no backend: nothing would be tested"
    );
    engines
}

pub fn engine(backend: Backend) -> Engine {
    Engine::new(Config::new().backend(backend)).expect("the backend is available")
}

/// Returns an engine of the first backend.
pub fn default_engine() -> Engine {
    Engine::new(&Config::new()).expect("a backend is available")
}

/// Compiles a component from its text.
pub fn component(engine: &Engine, text: &str) -> Component {
    try_component(engine, text).expect("the component loads")
}

pub fn try_component(engine: &Engine, text: &str) -> airssys_wasm::Result<Component> {
    let bytes = wat::parse_str(text).expect("the text parses");
    Component::from_binary(engine, &bytes)
}

/// The host's side of the `types` fixture.
#[derive(Debug, Default)]
pub struct Host {
    pub loggers: ResourceTable,
    pub messages: Vec<String>,
    pub dropped: u32,
    pub nothings: u32,
}

/// A host-defined resource that counts its logged messages.
#[derive(Debug)]
pub struct Logger {
    pub name: String,
    pub count: u32,
}

type Cx<'a> = StoreContextMut<'a, Host>;

pub fn types_linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    define_types_host(&mut linker).expect("each name is defined once");
    linker
}

fn define_types_host(linker: &mut Linker<Host>) -> airssys_wasm::Result<()> {
    let mut loggers = linker.instance("fixtures:types/host-logger")?;
    loggers.resource("logger", ResourceType::host::<Logger>(), |mut cx: Cx<'_>, rep| {
        cx.data_mut().loggers.delete(Resource::<Logger>::new_own(rep))?;
        cx.data_mut().dropped += 1;
        Ok(())
    })?;
    loggers.func_wrap("[constructor]logger", |mut cx: Cx<'_>, (name,): (String,)| {
        Ok((cx.data_mut().loggers.push(Logger { name, count: 0 })?,))
    })?;
    loggers.func_wrap(
        "[method]logger.log",
        |mut cx: Cx<'_>, (this, text): (Resource<Logger>, String)| {
            assert!(!this.owned(), "a method gets a borrow");
            let host = cx.data_mut();
            let logger = host.loggers.get_mut(&this)?;
            logger.count += 1;
            let (line, count) = (format!("{}: {text}", logger.name), logger.count);
            host.messages.push(line);
            Ok((count,))
        },
    )?;
    loggers.func_wrap("take", |mut cx: Cx<'_>, (logger,): (Resource<Logger>,)| {
        assert!(logger.owned(), "what is taken is owned");
        Ok((cx.data_mut().loggers.delete(logger)?.count,))
    })?;
    loggers.func_wrap("count", |cx: Cx<'_>, (logger,): (Resource<Logger>,)| {
        Ok((cx.data().loggers.get(&logger)?.count,))
    })?;
    let mut functions = linker.instance("fixtures:types/host-functions")?;
    functions.func_wrap("host-add", |_: Cx<'_>, (a, b): (u32, u32)| {
        Ok((a.wrapping_add(b),))
    })?;
    functions.func_wrap("host-concat", |_: Cx<'_>, (parts,): (Vec<String>,)| {
        Ok((parts.concat(),))
    })?;
    functions.func_wrap("host-fail", |_: Cx<'_>, (message,): (Option<String>,)| {
        let result: Result<u32, String> = message.map_or(Ok(0), Err);
        Ok((result,))
    })?;
    functions.func_wrap("host-nothing", |mut cx: Cx<'_>, (): ()| -> HostResult<()> {
        cx.data_mut().nothings += 1;
        Ok(())
    })
}

/// Creates an instance of the `types` fixture.
pub fn types_instance(engine: &Engine) -> (Store<Host>, Instance) {
    let component = Component::from_binary(engine, &fixture("types.wasm")).expect("the fixture loads");
    let mut store = Store::new(engine, Host::default());
    let instance = types_linker(engine)
        .instantiate(&mut store, &component)
        .expect("the fixture links");
    (store, instance)
}

/// Calls `interface#function` of the `types` fixture with dynamic values.
pub fn call(
    store: &mut Store<Host>,
    instance: &Instance,
    interface: &str,
    function: &str,
    args: &[Val],
) -> airssys_wasm::Result<Option<Val>> {
    let interface = format!("fixtures:types/{interface}");
    let func = instance.try_get_func(&mut *store, [&interface, function])?;
    func.call_dynamic(store, args)
}

/// Returns a `list<string>` value.
pub fn strings(items: &[&str]) -> Val {
    Val::List(items.iter().map(|item| Val::String((*item).into())).collect())
}
