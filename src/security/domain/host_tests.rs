use super::*;

fn scope(text: &str) -> HostScope {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn scopes_have_a_normal_form() {
    for (text, normal) in [
        ("example.com", "example.com"),
        ("EXAMPLE.com.", "example.com"),
        ("example.com:443", "example.com:443"),
        ("https://example.com", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("http://example.com:8080", "http://example.com:8080"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("*.Bücher.example:80", "*.xn--bcher-kva.example:80"),
        ("*", "*"),
        ("*:80", "*:80"),
        ("192.0.2.1", "192.0.2.1"),
        ("10.0.0.0/8:80", "10.0.0.0/8:80"),
        ("::1", "[::1]"),
        ("[2001:DB8::1]:80", "[2001:db8::1]:80"),
        ("[fd00::]/8", "[fd00::]/8"),
        ("[::ffff:10.0.0.1]", "10.0.0.1"),
        ("[::ffff:10.0.0.0]/104", "10.0.0.0/8"),
    ] {
        assert_eq!(scope(text).to_string(), normal, "{text}");
        assert_eq!(scope(normal), scope(text), "{text}");
    }
}

#[test]
fn misleading_scopes_are_refused() {
    for text in [
        "",
        ":80",
        "a b",
        "example.com:0",
        "example.com:65536",
        "example.com:+80",
        "example.com:x",
        "example.com:",
        "ftp://example.com",
        "HTTPS://example.com",
        "https://example.com/",
        "example.com/path",
        "user@example.com",
        "https://user:pass@example.com",
        "example.com?x",
        "example.com#x",
        "ex%61mple.com",
        "example.com\\",
        "a..b",
        ".example.com",
        "example.com..",
        "*.",
        "*.*",
        "*x.example.com",
        "ex*mple.com",
        "*.10.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "１２７.０.０.１",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/+8",
        "10.0.0.0/",
        "[::1",
        "[10.0.0.1]",
        "[::]/129",
        "exam\u{200b}ple.com",
        "example\u{3002}\u{3002}com",
    ] {
        assert!(text.parse::<HostScope>().is_err(), "{text}");
    }
    let label = format!("{}.com", "a".repeat(64));
    let name = "a.".repeat(128) + "com";
    assert!(label.parse::<HostScope>().is_err());
    assert!(name.parse::<HostScope>().is_err());
}

#[test]
fn urls_lead_to_the_host_that_a_client_connects_to() {
    for (url, target) in [
        ("https://example.com/a?b#c", "https://example.com"),
        ("HTTPS://EXAMPLE.COM.:443", "https://example.com"),
        ("http://example.com:443", "http://example.com:443"),
        ("https:example.com", "https://example.com"),
        ("https:///example.com", "https://example.com"),
        ("http://bücher.example", "http://xn--bcher-kva.example"),
        ("http://ex%61mple.com", "http://example.com"),
        ("http://example。com", "http://example.com"),
        ("http://2130706433/", "http://127.0.0.1"),
        ("http://0x7f.1/", "http://127.0.0.1"),
        ("http://0177.0.0.01/", "http://127.0.0.1"),
        ("http://１２７.１/", "http://127.0.0.1"),
        ("http://[::ffff:127.0.0.1]/", "http://127.0.0.1"),
        ("http://[0:0::0:1]:80/", "http://[::1]"),
        ("http://127.0.0.1./", "http://127.0.0.1"),
        ("https://a@b.test", ""),
        ("https://:secret@b.test", ""),
        ("https://example.com@evil.test/", ""),
        ("https://example.com\\@evil.test/", ""),
        ("https://exam\tple.com/", ""),
        (" https://example.com/", ""),
        ("https://example.com:0/", ""),
        ("https://example.com:99999/", ""),
        ("https://example..com/", ""),
        ("https:///", ""),
        ("ftp://example.com/", ""),
        ("file:///etc/passwd", ""),
        ("javascript:alert(1)", ""),
        ("//example.com", ""),
        ("example.com", ""),
        ("", ""),
    ] {
        match Target::from_url(url) {
            Ok(found) => assert_eq!(found.to_string(), target, "{url}"),
            Err(error) => assert_eq!(target, "", "{url}: {error}"),
        }
    }
    let long = format!("https://example.com/{}", "a".repeat(MAX_URL_BYTES));
    assert!(Target::from_url(&long).is_err());
}

#[test]
fn an_error_does_not_repeat_a_password() {
    let error = Target::from_url("https://user:canary@example.com/").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[test]
fn covering_is_by_labels_bits_scheme_and_port() {
    for (granted, asked, covered) in [
        ("example.com", "example.com", true),
        ("example.com", "example.com:80", true),
        ("example.com", "https://example.com", true),
        ("example.com:443", "https://example.com", true),
        ("https://example.com", "example.com:443", false),
        ("https://example.com", "https://example.com:8443", false),
        ("http://example.com:443", "https://example.com", false),
        ("example.com:443", "example.com", false),
        ("example.com", "www.example.com", false),
        ("example.com", "example.com.evil.test", false),
        ("example.com", "notexample.com", false),
        ("*.example.com", "www.example.com", true),
        ("*.example.com", "a.b.example.com", true),
        ("*.example.com", "example.com", false),
        ("*.example.com", "notexample.com", false),
        ("*.example.com", "www.example.com.evil.test", false),
        ("*.example.com", "*.a.example.com", true),
        ("*.a.example.com", "*.example.com", false),
        ("*", "example.com", true),
        ("*", "*.example.com", true),
        ("*", "127.0.0.1", false),
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.0.0.0/8", "10.1.0.0/16", true),
        ("10.1.0.0/16", "10.0.0.0/8", false),
        ("10.0.0.1", "::ffff:10.0.0.1", true),
        ("0.0.0.0/0", "255.1.1.1", true),
        ("0.0.0.0/0", "::1", false),
        ("[::]/0", "::1", true),
        ("[::]/0", "1.1.1.1", false),
        ("[fd00::]/8", "fdff::1", true),
        ("[fd00::]/8", "fe00::1", false),
    ] {
        assert_eq!(scope(granted).covers(&scope(asked)), covered, "{granted} {asked}");
    }
}

#[test]
fn common_hosts_are_the_narrower_ones() {
    for (one, other, common) in [
        (
            "*.example.com:443",
            "https://www.example.com",
            "https://www.example.com",
        ),
        (
            "https://*.example.com",
            "www.example.com",
            "https://www.example.com",
        ),
        ("*", "*.example.com:80", "*.example.com:80"),
        ("http://example.com", "https://example.com", ""),
        ("example.com:1", "example.com:2", ""),
        ("a.test", "b.test", ""),
        ("10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16"),
    ] {
        let found = scope(one).common(&scope(other));
        assert_eq!(found, scope(other).common(&scope(one)));
        assert_eq!(found.map_or(String::new(), |scope| scope.to_string()), common);
    }
}

#[test]
fn translated_addresses_show_the_inner_address() {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    assert_eq!(embedded(ip("64:ff9b::a9fe:a9fe")), Some(ip("169.254.169.254")));
    assert_eq!(embedded(ip("2002:7f00:1::1")), Some(ip("127.0.0.1")));
    assert_eq!(embedded(ip("2001:db8::1")), None);
    assert_eq!(embedded(ip("10.0.0.1")), None);
}
