//! Connections by a policy: it decides on each name, address and port, and on what is open.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use super::{MAX_REMEMBERED, Net, NetError, is_public, parse_address};
use crate::access::{AccessPolicy, Basis, Destination};

/// Names that are remembered for one address. Stops a guest that looks up names without end that lead to one address.
const MAX_NAMES: usize = 16;

/// The policy on one component's connections.
#[derive(Clone)]
pub(super) struct ByPolicy {
    policy: Arc<dyn AccessPolicy>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Names that led to an address.
    names: HashMap<IpAddr, Vec<String>>,
    open: Vec<(Held, Weak<dyn Close>)>,
}

/// The destination of an open connection.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    Socket(SocketAddr),
    Request(Request),
}

/// The destination of a request over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// A name or an address; an IPv6 address is in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) secure: bool,
}

/// An open connection.
pub(crate) trait Close: Send + Sync {
    /// Ends the connection.
    fn close(&self);
}

/// The end of a request by a revocation.
impl Close for Notify {
    fn close(&self) {
        self.notify_one();
    }
}

impl fmt::Debug for ByPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.policy.fmt(f)
    }
}

fn basis(granted: bool) -> Basis {
    match granted {
        true => Basis::Host,
        false => Basis::Policy,
    }
}

/// Returns the text of an address, as in URLs.
fn text(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

impl Request {
    fn destination(&self) -> Destination<'_> {
        Destination {
            host: &self.host,
            port: self.port,
            secure: Some(self.secure),
        }
    }
}

impl ByPolicy {
    pub(super) fn new(policy: Arc<dyn AccessPolicy>) -> ByPolicy {
        ByPolicy {
            policy,
            state: Arc::default(),
        }
    }

    pub(super) fn has_network(&self) -> bool {
        self.policy.has_network()
    }

    /// Decides on a look-up of a name, of any port. `granted` is true if the host itself grants it.
    pub(super) fn check_look_up(&self, name: &str, granted: bool) -> Result<(), NetError> {
        let decided = self.policy.look_up(name, basis(granted));
        decided.map_err(|_| NetError::Denied)
    }

    /// Remembers that a name led to addresses.
    pub(super) fn remember(&self, name: &str, addresses: &[IpAddr]) {
        let mut state = self.state();
        for address in addresses {
            if state.names.len() >= MAX_REMEMBERED {
                state.names.clear();
            }
            let names = state.names.entry(address.to_canonical()).or_default();
            if names.len() < MAX_NAMES && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }

    /// Decides on a connection of a socket to an address: it is granted, or a granted name led to it. The decision is
    /// recorded with `record`.
    pub(super) fn check_socket(
        &self,
        address: SocketAddr,
        granted: bool,
        record: bool,
    ) -> Result<(), NetError> {
        let ip = address.ip().to_canonical();
        let host = text(ip);
        let to = |host| Destination {
            host,
            port: address.port(),
            secure: None,
        };
        let names = self.state().names.get(&ip).cloned().unwrap_or_default();
        let permits = |to: &Destination<'_>, basis| self.policy.permits_connect(to, basis);
        let deny = |to: &Destination<'_>, basis| {
            if record {
                let _ = self.policy.connect(to, basis);
            }
            Err(NetError::Denied)
        };
        let direct = to(&host);
        if granted {
            let mut all = names.iter().map(|name| to(name)).chain([direct]);
            return match all.find(|to| !permits(to, Basis::Host)) {
                Some(denied) => deny(&denied, Basis::Host),
                None => Ok(()),
            };
        }
        if !permits(&direct, Basis::Host) {
            return deny(&direct, Basis::Policy);
        }
        let allowed = permits(&direct, Basis::Policy);
        let mut named = names
            .iter()
            .map(|name| to(name))
            .filter(|to| permits(to, Basis::Policy))
            .peekable();
        let leads = |to: &Destination<'_>| is_public(ip) || (to.host == "localhost" && ip.is_loopback());
        let by_name = named.peek().copied();
        let found = match allowed {
            true => Some(direct),
            false => named.find(leads),
        };
        match (found, by_name, names.first()) {
            (Some(to), ..) => {
                if record {
                    self.policy
                        .connect(&to, Basis::Policy)
                        .map_err(|_| NetError::Denied)?;
                }
                Ok(())
            }
            // The name is granted, but must not lead there.
            (None, Some(_), _) | (None, None, None) => deny(&direct, Basis::Policy),
            (None, None, Some(name)) => deny(&to(name), Basis::Policy),
        }
    }

    /// Decides on a request over HTTP before its name is looked up.
    pub(super) fn check_request(&self, request: &Request, granted: bool) -> Result<(), NetError> {
        let decided = self.policy.connect(&request.destination(), basis(granted));
        decided.map_err(|_| NetError::Denied)
    }

    /// Decides on an address that the name of a request leads to.
    pub(super) fn admits(&self, request: &Request, address: IpAddr, granted: bool) -> bool {
        match self.policy.address(&request.destination(), address) {
            Err(_) => false,
            Ok(allowed) if allowed || granted || is_public(address) => true,
            Ok(_) if request.host == "localhost" => address.to_canonical().is_loopback(),
            Ok(_) => {
                // Denied as an address: the policy records it.
                let host = text(address);
                let to = Destination {
                    host: &host,
                    port: request.port,
                    secure: None,
                };
                let _ = self.policy.connect(&to, Basis::Policy);
                false
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic under this lock leaves the data consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Net {
    pub(crate) fn has_policy(&self) -> bool {
        self.policy.is_some()
    }

    /// Returns whether a connection is still permitted, without a record.
    pub(crate) fn permits(&self, held: &Held) -> bool {
        let Some(policy) = &self.policy else {
            return true;
        };
        match held {
            Held::Socket(address) => {
                let granted = self.check_granted(*address).is_ok();
                policy.check_socket(*address, granted, false).is_ok()
            }
            Held::Request(request) => {
                let granted = self.check_host(&request.host, Some(request.port)).is_ok();
                let to = request.destination();
                policy.policy.permits_connect(&to, basis(granted))
            }
        }
    }

    /// Keeps an open connection, to close it when it is no longer permitted.
    pub(crate) fn hold(&self, held: Held, connection: Weak<dyn Close>) {
        let Some(policy) = &self.policy else {
            return;
        };
        {
            let mut state = policy.state();
            state.open.retain(|(_, connection)| connection.strong_count() > 0);
            state.open.push((held.clone(), connection.clone()));
        }
        // A revocation may have come since the connection was permitted.
        if !self.permits(&held)
            && let Some(connection) = connection.upgrade()
        {
            connection.close();
        }
    }

    /// Closes all connections that are no longer permitted.
    pub(crate) fn recheck(&self) {
        let Some(policy) = &self.policy else {
            return;
        };
        let open = policy.state().open.clone();
        for (held, connection) in open {
            if let Some(connection) = connection.upgrade()
                && !self.permits(&held)
            {
                connection.close();
            }
        }
    }

    /// Checks a request over HTTP before its name is looked up.
    ///
    /// # Errors
    /// [`NetError::Denied`], [`NetError::InvalidName`].
    pub(crate) fn check_request(&self, request: &Request) -> Result<(), NetError> {
        let granted = self.check_host(&request.host, Some(request.port));
        match (&self.policy, granted) {
            (Some(policy), Ok(())) => policy.check_request(request, true),
            (Some(policy), Err(NetError::Denied)) => policy.check_request(request, false),
            (_, granted) => granted,
        }
    }

    /// Returns the addresses of a request's host that may be connected to. The connection uses exactly these.
    ///
    /// # Errors
    /// As [`Net::resolve`].
    pub(crate) async fn resolve_request(&self, request: &Request) -> Result<Vec<IpAddr>, NetError> {
        let (host, port) = (&request.host, Some(request.port));
        let Some(policy) = &self.policy else {
            let mut found = self.resolve(host, port).await?;
            found.retain(|ip| self.check_granted(SocketAddr::new(*ip, request.port)).is_ok());
            return Ok(found);
        };
        // An address was checked with the request.
        if let Some(address) = parse_address(host) {
            return Ok(vec![address]);
        }
        let granted = self.check_host(host, port).is_ok();
        let mut found = match granted {
            true => self.resolve(host, port).await?,
            false => self.look_up_name(host).await?,
        };
        found.retain(|address| policy.admits(request, *address, granted));
        match found.is_empty() {
            true => Err(NetError::Denied),
            false => Ok(found),
        }
    }
}

/// The connections of a component, to be checked again when permissions end.
#[derive(Clone, Debug)]
pub struct Connections(pub(crate) Net);

impl Connections {
    /// Closes all connections that the [policy](crate::AccessPolicy) no longer permits.
    pub fn recheck(&self) {
        self.0.recheck();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Denied, FileAction};
    use crate::executor;
    use crate::net::NetGrants;

    /// A policy of destinations, written `http://HOST:PORT`, `HOST:PORT` or `HOST`.
    #[derive(Debug, Default)]
    struct Fake {
        allowed: Mutex<Vec<&'static str>>,
        denied: Vec<&'static str>,
        record: Mutex<Vec<String>>,
    }

    impl Fake {
        fn decide(&self, to: &Destination<'_>, basis: Basis) -> bool {
            let scheme = to
                .secure
                .map(|secure| if secure { "https://" } else { "http://" });
            let text = format!("{}{}:{}", scheme.unwrap_or_default(), to.host, to.port);
            let has = |list: &[&str]| list.iter().any(|rule| *rule == text || *rule == to.host);
            !has(&self.denied) && (basis == Basis::Host || has(&self.allowed.lock().unwrap()))
        }

        fn noted(&self, to: &Destination<'_>, allowed: bool) -> Result<(), Denied> {
            let verdict = if allowed { "allowed" } else { "denied" };
            let text = format!("{}:{} {verdict}", to.host, to.port);
            self.record.lock().unwrap().push(text);
            allowed.then_some(()).ok_or(Denied)
        }
    }

    impl AccessPolicy for Fake {
        fn file(&self, _: FileAction, _: &str, _: Basis) -> Result<(), Denied> {
            Err(Denied)
        }

        fn permits_file(&self, _: FileAction, _: &str, _: Basis) -> bool {
            false
        }

        fn rules_below(&self, _: &str) -> Vec<String> {
            Vec::new()
        }

        fn has_network(&self) -> bool {
            true
        }

        fn look_up(&self, _: &str, _: Basis) -> Result<(), Denied> {
            Ok(())
        }

        fn connect(&self, to: &Destination<'_>, basis: Basis) -> Result<(), Denied> {
            self.noted(to, self.decide(to, basis))
        }

        fn permits_connect(&self, to: &Destination<'_>, basis: Basis) -> bool {
            self.decide(to, basis)
        }

        fn address(&self, to: &Destination<'_>, address: IpAddr) -> Result<bool, Denied> {
            let host = text(address);
            let at = Destination { host: &host, ..*to };
            match self.decide(&at, Basis::Host) {
                true => Ok(self.decide(&at, Basis::Policy)),
                false => self.noted(&at, false).map(|()| false),
            }
        }
    }

    fn net(allowed: &[&'static str], denied: &[&'static str], granted: &[&str]) -> (Net, Arc<Fake>) {
        let fake = Arc::new(Fake {
            allowed: Mutex::new(allowed.to_vec()),
            denied: denied.to_vec(),
            record: Mutex::default(),
        });
        let grants = NetGrants {
            connect: Arc::new(granted.iter().map(|grant| grant.parse().unwrap()).collect()),
            listen: Arc::default(),
        };
        (Net::new(&grants, Some(fake.clone())), fake)
    }

    fn request(host: &str, secure: bool) -> Request {
        Request {
            host: host.to_owned(),
            port: 80,
            secure,
        }
    }

    /// Checks a request and resolves its host; returns the addresses and the last record.
    fn send(net: &(Net, Arc<Fake>), request: &Request) -> (Result<usize, NetError>, String) {
        let (net, fake) = net;
        let found = net.check_request(request).and_then(|()| {
            let found = executor::block_on(net.resolve_request(request)).unwrap();
            found.map(|found| found.len().min(1))
        });
        (found, fake.record.lock().unwrap().pop().unwrap_or_default())
    }

    #[test]
    fn requests_are_decided_on_by_scheme_name_and_address() {
        let denied = |text: &str| (Err(NetError::Denied), text.to_owned());
        let allowed = |text: &str| (Ok(1), text.to_owned());
        let local = request("localhost", false);
        let other = request("127.0.0.1", false);
        assert_eq!(send(&net(&[], &[], &[]), &local), denied("localhost:80 denied"));
        assert_eq!(
            send(&net(&["localhost"], &[], &[]), &local),
            allowed("localhost:80 allowed")
        );
        assert_eq!(
            send(&net(&["https://localhost:80"], &[], &[]), &local),
            denied("localhost:80 denied")
        );
        assert_eq!(
            send(&net(&["http://localhost:80"], &[], &[]), &local),
            allowed("localhost:80 allowed")
        );
        let both = net(&["localhost"], &["127.0.0.1", "[::1]"], &[]);
        let (found, record) = send(&both, &local);
        assert_eq!(found, Err(NetError::Denied));
        assert!(
            record.ends_with("1:80 denied") || record.ends_with("]:80 denied"),
            "{record}"
        );
        assert_eq!(
            send(&net(&["localhost"], &[], &[]), &other),
            denied("127.0.0.1:80 denied")
        );
        assert_eq!(
            send(&net(&["127.0.0.1"], &[], &[]), &other),
            allowed("127.0.0.1:80 allowed")
        );
        assert_eq!(
            send(&net(&[], &[], &["127.0.0.1"]), &other),
            allowed("127.0.0.1:80 allowed")
        );
        assert_eq!(
            send(&net(&[], &["127.0.0.1"], &["127.0.0.1"]), &other),
            denied("127.0.0.1:80 denied")
        );
    }

    /// The owner of a granted name chooses its addresses.
    #[test]
    fn a_name_must_not_lead_to_addresses_that_are_not_public() {
        let both = net(&["a.test", "10.0.0.7"], &["8.8.8.8"], &[]);
        let policy = both.0.policy.as_ref().unwrap();
        let request = request("a.test", false);
        let admits = |address: &str| policy.admits(&request, address.parse().unwrap(), false);
        for good in ["1.1.1.1", "10.0.0.7", "::ffff:10.0.0.7"] {
            assert!(admits(good), "{good}");
        }
        for bad in [
            "10.0.0.8",
            "127.0.0.1",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "8.8.8.8",
            "::1",
        ] {
            let before = both.1.record.lock().unwrap().len();
            assert!(!admits(bad), "{bad}");
            assert_eq!(both.1.record.lock().unwrap().len(), before + 1, "{bad}");
        }
        // So it is for sockets, after a look-up.
        for address in ["1.1.1.1", "127.0.0.1", "10.0.0.7"] {
            policy.remember("a.test", &[address.parse().unwrap()]);
        }
        let connect = |address: &str| both.0.check_connect(address.parse().unwrap());
        assert_eq!(connect("1.1.1.1:80"), Ok(()));
        assert_eq!(connect("10.0.0.7:80"), Ok(()));
        assert_eq!(connect("127.0.0.1:80"), Err(NetError::Denied));
        assert_eq!(
            both.1.record.lock().unwrap().last().unwrap(),
            "127.0.0.1:80 denied"
        );
        assert_eq!(connect("1.0.0.1:80"), Err(NetError::Denied));
    }

    #[test]
    fn connections_that_are_no_longer_permitted_are_closed() {
        let (net, fake) = net(&["a.test", "b.test"], &[], &[]);
        let hold = |host: &str| {
            let ended = Arc::new(Notify::new());
            let weak: Weak<Notify> = Arc::downgrade(&ended);
            net.hold(Held::Request(request(host, true)), weak);
            ended
        };
        let (one, other) = (hold("a.test"), hold("b.test"));
        fake.allowed.lock().unwrap().retain(|host| *host != "a.test");
        net.recheck();
        let is_ended = |ended: &Notify| {
            let ended = std::pin::pin!(ended.notified());
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            std::future::Future::poll(ended, &mut cx).is_ready()
        };
        assert!(is_ended(&one));
        assert!(!is_ended(&other));
        assert!(is_ended(&hold("a.test")), "it is closed at once");
    }
}
