//! A real NATS server for each test that asks for one.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Version of the server, of the Go module github.com/nats-io/nats-server/v2. The CI script reads the same file.
const VERSION: &str = include_str!("../nats-server.version");

/// Longest wait for a server to start, on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// The cargo target folder that this test was built into.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    // <target>/<profile>/deps/<test>
    test.ancestors().nth(3).expect("a target folder").to_owned()
}

/// Returns the server's program, which is built once and kept in the target folder.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let version = VERSION.trim();
        let folder = target().join("nats").join(version);
        let program = folder.join("nats-server");
        fs::create_dir_all(&folder).expect("the target folder can be written");
        let lock = File::create(folder.join("lock")).expect("the target folder can be written");
        lock.lock().expect("a lock");
        if !program.exists() {
            let module = format!("github.com/nats-io/nats-server/v2@{version}");
            let built = Command::new("go")
                .args(["install", &module])
                .env("GOBIN", &folder)
                .status();
            let built = built.expect("Go builds the NATS server: install Go 1.26");
            assert!(built.success(), "go install {module}: {built}");
        }
        program
    })
}

/// Returns the program of Debian's package, version 2.9.10, which `.ci/run` unpacks. Prints a notice and returns `None` if it
/// is not there; where everything is required, that fails.
pub fn old_program() -> Option<PathBuf> {
    let program = target().join("nats/debian/usr/sbin/nats-server");
    if program.exists() {
        return Some(program);
    }
    let what = format!("Debian's nats-server is not unpacked at {}", program.display());
    assert!(!crate::require_all(), "{what}: see .ci/run");
    eprintln!("LEFT OUT: an old server is not tested: {what}");
    None
}

/// A folder that is removed when this value is dropped.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Default for Folder {
    fn default() -> Folder {
        Folder::new()
    }
}

impl Folder {
    /// Creates an empty one.
    pub fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("airssys-cluster-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A server that was just killed may still hold it for a moment; then it stays in the temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running server, killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    program: PathBuf,
    arguments: Vec<String>,
    pub port: u16,
    pub folder: Folder,
}

impl Server {
    /// Starts one with JetStream, on a free port.
    pub fn start() -> Server {
        Server::with(program(), |folder| {
            vec![
                "--jetstream".to_owned(),
                "--store_dir".to_owned(),
                text(&folder.join("store")),
            ]
        })
    }

    /// Starts one with the lines of a configuration file, written by a function that gets the server's folder.
    pub fn configured(lines: impl FnOnce(&Path) -> String) -> Server {
        Server::with(program(), |folder| {
            let file = folder.join("nats.conf");
            fs::write(&file, lines(folder)).expect("a configuration file");
            vec!["--config".to_owned(), text(&file)]
        })
    }

    pub fn with(program: &Path, arguments: impl FnOnce(&Path) -> Vec<String>) -> Server {
        let folder = Folder::new();
        let mut arguments = arguments(&folder.0);
        // Another program can take the port before the server does; then it ends, and the next try has another.
        for _ in 0..5 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            let port = free.expect("a free port").port();
            arguments.extend(["--addr", "127.0.0.1", "--port"].map(str::to_owned));
            arguments.push(port.to_string());
            if let Some(child) = run(program, &arguments, port) {
                return Server {
                    child,
                    program: program.to_owned(),
                    arguments,
                    port,
                    folder,
                };
            }
            arguments.truncate(arguments.len() - 4);
        }
        panic!("{} does not start", program.display());
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it as SIGKILL does.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Starts it again, on the same port and folder.
    pub fn restart(&mut self) {
        self.child = run(&self.program, &self.arguments, self.port).expect("it starts again");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Starts the program and waits until it listens. `None` if it ends instead.
fn run(program: &Path, arguments: &[String], port: u16) -> Option<Child> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let log = child.stderr.take().expect("it is piped");
    // Read on, so that the server is not held up.
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if line.contains("[ERR]") || line.contains("[FTL]") {
                eprintln!("nats-server: {line}");
            }
        }
    });
    let end = Instant::now() + STARTS_WITHIN;
    while Instant::now() < end {
        if child.try_wait().expect("its state").is_some() {
            return None;
        }
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Some(child);
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    panic!("{} does not listen", program.display());
}

/// Runs openssl, which writes certificates.
fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments.split(' '));
    let ran = command
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("openssl is installed");
    assert!(ran.success(), "openssl {arguments}");
}

/// Writes certificates and keys: the authority `ca.pem`, `other.pem`, and `server.pem` and `client.pem` with their keys, which `ca.pem` has
/// signed.
pub fn certificates(folder: &Path) {
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch -days 2";
    openssl(
        folder,
        &format!("req -x509 {new} -keyout ca.key -out ca.pem -subj /CN=authority"),
    );
    openssl(
        folder,
        &format!("req -x509 {new} -keyout other.key -out other.pem -subj /CN=other"),
    );
    for (name, at) in [("server", "IP:127.0.0.1"), ("client", "DNS:client")] {
        let subject =
            format!("-subj /CN={name} -addext subjectAltName={at} -addext basicConstraints=CA:FALSE");
        openssl(
            folder,
            &format!("req -x509 {new} -CA ca.pem -CAkey ca.key -keyout {name}.key -out {name}.pem {subject}"),
        );
    }
}
