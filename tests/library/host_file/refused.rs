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
const COMPONENTS: [(&str, &str, &str); 36] = [
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
    ("instances = 0", "4:13", "from 1 to 1024"),
    ("instances = 1025", "4:13", "from 1 to 1024"),
    ("instances = '2'", "4:13", "a whole number"),
    ("instance = 2", "4:1", "the nearest is `instances`"),
    (
        "cluster = { announce = true }",
        "4:1",
        "needs a cluster: declare it with the section [cluster]",
    ),
];

/// The start of a file with a cluster; a component follows.
const CLUSTER: &str = "[cluster]\nname = 'c'\nhost = 'h'\nkey = 'k'\nservers = ['nats://a:1']\n";

/// Lines that are wrong at the end of `[cluster]`.
const CLUSTERS: [(&str, &str, &str); 24] = [
    ("lease-tim = '1s'", "6:1", "the nearest is `lease-time`"),
    ("lease-time = '299ms'", "6:14", "from 300ms to 1h"),
    ("lease-time = '2h'", "6:14", "from 300ms to 1h"),
    ("lease-time = 10", "6:14", "`lease-time` has no unit"),
    ("connect-time = '61m'", "6:16", "from 1ms to 1h"),
    ("call-time = '0s'", "6:13", "it is zero"),
    ("request-time = '2h'", "6:16", "from 1ms to 1h"),
    ("clock-tolerance = '2h'", "6:19", "from 1ms to 1h"),
    ("max-requests = 0", "6:16", "from 1 to 1000000"),
    ("max-served = 65537", "6:14", "from 1 to 65536"),
    ("replicas = 6", "6:12", "from 1 to 5"),
    ("artifact-bytes = '1KiB'", "6:18", "from 1MiB to 1048576GiB"),
    (
        "labels = ['a.b']",
        "6:11",
        "1 to 48 ASCII letters, digits, `-` and `_`",
    ),
    ("labels = ['a', 'a']", "6:16", "twice"),
    ("labels = 'a'", "6:10", "a list of strings"),
    ("tls = { ca = 'a.pem' }", "6:9", "[cluster.tls] has no key `ca`"),
    (
        "tls = { certificate = 'a.pem' }",
        "6:1",
        "both `certificate` and `key`",
    ),
    ("tls = { required = 1 }", "6:20", "true or false"),
    ("durable = { bytes = '1B' }", "6:21", "from 1MiB to 1048576GiB"),
    ("durable = { age = '1s' }", "6:19", "from 1m to "),
    (
        "durable = { messages-per-component = 0 }",
        "6:38",
        "from 1 to 1000000000",
    ),
    ("user = 'u'", "1:2", "a `user` and no `password`"),
    ("password = { env = 'P' }", "1:2", "a `password` and no `user`"),
    (
        "credentials = 'c'\nuser = 'u'\npassword = { env = 'P' }",
        "7:8",
        "either `credentials` or `user`",
    ),
];

/// Tables `[component.cluster]` of a host with a cluster that are wrong.
const MEMBERSHIPS: [(&str, &str, &str); 9] = [
    ("anounce = true", "9:13", "the nearest is `announce`"),
    ("announce = 1", "9:24", "true or false"),
    ("accept-durable = true", "9:30", "set `durable = true`"),
    ("topics = ['a']", "9:22", "set `accept-durable = true`"),
    ("topics = ['a b']", "9:23", "may only contain"),
    ("place-on = 'gpu'", "9:24", "a list of strings"),
    ("place-on = ['g.u']", "9:25", "a label of `place-on` is `g.u`"),
    ("artifact = 'abc'", "9:24", "64 hexadecimal digits"),
    (
        "artifact = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'",
        "9:24",
        "set `artifacts` of [cluster]",
    ),
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
fn each_wrong_line_of_a_cluster_is_refused_at_its_place_with_the_remedy() {
    for (line, place, words) in CLUSTERS {
        let error = refused(&format!("{CLUSTER}{line}\n{COMPONENT}"));
        assert!(error.starts_with(&format!("h.toml:{place}: ")), "{line}: {error}");
        assert!(error.contains(words), "{line}: {error}");
        assert_eq!(error.lines().count(), 1, "{line}: {error}");
    }
    for (line, place, words) in MEMBERSHIPS {
        let path = match line.contains("0123456789abcdef") {
            true => "",
            false => "path = 'a.wasm'",
        };
        let error = refused(&format!(
            "{CLUSTER}[[component]]\nid = 'a'\n{path}\ncluster = {{ {line} }}\n"
        ));
        assert!(error.starts_with(&format!("h.toml:{place}: ")), "{line}: {error}");
        assert!(error.contains(words), "{line}: {error}");
        assert_eq!(error.lines().count(), 1, "{line}: {error}");
    }
}

#[test]
fn clusters_without_their_required_keys_are_refused() {
    let lines: Vec<&str> = CLUSTER.lines().collect();
    for missing in 1..lines.len() {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != missing);
        let kept: Vec<&str> = kept.map(|(_, line)| *line).collect();
        let error = refused(&format!("{}\n{COMPONENT}", kept.join("\n")));
        let (key, _) = lines[missing].split_once(' ').expect("a key");
        assert!(
            error.contains(&format!("[cluster] has no `{key}`, which is required")),
            "{error}"
        );
    }
    for (text, words) in [
        ("name = 'a.b'", "`name` is `a.b`"),
        ("name = ''", "`name` is empty"),
        ("host = 'eu 1'", "`host` is `eu 1`"),
        ("servers = []", "has 0 addresses, and must have 1 to 64"),
        ("servers = 'nats://a'", "a list of strings"),
        (
            "servers = ['nats://a', 'http://b']",
            "server 2 of `servers` is not an address",
        ),
        ("servers = ['nats://']", "server 1 of `servers` is not an address"),
        ("servers = ['a:4222']", "server 1 of `servers` is not an address"),
        (
            "servers = ['nats://a/b']",
            "server 1 of `servers` is not an address",
        ),
    ] {
        let (key, _) = text.split_once(' ').expect("a key");
        let good = lines
            .iter()
            .find(|line| line.starts_with(key))
            .expect("it is there");
        let error = refused(&(CLUSTER.replace(good, text) + COMPONENT));
        assert!(error.contains(words), "{text}: {error}");
    }
    let long = format!("name = '{}'", "x".repeat(49));
    assert!(refused(&(CLUSTER.replace("name = 'c'", &long) + COMPONENT)).contains("1 to 48"));
    assert!(refused(&format!("[clusters]\n{COMPONENT}")).contains("the nearest is [cluster]"));
    assert!(refused(&format!("lease-time = '1s'\n{COMPONENT}")).contains("it is a key of [cluster]"));
    let both = "cluster = { topics = ['a'], left-topics = ['a'], accept-durable = true }\ndurable = true\n";
    let error = refused(&format!("[host]\nstore = 's'\n{CLUSTER}{COMPONENT}{both}"));
    assert!(
        error.contains("`topics` and `left-topics` both have `a`"),
        "{error}"
    );
    let digest = "0".repeat(64);
    let artifacts = CLUSTER.to_owned() + "artifacts = 'a'\n";
    let error = refused(&format!(
        "{artifacts}{COMPONENT}cluster = {{ artifact = '{digest}' }}\n"
    ));
    assert!(error.contains("a `path` and an `artifact`"), "{error}");
}

/// Reports show the line of a problem: one with a secret has another place.
#[test]
fn secrets_in_the_file_are_refused_and_not_shown() {
    for text in [
        CLUSTER.to_owned() + "user = 'u'\npassword = 'geheim'\n",
        CLUSTER.replace("nats://a:1", "nats://u:geheim@a:1"),
        CLUSTER.replace("nats://a:1", "nats://geheim@a:1"),
        CLUSTER.replace("nats://a:1", "u:geheim@a:1"),
        CLUSTER.replace("['nats://a:1']", "'nats://u:geheim@a:1'"),
        CLUSTER.replace("'nats://a:1'", "'nats://u:geheim@a:1', 'nats://u:geheim@a:1'"),
        CLUSTER.replace("'nats://a:1'", "'nats://u:geheim@a:1', 7"),
        CLUSTER.to_owned() + "user = 'u'\npassword = ['geheim']\n",
        CLUSTER.to_owned() + "user = 'u'\npassword = { value = 'geheim' }\n",
    ] {
        let Err(HostFileError::Invalid(invalid)) = HostFile::from_toml(&(text + COMPONENT), "h.toml") else {
            panic!("it is refused")
        };
        for problem in invalid.problems() {
            assert!(!problem.message.contains("geheim"), "{}", problem.message);
            let line = invalid.text().lines().nth(problem.line - 1).expect("a line");
            assert!(!line.contains("geheim"), "{line}");
        }
        assert!(!invalid.text().contains("geheim"), "{}", invalid.text());
        assert!(!format!("{invalid:?}").contains("geheim"), "{invalid:?}");
    }
}

/// The text of the file was in `{:?}`, and with it the settings of its components.
#[test]
fn debug_shows_the_problems_and_not_the_text() {
    let text = format!("{COMPONENT}config = {{ token = 'geheim' }}\nwrong = 1\n");
    let error = HostFile::from_toml(&text, "h.toml").expect_err("an unknown key");
    let shown = [format!("{error:?}"), format!("{error:#?}")];
    for shown in shown {
        assert!(!shown.contains("geheim"), "{shown}");
        assert!(shown.contains("h.toml") && shown.contains("`wrong`"), "{shown}");
    }
    let HostFileError::Invalid(invalid) = error else {
        panic!("{error:?}")
    };
    assert!(
        invalid.text().contains("geheim"),
        "the report of the program shows lines of it"
    );
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
