//! Requests of components, to be checked.

use std::fmt::{self, Write};

use super::capability::Capability;
use super::domain::{
    Domains, Form, KindId, MAX_SCOPE_BYTES, Target, check_key, check_name, check_path, is_deceptive, is_plain,
};
use super::index::Query;
use airssys_wasm_component::internal::text::{cut, sanitize};

/// Maximum bytes of a request's text in errors and in the audit. Stops guests that fill both with enormous names.
const MAX_SHOWN_BYTES: usize = 1024;

/// One action that a component requests.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Reads the file at a path.
    ReadFile(&'a str),
    /// Writes the file at a path.
    WriteFile(&'a str),
    /// Lists the folder at a path.
    ListFolder(&'a str),
    /// Deletes the file or folder at a path.
    DeleteFile(&'a str),
    /// Connects to a host.
    Connect(&'a Target),
    /// Calls the host application's function of a name.
    CallFunction(&'a str),
    /// Sends a message to a component or topic.
    SendMessage(&'a str),
    /// Receives messages from a component or topic.
    ReceiveMessage(&'a str),
    /// Reads the setting with a key.
    ReadConfig(&'a str),
    /// Changes the setting with a key.
    WriteConfig(&'a str),
    /// An action of a registered domain.
    Other {
        /// The domain.
        domain: &'a str,
        /// The action.
        action: &'a str,
        /// The object, in the form of the domain's scopes.
        object: &'a str,
    },
}

/// The circumstances of a request, for the audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestInfo<'a> {
    /// Identity of the call that the component is in.
    pub request_id: Option<&'a str>,
    /// The trace of that call: the value of `traceparent` (W3C Trace Context).
    pub trace: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// Returns domain and action; `None` if they are not registered.
    pub(super) fn kind(&self, domains: &Domains) -> Option<KindId> {
        Some(match self {
            Request::ReadFile(_) => KindId::READ,
            Request::WriteFile(_) => KindId::WRITE,
            Request::ListFolder(_) => KindId::LIST,
            Request::DeleteFile(_) => KindId::DELETE,
            Request::Connect(_) => KindId::OUTBOUND,
            Request::CallFunction(_) => KindId::CALL,
            Request::SendMessage(_) => KindId::SEND,
            Request::ReceiveMessage(_) => KindId::RECEIVE,
            Request::ReadConfig(_) => KindId::READ_CONFIG,
            Request::WriteConfig(_) => KindId::WRITE_CONFIG,
            Request::Other { domain, action, .. } => domains.find(domain, action)?,
        })
    }

    /// Returns the search for rules, once the text is checked. `kind` is the request's domain and action.
    #[inline]
    pub(super) fn query(&self, domains: &Domains, kind: Option<KindId>) -> Result<Query<'a>, String> {
        let Some(kind) = kind else {
            return Err("has a domain or action that is not registered".to_owned());
        };
        match *self {
            Request::Connect(target) => Ok(Query::Target(target)),
            Request::ReadFile(text)
            | Request::WriteFile(text)
            | Request::ListFolder(text)
            | Request::DeleteFile(text)
            | Request::CallFunction(text)
            | Request::SendMessage(text)
            | Request::ReceiveMessage(text)
            | Request::ReadConfig(text)
            | Request::WriteConfig(text)
            | Request::Other { object: text, .. } => text_query(domains.form(kind), text),
        }
    }

    /// Returns domain and action of the built-in domains, as they are written, and the object if it is a text.
    fn parts(&self) -> (&'static str, Option<&'a str>) {
        match *self {
            Request::ReadFile(path) => ("filesystem:read:", Some(path)),
            Request::WriteFile(path) => ("filesystem:write:", Some(path)),
            Request::ListFolder(path) => ("filesystem:list:", Some(path)),
            Request::DeleteFile(path) => ("filesystem:delete:", Some(path)),
            Request::Connect(_) => ("network:outbound:", None),
            Request::CallFunction(name) => ("host-function:call:", Some(name)),
            Request::SendMessage(target) => ("messaging:send:", Some(target)),
            Request::ReceiveMessage(source) => ("messaging:receive:", Some(source)),
            Request::ReadConfig(key) => ("config:read:", Some(key)),
            Request::WriteConfig(key) => ("config:write:", Some(key)),
            Request::Other { object, .. } => ("", Some(object)),
        }
    }

    /// Appends the capability that the request needs. Text from a guest is escaped and cut.
    pub(super) fn write_to(&self, out: &mut String) {
        let (kind, _) = self.parts();
        out.push_str(kind);
        self.write_object_to(out);
    }

    /// As [`Request::write_to`], but returns domain and action of the built-in domains, and appends the rest.
    pub(super) fn write_object_to(&self, out: &mut String) -> &'static str {
        let (kind, object) = self.parts();
        match self {
            // Writing to a string cannot fail.
            Request::Connect(target) => drop(write!(out, "{target}")),
            Request::Other { domain, action, .. } => {
                for word in [domain, action] {
                    out.push_str(cut(word, 64));
                    out.push(':');
                }
            }
            _ => {}
        }
        match object {
            Some(object) if object.len() <= MAX_SHOWN_BYTES && is_shown_unchanged(object) => {
                out.push_str(object);
            }
            Some(object) => out.push_str(&sanitize(object, MAX_SHOWN_BYTES)),
            None => {}
        }
        kind
    }

    /// Returns the capability that the request needs. Text that no capability can have is escaped, and cut at 1 KiB.
    pub fn capability(&self) -> Capability {
        let mut text = String::new();
        self.write_to(&mut text);
        Capability::unchecked(text)
    }
}

fn is_shown_unchanged(text: &str) -> bool {
    is_plain(text) || !text.contains(is_deceptive)
}

fn text_query<'a>(form: &Form, text: &'a str) -> Result<Query<'a>, String> {
    match form {
        Form::Path => check_path(text).map(|()| Query::Path(text)),
        Form::Key => check_key(text).map(|()| Query::Key(text)),
        Form::Name => check_name(text).map(|()| Query::Name(text)),
        // Hosts are requested by target only.
        Form::Host => Err("is not a target"),
        Form::Custom(_) if text.len() > MAX_SCOPE_BYTES => Err("is longer than 4096 bytes"),
        Form::Custom(matcher) => return matcher.check(text).map(|()| Query::Custom(text)),
    }
    .map_err(str::to_owned)
}

/// Writes the capability that the request needs.
impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.capability().as_str())
    }
}
