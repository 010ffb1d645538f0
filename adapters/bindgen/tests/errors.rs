//! Errors: each has the place, the reason and the remedy.

use std::fs;
use std::path::{Path, PathBuf};

use airssys_wasm_bindgen::{Error, Options, Selection, generate};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wit")
}

fn refused(name: &str) -> String {
    let mut options = Options::new("::host");
    options.paths = vec![folder().join("refused").join(name)];
    generate(&options).expect_err(name).to_string()
}

fn inline(text: &str) -> Options {
    let mut options = Options::new("::host");
    options.inline = Some(text.to_owned());
    options
}

/// File, the place in it, the reason, the remedy.
const CASES: [(&str, &str, &str, &str); 15] = [
    ("accessor.wit", ":5:9", "accessor", "write it as a `func`"),
    (
        "error-context.wit",
        ":4:12",
        "`error-context` is not supported",
        "use a variant or a string",
    ),
    (
        "lent-stream.wit",
        ":5:30",
        "a borrowed handle in a stream",
        "pass an owned one",
    ),
    ("map.wit", ":4:23", "`map` is not supported", "list of tuples"),
    ("no-world.wit", "", "the world must be named", "add one"),
    (
        "recursive.wit",
        ":4:45",
        "`tree` depends on itself",
        "refer to them by index",
    ),
    (
        "renamed-interface.wit",
        ":5:7",
        "name that the world chooses",
        "without the name",
    ),
    ("syntax.wit", ":4:21", "expected ')'", "fix the syntax"),
    (
        "too-large.wit",
        ":5:12",
        "type `book`",
        "lists of variable length",
    ),
    ("too-many-flags.wit", ":4:295", "32 flags", "split the flags"),
    (
        "too-many-parameters.wit",
        ":4:12",
        "18 parameters",
        "put them in a record",
    ),
    ("two-worlds.wit", ":3:7", "`first`", "`second`"),
    (
        "unknown-package.wit",
        ":4:12",
        "'other:place@1.0.0' not found",
        "`deps`",
    ),
    (
        "unknown-type.wit",
        ":4:18",
        "`nowhere` does not exist",
        "define it",
    ),
    (
        "wide-tuple.wit",
        ":4:22",
        "more than 12 members",
        "make it a record",
    ),
];

#[test]
fn a_refusal_has_a_place_and_a_way_out() {
    for (file, place, what, hint) in CASES {
        let message = refused(file);
        if !place.is_empty() {
            let place = format!("{file}{place}");
            assert!(message.contains(&place), "{file}: no `{place}` in: {message}");
        }
        assert!(message.contains(what), "{file}: no `{what}` in: {message}");
        assert!(message.contains(hint), "{file}: no `{hint}` in: {message}");
    }
}

#[test]
fn every_refused_fixture_has_a_case() {
    let mut files: Vec<_> = fs::read_dir(folder().join("refused"))
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort();
    assert_eq!(files, CASES.map(|(file, ..)| file));
}

#[test]
fn a_world_that_is_not_there() {
    let mut options = Options::new("::host");
    options.paths = vec![folder().join("refused/two-worlds.wit")];
    for name in [
        "third",
        "other:place/first",
        "fixture:two-worlds/third",
        "no world at all",
    ] {
        options.world = Some(name.into());
        let error = generate(&options).expect_err(name);
        assert!(matches!(error, Error::UnknownWorld { .. }));
        let message = error.to_string();
        assert!(message.contains(&format!("`{name}`")), "{message}");
        assert!(
            message.contains("`first` (") && message.contains("two-worlds.wit:5:7"),
            "{message}"
        );
    }
    for name in ["first", "fixture:two-worlds/first"] {
        options.world = Some(name.into());
        generate(&options).expect(name);
    }
}

#[test]
fn nothing_to_read() {
    let mut options = Options::new("::host");
    assert_eq!(generate(&options).expect_err("no input"), Error::NoInput);
    options.paths = vec!["not/there".into()];
    let message = generate(&options).expect_err("no file").to_string();
    assert!(
        message.starts_with("not/there: there is no such file"),
        "{message}"
    );
}

#[test]
fn options_that_name_what_is_not_there() {
    let text = "package a:b; interface c { type t = u8; f: func(); } world w { import c; import g: func(); }";
    let options = inline(text);
    generate(&options).expect("without them");
    let unknown = |options: &Options, option: &str| {
        let message = generate(options).expect_err(option).to_string();
        assert!(
            message.starts_with(&format!(
                "option `{option}`: the world has no `a:b/x`; there are: "
            )),
            "{message}"
        );
        message
    };
    let key = || vec![("a:b/x".to_owned(), "p".to_owned())];
    let with = Options {
        with: key(),
        ..options.clone()
    };
    assert!(unknown(&with, "with").contains("a:b/c, a:b/c/t"));
    let errors = Options {
        trappable_error_type: key(),
        ..options.clone()
    };
    assert!(unknown(&errors, "trappable_error_type").contains("a:b/c/t"));
    let trappable = Selection::Only(vec!["a:b/x".into()]);
    let trappable = Options {
        trappable_imports: trappable,
        ..options
    };
    assert!(unknown(&trappable, "trappable_imports").contains("a:b/c/f, g"));
    let store = Options {
        trappable_imports: Selection::None,
        store_imports: Selection::Only(vec!["a:b/x".into()]),
        ..trappable
    };
    assert!(unknown(&store, "store_imports").contains("a:b/c/f, g"));
}

#[test]
fn paths_that_are_no_rust() {
    let options = inline("package a:b; interface c { type t = u8; } world w { import c; }");
    let no_path = |options: Options, option: &str| {
        let message = generate(&options).expect_err(option).to_string();
        assert_eq!(
            message,
            format!(
                "option `{option}`: `not a + path` is not a Rust path; write one like `some::module::Name`"
            )
        );
    };
    let path = || "not a + path".to_owned();
    let (with, errors) = (vec![("a:b/c/t".into(), path())], vec![("a:b/c/t".into(), path())]);
    no_path(
        Options {
            with,
            ..options.clone()
        },
        "with",
    );
    no_path(
        Options {
            trappable_error_type: errors,
            ..options.clone()
        },
        "trappable_error_type",
    );
    no_path(
        Options {
            additional_derives: vec![path()],
            ..options.clone()
        },
        "additional_derives",
    );
    no_path(
        Options {
            crate_path: path(),
            ..options
        },
        "crate_path",
    );
}

/// A chain of types is as deep as the text is long; code that walks along it must not use the stack for that.
#[test]
fn types_that_nest_deep_are_refused() {
    use std::fmt::Write;
    let mut text = String::from("package a:b;\ninterface c {\ntype t0 = u8;\n");
    for level in 1..5000 {
        writeln!(text, "type t{level} = list<t{}>;", level - 1).expect("a string");
    }
    text.push_str("}\nworld w { import c; }");
    let message = generate(&inline(&text)).expect_err("too deep").to_string();
    assert!(
        message.contains("128 levels") && message.contains("inline:13"),
        "{message}"
    );

    let aliases = text.replace("list<", "").replace('>', "");
    generate(&inline(&aliases)).expect("names for one type are no depth");
}

#[test]
fn unstable_items_are_there_with_their_feature_only() {
    let source = |features: &[&str], all| {
        let mut options = Options::new("::host");
        options.paths = vec![folder().join("accepted/stability.wit")];
        options.features = features.iter().map(|name| (*name).to_owned()).collect();
        options.all_features = all;
        generate(&options).expect("generated").source
    };
    let has =
        |source: &str| ["fn newer", "fn fancy", "fn wild", "pub mod trial"].map(|text| source.contains(text));
    assert_eq!(has(&source(&[], false)), [true, false, false, false]);
    assert_eq!(has(&source(&["fancy"], false)), [true, true, false, true]);
    assert_eq!(has(&source(&["fancy", "wild"], false)), [true; 4]);
    assert_eq!(has(&source(&[], true)), [true; 4]);
}

#[test]
fn earlier_paths_and_inline_text_go_together() {
    let mut options = inline("package a:b; world w { import fixture:lists/sequences; }");
    options.paths = vec![folder().join("accepted/lists.wit")];
    let output = generate(&options).expect("generated");
    assert!(output.source.contains("pub mod sequences"));
    assert_eq!(output.files, options.paths);
}

/// Returns WIT in which each of so many types has two parts of the former one's type.
fn doubled(leaf: &str, twice: &str, levels: usize) -> Options {
    let mut text = format!("package a:b;\ninterface c {{\ntype t0 = {leaf};\n");
    for level in 1..=levels {
        let former = format!("t{}", level - 1);
        let definition = match twice.contains("NAME") {
            true => twice.to_owned(),
            false => format!("type NAME = {twice};"),
        };
        let definition = definition
            .replace('T', &former)
            .replace("NAME", &format!("t{level}"));
        text += &(definition + "\n");
    }
    text += &format!("f: func(a: t{levels}, b: tuple<t{levels}, string>) -> t{levels};\n}}\n");
    inline(&(text + "world w { import c; export c; }"))
}

// Twenty types, 595 bytes of WIT, became 41.6 MB of Rust by way of 1.8 GB of memory.
#[test]
fn types_that_share_their_parts_are_written_by_name() {
    for leaf in [
        "u8",
        "string",
        "list<string>",
        "tuple<string, u8>",
        "stream<string>",
    ] {
        for twice in [
            "tuple<T, T>",
            "tuple<option<T>, option<T>>",
            "tuple<list<T>, tuple<list<T>, u8>>",
            "result<T, T>",
            "option<tuple<T, result<T, T>>>",
            "record NAME { a: T, b: T }",
            "tuple<future<T>, stream<tuple<T, T>>>",
            "variant NAME { a(T), b(tuple<T, T>) }",
        ] {
            let size = |levels| {
                let output = generate(&doubled(leaf, twice, levels));
                let output = output.unwrap_or_else(|error| panic!("{leaf}, {twice}: {error}"));
                output.source.len()
            };
            let (few, many) = (size(4), size(12));
            assert!(many < few + 16_000, "{leaf}, {twice}: {few} bytes, then {many}");
        }
    }
    let source = generate(&doubled("string", "tuple<T, T>", 12))
        .expect("generated")
        .source;
    assert!(source.contains("a: &T12"), "{source}");
    let source = generate(&doubled("u8", "tuple<T, T>", 20))
        .expect("generated")
        .source;
    assert!(source.len() < 10_000 && source.contains("a: T20"), "{source}");
    let source = generate(&doubled("string", "tuple<T, T>", 2))
        .expect("generated")
        .source;
    assert!(source.contains("a: ((&str, &str), (&str, &str))"), "{source}");
}

/// The library's own bound: a value has fewer than 2^28 bytes.
#[test]
fn types_that_are_too_large_by_their_shared_parts_are_refused() {
    generate(&doubled("u8", "tuple<T, T>", 26)).expect("a value has 2^26 bytes");
    let message = generate(&doubled("u8", "tuple<T, T>", 40))
        .expect_err("2^40 bytes")
        .to_string();
    assert!(message.starts_with("inline:31:6: type `t28`: "), "{message}");
    assert!(message.contains("lists of variable length"), "{message}");
}
