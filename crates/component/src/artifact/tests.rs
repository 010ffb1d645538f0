//! Refused artifacts and their errors; components that load return the same results as compiled ones.

mod names;
mod snapshots;
mod traps;

use std::ops::Range;

use super::format::{FORMAT, Header, Kind, Parts, assemble, parts};
use super::*;
use crate::component::{Component, Linker, Store, Val};
use crate::engine::{Backend, Config, Engine};

const COMPONENT: &str = r#"(component
    (import "twice" (func $twice (param "n" u32) (result u32)))
    (core module $m
        (import "" "twice" (func $twice (param i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "text")
        (func (export "run") (param i32) (result i32) (call $twice (i32.add (local.get 0) (i32.const 1))))
        (func (export "text") (result i32)
            (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 4)) (i32.const 0)))
    (core func $twice' (canon lower (func $twice)))
    (core instance $i (instantiate $m (with "" (instance (export "twice" (func $twice'))))))
    (type $r' (record (field "a" u8) (field "b" (option (list string)))))
    (export $r "r" (type $r'))
    (func (export "run") (param "n" u32) (result u32) (canon lift (core func $i "run")))
    (func (export "text") (result string) (canon lift (core func $i "text") (memory (core memory $i "memory")))))"#;

fn engines() -> Vec<Engine> {
    let engines = Backend::available()
        .iter()
        .map(|backend| Engine::new(Config::new().backend(*backend)).expect("it is available"));
    engines.collect()
}

fn engine() -> Engine {
    engines().into_iter().next().expect("a backend")
}

fn component() -> Vec<u8> {
    wat::parse_str(COMPONENT).expect("the text parses")
}

fn key() -> SecretKey {
    SecretKey::generate().expect("random numbers")
}

/// Returns a signed artifact, its key, and a trust in that key.
fn signed(engine: &Engine) -> (Vec<u8>, SecretKey, Trust) {
    let key = key();
    let file = compile(engine, &component(), Some(&key)).expect("it compiles");
    let trust = Trust::new([key.public()]);
    (file, key, trust)
}

fn refused(file: &[u8], trust: &Trust) -> ArtifactError {
    match Artifact::open(file).and_then(|artifact| artifact.load(trust)) {
        Ok(_) => panic!("it loads"),
        Err(error) => error,
    }
}

fn answers(engine: &Engine, component: &Component) -> (Option<Val>, Option<Val>) {
    let mut linker: Linker<()> = Linker::new(engine);
    linker
        .root()
        .func_wrap("twice", |_, (n,): (u32,)| Ok((2 * n,)))
        .expect("defined once");
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, component).expect("it links");
    let run = instance.get_func(&mut store, ["run"]).expect("it is exported");
    let run = run.call_dynamic(&mut store, &[Val::U32(20)]).expect("it runs");
    let text = instance.get_func(&mut store, ["text"]).expect("it is exported");
    (run, text.call_dynamic(&mut store, &[]).expect("it runs"))
}

/// Returns the same file with another header, signed anew.
fn with_header(file: &[u8], key: &SecretKey, change: impl FnOnce(&mut Header)) -> Vec<u8> {
    let mut header = whole(file).header;
    change(&mut header);
    let header = borsh::to_vec(&header).expect("it is written");
    assemble(&header, Some(key.sign(&header)), &sections(file))
}

fn whole(file: &[u8]) -> Parts {
    parts(file, file.len() as u64).expect("it is whole")
}

fn place(range: &Range<u64>) -> Range<usize> {
    usize::try_from(range.start).expect("small")..usize::try_from(range.end).expect("small")
}

fn sections(file: &[u8]) -> Vec<(Kind, &[u8])> {
    let found = whole(file).sections;
    found
        .iter()
        .map(|(kind, range)| (*kind, &file[place(range)]))
        .collect()
}

#[test]
fn what_is_loaded_answers_as_what_is_compiled() {
    for engine in engines() {
        let (file, key, trust) = signed(&engine);
        let artifact = Artifact::open(&file).expect("it opens");
        assert_eq!(artifact.signer(), Some(key.public()));
        assert_eq!(artifact.header().backend, engine.backend().name());
        let loaded = artifact.load(&trust).expect("it loads");
        let compiled = Component::from_binary(&engine, &component()).expect("it compiles");
        assert_eq!(loaded.backend(), engine.backend());
        assert_eq!(loaded.size(), compiled.size());
        assert_eq!(
            format!("{:?}", loaded.exports()),
            format!("{:?}", compiled.exports())
        );
        assert_eq!(
            format!("{:?}", loaded.imports()),
            format!("{:?}", compiled.imports())
        );
        let expected = (Some(Val::U32(42)), Some(Val::String("text".into())));
        assert_eq!(answers(&engine, &compiled), expected);
        assert_eq!(answers(&engine, &loaded), expected);
    }
}

/// Returns five signed artifacts, of components of many sizes, by all backends in turn, and a trust in their key.
fn five() -> (Vec<Vec<u8>>, Trust) {
    let key = key();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let committed = ["bench", "checksum", "key-value", "text-processor"];
    let committed = committed.map(|name| {
        let path = folder.join(name).with_extension("wasm");
        std::fs::read(path).expect("it is committed")
    });
    let components = std::iter::once(component()).chain(committed);
    let files = components.zip(engines().into_iter().cycle());
    let files =
        files.map(|(component, engine)| compile(&engine, &component, Some(&key)).expect("it compiles"));
    (files.collect(), Trust::new([key.public()]))
}

fn name(error: &ArtifactError) -> String {
    let text = format!("{error:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

#[test]
fn every_prefix_is_refused() {
    let (files, trust) = five();
    for file in files {
        let mut errors = std::collections::BTreeSet::new();
        for length in 0..file.len() {
            errors.insert(name(&refused(&file[..length], &trust)));
        }
        let expected = ["NotArtifact", "Truncated"];
        assert!(errors.iter().map(String::as_str).eq(expected), "{errors:?}");
        let longer = [&file[..], &[0]].concat();
        let error = refused(&longer, &trust);
        assert!(matches!(error, ArtifactError::Truncated { .. }), "{error}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let (files, trust) = five();
    let mut state = 0x5eed_u64;
    for mut file in files {
        let mut errors = std::collections::BTreeMap::new();
        for flip in 0..2_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // The footer, the signature and the end of the header bit for bit, then any.
            let bit = if flip < 1_400 {
                8 * file.len() - 1 - flip
            } else {
                (state >> 20) as usize % (8 * file.len())
            };
            file[bit / 8] ^= 1 << (bit % 8);
            *errors.entry(name(&refused(&file, &trust))).or_insert(0) += 1;
            file[bit / 8] ^= 1 << (bit % 8);
        }
        for expected in ["Digest", "Format", "Header", "HeaderDigest", "Truncated"] {
            assert!(errors.contains_key(expected), "{expected}: {errors:?}");
        }
        assert!(Artifact::open(&file).is_ok_and(|artifact| artifact.load(&trust).is_ok()));
    }
}

/// Checks a whole file from memory and from disk; both must refuse it.
fn checks(file: &[u8], path: &std::path::Path) -> [Result<(), ArtifactError>; 2] {
    std::fs::write(path, file).expect("it can be written");
    let from_disk = ArtifactFile::open(path).and_then(|open| open.verify());
    [Artifact::open(file).map(drop), from_disk.map(drop)]
}

// An unsigned artifact whose header was altered was accepted: 343 of its last 722 bytes could change.
#[test]
fn no_byte_can_change_whether_signed_or_not() {
    let folder = cache::tests::Folder::new("changed");
    std::fs::create_dir_all(&folder.0).expect("a folder");
    let path = folder.0.join("changed.cwasm");
    let key = key();
    for engine in engines() {
        for key in [None, Some(&key)] {
            let options = ArtifactOptions {
                key,
                metadata: Some(b"{}"),
                manifest: Some(b"x = 1\n"),
            };
            let mut file = compile_with(&engine, &component(), &options).expect("it compiles");
            let whole = whole(&file);
            let last_section = whole.sections.last().expect("there are sections");
            let behind = place(&last_section.1).end;
            // Those of the lead, the header and all behind it one by one, and samples of the sections and the padding.
            let edges = (0..128).chain(behind..file.len());
            for at in edges.chain((128..behind).step_by(251)) {
                let edge = at < 128 || at >= behind;
                let bits = if edge { 0xff } else { 1 << (at % 8) };
                for bit in (0..8).filter(|bit| bits & (1 << bit) != 0) {
                    file[at] ^= 1 << bit;
                    let refused = Artifact::open(&file).is_err();
                    assert!(
                        refused,
                        "byte {at} of {}, bit {bit}, signed {}",
                        file.len(),
                        key.is_some()
                    );
                    if edge && bit == at % 8 {
                        assert!(
                            checks(&file, &path).iter().all(Result::is_err),
                            "byte {at} on disk"
                        );
                    }
                    file[at] ^= 1 << bit;
                }
            }
            assert!(checks(&file, &path).iter().all(Result::is_ok), "unchanged");
        }
    }
}

#[test]
fn bytes_that_are_added_or_missing_anywhere_are_refused() {
    let file = compile(&engine(), &component(), None).expect("it compiles");
    let sections = whole(&file).sections;
    let edges = sections
        .iter()
        .flat_map(|(_, range)| [place(range).start, place(range).end]);
    let places = edges.chain((0..file.len()).step_by(997)).chain([file.len()]);
    for at in places {
        for size in [1, 4, 64, 4096] {
            for fill in [0, 0xa1] {
                let added = [&file[..at], &vec![fill; size], &file[at..]].concat();
                assert!(Artifact::open(&added).is_err(), "{size} of {fill} added at {at}");
            }
            let end = (at + size).min(file.len());
            if at < end {
                let missing = [&file[..at], &file[end..]].concat();
                assert!(Artifact::open(&missing).is_err(), "{size} missing at {at}");
            }
        }
    }
}

#[test]
fn files_of_former_formats_are_refused_with_the_command_that_makes_them_anew() {
    let file = compile(&engine(), &component(), None).expect("it compiles");
    // The second format had no digest before the length.
    let (before, last) = file.split_at(file.len() - 16);
    let mut former = before[..before.len() - 32].to_vec();
    former.extend(&last[..4]);
    former.extend(2u32.to_le_bytes());
    former.extend(&last[8..]);
    let error = refused(&former, &Trust::default());
    assert!(
        matches!(
            error,
            ArtifactError::Format {
                found: 2,
                expected: FORMAT
            }
        ),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("`airssys-wasm compile -o ARTIFACT COMPONENT`"),
        "{text}"
    );
    let mut later = file;
    let format = later.len() - 12;
    let number = |format: u32| format.to_le_bytes();
    // The third has the digest, and another form of the translated component; the fourth has names in its code; the fifth leaves all but one
    // module to the engine's loader.
    for former in [3, 4, 5] {
        later[format..format + 4].copy_from_slice(&number(former));
        let error = refused(&later, &Trust::default());
        assert!(
            matches!(error, ArtifactError::Format { found, expected: FORMAT } if found == former),
            "{error}"
        );
    }
    later[format..format + 4].copy_from_slice(&number(FORMAT + 1));
    let text = refused(&later, &Trust::default()).to_string();
    assert!(text.contains("a newer airssys-wasm"), "{text}");
}

/// A recomputed digest does not replace a signature.
#[test]
fn a_header_that_was_altered_with_its_digest_needs_the_signature() {
    let (file, key, trust) = signed(&engine());
    let found = whole(&file);
    let mut header = found.header;
    header.options.push('x');
    let header = borsh::to_vec(&header).expect("it is written");
    let altered = assemble(&header, found.signature, &sections(&file));
    assert!(matches!(refused(&altered, &trust), ArtifactError::Signature));
    let again = assemble(&header, Some(key.sign(&header)), &sections(&file));
    assert!(Artifact::open(&again).is_ok_and(|artifact| artifact.load(&trust).is_ok()));
}

#[test]
fn sections_of_another_artifact_are_refused() {
    let engine = engine();
    let (file, key, trust) = signed(&engine);
    let other = wat::parse_str(COMPONENT.replace("const 1", "const 2")).expect("the text parses");
    let other = compile(&engine, &other, Some(&key)).expect("it compiles");
    let code = |file: &[u8]| {
        let found = whole(file).sections;
        let section = found.iter().find(|(kind, _)| matches!(kind, Kind::Code { .. }));
        section.map(|(_, range)| place(range)).expect("there is code")
    };
    let (mine, theirs) = (code(&file), code(&other));
    assert_eq!(mine.len(), theirs.len(), "the test swaps sections of one length");
    let mut swapped = file.clone();
    swapped[mine].copy_from_slice(&other[theirs]);
    assert!(matches!(refused(&swapped, &trust), ArtifactError::Digest { .. }));
}

#[test]
fn what_was_made_elsewhere_is_refused_with_the_reason() {
    let (file, key, trust) = signed(&engine());
    let refused = |change: fn(&mut Header)| refused(&with_header(&file, &key, change), &trust);
    assert!(matches!(
        refused(|header| header.version.push('x')),
        ArtifactError::Version { .. }
    ));
    assert!(matches!(
        refused(|header| header.engine = "7.0.0".into()),
        ArtifactError::Version { .. }
    ));
    assert!(matches!(
        refused(|header| header.backend = "v8".into()),
        ArtifactError::Header(_)
    ));
    let target = refused(|header| header.target = "aarch64-unknown-linux-gnu".into());
    assert!(matches!(target, ArtifactError::Target { .. }), "{target}");
    let cpu = refused(|header| header.cpu.push("avx1024".into()));
    assert!(cpu.to_string().contains("a processor with avx1024"), "{cpu}");
    assert!(matches!(
        refused(|header| header.tunables.push('x')),
        ArtifactError::Tunables { .. }
    ));
    assert!(matches!(
        refused(|header| header.sections.swap(0, 1)),
        ArtifactError::Truncated { .. }
            | ArtifactError::Trailing(_)
            | ArtifactError::Digest { .. }
            | ArtifactError::Header(_)
    ));
    assert!(matches!(
        refused(|header| header.sections.truncate(header.sections.len() - 1)),
        ArtifactError::Trailing(_) | ArtifactError::Header(_)
    ));
    let unchanged = with_header(&file, &key, |_| {});
    assert_eq!(unchanged, file);
}

#[test]
fn foreign_files_are_told_apart() {
    let foreign = [b"\x7fELF".as_slice(), &[0; 100], b".wasmtime.engine\0"].concat();
    let library = [b"\x7fELF".as_slice(), &[0; 100], b".dynamic\0"].concat();
    for (file, word) in [
        (&b""[..], "empty"),
        (&component(), "WebAssembly"),
        (&foreign, "wasmtime"),
        (&library, "ELF"),
        (b"wasmer-universal", "of wasmer"),
        (b"anything", "does not end"),
    ] {
        let error = refused(file, &Trust::default());
        assert!(
            matches!(error, ArtifactError::NotArtifact(_)) && error.to_string().contains(word),
            "{error}"
        );
    }
}

#[test]
fn only_those_who_are_trusted() {
    let engine = engine();
    let (file, _, trust) = signed(&engine);
    let stranger = Trust::new([key().public()]);
    assert!(matches!(
        refused(&file, &Trust::default()),
        ArtifactError::UnknownSigner(_)
    ));
    assert!(matches!(
        refused(&file, &stranger),
        ArtifactError::UnknownSigner(_)
    ));
    let unsigned = compile(&engine, &component(), None).expect("it compiles");
    assert!(matches!(refused(&unsigned, &trust), ArtifactError::Unsigned));

    // Another's signature in place of this one's.
    let (other, _, others) = signed(&engine);
    let found = whole(&file);
    let theirs = whole(&other).signature;
    let mixed = assemble(&found.header_bytes, theirs, &sections(&file));
    // Both are of one component and one machine, so that the headers are the same.
    let same = whole(&other).header_bytes == found.header_bytes;
    if same {
        assert!(Artifact::open(&mixed).is_ok_and(|artifact| artifact.load(&others).is_ok()));
    } else {
        assert!(matches!(refused(&mixed, &others), ArtifactError::Signature));
    }
    let changed = with_header(&file, &key(), |header| header.component_bytes += 1);
    assert!(matches!(
        refused(&changed, &trust),
        ArtifactError::UnknownSigner(_)
    ));
}

#[test]
fn keys_are_texts() {
    let key = key();
    let again: SecretKey = key.to_text().parse().expect("its own text");
    assert_eq!(again.public(), key.public());
    assert_eq!(key.public().to_string().parse(), Ok(key.public()));
    assert_eq!(format!("{key:?}"), "SecretKey");
    for text in ["", "abc", &"g".repeat(64), &"0".repeat(63)] {
        assert_eq!(text.parse::<PublicKey>(), Err(KeyError::Form), "{text}");
    }
}
