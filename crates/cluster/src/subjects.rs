//! Subjects of a cluster.

use airssys_wasm::ComponentId;

use crate::envelope::MessageId;
use crate::lease::token;
use crate::names::Name;

/// Subjects of one cluster, as one host sees them. All begin with `airssys.v1.` and the cluster's name.
#[derive(Debug)]
pub(crate) struct Subjects {
    root: String,
    /// Beginning of the subjects of replies to this process.
    replies: String,
}

impl Subjects {
    pub(crate) fn new(cluster: &Name, host: &Name, process: MessageId) -> Subjects {
        let root = format!("airssys.v1.{cluster}");
        let replies = format!("{root}.reply.{host}.{process}");
        Subjects { root, replies }
    }

    /// Requests to the components of a host.
    pub(crate) fn requests(&self, host: &Name) -> String {
        format!("{}.request.{host}", self.root)
    }

    /// Durable messages to a component.
    pub(crate) fn mail(&self, component: &ComponentId) -> String {
        format!("{}.mail.{}", self.root, token(component.as_str()))
    }

    /// Replies to this process; a wildcard.
    pub(crate) fn all_replies(&self) -> String {
        format!("{}.*", self.replies)
    }

    /// The reply to one request of this process.
    pub(crate) fn reply(&self, id: MessageId) -> String {
        format!("{}.{id}", self.replies)
    }

    /// Returns the request that a subject has the reply to.
    pub(crate) fn request_of<'a>(&self, subject: &'a str) -> Option<&'a str> {
        subject.strip_prefix(&self.replies)?.strip_prefix('.')
    }

    /// Reports whether a subject can be one of replies in this cluster. A request may not name another: the reply would be
    /// published there with this host's permissions.
    pub(crate) fn is_reply(&self, subject: &str) -> bool {
        let rest = subject.strip_prefix(&self.root);
        let rest = rest.and_then(|rest| rest.strip_prefix(".reply."));
        rest.is_some_and(|rest| rest.split('.').count() == 3 && !rest.split('.').any(str::is_empty))
    }
}

/// All durable messages of a cluster; a wildcard.
pub(crate) fn all_mail(cluster: &Name) -> String {
    format!("airssys.v1.{cluster}.mail.*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_stays_in_its_cluster() {
        let name = |text| Name::new(text).unwrap();
        let id = MessageId::random().unwrap();
        let subjects = Subjects::new(&name("c"), &name("h"), MessageId::random().unwrap());
        let reply = subjects.reply(id);
        assert!(subjects.is_reply(&reply), "{reply}");
        assert_eq!(subjects.request_of(&reply), Some(&*id.to_string()));
        assert_eq!(subjects.requests(&name("g")), "airssys.v1.c.request.g");
        for other in [
            "airssys.v1.c2.reply.h.p.i",
            "airssys.v1.c.request.h",
            "$JS.API.INFO",
            "airssys.v1.c.reply.h..i",
        ] {
            assert!(!subjects.is_reply(other), "{other}");
            assert_eq!(subjects.request_of(other), None, "{other}");
        }
    }
}
