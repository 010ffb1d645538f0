//! Many rules: the index decides as a comparison with each rule does, and in as many steps for 10,000 rules as for 10.

use airssys_wasm::security::{Domains, Policy, PolicyBuilder, Request, RequestInfo, ScopeMatcher, Target};

use super::{context, decide, policy};

/// A sequence of pseudorandom numbers (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("small")
    }

    fn pick<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    fn path(&mut self, most: usize) -> String {
        let count = self.below(most + 1);
        let parts = (0..count).map(|_| format!("/{}", self.pick(&["a", "b", "aa", "ab"])));
        let path: String = parts.collect();
        if path.is_empty() { "/".to_owned() } else { path }
    }

    fn name(&mut self) -> String {
        let count = 1 + self.below(3);
        let labels: Vec<_> = (0..count).map(|_| self.pick(&["a", "b", "aa", "test"])).collect();
        labels.join(".")
    }

    fn address(&mut self) -> String {
        format!("10.{}.{}.{}", self.below(2), self.below(2) * 128, self.below(4))
    }

    fn host_scope(&mut self) -> String {
        let host = match self.below(5) {
            0 => "*".to_owned(),
            1 => format!("*.{}", self.name()),
            2 => self.name(),
            3 => self.address(),
            _ => self
                .pick(&["10.0.0.0/8", "10.1.0.0/16", "10.0.128.0/17", "0.0.0.0/0"])
                .to_owned(),
        };
        let scheme = self.pick(&["", "", "http://", "https://"]);
        format!("{scheme}{host}{}", self.pick(&["", ":80", ":443", ":8080"]))
    }
}

/// Decides by the documented rule, one rule after the other.
fn naive(rules: &[(bool, String)], covers: impl Fn(&str) -> bool) -> &'static str {
    if rules.iter().any(|(allow, scope)| !allow && covers(scope)) {
        return "rule";
    }
    match rules.iter().any(|(allow, scope)| *allow && covers(scope)) {
        true => "allowed",
        false => "no-rule",
    }
}

fn build(kind: &str, rules: &[(bool, String)]) -> Policy {
    let add = |builder: PolicyBuilder, (allow, scope): &(bool, String)| match allow {
        true => builder.allow(format!("{kind}:{scope}")),
        false => builder.deny(format!("{kind}:{scope}")),
    };
    rules.iter().fold(Policy::builder(), add).build().unwrap()
}

#[test]
fn paths_match_as_when_compared_one_by_one() {
    let mut numbers = Numbers(0x5eed);
    let mut seen = [0; 3];
    for _ in 0..200 {
        let count = 1 + numbers.below(6);
        let rules: Vec<_> = (0..count)
            .map(|_| (numbers.below(3) > 0, numbers.path(3)))
            .collect();
        let (context, sink) = context(build("filesystem:read", &rules));
        let grants = context.grants_undeclared("worker");
        for _ in 0..20 {
            let path = numbers.path(4);
            let covers = |scope: &str| {
                let scope = if scope == "/" { "" } else { scope };
                path == scope || path.starts_with(&format!("{scope}/"))
            };
            let expected = naive(&rules, covers);
            let record = decide(&grants, &sink, &format!("filesystem:read:{path}"));
            assert_eq!(record.cause.unwrap_or("allowed"), expected, "{rules:?}: {path}");
            seen[["rule", "allowed", "no-rule"]
                .iter()
                .position(|word| *word == expected)
                .unwrap()] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
}

#[test]
fn hosts_match_as_when_compared_one_by_one() {
    let mut numbers = Numbers(0xcafe);
    let mut seen = [0; 3];
    for _ in 0..200 {
        let count = 1 + numbers.below(6);
        let rules: Vec<_> = (0..count)
            .map(|_| (numbers.below(3) > 0, numbers.host_scope()))
            .collect();
        let (context, sink) = context(build("network:outbound", &rules));
        let grants = context.grants_undeclared("worker");
        for _ in 0..20 {
            let host = match numbers.below(3) {
                0 => numbers.address(),
                _ => numbers.name(),
            };
            let scheme = numbers.pick(&["http", "https"]);
            let port = numbers.pick(&["", ":80", ":443", ":8080"]);
            let url = format!("{scheme}://{host}{port}/");
            let target = Target::from_url(&url).unwrap();
            let covers = |scope: &str| covers_host(scope, &target);
            let expected = naive(&rules, covers);
            let record = decide(&grants, &sink, &format!("network:outbound:{url}"));
            assert_eq!(record.cause.unwrap_or("allowed"), expected, "{rules:?}: {url}");
            seen[["rule", "allowed", "no-rule"]
                .iter()
                .position(|word| *word == expected)
                .unwrap()] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
}

/// Compares texts, by the rules of docs/security.md.
fn covers_host(scope: &str, target: &Target) -> bool {
    let scheme = target.scheme().unwrap().as_str();
    let (wanted, rest) = match scope.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, scope),
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse::<u16>().unwrap())),
        None => (rest, None),
    };
    let default = wanted.map(|scheme| if scheme == "http" { 80 } else { 443 });
    if wanted.is_some_and(|wanted| wanted != scheme)
        || port.or(default).is_some_and(|port| port != target.port())
    {
        return false;
    }
    match (target.name(), target.address()) {
        (Some(name), _) => match host.strip_prefix('*') {
            Some("") => true,
            Some(suffix) => name.ends_with(suffix),
            None => name == host,
        },
        (None, Some(std::net::IpAddr::V4(address))) => {
            let (network, length) = host.split_once('/').unwrap_or((host, "32"));
            let Ok(network) = network.parse::<std::net::Ipv4Addr>() else {
                return false;
            };
            let shift = 32 - length.parse::<u32>().unwrap();
            let bits = |address: std::net::Ipv4Addr| u64::from(address.to_bits()) >> shift;
            bits(network) == bits(address)
        }
        _ => false,
    }
}

#[test]
fn ten_thousand_rules_decide_as_few_do() {
    let few = policy(&["allow host-function:call:f1", "allow network:outbound:h1.test"]);
    let mut builder = Policy::builder();
    for number in 0..2500 {
        builder = builder
            .allow(format!("host-function:call:f{number}"))
            .allow(format!("network:outbound:h{number}.test"))
            .allow(format!("filesystem:read:/data/{number}"))
            .deny(format!(
                "network:outbound:10.{}.{}.0/24",
                number / 250,
                number % 250
            ));
    }
    for (policy, count) in [(few, 2), (builder.build().unwrap(), 10_000)] {
        assert_eq!(policy.rules().len(), count);
        let (context, sink) = context(policy);
        let grants = context.grants_undeclared("worker");
        for (request, verdict) in [
            ("host-function:call:f1", "allowed"),
            ("host-function:call:f", "denied"),
            ("network:outbound:https://h1.test/", "allowed"),
            ("network:outbound:https://h1.test.x/", "denied"),
            ("network:outbound:http://10.1.1.1/", "denied"),
        ] {
            assert_eq!(decide(&grants, &sink, request).verdict, verdict, "{request}");
        }
    }
}

/// Versions: `1` covers `1.2`, but not `10`.
#[derive(Debug)]
struct Versions;

impl ScopeMatcher for Versions {
    fn check(&self, scope: &str) -> Result<(), String> {
        match scope.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            true => Ok(()),
            false => Err("is no version".to_owned()),
        }
    }

    fn covers(&self, granted: &str, requested: &str) -> bool {
        let rest = requested.strip_prefix(granted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

#[test]
fn an_extension_brings_its_own_matching() {
    let domains = Domains::built_in()
        .with("ai", &["model", "infer"], Versions)
        .unwrap();
    assert!(domains.clone().with("ai", &["model"], Versions).is_err());
    assert!(domains.clone().with("filesystem", &["mount"], Versions).is_err());
    assert!(domains.clone().with("Ai", &["x"], Versions).is_err());
    let policy = Policy::builder()
        .domains(domains)
        .allow("ai:model:1")
        .deny("ai:model:1.5")
        .build()
        .unwrap();
    let (context, sink) = context(policy);
    let grants = context.grants_undeclared("worker");
    for (request, expected) in [
        ("ai:model:1", "allowed"),
        ("ai:model:1.2", "allowed"),
        ("ai:model:1.5.1", "rule"),
        ("ai:model:10", "no-rule"),
        ("ai:infer:1", "no-rule"),
        ("ai:model:x", "invalid-request"),
        ("ai:train:1", "invalid-request"),
    ] {
        let record = decide(&grants, &sink, request);
        assert_eq!(record.cause.unwrap_or("allowed"), expected, "{request}");
    }
    let request = Request::Other {
        domain: "filesystem",
        action: "read",
        object: "/x",
    };
    assert!(grants.check(&request, RequestInfo::default()).is_err());
}
