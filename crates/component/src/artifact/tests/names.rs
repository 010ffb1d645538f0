//! Names in artifacts: there, absent, damaged, or in a file that changed after it was loaded.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::artifact::format::Section;
use crate::artifact::open::load_own;
use crate::artifact::source::Source;

/// Returns a component whose `run` traps in a function of this name.
fn trapping(name: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $named
                (func ${name} unreachable)
                (func (export "run") (call ${name})))
            (core instance $i (instantiate $named))
            (func (export "run") (canon lift (core func $i "run"))))"#
    );
    wat::parse_str(text).expect("the text parses")
}

/// Returns the innermost frame of the trap, without its offset.
fn frame(component: &Component) -> String {
    let engine = component.engine().clone();
    let linker: Linker<()> = Linker::new(&engine);
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, component).expect("it links");
    let run = instance.get_func(&mut store, ["run"]).expect("it is exported");
    let error = run.call_dynamic(&mut store, &[]).expect_err("it traps");
    let frames = error.trap().expect("a trap").frames();
    let frame = frames.first().expect("a frame");
    frame.split(" (offset 0x").next().unwrap_or_default().to_owned()
}

/// Opens an artifact in a file as one that no other user can change, whatever the file system.
fn open(path: &Path) -> Artifact<'static> {
    let file = File::open(path).expect("it can be read");
    let length = file.metadata().expect("a file").len();
    let source = Source::File(Arc::new(file));
    let parts = {
        let bytes = source.read(0..length).expect("it can be read");
        parts(&bytes, length).expect("it is whole")
    };
    open::check_contents(&source, &parts).expect("it matches");
    Artifact::verified(source, parts)
}

/// Returns the place of the names of an artifact of one module.
fn names(file: &[u8]) -> Option<Range<usize>> {
    let found = whole(file).sections;
    let names = found.iter().find(|(kind, _)| *kind == Kind::Names { module: 0 });
    names.map(|(_, range)| place(range))
}

/// Returns the same sections with others in addition, signed anew.
fn with_sections(file: &[u8], key: &SecretKey, more: &[(Kind, &[u8])]) -> Vec<u8> {
    let sections = [more, &sections(file)].concat();
    let mut header = whole(file).header;
    let entries = sections.iter().map(|(kind, bytes)| Section {
        kind: *kind,
        bytes: bytes.len() as u64,
        digest: *blake3::hash(bytes).as_bytes(),
    });
    header.sections = entries.collect();
    let header = borsh::to_vec(&header).expect("it is written");
    assemble(&header, Some(key.sign(&header)), &sections)
}

#[test]
fn names_are_in_one_section_and_nowhere_else() {
    for engine in engines() {
        let name = "name_in_one_section";
        let file = compile(&engine, &trapping(name), None).expect("it compiles");
        let place = names(&file).expect("there are names");
        let found: Vec<usize> = (0..file.len() - name.len())
            .filter(|at| file[*at..].starts_with(name.as_bytes()))
            .collect();
        assert_eq!(found.len(), 1, "{}", engine.backend());
        assert!(place.contains(&found[0]));
        let loaded = load_own(&file).expect("it loads");
        assert_eq!(frame(&loaded), format!("named!{name}"));
    }
}

#[test]
fn modules_without_names_have_no_section() {
    let text = r#"(component
        (core module (func (export "run") unreachable))
        (core instance $i (instantiate 0))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    for engine in engines() {
        let component = wat::parse_str(text).expect("the text parses");
        let file = compile(&engine, &component, None).expect("it compiles");
        assert_eq!(names(&file), None);
        assert_eq!(frame(&load_own(&file).expect("it loads")), "<module>!function 0");
    }
}

#[test]
fn damaged_names_are_refused() {
    let (key, engine) = (key(), engine());
    let trust = Trust::new([key.public()]);
    let mut file = compile(&engine, &trapping("name_that_is_damaged"), Some(&key)).expect("it compiles");
    for at in names(&file).expect("there are names") {
        file[at] ^= 1;
        let error = refused(&file, &trust);
        assert!(
            matches!(&error, ArtifactError::Digest { section } if section == "names"),
            "byte {at}: {error}"
        );
        file[at] ^= 1;
    }
    let table = &sections(&file)
        .into_iter()
        .find(|(kind, _)| matches!(kind, Kind::Names { .. }));
    let table = table.expect("there are names").1;
    let twice = with_sections(&file, &key, &[(Kind::Names { module: 0 }, table)]);
    let error = refused(&twice, &trust).to_string();
    assert!(error.contains("a second section `names`"), "{error}");
    let of_none = with_sections(&file, &key, &[(Kind::Names { module: 1 }, table)]);
    let error = refused(&of_none, &trust).to_string();
    assert!(
        error.contains("names for core module 1, which is missing"),
        "{error}"
    );
}

/// A signer may sign anything.
#[test]
fn signed_names_of_another_module_are_refused() {
    let (key, engine) = (key(), engine());
    let trust = Trust::new([key.public()]);
    let file = compile(&engine, &trapping("name_that_is_replaced"), Some(&key)).expect("it compiles");
    let other = compile(&engine, &trapping("name_of_another"), None).expect("it compiles");
    let other = &other[names(&other).expect("there are names")];
    let found = whole(&file);
    for table in [other, b"", b"\0", &[0xff; 8], &[0xff; 100], &[0; 100]] {
        let mut sections = sections(&file);
        let mut header = found.header.clone();
        for ((kind, bytes), section) in sections.iter_mut().zip(&mut header.sections) {
            if matches!(kind, Kind::Names { .. }) {
                *bytes = table;
                section.bytes = table.len() as u64;
                section.digest = *blake3::hash(table).as_bytes();
            }
        }
        let header = borsh::to_vec(&header).expect("it is written");
        let changed = assemble(&header, Some(key.sign(&header)), &sections);
        let error = refused(&changed, &trust).to_string();
        assert!(error.contains("names are those of another module"), "{error}");
    }
}

#[test]
fn names_of_a_file_that_has_changed_become_numbers() {
    let folder = cache::tests::Folder::new("names");
    let key = key();
    let trust = Trust::new([key.public()]);
    std::fs::create_dir_all(&folder.0).expect("a folder");
    let path = folder.0.join("names.cwasm");
    for engine in engines() {
        // Names of its own for each case: modules with the same names share them.
        let written = |name: &str| {
            let file = compile(&engine, &trapping(name), Some(&key)).expect("it compiles");
            // Not in place: the former file is still in use.
            let fresh = folder.0.join("fresh");
            std::fs::write(&fresh, &file).expect("it can be written");
            std::fs::rename(&fresh, &path).expect("it can be renamed");
            let loaded = open(&path).load(&trust).expect("it loads");
            (file, loaded)
        };
        let (numbers, backend) = ("<module>!function 0", engine.backend());

        let (_, unchanged) = written("name_that_stays");
        assert_eq!(frame(&unchanged), "named!name_that_stays", "{backend}");

        let (file, changed) = written("name_that_changes");
        let place = names(&file).expect("there are names");
        let mut write = OpenOptions::new().write(true).open(&path).expect("ours");
        write.seek(SeekFrom::Start(place.end as u64 - 1)).expect("a file");
        write.write_all(b"S").expect("it can be written");
        assert_eq!(frame(&changed), numbers, "{backend}");
        assert_eq!(frame(&changed), numbers, "{backend}");

        let (file, cut) = written("name_that_is_cut_off");
        let place = names(&file).expect("there are names");
        let write = OpenOptions::new().write(true).open(&path).expect("ours");
        write.set_len(place.end as u64 - 1).expect("it can be cut");
        assert_eq!(frame(&cut), numbers, "{backend}");

        // Another file in its place, and none.
        let (_, replaced) = written("name_that_is_replaced_in_its_folder");
        let (_, removed) = written("name_of_a_file_that_is_gone");
        std::fs::remove_file(&path).expect("it is there");
        assert_eq!(
            frame(&replaced),
            "named!name_that_is_replaced_in_its_folder",
            "{backend}"
        );
        assert_eq!(frame(&removed), "named!name_of_a_file_that_is_gone", "{backend}");
    }
}
