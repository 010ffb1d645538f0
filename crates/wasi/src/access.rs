//! Access policies: decisions of the host on each action of a component, beyond what it was granted at the start.

use std::fmt;
use std::net::IpAddr;

/// An action on a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileAction {
    /// Reading a file.
    Read,
    /// Writing or creating a file, a folder or a link.
    Write,
    /// Listing a folder.
    List,
    /// Deleting a file or folder.
    Delete,
}

impl FileAction {
    /// All actions.
    pub const ALL: [FileAction; 4] = [
        FileAction::Read,
        FileAction::List,
        FileAction::Write,
        FileAction::Delete,
    ];
}

/// The grant that an action relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The policy: it must allow the action.
    Policy,
    /// The host itself, which granted a folder or a destination beside the policy: the policy only must not deny the action.
    Host,
}

/// A denial. The policy has recorded it; the component gets no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy denies it")]
pub struct Denied;

/// The destination of a connection, or of a request over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Destination<'a> {
    /// A name in ASCII, or an address; an IPv6 address is in brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// For a request over HTTP, the use of TLS; `None` for a plain connection, or datagrams.
    pub secure: Option<bool>,
}

/// Decides on each action of a component on files and the network. Set with
/// [`WasiCtxBuilder::access_policy`](super::WasiCtxBuilder::access_policy).
///
/// Paths are absolute paths of the host, in normal form: without empty components, `.` and `..`, and without symbolic links
/// below the granted folder.
pub trait AccessPolicy: fmt::Debug + Send + Sync {
    /// Decides on an action on the object at a path, and records the decision.
    ///
    /// # Errors
    /// [`Denied`].
    fn file(&self, action: FileAction, path: &str, basis: Basis) -> Result<(), Denied>;

    /// Decides on an action on the object at a path without recording it: for what is open, and for conditions of other
    /// actions.
    fn permits_file(&self, action: FileAction, path: &str, basis: Basis) -> bool;

    /// Returns the paths below a path that have rules of their own. Moving a folder moves them as well.
    fn rules_below(&self, path: &str) -> Vec<String>;

    /// Returns whether any destination is allowed.
    fn has_network(&self) -> bool;

    /// Decides on a look-up of a name, which has no port yet. Only a denial is recorded: connections are decided on later.
    ///
    /// # Errors
    /// [`Denied`].
    fn look_up(&self, name: &str, basis: Basis) -> Result<(), Denied>;

    /// Decides on a destination, and records the decision.
    ///
    /// # Errors
    /// [`Denied`].
    fn connect(&self, to: &Destination<'_>, basis: Basis) -> Result<(), Denied>;

    /// Decides on a destination without recording it.
    fn permits_connect(&self, to: &Destination<'_>, basis: Basis) -> bool;

    /// Decides on an address that the name of a destination leads to. Returns whether the address itself is allowed:
    /// other addresses may only be public ones. Only a denial is recorded.
    ///
    /// # Errors
    /// [`Denied`], if the policy denies the address.
    fn address(&self, to: &Destination<'_>, address: IpAddr) -> Result<bool, Denied>;
}
