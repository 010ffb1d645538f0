//! Network access control. Sockets and HTTP both ask this module, and connect only to addresses that it permitted: a
//! second look-up of a name has no influence.

mod address;
mod grant;
mod policy;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use address::is_public;
pub use grant::{ListenGrant, NetGrant, NetGrantError};
pub use policy::Connections;
pub(crate) use policy::{Close, Held, Request};

use super::executor;
use crate::access::AccessPolicy;
use grant::normal_name;
use policy::ByPolicy;

/// Name look-ups of one component at once; another one fails. Stops a guest that keeps all threads busy with names that
/// do not resolve.
const MAX_LOOKUPS: usize = 8;
/// Addresses that are used from one answer. Stops an answer without end.
const MAX_ADDRESSES: usize = 64;
/// Addresses that are remembered for granted names. When there are more, all are forgotten, and names must be looked
/// up again.
const MAX_REMEMBERED: usize = 1024;

/// The reason why a host cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NetError {
    /// The host is not granted.
    #[error("the component has no network access to it")]
    Denied,
    /// The host's name is invalid.
    #[error("the host name is invalid")]
    InvalidName,
    /// The name does not exist.
    #[error("the host name does not resolve")]
    Unresolvable,
    /// The look-up may succeed later.
    #[error("name resolution is temporarily unavailable")]
    Busy,
}

/// Network access of one component. Clones share the looked-up addresses.
#[derive(Clone, Default)]
pub(crate) struct Net {
    grants: NetGrants,
    state: Arc<State>,
    policy: Option<ByPolicy>,
}

/// Grants for connecting and for listening.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetGrants {
    pub(crate) connect: Arc<Vec<NetGrant>>,
    pub(crate) listen: Arc<Vec<ListenGrant>>,
}

#[derive(Debug, Default)]
struct State {
    lookups: AtomicUsize,
    /// For each address, the indices of the grants whose names led to it.
    resolved: Mutex<HashMap<IpAddr, Vec<usize>>>,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.grants.fmt(f)
    }
}

impl Net {
    /// Creates the network access of one component.
    pub(crate) fn new(grants: &NetGrants, policy: Option<Arc<dyn AccessPolicy>>) -> Net {
        Net {
            grants: grants.clone(),
            state: Arc::default(),
            policy: policy.map(ByPolicy::new),
        }
    }

    /// Returns whether any connection is granted.
    pub(crate) fn can_connect(&self) -> bool {
        !self.grants.connect.is_empty() || self.policy.as_ref().is_some_and(ByPolicy::has_network)
    }

    /// Checks that a name may be looked up, for connections to any port.
    ///
    /// # Errors
    /// [`NetError::Denied`], [`NetError::InvalidName`].
    pub(crate) fn check_look_up(&self, name: &str) -> Result<(), NetError> {
        let Some(policy) = &self.policy else {
            return self.check_host(name, None);
        };
        let name = normal_name(name).ok_or(NetError::InvalidName)?;
        policy.check_look_up(&name, !self.grants_of(&name, None).is_empty())
    }

    /// Returns the addresses of a name, for connections to any port. Each connection is checked by itself.
    ///
    /// # Errors
    /// As [`Net::resolve`].
    pub(crate) async fn resolve_any(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let Some(policy) = &self.policy else {
            return self.resolve(host, None).await;
        };
        let name = normal_name(host).ok_or(NetError::InvalidName)?;
        let found = match self.grants_of(&name, None).is_empty() {
            true => self.look_up(name.clone()).await?,
            false => self.resolve(host, None).await?,
        };
        policy.remember(&name, &found);
        Ok(found)
    }

    /// Looks up a name that was checked.
    async fn look_up_name(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let name = normal_name(host).ok_or(NetError::InvalidName)?;
        self.look_up(name).await
    }

    /// Checks that a host, an address or a name, is granted, on this port or on any.
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

    /// Returns the addresses of a host that may be connected to, on this port or on any; an address resolves to itself.
    /// The addresses of a name are remembered, so that [`Net::check_connect`] permits them.
    ///
    /// # Errors
    /// Each case of [`NetError`]; [`NetError::Denied`] also if every address of the name is denied.
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

    /// Checks that an address may be connected to: it is granted, or a granted name led to it. A policy records its
    /// decision.
    ///
    /// # Errors
    /// [`NetError::Denied`].
    pub(crate) fn check_connect(&self, address: SocketAddr) -> Result<(), NetError> {
        let granted = self.check_granted(address);
        match &self.policy {
            None => granted,
            Some(policy) => policy.check_socket(address, granted.is_ok(), true),
        }
    }

    /// Checks that the host itself grants an address.
    fn check_granted(&self, address: SocketAddr) -> Result<(), NetError> {
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

    /// Checks that the component may listen at an address, or receive there from any sender.
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

    /// Checks that a socket may be bound to an address. A component that may connect may also bind to any port that the
    /// system chooses.
    ///
    /// # Errors
    /// [`NetError::Denied`].
    pub(crate) fn check_bind(&self, address: SocketAddr) -> Result<(), NetError> {
        let any = address.ip().is_unspecified() && address.port() == 0;
        match self.check_listen(address) {
            Err(NetError::Denied) if any => self.check_any(),
            listen => listen,
        }
    }

    /// Checks that any connection is granted. A policy records the denial.
    ///
    /// # Errors
    /// [`NetError::Denied`].
    pub(crate) fn check_any(&self) -> Result<(), NetError> {
        if self.can_connect() {
            return Ok(());
        }
        if let Some(policy) = &self.policy {
            policy.check_look_up("*", false)?;
        }
        Err(NetError::Denied)
    }

    fn check_address(&self, address: IpAddr, port: Option<u16>) -> Result<(), NetError> {
        let granted = |grant: &NetGrant| grant.has_port(port) && grant.has_address(address);
        match self.grants.connect.iter().any(granted) {
            true => Ok(()),
            false => Err(NetError::Denied),
        }
    }

    /// Returns the indices of the grants that include a name.
    fn grants_of(&self, name: &str, port: Option<u16>) -> Vec<usize> {
        let granted = |grant: &NetGrant| grant.has_port(port) && grant.has_name(name);
        let places = self.grants.connect.iter().enumerate();
        places
            .filter(|(_, grant)| granted(grant))
            .map(|(place, _)| place)
            .collect()
    }

    /// Returns the addresses of a name with these grants that may be connected to, and remembers them.
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

    /// Looks a name up with the system's resolver, on a thread that may block.
    pub(crate) async fn look_up(&self, name: String) -> Result<Vec<IpAddr>, NetError> {
        let running = Lookup::begin(&self.state).ok_or(NetError::Busy)?;
        let task = executor::spawn_blocking(move || {
            // Held until the system has answered, even if the answer is no longer needed.
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
        // A panic under this lock leaves the data consistent.
        self.state.resolved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running look-up.
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

/// Parses an address, with or without the brackets that it has in URLs.
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
        let grants = NetGrants {
            connect: Arc::new(connect),
            listen: Arc::default(),
        };
        Net::new(&grants, None)
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

    /// The second answer for a name is subject to the same rules as the first.
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
