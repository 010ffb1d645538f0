//! What of the network a component may reach. Sockets and HTTP both ask here, and connect to the addresses that they were
//! given here and nowhere else: what a name resolves to a second time decides nothing.

mod address;
mod grant;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use grant::{ListenGrant, NetGrant, NetGrantError};

use super::executor;
use grant::normal_name;

/// Look-ups of names that one component may have under way at once; another one fails. Stops a guest that keeps all threads
/// busy with names that do not resolve.
const MAX_LOOKUPS: usize = 8;
/// Addresses that are kept of one answer. Stops an answer without end.
const MAX_ADDRESSES: usize = 64;
/// Addresses that are remembered as those of granted names. Beyond it all are forgotten, and have to be asked for again.
const MAX_REMEMBERED: usize = 1024;

/// Why something on the network cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NetError {
    /// It is not granted.
    #[error("the component may not reach it")]
    Denied,
    /// It is not a name.
    #[error("the host's name is not one")]
    InvalidName,
    /// There is no such name.
    #[error("the host's name does not resolve")]
    Unresolvable,
    /// Another time there could be an answer.
    #[error("names cannot be resolved at the moment")]
    Busy,
}

/// What of the network one component may reach. Clones share what was looked up.
#[derive(Clone, Default)]
pub(crate) struct Net {
    grants: Grants,
    state: Arc<State>,
}

/// Which hosts may be connected to, and where may be listened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants {
    pub(crate) connect: Arc<Vec<NetGrant>>,
    pub(crate) listen: Arc<Vec<ListenGrant>>,
}

#[derive(Debug, Default)]
struct State {
    lookups: AtomicUsize,
    /// By which grants (their places) a name was granted that led to an address.
    resolved: Mutex<HashMap<IpAddr, Vec<usize>>>,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.grants.fmt(f)
    }
}

impl Net {
    /// One component's part.
    pub(crate) fn new(grants: &Grants) -> Net {
        Net {
            grants: grants.clone(),
            state: Arc::default(),
        }
    }

    /// Whether anything at all may be connected to.
    pub(crate) fn can_connect(&self) -> bool {
        !self.grants.connect.is_empty()
    }

    /// Whether a host, an address or a name, may be asked for, on this port or on any.
    ///
    /// # Errors
    /// [`NetError::Denied`], [`NetError::InvalidName`].
    pub(crate) fn check_host(&self, host: &str, port: Option<u16>) -> Result<(), NetError> {
        match parse_address(host) {
            Some(address) => self.check_address(address, port),
            None => {
                let name = normal_name(host).ok_or(NetError::InvalidName)?;
                match self.grants_of(&name, port).is_empty() {
                    true => Err(NetError::Denied),
                    false => Ok(()),
                }
            }
        }
    }

    /// The addresses of a host that may be connected to, on this port or on some. For an address that is itself.
    /// They are remembered, so that [`Net::check_connect`] lets them through.
    ///
    /// # Errors
    /// Each case of [`NetError`]; [`NetError::Denied`] also if all that the name leads to is denied.
    pub(crate) async fn resolve(&self, host: &str, port: Option<u16>) -> Result<Vec<IpAddr>, NetError> {
        if let Some(address) = parse_address(host) {
            self.check_address(address, port)?;
            return Ok(vec![address]);
        }
        let name = normal_name(host).ok_or(NetError::InvalidName)?;
        let grants = self.grants_of(&name, port);
        if grants.is_empty() {
            return Err(NetError::Denied);
        }
        let found = self.look_up(name).await?;
        self.admit(&found, &grants, port)
    }

    /// Whether an address may be connected to: because it is granted, or because a name is that led to it.
    ///
    /// # Errors
    /// [`NetError::Denied`].
    pub(crate) fn check_connect(&self, address: SocketAddr) -> Result<(), NetError> {
        let (ip, port) = (address.ip(), Some(address.port()));
        if self.check_address(ip, port).is_ok() {
            return Ok(());
        }
        let resolved = self.resolved();
        let by = resolved.get(&ip.to_canonical()).map_or(&[][..], Vec::as_slice);
        let grants = by.iter().filter_map(|place| self.grants.connect.get(*place));
        match grants
            .into_iter()
            .any(|grant| grant.has_port(port) && grant.leads_to(ip))
        {
            true => Ok(()),
            false => Err(NetError::Denied),
        }
    }

    /// Whether the component may listen at an address, or receive there from anybody.
    ///
    /// # Errors
    /// [`NetError::Denied`].
    pub(crate) fn check_listen(&self, address: SocketAddr) -> Result<(), NetError> {
        let granted = |grant: &ListenGrant| grant.has(address.ip(), address.port());
        match self.grants.listen.iter().any(granted) {
            true => Ok(()),
            false => Err(NetError::Denied),
        }
    }

    /// Whether a socket may be bound to an address. One that connects, or sends, may have any port of the system's choice.
    ///
    /// # Errors
    /// [`NetError::Denied`].
    pub(crate) fn check_bind(&self, address: SocketAddr) -> Result<(), NetError> {
        let any = address.ip().is_unspecified() && address.port() == 0;
        match any && self.can_connect() {
            true => Ok(()),
            false => self.check_listen(address),
        }
    }

    fn check_address(&self, address: IpAddr, port: Option<u16>) -> Result<(), NetError> {
        let granted = |grant: &NetGrant| grant.has_port(port) && grant.has_address(address);
        match self.grants.connect.iter().any(granted) {
            true => Ok(()),
            false => Err(NetError::Denied),
        }
    }

    /// The places of the grants that a name has.
    fn grants_of(&self, name: &str, port: Option<u16>) -> Vec<usize> {
        let granted = |grant: &NetGrant| grant.has_port(port) && grant.has_name(name);
        let places = self.grants.connect.iter().enumerate();
        places
            .filter(|(_, grant)| granted(grant))
            .map(|(place, _)| place)
            .collect()
    }

    /// Those of the addresses of a name with these grants that may be connected to.
    fn admit(&self, found: &[IpAddr], grants: &[usize], port: Option<u16>) -> Result<Vec<IpAddr>, NetError> {
        let mut admitted = Vec::new();
        let mut resolved = self.resolved();
        for address in found {
            let leading: Vec<usize> = grants
                .iter()
                .copied()
                .filter(|place| {
                    let grant = self.grants.connect.get(*place);
                    grant.is_some_and(|grant| grant.leads_to(*address))
                })
                .collect();
            if leading.is_empty() && self.check_address(*address, port).is_err() {
                continue;
            }
            if resolved.len() >= MAX_REMEMBERED {
                resolved.clear();
            }
            let known = resolved.entry(address.to_canonical()).or_default();
            for place in leading {
                if !known.contains(&place) {
                    known.push(place);
                }
            }
            admitted.push(*address);
        }
        match admitted.is_empty() {
            true => Err(NetError::Denied),
            false => Ok(admitted),
        }
    }

    /// Asks the system, on a thread that may wait.
    async fn look_up(&self, name: String) -> Result<Vec<IpAddr>, NetError> {
        let running = Lookup::begin(&self.state).ok_or(NetError::Busy)?;
        let task = executor::spawn_blocking(move || {
            // Held until the system has answered, also if nobody waits for it any more.
            let _running = running;
            let found = (name.as_str(), 0).to_socket_addrs()?;
            Ok::<_, io::Error>(
                found
                    .map(|addr| addr.ip())
                    .take(MAX_ADDRESSES)
                    .collect::<Vec<_>>(),
            )
        });
        let found = task
            .map_err(|_| NetError::Busy)?
            .await
            .map_err(|_| NetError::Busy)?;
        match found {
            Ok(found) if !found.is_empty() => Ok(found),
            Ok(_) => Err(NetError::Unresolvable),
            Err(error) if error.to_string().contains("Temporary failure") => Err(NetError::Busy),
            Err(_) => Err(NetError::Unresolvable),
        }
    }

    fn resolved(&self) -> MutexGuard<'_, HashMap<IpAddr, Vec<usize>>> {
        // Every step leaves it consistent.
        self.state.resolved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look-up under way.
struct Lookup(Arc<State>);

impl Lookup {
    fn begin(state: &Arc<State>) -> Option<Lookup> {
        let more = |running: usize| (running < MAX_LOOKUPS).then_some(running + 1);
        state
            .lookups
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .ok()?;
        Some(Lookup(state.clone()))
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        self.0.lookups.fetch_sub(1, Ordering::AcqRel);
    }
}

/// An address, with or without the brackets that it has in URLs.
pub(crate) fn parse_address(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(inner) => inner.parse().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(connect: &[&str]) -> Net {
        let connect = connect.iter().map(|grant| grant.parse().unwrap()).collect();
        Net::new(&Grants {
            connect: Arc::new(connect),
            listen: Arc::default(),
        })
    }

    fn resolve(net: &Net, host: &str, port: u16) -> Result<Vec<IpAddr>, NetError> {
        executor::block_on(net.resolve(host, Some(port))).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_granted_at_first() {
        let net = net(&[]);
        assert!(!net.can_connect());
        for host in ["localhost", "example.com", "127.0.0.1", "[::1]", "1.1.1.1"] {
            assert_eq!(net.check_host(host, Some(80)), Err(NetError::Denied), "{host}");
            assert_eq!(resolve(&net, host, 80), Err(NetError::Denied), "{host}");
        }
        assert_eq!(net.check_connect(addr("1.1.1.1:80")), Err(NetError::Denied));
        assert_eq!(net.check_listen(addr("127.0.0.1:80")), Err(NetError::Denied));
    }

    #[test]
    fn names_that_are_addresses_in_disguise_are_none() {
        let net = net(&["*", "127.0.0.1"]);
        for host in [
            "127.1",
            "0x7f.0.0.1",
            "2130706433",
            "017700000001",
            "a b",
            "",
            ".",
        ] {
            assert_eq!(resolve(&net, host, 80), Err(NetError::InvalidName), "{host}");
        }
        assert_eq!(resolve(&net, "127.0.0.1", 80), Ok(vec![ip("127.0.0.1")]));
        assert_eq!(resolve(&net, "127.0.0.2", 80), Err(NetError::Denied));
        assert_eq!(
            resolve(&net, "[::ffff:127.0.0.1]", 80),
            Ok(vec![ip("::ffff:127.0.0.1")])
        );
        assert_eq!(resolve(&net, "[::1]", 80), Err(NetError::Denied));
    }

    #[test]
    fn this_host_is_reached_by_its_name_if_that_is_granted() {
        let all = net(&["*"]);
        assert_eq!(resolve(&all, "localhost", 80), Err(NetError::Denied));
        let net = net(&["localhost:80"]);
        assert_eq!(net.check_connect(addr("127.0.0.1:80")), Err(NetError::Denied));
        let found = resolve(&net, "LOCALHOST.", 80).unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        for ip in found {
            assert_eq!(net.check_connect(SocketAddr::new(ip, 80)), Ok(()));
            assert_eq!(net.check_connect(SocketAddr::new(ip, 81)), Err(NetError::Denied));
        }
        assert_eq!(resolve(&net, "localhost", 81), Err(NetError::Denied));
    }

    /// The second answer for a name is held to the same rules as the first.
    #[test]
    fn an_answer_that_leads_inside_is_cut() {
        let net = net(&["example.com:443", "10.0.0.7"]);
        let grants = net.grants_of("example.com", Some(443));
        let admit = |found: &[&str]| {
            let found: Vec<IpAddr> = found.iter().map(|text| ip(text)).collect();
            net.admit(&found, &grants, Some(443))
        };
        assert_eq!(admit(&["1.1.1.1"]), Ok(vec![ip("1.1.1.1")]));
        assert_eq!(net.check_connect(addr("1.1.1.1:443")), Ok(()));
        assert_eq!(net.check_connect(addr("1.1.1.1:80")), Err(NetError::Denied));
        assert_eq!(
            admit(&["169.254.169.254", "::1", "10.0.0.1"]),
            Err(NetError::Denied)
        );
        assert_eq!(admit(&["127.0.0.1", "1.0.0.1"]), Ok(vec![ip("1.0.0.1")]));
        for inside in [
            "169.254.169.254:443",
            "127.0.0.1:443",
            "[::1]:443",
            "10.0.0.1:443",
        ] {
            assert_eq!(net.check_connect(addr(inside)), Err(NetError::Denied), "{inside}");
        }
        // Granted as an address.
        assert_eq!(admit(&["10.0.0.7"]), Ok(vec![ip("10.0.0.7")]));
        assert_eq!(net.check_connect(addr("10.0.0.7:1")), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let net = net(&["*.example.com"]);
        let grants = net.grants_of("a.example.com", None);
        for number in 0..3 * MAX_REMEMBERED as u32 {
            let address = IpAddr::from((0x0800_0000 + number).to_be_bytes());
            net.admit(&[address], &grants, None).unwrap();
            assert!(net.resolved().len() <= MAX_REMEMBERED);
            assert_eq!(net.check_connect(SocketAddr::new(address, 1)), Ok(()));
        }
    }

    #[test]
    fn lookups_at_once_are_bounded() {
        let state = Arc::new(State::default());
        let running: Vec<_> = (0..MAX_LOOKUPS).map(|_| Lookup::begin(&state).unwrap()).collect();
        assert!(Lookup::begin(&state).is_none());
        drop(running);
        assert!(Lookup::begin(&state).is_some());
    }
}
