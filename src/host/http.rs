//! HTTP requests of components.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use url::Url;

use super::bindings::airssys::host_core::host_capabilities::{HttpError, Request, Response};
use super::{HostContext, HostLimits};
use crate::security::{self, InvalidTarget, Target, is_secret_header};
use crate::wasi::http::{HttpClient, HttpFailure, HttpLimits, HttpRequest, TlsRoots};

/// Most bytes of the address that a redirection leads to. Stops servers that let the host parse megabytes.
const MAX_LOCATION_BYTES: usize = 16 << 10;

/// Returns the client of a runtime.
pub(super) fn client(roots: TlsRoots, limits: &HostLimits) -> HttpClient {
    let mut http = HttpLimits::default();
    http.incoming_body_bytes = limits.http_body_bytes;
    HttpClient::new(roots, http)
}

/// A request, or the one that follows from a redirection.
struct Step {
    url: Url,
    target: Target,
    method: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Sends a request and follows redirections. The policy decides on each URL before its name is looked up, and on each
/// address before it is connected to.
pub(super) fn request(context: &HostContext, request: Request) -> Result<Response, HttpError> {
    let limits = &context.powers.limits;
    let invalid = |target: &InvalidTarget| {
        context.grants.deny_invalid(target, context.info());
    };
    let mut step = Step::first(request, invalid)?;
    let timeout = step.1;
    let step = &mut step.0;
    check(context, &step.target)?;
    let most = limits.http_body_bytes;
    if u64::try_from(step.body.len()).map_or(true, |bytes| bytes > most) {
        return Err(HttpError::TooLarge(most));
    }
    let deadline = deadline(context, timeout);
    for _ in 0..=limits.http_redirects {
        let response = send(context, step, deadline)?;
        let location = match response.status {
            301 | 302 | 303 | 307 | 308 if limits.http_redirects > 0 => location(&response),
            _ => None,
        };
        let Some(location) = location else {
            return Ok(response);
        };
        step.redirect(response.status, location, invalid)?;
        check(context, &step.target)?;
    }
    Err(HttpError::ConnectionFailed(format!(
        "the request was redirected more than {} times",
        limits.http_redirects
    )))
}

/// Returns the end of a request: the earliest of the guest's timeout, the call's deadline and, without one, the host's limit.
fn deadline(context: &HostContext, timeout: Option<Duration>) -> Instant {
    let now = Instant::now();
    let latest = context
        .deadline
        .unwrap_or_else(|| now + context.powers.limits.http_time);
    let asked = timeout.and_then(|timeout| now.checked_add(timeout));
    asked.map_or(latest, |asked| asked.min(latest))
}

fn check(context: &HostContext, target: &Target) -> Result<(), HttpError> {
    let request = security::Request::Connect(target);
    match context.grants.check(&request, context.info()) {
        Ok(_) => Ok(()),
        Err(denied) => Err(HttpError::Denied(denied.into_capability().into())),
    }
}

/// Decides on an address of a target that is granted. A name leads only to public addresses, to those that are granted as
/// addresses, and `localhost` to this host.
fn admits(context: &HostContext, target: &Target, address: IpAddr) -> bool {
    let info = context.info();
    match context.grants.check_address(target, address, info) {
        Err(_) => false,
        Ok(true) => true,
        Ok(false) if target.address().is_some() || HttpClient::is_public(address) => true,
        Ok(false) if target.name() == Some("localhost") => address.to_canonical().is_loopback(),
        Ok(false) => {
            // Denied as an address: the audit has it.
            let at = Target::from_address(address, target.port());
            let _ = context.grants.check(&security::Request::Connect(&at), info);
            false
        }
    }
}

fn send(context: &HostContext, step: &Step, deadline: Instant) -> Result<Response, HttpError> {
    let target = &step.target;
    let host = match target.address() {
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        Some(address) => address.to_string(),
        None => target.name().unwrap_or_default().to_owned(),
    };
    let secure = step.url.scheme() == "https";
    let mut path = step.url.path().to_owned();
    if let Some(query) = step.url.query() {
        path = format!("{path}?{query}");
    }
    let mut message = HttpRequest::new(&step.method, secure, &host, target.port(), &path);
    message.headers = step.headers.clone();
    message.body = step.body.clone().into();
    let admit = |address| admits(context, target, address);
    match context.powers.client().exchange(&message, deadline, admit) {
        Ok(response) => Ok(Response {
            status: response.status,
            headers: response.headers,
            body: response.body,
        }),
        Err(HttpFailure::Denied) => {
            let needed = security::Request::Connect(target).capability();
            Err(HttpError::Denied(needed.into()))
        }
        Err(HttpFailure::InvalidRequest(text)) => Err(HttpError::InvalidRequest(text)),
        Err(HttpFailure::Timeout) => Err(HttpError::Timeout),
        Err(HttpFailure::TooLarge(most)) => Err(HttpError::TooLarge(most)),
        Err(other) => Err(HttpError::ConnectionFailed(other.to_string())),
    }
}

fn location(response: &Response) -> Option<&str> {
    let mut headers = response.headers.iter();
    let found = headers.find(|(name, _)| name == "location");
    found.map(|(_, value)| value.as_str())
}

impl Step {
    /// Reads a request. `refuse` gets a target that is not valid.
    fn first(
        request: Request,
        refuse: impl FnOnce(&InvalidTarget),
    ) -> Result<(Step, Option<Duration>), HttpError> {
        let invalid = |error: InvalidTarget| {
            refuse(&error);
            HttpError::InvalidRequest(format!("the URL {}", error.problem()))
        };
        let target = Target::from_url(&request.url).map_err(invalid)?;
        let url = Url::parse(&request.url);
        let url = url.map_err(|_| HttpError::InvalidRequest("the URL is not an absolute URL".to_owned()))?;
        let step = Step {
            url,
            target,
            method: request.method,
            headers: request.headers,
            body: request.body.unwrap_or_default(),
        };
        Ok((step, request.timeout_ms.map(Duration::from_millis)))
    }

    /// Changes to the request that follows from a redirection. `invalid` gets a URL on which no rule can decide.
    fn redirect(
        &mut self,
        status: u16,
        location: &str,
        invalid: impl Fn(&InvalidTarget),
    ) -> Result<(), HttpError> {
        let bad = |problem: &str| {
            Err(HttpError::ConnectionFailed(format!(
                "the server redirected to an invalid URL, which {problem}"
            )))
        };
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if location.len() > MAX_LOCATION_BYTES || !location.bytes().all(visible) {
            return bad("is too long, or has an invalid character");
        }
        let Ok(url) = self.url.join(location) else {
            return bad("cannot be parsed");
        };
        let target = match Target::from_url(url.as_str()) {
            Ok(target) => target,
            Err(error) => {
                invalid(&error);
                return bad(&error.problem());
            }
        };
        if target != self.target {
            // Credentials are for the server that they were sent to.
            self.headers.retain(|(name, _)| !is_secret_header(name));
        }
        let reads = match status {
            303 => self.method != "HEAD",
            301 | 302 => self.method == "POST",
            _ => false,
        };
        if reads {
            self.method = "GET".to_owned();
            self.body = Vec::new();
            let about_body = |name: &str| {
                name.get(..8)
                    .is_some_and(|start| start.eq_ignore_ascii_case("content-"))
            };
            self.headers.retain(|(name, _)| !about_body(name));
        }
        self.url = url;
        self.target = target;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(method: &str, url: &str) -> Step {
        let header = |name: &str| (name.to_owned(), "x".to_owned());
        let names = ["Authorization", "cookie", "X-Api-Key", "Content-Type", "accept"];
        let request = Request {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: names.map(header).to_vec(),
            body: Some(b"body".to_vec()),
            timeout_ms: None,
        };
        match Step::first(request, |_| ()) {
            Ok((step, _)) => step,
            Err(error) => panic!("{error:?}"),
        }
    }

    fn names(step: &Step) -> Vec<&str> {
        step.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        for same in ["/b", "b?c", "?d", "//a.test/b", "http://A.test:80/"] {
            let mut step = step("GET", "http://a.test/a");
            step.redirect(307, same, |_| ()).unwrap();
            assert_eq!(names(&step).len(), 5, "{same}");
        }
        for other in [
            "http://b.test/",
            "https://a.test/",
            "http://a.test:81/",
            "//a.test.b.test/",
        ] {
            let mut step = step("GET", "http://a.test/a");
            step.redirect(307, other, |_| ()).unwrap();
            assert_eq!(names(&step), ["Content-Type", "accept"], "{other}");
        }
    }

    #[test]
    fn redirections_keep_or_change_the_method() {
        for (status, before, after) in [
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (303, "POST", "GET"),
            (303, "PUT", "GET"),
            (303, "HEAD", "HEAD"),
            (302, "PUT", "PUT"),
            (307, "POST", "POST"),
            (308, "POST", "POST"),
        ] {
            let mut step = step(before, "http://a.test/a");
            step.redirect(status, "/b", |_| ()).unwrap();
            assert_eq!(step.method, after, "{status} {before}");
            assert_eq!(step.body.is_empty(), before != after && after == "GET");
            assert_eq!(step.url.as_str(), "http://a.test/b");
        }
    }

    #[test]
    fn redirections_lead_to_valid_urls_only() {
        for bad in [
            "ftp://a.test/",
            "file:///etc/passwd",
            "javascript:1",
            "http://",
            "http://user:hunter2@a.test/",
            "\\\\a.test",
            "/a b",
            "/\u{e4}",
            "http://a.test:0/",
            &"a".repeat(MAX_LOCATION_BYTES + 1),
        ] {
            let mut step = step("GET", "http://a.test/a");
            match step.redirect(302, bad, |_| ()) {
                Err(HttpError::ConnectionFailed(text)) => assert!(!text.contains("hunter2"), "{text}"),
                other => panic!("{bad}: {other:?}"),
            }
        }
    }
}
