//! The names that are taken out are those that the engine reads; hostile sections cost no more than their bytes.

use super::*;
use crate::engine::compile::debug_names::without_bad;
use crate::engine::compile::sections::leb;
use crate::engine::names::{FrameNames, Names as Table, SavedNames};
use crate::engine::{Backend, CodeForm, Config, Engine, NAME_CHARS};

const HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// Functions of the modules here; the first is imported.
const FUNCTIONS: u32 = 20;

/// Returns a module of `FUNCTIONS` functions in front of `sections`, with `first` before them all.
fn module(first: &[u8], sections: &[u8]) -> Vec<u8> {
    let own = FUNCTIONS as u8 - 1;
    let mut out = [HEADER, first].concat();
    out.extend([1, 4, 1, 0x60, 0, 0]);
    out.extend([2, 5, 1, 0, 0, 0, 0]);
    out.extend([3, own + 1, own]);
    out.extend(vec![0; own.into()]);
    out.extend([10, 1 + 3 * own, own]);
    out.extend([2, 0, 0x0b].repeat(own.into()));
    out.extend(sections);
    out
}

/// Returns a custom section.
fn custom(name: &str, content: &[u8]) -> Vec<u8> {
    let mut section = vec![0];
    leb(&mut section, (1 + name.len() + content.len()) as u64);
    section.push(name.len() as u8);
    section.extend(name.bytes());
    section.extend(content);
    section
}

fn subsection(id: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![id];
    leb(&mut out, content.len() as u64);
    out.extend(content);
    out
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    leb(out, text.len() as u64);
    out.extend(text);
}

/// Returns a subsection with the module's name.
fn of_module(name: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    text(&mut content, name);
    subsection(0, &content)
}

/// Returns a subsection with names of functions.
fn of_functions(names: &[(u32, &[u8])]) -> Vec<u8> {
    let mut content = Vec::new();
    leb(&mut content, names.len() as u64);
    for (index, name) in names {
        leb(&mut content, (*index).into());
        text(&mut content, name);
    }
    subsection(1, &content)
}

fn names(subsections: &[Vec<u8>]) -> Vec<u8> {
    custom("name", &subsections.concat())
}

/// The names of a module and its functions.
type Found = (Option<String>, Vec<(u32, String)>);

/// Returns the names that are taken out, and checks that none is left.
fn taken(bytes: &[u8]) -> Found {
    let Apart { module, names } = take(Cow::Borrowed(bytes));
    let key = names.as_deref().map(key);
    let mut left = Vec::new();
    for payload in Parser::new(0).parse_all(&module) {
        if let Payload::CustomSection(section) = payload.expect("it can be read")
            && let KnownCustom::Name(names) = section.as_known()
        {
            left.extend(names.into_iter().map(|name| match name {
                Ok(Name::Module { name, .. }) => name.to_owned(),
                _ => panic!("another name"),
            }));
        }
    }
    assert_eq!(left, Vec::from_iter(key.clone()));
    let Some((names, key)) = names.zip(key) else {
        return (None, Vec::new());
    };
    let _table = Table::register(SavedNames::Bytes(names));
    let names = FrameNames::of(&key).expect("it is a key");
    let functions = (0..2 * FUNCTIONS).chain([u32::MAX]);
    let functions = functions.filter_map(|index| Some((index, names.function(index)?.to_owned())));
    (names.module().map(str::to_owned), functions.collect())
}

fn named(functions: &[(u32, &str)]) -> Vec<(u32, String)> {
    let functions = functions.iter();
    functions
        .map(|(index, name)| (*index, (*name).to_owned()))
        .collect()
}

fn compiler() -> wasmer::Engine {
    let available = Backend::available();
    let fast = available.iter().find(|backend| **backend == Backend::Singlepass);
    let backend = *fast.or(available.first()).expect("a compiler");
    let engine = Engine::new(Config::new().backend(backend)).expect("it is available");
    engine.compiler(CodeForm::Memory).expect("it compiles")
}

/// Returns the names that the engine reads, as far as a table keeps them.
fn of_the_engine(compiler: &wasmer::Engine, bytes: &[u8]) -> Found {
    let module = wasmer::Module::from_binary(compiler, &without_bad(Cow::Borrowed(bytes)));
    let module = module.expect("it compiles");
    let info = module.info();
    let cut = |name: &str| name.chars().take(NAME_CHARS + 1).collect::<String>();
    let functions = info.function_names.iter();
    let mut functions: Vec<(u32, String)> = functions
        .map(|(index, name)| (index.as_u32(), cut(name)))
        .filter(|(index, _)| (1..FUNCTIONS).contains(index))
        .collect();
    functions.sort();
    (info.name.as_deref().map(cut), functions)
}

#[test]
fn the_sections_go_and_the_rest_stays() {
    let section = names(&[of_module(b"m"), of_functions(&[(0, b"imported"), (3, b"three")])]);
    let others = [custom("other", b"x"), custom("names", b"y")].concat();
    for (first, behind) in [(&[][..], &section[..]), (&section, &[])] {
        let bytes = module(first, &[behind, &others].concat());
        assert_eq!(taken(&bytes), (Some("m".into()), named(&[(3, "three")])));
        let Apart { module: rest, .. } = take(Cow::Borrowed(&bytes));
        let expected = module(&[], &others);
        assert_eq!(rest[..expected.len()], expected);
    }
    let bare = module(&[], &others);
    assert!(matches!(take(Cow::Borrowed(&bare)).module, Cow::Borrowed(_)));
    // Lengths may be longer than they must.
    let mut long = vec![0, section[1] | 0x80, 0x80, 0x80, 0x80, 0];
    long.extend(&section[2..]);
    assert_eq!(taken(&module(&[], &long)).1, named(&[(3, "three")]));
}

#[test]
fn sections_without_names_leave_no_key() {
    for section in [
        names(&[]),
        names(&[subsection(2, &[0])]),
        names(&[of_functions(&[])]),
        names(&[of_functions(&[
            (0, b"imported"),
            (FUNCTIONS, b"behind"),
            (u32::MAX, b"last"),
        ])]),
        custom("name", b"\xff\xff\xff\xff"),
        custom("name", &[1, 0x80]),
    ] {
        let bytes = module(&[], &section);
        assert_eq!(taken(&bytes), (None, Vec::new()), "{section:?}");
        assert_eq!(take(Cow::Borrowed(&bytes)).module, module(&[], &[]));
    }
}

#[test]
fn names_are_those_that_the_engine_reads() {
    let compiler = compiler();
    let long = "é".repeat(300);
    let many: Vec<(u32, &[u8])> = (1..FUNCTIONS).map(|index| (index, &b"same"[..])).collect();
    let twice = of_functions(&[(1, b"a"), (2, b"b"), (3, b"a"), (4, b"a"), (5, b"a.0"), (6, b"b")]);
    let cases = [
        vec![names(&[of_module(b"m"), of_functions(&[(1, b"one"), (2, b"")])])],
        vec![names(&[of_functions(&many)])],
        vec![names(std::slice::from_ref(&twice))],
        // In two subsections, and again in another section.
        vec![names(&[twice.clone(), twice.clone()])],
        vec![
            names(&[of_module(b"m"), twice.clone()]),
            names(&[of_functions(&[(7, b"a")])]),
        ],
        vec![
            names(&[of_module(b"m"), twice.clone()]),
            names(&[of_module(b"n")]),
        ],
        vec![names(&[of_module(b"m"), of_module(b"n"), twice.clone()])],
        // Names of modules that make the engine fail.
        vec![names(&[of_module(b""), twice.clone()])],
        vec![
            names(&[of_module(b"a\0b"), twice.clone()]),
            names(&[of_functions(&[(3, b"x")])]),
        ],
        vec![
            names(&[of_module(b"m"), twice.clone()]),
            names(&[of_module(b"\0")]),
        ],
        // Out of order, out of range, one function twice.
        vec![names(&[of_functions(&[
            (9, b"nine"),
            (2, b"two"),
            (99, b"two"),
            (2, b"again"),
            (u32::MAX, b"again"),
        ])])],
        vec![names(&[
            of_module(long.as_bytes()),
            of_functions(&[(1, long.as_bytes())]),
        ])],
        // Texts that are not UTF-8, and more names announced than there are.
        vec![names(&[of_functions(&[
            (1, b"one"),
            (2, b"\xff"),
            (3, b"three"),
        ])])],
        vec![names(&[of_module(b"\xc3"), of_functions(&[(1, b"one")])])],
        vec![names(&[subsection(1, &[0xff, 0xff, 0x03, 1, 1, b'a'])])],
        // A subsection that ends too late, then one that is whole.
        vec![names(&[vec![1, 100, 1], of_functions(&[(1, b"one")])])],
    ];
    for sections in cases {
        let bytes = module(&[], &sections.concat());
        assert_eq!(taken(&bytes), of_the_engine(&compiler, &bytes), "{sections:?}");
    }
}

#[test]
fn names_of_damaged_sections_are_those_that_the_engine_reads() {
    let compiler = compiler();
    let content = [
        of_module(b"module"),
        of_functions(&[(0, b"f"), (1, b"f"), (2, b"f"), (3, b"g"), (5, "ö".as_bytes())]),
        subsection(2, &[1, 1, 1, 0, 1, b'l']),
    ]
    .concat();
    let mut state = 0x5eed_u64;
    let mut with_names = 0;
    for _ in 0..1_500 {
        let mut damaged = content.clone();
        for _ in 0..1 + state % 3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % damaged.len();
            damaged[at] = (state >> 20) as u8;
        }
        let bytes = module(&[], &custom("name", &damaged));
        let found = taken(&bytes);
        assert_eq!(found, of_the_engine(&compiler, &bytes), "{damaged:?}");
        with_names += usize::from(!found.1.is_empty());
    }
    assert!((300..1_500).contains(&with_names), "{with_names} have names");
}

// Each of them appended a number to its name, and all were kept.
#[test]
fn a_function_named_a_million_times_has_few_names() {
    let mut content = Vec::new();
    leb(&mut content, 3_000_000);
    for _ in 0..3_000_000 {
        content.extend([1, 0]);
    }
    let bytes = module(&[], &names(&[subsection(1, &content)]));
    let Apart { module, names } = take(Cow::Borrowed(&bytes));
    let size = names.map_or(0, |names| names.len());
    assert!(module.len() < 500 && size < 500, "{} and {size}", module.len());
}

#[test]
fn names_of_megabytes_are_cut() {
    let huge = "n".repeat(5_000_000);
    let bytes = module(
        &[],
        &names(&[
            of_module(huge.as_bytes()),
            of_functions(&[(1, huge.as_bytes()), (2, huge.as_bytes())]),
        ]),
    );
    let names = take(Cow::Borrowed(&bytes)).names.expect("there are names");
    assert!(names.len() < 1_000, "{}", names.len());
}

/// Returns the core modules of a component of one level.
fn core_modules(component: &[u8]) -> Vec<&[u8]> {
    let payloads = Parser::new(0).parse_all(component);
    let modules = payloads.filter_map(|payload| match payload.expect("it can be read") {
        Payload::ModuleSection { unchecked_range, .. } => component.get(unchecked_range),
        _ => None,
    });
    modules.collect()
}

#[test]
fn names_of_real_guests_are_those_that_the_engine_reads() {
    let compiler = compiler();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    for guest in ["checksum", "meter", "text-processor-c"] {
        let component = std::fs::read(folder.join(guest).with_extension("wasm")).expect("it is committed");
        let mut named = 0;
        for bytes in core_modules(&component) {
            let expected = wasmer::Module::from_binary(&compiler, bytes).expect("it compiles");
            let expected = expected.info();
            let names = take(Cow::Borrowed(bytes)).names;
            let key = names.as_deref().map(key);
            let _table = names.map(SavedNames::Bytes).map(Table::register);
            let found = key.as_deref().and_then(FrameNames::of);
            let cut = |name: &str| name.chars().take(NAME_CHARS + 1).collect::<String>();
            assert_eq!(
                found.as_ref().and_then(FrameNames::module).map(str::to_owned),
                expected.name.as_deref().map(cut)
            );
            for index in expected.functions.keys().skip(expected.num_imported_functions) {
                let name = expected.function_names.get(&index).map(|name| cut(name));
                let found = found.as_ref().and_then(|names| names.function(index.as_u32()));
                assert_eq!(found, name.as_deref(), "{guest}: {index:?}");
                named += u32::from(name.is_some());
            }
        }
        assert!(named > 5, "{guest}: {named} functions have names");
    }
}

#[test]
fn compiled_modules_have_a_key_and_no_names() {
    for backend in Backend::available() {
        let engine = Engine::new(Config::new().backend(*backend)).expect("it is available");
        let compiler = engine.compiler(CodeForm::Memory).expect("it compiles");
        let section = names(&[of_module(b"m"), of_functions(&[(3, b"three")])]);
        for (section, has_names) in [(&section[..], true), (&[], false)] {
            let bytes = module(&[], section);
            let mut work = crate::engine::Work::new(&engine, &[&bytes]);
            let compiled = work.compile(&compiler, &bytes).expect("it compiles");
            let info = compiled.module.info();
            assert!(info.function_names.is_empty());
            let key = compiled.names.as_deref().map(key);
            assert_eq!((&info.name, key.is_some()), (&key, has_names), "{backend}");
            let sections: usize = info.custom_sections_data.values().map(|data| data.len()).sum();
            assert!(sections < 20, "{backend}: {sections} bytes of custom sections");
        }
    }
}
