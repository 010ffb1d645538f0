//! Refused host files: each problem has its place and its remedy.

use airssys_wasm::host_file::{HostFile, HostFileError, MAX_COMPONENTS, MAX_GROUPS, MAX_HOST_FILE_BYTES};

const COMPONENT: &str = "[[component]]\nid = 'a'\npath = 'a.wasm'\n";

fn refused(text: &str) -> String {
    match HostFile::from_toml(text, "h.toml") {
        Err(error @ HostFileError::Invalid(_)) => error.to_string(),
        other => panic!("{text:?}: {other:?}"),
    }
}

/// Lines that are wrong in `[host]`, with the place and the words of the error.
const HOST: [(&str, &str, &str); 19] = [
    ("worker = 1", "2:1", "the nearest is `workers`"),
    (
        "xyzzyxyzzyxyzzyxyzzy = 1",
        "2:1",
        "the keys are `name`, `workers`",
    ),
    ("workers = 0", "2:11", "from 1 to 1024"),
    ("workers = -1", "2:11", "from 1 to 1024"),
    ("workers = 99999999999999999999999", "2:11", "from 1 to 1024"),
    (
        "workers = '4'",
        "2:11",
        "`workers` must be a whole number, and this is a string",
    ),
    ("workers = 1.5", "2:11", "this is a float"),
    ("turn-messages = 10001", "2:17", "from 1 to 10000"),
    ("drain-time = 30", "2:14", "`drain-time` has no unit"),
    ("drain-time = '30'", "2:14", "the unit is missing"),
    ("drain-time = '0s'", "2:14", "it is zero"),
    ("socket = ''", "2:10", "`socket` is empty"),
    (
        "backend = 'gcc'",
        "2:11",
        "must be one of `cranelift`, `llvm`, `singlepass`, `tiered`",
    ),
    ("trust = 'key'", "2:9", "a list of strings"),
    ("trust = ['a', 'a']", "2:15", "twice"),
    ("allow-unsigned = 'yes'", "2:18", "true or false"),
    ("log-lines = 100001", "2:13", "from 1 to 100000"),
    ("log-bytes = '2GiB'", "2:13", "from 1B to 1GiB"),
    ("name = \"a\\u001b[2J\"", "2:8", "control character"),
];

/// Lines that are wrong in `[[component]]`.
const COMPONENTS: [(&str, &str, &str); 31] = [
    ("group = 'pair'", "4:9", "no group is named `pair`: declare it"),
    ("durable = true", "4:11", "set `store` of [host]"),
    ("durable = 'yes'", "4:11", "true or false"),
    ("health = { interval = 5 }", "4:23", "`interval` has no unit"),
    ("health = { failures = 0 }", "4:23", "from 1 to 1000"),
    (
        "health = { every = '1s' }",
        "4:12",
        "[component.health] has no key `every`",
    ),
    (
        "pth = 'x'",
        "4:1",
        "[[component]] has no key `pth`: the nearest is `path`",
    ),
    ("grants = ['filesystem']", "4:11", "it has no action"),
    ("grants = 'filesystem:read'", "4:10", "a list of strings"),
    ("config = 1", "4:10", "a table"),
    (
        "config = { a = 1 }",
        "4:16",
        "a string, or a table with `env` or `file`",
    ),
    ("config = { a = {} }", "4:16", "either `env` or `file`"),
    (
        "config = { a = { env = 'A', file = 'b' } }",
        "4:16",
        "either `env` or `file`",
    ),
    ("config = { a = { evn = 'A' } }", "4:18", "the nearest is `env`"),
    ("env = { 'A=B' = 'c' }", "4:9", "no `=`"),
    ("env = { '' = 'c' }", "4:9", "1 to 128 bytes"),
    ("config-data = 1", "4:15", "a table with `text` or `file`"),
    (
        "config-data = { codec = 'json' }",
        "4:15",
        "either `text` or `file`",
    ),
    (
        "config-data = { text = 'a', codec = 'xml' }",
        "4:37",
        "must be one of `borsh`",
    ),
    (
        "backpressure = 'drop'",
        "4:16",
        "must be one of `refuse`, `drop-oldest`",
    ),
    ("messages = 'poll'", "4:12", "must be one of `receive`, `execute`"),
    ("backpressure = {}", "4:16", "no `wait`"),
    ("backpressure = { wait = 'long' }", "4:25", "a number is missing"),
    ("mailbox = { messages = 0 }", "4:24", "from 1 to 1000000"),
    ("mailbox = { bytes = '0B' }", "4:21", "from 1B to 1GiB"),
    ("mailbox = { size = 1 }", "4:13", "[component.mailbox] has no key"),
    (
        "supervision = { restart = 'always' }",
        "4:27",
        "`permanent`, `transient`, `temporary`",
    ),
    ("supervision = { max-tries = 0 }", "4:29", "from 1 to 1000"),
    (
        "supervision = { first-pause = '1m' }",
        "4:1",
        "longer than the longest",
    ),
    ("limits = { memory = '1KiB' }", "4:21", "at least 64KiB"),
    ("limits = { fuel = '5' }", "4:19", "a whole number"),
];

#[test]
fn each_wrong_line_is_refused_at_its_place_with_the_remedy() {
    for (line, place, words) in HOST {
        let error = refused(&format!("[host]\n{line}\n{COMPONENT}"));
        assert!(error.starts_with(&format!("h.toml:{place}: ")), "{line}: {error}");
        assert!(error.contains(words), "{line}: {error}");
        assert_eq!(error.lines().count(), 1, "{line}: {error}");
    }
    for (line, place, words) in COMPONENTS {
        let error = refused(&format!("{COMPONENT}{line}\n"));
        assert!(error.starts_with(&format!("h.toml:{place}: ")), "{line}: {error}");
        assert!(error.contains(words), "{line}: {error}");
        assert_eq!(error.lines().count(), 1, "{line}: {error}");
    }
}

#[test]
fn files_without_components_or_with_too_many_are_refused() {
    let many = COMPONENT.repeat(MAX_COMPONENTS + 1);
    let flood = format!("x = [{}]", "[],".repeat(200_000));
    for (text, words) in [
        ("", "declares no component"),
        ("[host]\n", "declares no component"),
        ("component = []\n", "from 1 to 4096"),
        ("component = 1\n", "tables that each begin with `[[component]]`"),
        ("component = [1]\n", "tables that each begin with `[[component]]`"),
        (
            "[component]\nid = 'a'\npath = 'b'\n",
            "tables that each begin with",
        ),
        (&many, "from 1 to 4096"),
        (&flood, "keys and list entries"),
        ("[[components]]\nid = 'a'\n", "the nearest is [[component]]"),
        ("workers = 1\n", "it is a key of [host]"),
        ("[host\n", "this is not TOML"),
        ("[[component]]\n", "has no `id`"),
        (&COMPONENT.repeat(2), "two components have the id `a`"),
        ("[[component]]\nid = 'a b'\npath = 'c'\n", "may only contain"),
    ] {
        let error = refused(text);
        assert!(error.contains(words), "{words}: {error}");
    }
    for (depth, words) in [(40, "nested deeper"), (100_000, "h.toml:1:")] {
        let deep = format!("a = {}{}", "[".repeat(depth), "]".repeat(depth));
        let error = refused(&deep);
        assert!(error.contains(words), "{depth}: {error}");
    }
}

#[test]
fn at_most_twenty_problems_are_reported_at_once() {
    let text = format!("{COMPONENT}{}", "[[component]]\nid = ''\n".repeat(30));
    let error = refused(&text);
    assert_eq!(error.lines().count(), 21, "{error}");
    assert!(error.ends_with("and 40 more"), "{error}");
}

#[test]
fn files_that_are_too_large_or_not_text_are_refused() {
    let path = std::env::temp_dir().join(format!("host-file-large-{}.toml", std::process::id()));
    for (bytes, expected) in [
        (vec![b' '; MAX_HOST_FILE_BYTES + 1], "the limit of a host file"),
        (b"# \xff".to_vec(), "byte 2 is not valid UTF-8"),
    ] {
        std::fs::write(&path, bytes).expect("it can be written");
        let error = HostFile::from_file(&path).expect_err("it is refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
    std::fs::remove_file(&path).expect("it is ours");
}

/// Tables of groups that are wrong, with the words of the error.
#[test]
fn wrong_groups_are_refused() {
    for (text, words) in [
        ("[group]\nname = 'g'\n", "tables that each begin with `[[group]]`"),
        ("[[group]]\nstrategy = 'one-for-all'\n", "`name`"),
        ("[[group]]\nname = ''\n", "is empty"),
        (
            "[[group]]\nname = 'g'\n[[group]]\nname = 'g'\n",
            "two groups have the name `g`",
        ),
        (
            "[[group]]\nname = 'g'\nstrategy = 'all'\n",
            "must be one of `one-for-one`, `one-for-all`, `rest-for-one`",
        ),
        ("[[group]]\nname = 'g'\nintensity = 10001\n", "from 0 to 10000"),
        (
            "[[group]]\nname = 'g'\nmembers = 1\n",
            "[[group]] has no key `members`",
        ),
        ("[[groups]]\nname = 'g'\n", "the nearest is [[group]]"),
    ] {
        let error = refused(&format!("{text}{COMPONENT}"));
        assert!(error.contains(words), "{text}: {error}");
    }
    let many = "[[group]]\nname = 'g'\n".repeat(MAX_GROUPS + 1);
    assert!(refused(&format!("{many}{COMPONENT}")).contains("at most 256"));
}
