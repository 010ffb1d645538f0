//! Three hosts in processes of their own that send durable messages in a ring, while each of them and the server is killed and
//! started again.
//!
//! `AIRSSYS_CLUSTER_MESSAGES` is the number of messages, 3,000 by default.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use airssys_wasm::actors::{ActorOptions, SendOptions};
use airssys_wasm_cluster::{Cluster, ClusterOptions, DurableOptions};
use airssys_wasm_test_support::host::id;

use crate::registry::{Killed, SERVER, quick};
use crate::{Host, key, name, options, said};
use airssys_wasm_test_support::nats::{Folder, Server};

const HOSTS: u32 = 3;
/// Messages of one host that wait for the stream.
const WINDOW: usize = 64;

/// Least time in which a host sends its messages.
const SENDING: Duration = Duration::from_secs(10);

/// Folder, number and incarnation of a process, and the number of messages that it sends.
const PROCESS: &str = "AIRSSYS_CLUSTER_PROCESS";

/// Time within which all is done, for any number of messages.
fn longest(messages: u32) -> Duration {
    Duration::from_secs(120) + Duration::from_millis(20) * messages
}

/// A line of a host's log: a message that its component handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Handled {
    message: u32,
    incarnation: u32,
}

fn log(folder: &Path, host: u32) -> PathBuf {
    folder.join(format!("h{host}.log"))
}

fn read_log(folder: &Path, host: u32) -> Vec<Handled> {
    let bytes = fs::read(log(folder, host)).unwrap_or_default();
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    let (lines, rest) = bytes.as_chunks::<8>();
    assert!(rest.is_empty(), "a line is cut");
    lines
        .iter()
        .map(|line| Handled {
            message: number(&line[..4]),
            incarnation: number(&line[4..]),
        })
        .collect()
}

fn read_number(file: &Path) -> u32 {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

fn write_number(file: &Path, number: u32) {
    let new = file.with_extension("new");
    fs::write(&new, number.to_string()).unwrap();
    fs::rename(new, file).unwrap();
}

/// A host that sends to the next one in the ring, and goes on after the last message of which it knew that it is stored.
#[test]
#[ignore = "it is the process that `messages_outlast_the_end_of_each_process` starts"]
fn host_process() {
    let arguments = std::env::var(PROCESS).expect("the test that starts it");
    let parts: Vec<&str> = arguments.split('|').collect();
    let [folder, host, incarnation, messages] = parts[..] else {
        panic!("{arguments}")
    };
    let number = |text: &str| text.parse::<u32>().unwrap();
    let (host, incarnation, messages) = (number(host), number(incarnation), number(messages));
    let folder = PathBuf::from(folder);
    let own = format!("c{host}");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log(&folder, host));
    let file = Mutex::new(file.unwrap());
    let store = folder.join(format!("h{host}.redb"));
    let running = Host::durable(&store, &ActorOptions::new(), &[&own], move |_, message| {
        // A question of the test, at the end.
        if message.len() == 4 {
            let line = [message, &incarnation.to_le_bytes()].concat();
            file.lock().unwrap().write_all(&line).unwrap();
        }
        3
    });
    let joined = || {
        let server = std::env::var(SERVER).expect("the server");
        let options =
            ClusterOptions::new(name("test"), name(&format!("h{host}")), key(7)).with_server(server);
        let cluster = Cluster::join(&running.runtime, quick(options)).wait()?;
        cluster.accept_durable(&id(&own)).wait()?;
        Ok::<_, airssys_wasm_cluster::ClusterError>(cluster)
    };
    let cluster = loop {
        match joined() {
            Ok(cluster) => break cluster,
            Err(error) => eprintln!("h{host} tries again: {error}"),
        }
        thread::sleep(Duration::from_millis(100));
    };
    send_all(&cluster, &folder, host, messages);
    loop {
        write_number(
            &folder.join(format!("h{host}.repeated.{incarnation}")),
            u32::try_from(cluster.counters().durable_repeated).unwrap(),
        );
        thread::sleep(Duration::from_millis(100));
    }
}

fn send_all(cluster: &Cluster, folder: &Path, host: u32, messages: u32) {
    let to = id(&format!("c{}", (host + 1) % HOSTS));
    let sent = folder.join(format!("h{host}.sent"));
    let send = |message: u32| {
        let options = DurableOptions::new()
            .with_message_id(format!("h{host} {message}"))
            .with_timeout(Duration::from_secs(5));
        cluster.send_durable(&to, message.to_le_bytes(), options)
    };
    let mut next = read_number(&sent);
    let mut window = VecDeque::new();
    loop {
        // Each quarter of the messages waits for one more kill, so that all are made while messages are on their way.
        let kills = read_number(&folder.join("kills"));
        let until = messages.min(messages / 4 * (kills.min(3) + 1) + if kills >= 4 { messages } else { 0 });
        while next < until && window.len() < WINDOW {
            window.push_back((next, send(next)));
            next += 1;
            // Spread over the kills, for few messages.
            thread::sleep(SENDING / messages);
        }
        let Some((message, stored)) = window.pop_front() else {
            if next >= messages {
                return;
            }
            thread::sleep(Duration::from_millis(20));
            continue;
        };
        let mut result = stored.wait();
        while let Err(error) = result {
            eprintln!("h{host} sends {message} again: {error}");
            thread::sleep(Duration::from_millis(50));
            result = send(message).wait();
        }
        if message % 16 == 0 || message + 1 == messages {
            write_number(&sent, message + 1);
        }
    }
}

struct Ring {
    server: Server,
    folder: Folder,
    hosts: Vec<Killed>,
    incarnations: Vec<u32>,
    messages: u32,
}

impl Ring {
    fn start(&mut self, host: u32) -> Killed {
        let at = usize::try_from(host).unwrap();
        self.incarnations[at] += 1;
        let folder = self.folder.0.display();
        let arguments = format!("{folder}|{host}|{}|{}", self.incarnations[at], self.messages);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "--nocapture", "kill::host_process"]);
        command.env(PROCESS, arguments).env(SERVER, self.server.url());
        let errors = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.0.join(format!("h{host}.errors")));
        Killed(
            command
                .stdout(Stdio::null())
                .stderr(errors.unwrap())
                .spawn()
                .unwrap(),
        )
    }

    /// Kills one of the processes, or the server, and starts it again.
    fn kill(&mut self, turn: u32) {
        if turn % (HOSTS + 1) == HOSTS {
            self.server.kill();
            return self.server.restart();
        }
        let host = turn % (HOSTS + 1);
        let at = usize::try_from(host).unwrap();
        self.hosts[at].0.kill().unwrap();
        self.hosts[at].0.wait().unwrap();
        self.hosts[at] = self.start(host);
    }

    fn is_done(&self) -> bool {
        (0..HOSTS).all(|host| {
            let handled: HashSet<u32> = read_log(&self.folder.0, host)
                .iter()
                .map(|handled| handled.message)
                .collect();
            u32::try_from(handled.len()).unwrap() == self.messages
        })
    }
}

#[test]
fn messages_outlast_the_end_of_each_process() {
    let all = std::env::var("AIRSSYS_CLUSTER_MESSAGES").map_or(3000, |number| number.parse().unwrap());
    let mut ring = Ring {
        server: Server::start(),
        folder: Folder::new(),
        hosts: Vec::new(),
        incarnations: vec![0; 3],
        messages: all / HOSTS,
    };
    for host in 0..HOSTS {
        let started = ring.start(host);
        ring.hosts.push(started);
    }
    let (begun, mut kills) = (Instant::now(), 0);
    let kills_file = ring.folder.0.join("kills");
    while kills < HOSTS + 1 || !ring.is_done() {
        assert!(begun.elapsed() < longest(all), "{}", state(&ring));
        // Long enough for a host to come back and to send.
        thread::sleep(Duration::from_millis(2500));
        if kills < HOSTS + 1 || !ring.is_done() {
            ring.kill(kills);
            kills += 1;
            write_number(&kills_file, kills);
        }
    }
    let took = begun.elapsed();
    let mut again = 0;
    for host in 0..HOSTS {
        let mut of_message: HashMap<u32, HashSet<u32>> = HashMap::new();
        for Handled { message, incarnation } in read_log(&ring.folder.0, host) {
            let first = of_message.entry(message).or_default().insert(incarnation);
            // A process that was killed may have handled it without its removal being stored; one that lives, never.
            assert!(first, "h{host} handled {message} twice in one process");
        }
        for message in 0..ring.messages {
            let handled = of_message.get(&message);
            again += handled.expect("each message arrives").len() - 1;
        }
        assert_eq!(of_message.len(), usize::try_from(ring.messages).unwrap());
    }
    // Each component is where it was, and answers.
    let one = Host::new(|_, _| 0).join(options("watch", &ring.server));
    for host in 0..HOSTS {
        let component = id(&format!("c{host}"));
        let begun = Instant::now();
        while one
            .send_to(&component, [0], SendOptions::new())
            .wait()
            .ok()
            .as_deref()
            != Some(&said(3)[..])
        {
            assert!(begun.elapsed() < longest(0), "{}", state(&ring));
            thread::sleep(Duration::from_millis(50));
        }
        let place = one.locate(&component).wait().unwrap();
        assert_eq!(place.to_string(), format!("h{host}/c{host}"));
    }
    let dropped: u32 = fs::read_dir(&ring.folder.0)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".repeated."))
        .map(|path| read_number(&path))
        .sum();
    println!(
        "{} messages, {kills} kills in {took:.1?}: all arrived, {again} handled again after the end of a process, \
         at least {dropped} copies dropped",
        ring.messages * HOSTS
    );
}

/// The processes' last errors, for a failure.
fn state(ring: &Ring) -> String {
    let mut text = String::new();
    for host in 0..HOSTS {
        let errors = fs::read_to_string(ring.folder.0.join(format!("h{host}.errors"))).unwrap_or_default();
        let last: Vec<&str> = errors.lines().rev().take(5).collect();
        let (handled, sent) = (
            read_log(&ring.folder.0, host).len(),
            read_number(&ring.folder.0.join(format!("h{host}.sent"))),
        );
        text += &format!("h{host}: {handled} handled, {sent} sent, {last:?}\n");
    }
    text
}
