//! `docs/artifact.md`, followed literally: files are parsed by its tables alone, and must match them.

use airssys_wasm_test_support::kind;

use std::fs;
use std::path::{Path, PathBuf};

use airssys_wasm::artifact::{
    ArtifactFile, ArtifactOptions, Cache, CacheConfig, Identity, Records, SecretKey, compile_with,
};
use airssys_wasm::engine::{Backend, Config, Engine};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};

mod description;

use description::follow_description;

const DOCUMENT: &str = include_str!("../../docs/artifact.md");

/// Returns the rows of the table whose first row has these columns.
fn table(columns: &[&str]) -> Vec<Vec<&'static str>> {
    table_after("", columns)
}

/// Returns the rows of the first such table behind `words`.
fn table_after(words: &str, columns: &[&str]) -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| -> Vec<&'static str> {
        line.trim_matches('|').split('|').map(str::trim).collect()
    };
    let behind = DOCUMENT
        .find(words)
        .unwrap_or_else(|| panic!("`{words}` is gone"));
    let mut lines = DOCUMENT[behind..].lines();
    lines
        .find(|line| line.starts_with('|') && cells(line) == columns)
        .unwrap_or_else(|| panic!("no table of {columns:?}"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(cells).collect()
}

/// Returns the number behind `words` in a text.
fn number(text: &str, words: &str) -> usize {
    let behind = text
        .split_once(words)
        .unwrap_or_else(|| panic!("`{words}` is not in `{text}`"))
        .1;
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .unwrap_or_else(|_| panic!("no number behind `{words}` in `{text}`"))
}

/// Returns the bytes in a text's backquotes, written as hexadecimal digits.
fn magic(text: &str) -> Vec<u8> {
    let digits = text.split('`').nth(1).expect("in backquotes");
    digits
        .split(' ')
        .map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal digits"))
        .collect()
}

/// Reader of bytes from the beginning.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(bytes);
        self.0 = rest;
        taken
    }

    fn u8(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("four bytes"))
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().expect("eight bytes"))
    }

    fn string(&mut self) -> String {
        let length = self.u32() as usize;
        String::from_utf8(self.take(length).to_vec()).expect("text")
    }
}

#[derive(Debug, PartialEq)]
enum Field {
    Text(String),
    Texts(Vec<String>),
    Digest(Vec<u8>),
    Number(u64),
    Sections(Vec<Section>),
}

#[derive(Debug, PartialEq)]
struct Section {
    kind: u8,
    /// The fields after the kind, in the table's order.
    more: Vec<u64>,
    bytes: u64,
    digest: Vec<u8>,
}

/// One row of the table of kinds.
struct Kind {
    more: Vec<&'static str>,
    align: usize,
    aligns_next: bool,
}

fn kinds() -> Vec<Kind> {
    let rows = table(&["kind", "what follows", "place", "content"]);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row[0], number.to_string());
    }
    rows.iter()
        .map(|row| Kind {
            more: row[1].split(", ").filter(|word| !word.is_empty()).collect(),
            align: number(row[2], "multiple of "),
            aligns_next: row[2].contains("what follows it too"),
        })
        .collect()
}

fn section(reader: &mut Reader<'_>, kinds: &[Kind]) -> Section {
    let kind = reader.u8();
    let more = &kinds[usize::from(kind)].more;
    let more = more.iter().map(|word| match *word {
        word if word.ends_with(" u8") => reader.u8().into(),
        word if word.ends_with(" u32") => reader.u32().into(),
        word if word.ends_with(" u64") => reader.u64(),
        other => panic!("`{other}` has no type"),
    });
    Section {
        kind,
        more: more.collect(),
        bytes: reader.u64(),
        digest: reader.take(32).to_vec(),
    }
}

fn field(reader: &mut Reader<'_>, ty: &str, kinds: &[Kind]) -> Field {
    match ty {
        "string" => Field::Text(reader.string()),
        "list of strings" => Field::Texts((0..reader.u32()).map(|_| reader.string()).collect()),
        "32 bytes" => Field::Digest(reader.take(32).to_vec()),
        "u64" => Field::Number(reader.u64()),
        "list of (kind, bytes u64, digest 32 bytes)" => {
            let count = reader.u32();
            Field::Sections((0..count).map(|_| section(reader, kinds)).collect())
        }
        other => panic!("the document's type `{other}` is not known here"),
    }
}

/// The digits of RFC 4648's base64url.
const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Checks a table of names; `code` is that of its module. Returns the number of functions that have a name.
fn follow_names(bytes: &[u8], code: &[u8]) -> usize {
    let columns = ["bytes", "what is there"];
    let rows = table(&columns);
    let [count, module, entries, text] = &rows[..] else {
        panic!("{rows:?}")
    };
    assert_eq!((count[0], module[0], text[0]), ("4", "4", "…"));
    let entry = number(entries[0], "") / 2;
    let mut reader = Reader(bytes);
    let functions = reader.u32() as usize;
    let none = (1u64 << number(module[1], "2^")) - 1;
    let module = reader.u32();
    let mut end = if u64::from(module) == none { 0 } else { module };
    let mut indices = Vec::new();
    let mut ends = vec![end];
    for _ in 0..functions {
        assert_eq!(entry, 4);
        indices.push(reader.u32());
        let next = reader.u32();
        assert!(next >= end);
        end = next;
        ends.push(end);
    }
    assert!(indices.is_sorted_by(|one, other| one < other), "{indices:?}");
    assert_eq!(reader.0.len(), end as usize, "the names are all of the text");
    let text = std::str::from_utf8(reader.0).expect("UTF-8");
    let longest = number(DOCUMENT, "A name has at most ");
    let mut start = 0;
    for end in ends {
        let name = &text[start..end as usize];
        assert!(name.chars().count() <= longest, "{name}");
        start = end as usize;
    }
    let bytes_of_key = number(DOCUMENT, "`#` and\nthe first ");
    let mut key = String::from("#");
    for three in blake3::hash(bytes).as_bytes()[..bytes_of_key].chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let digits = [18, 12, 6, 0].map(|shift| BASE64URL[bits >> shift & 63]);
        key.extend(digits.map(char::from));
    }
    let mut parts = code.windows(key.len());
    assert!(parts.any(|part| part == key.as_bytes()), "the code has no key");
    functions
}

/// The form of an artifact.
struct Followed {
    begins_with_elf: bool,
    /// Functions that have a name.
    named: usize,
}

/// Checks an artifact by the document's tables.
fn follow(file: &[u8], component: &[u8], key: Option<&SecretKey>) -> Followed {
    // From the end, as far as the table has fixed sizes.
    let rows = table(&["bytes", "what"]);
    let mut end = file.len();
    let mut back = |what: &str| -> (&[u8], &str) {
        let row = rows
            .iter()
            .find(|row| row[1].starts_with(what))
            .unwrap_or_else(|| panic!("no row of {what}"));
        let size: usize = row[0].parse().expect("a number");
        end -= size;
        (&file[end..end + size], row[1])
    };
    let (found, row) = back("magic");
    let magic = magic(row);
    assert_eq!(found, magic);
    let (found, row) = back("format");
    assert_eq!(Reader(found).u32() as usize, number(row, "format: "));
    let (found, row) = back("length of the header");
    let length = Reader(found).u32() as usize;
    assert!(length <= 1 << number(row, "2^"));
    let (end_digest, _) = back("BLAKE3 digest of all from the header");
    let (signature, _) = back("signature");
    let (public, _) = back("public key");
    let (signed, _) = back("1 if the file is signed");
    let header = &file[end - length..end];
    let sections_end = end - length;
    let (before, after) = (end + 1 + 32 + 64, end + 1 + 32 + 64 + 32);
    let covered = [&file[sections_end..before], &file[after..]].concat();
    assert_eq!(blake3::hash(&covered).as_bytes()[..], *end_digest);
    match key {
        Some(key) => {
            assert_eq!(signed, [1]);
            let public: [u8; 32] = public.try_into().expect("32 bytes");
            let digits: String = public.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digits, key.public().to_string());
            let public = VerifyingKey::from_bytes(&public).expect("a key");
            let signature = Signature::from_slice(signature).expect("64 bytes");
            public.verify(header, &signature).expect("the header's signature");
        }
        None => assert!(signed == [0] && public.iter().chain(signature).all(|byte| *byte == 0)),
    }

    let kinds = kinds();
    let mut reader = Reader(header);
    let mut fields = Vec::new();
    for row in table(&["field", "type", "what"]) {
        fields.push((row[0], field(&mut reader, row[1], &kinds)));
    }
    assert!(reader.0.is_empty(), "the table has every field");
    let get = |name: &str| {
        &fields
            .iter()
            .find(|(field, _)| *field == name)
            .unwrap_or_else(|| panic!("no field `{name}`"))
            .1
    };
    assert_eq!(get("version"), &Field::Text(env!("CARGO_PKG_VERSION").to_owned()));
    assert_eq!(
        get("component"),
        &Field::Digest(blake3::hash(component).as_bytes().to_vec())
    );
    assert_eq!(get("component_bytes"), &Field::Number(component.len() as u64));
    let Field::Texts(cpu) = get("cpu") else {
        panic!("no list")
    };
    assert!(cpu.is_sorted());

    let Field::Sections(sections) = get("sections") else {
        panic!("no list")
    };
    let first = &sections[0];
    let begins_with_elf = first.kind == 1 && first.more[1] == 1;
    let mut at = 0usize;
    if begins_with_elf {
        assert_eq!(file[..4], *b"\x7fELF");
        assert_eq!(file[9..16], magic[1..], "bytes 9 to 15 of the ELF image");
    } else {
        at = 64;
        assert_eq!(file[..8], magic);
        assert!(file[8..64].iter().all(|byte| *byte == 0));
    }
    let mut align_next = 1;
    let (mut code, mut tables, mut descriptions) = (Vec::new(), Vec::new(), Vec::new());
    for section in sections {
        let kind = &kinds[usize::from(section.kind)];
        let start = at.next_multiple_of(kind.align.max(align_next));
        assert!(
            file[at..start].iter().all(|byte| *byte == 0),
            "zeros between sections"
        );
        at = start + usize::try_from(section.bytes).expect("it is in a file");
        let content = &file[start..at];
        assert_eq!(
            blake3::hash(content).as_bytes()[..],
            section.digest,
            "{section:?}"
        );
        assert_eq!(
            section.kind == 1 && section.more[1] == 1,
            content.starts_with(b"\x7fELF"),
            "{section:?}"
        );
        match section.kind {
            1 => code.push((section.more[0], content)),
            5 => tables.push((section.more[0], content)),
            6 => descriptions.push((section.more[0], content)),
            _ => {}
        }
        align_next = if kind.aligns_next { kind.align } else { 1 };
    }
    assert_ne!(
        sections.last().map(|last| last.kind),
        Some(2),
        "the last is no image"
    );
    assert_eq!(at, sections_end, "the header follows the sections");
    let kinds_there: Vec<u8> = sections.iter().map(|section| section.kind).collect();
    assert_eq!(kinds_there.iter().filter(|kind| **kind == 0).count(), 1);
    assert_eq!(
        kinds_there.contains(&3) && kinds_there.contains(&4),
        key.is_some()
    );
    let code_of = |module: &u64| {
        let found: Option<&(u64, &[u8])> = code.iter().find(|(other, _)| other == module);
        found.expect("the module has code").1
    };
    for (module, description) in &descriptions {
        follow_description(description, code_of(module));
    }
    let images = code.iter().filter(|(_, code)| code.starts_with(b"\x7fELF"));
    assert_eq!(images.count(), descriptions.len(), "each image has a description");
    let named = tables
        .iter()
        .map(|(module, names)| follow_names(names, code_of(module)));
    Followed {
        begins_with_elf,
        named: named.sum(),
    }
}

/// Returns the components among the fixtures.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = airssys_wasm_test_support::root().join("tests/fixtures");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("there are fixtures") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let bytes = fs::read(&path).expect("readable");
            if kind::is_component(&bytes) {
                found.push((name, bytes));
            }
        }
    }
    found
}

#[test]
fn artifacts_are_what_the_document_says() {
    let key = SecretKey::generate().expect("random bytes");
    let mut begins = [0, 0];
    let mut named = 0;
    for backend in Backend::available() {
        let mut config = Config::new();
        config.backend(*backend);
        let engine = Engine::new(&config).expect("it is available");
        for (name, component) in fixtures() {
            let mut options = ArtifactOptions::default();
            options.key = Some(&key);
            options.metadata = Some(b"{}");
            options.manifest = Some(b"x = 1\n");
            let signed = compile_with(&engine, &component, &options).expect("it compiles");
            let followed = follow(&signed, &component, Some(&key));
            begins[usize::from(followed.begins_with_elf)] += 1;
            named += followed.named;
            if name == "counter" {
                let plain = compile_with(&engine, &component, &ArtifactOptions::default());
                follow(&plain.expect("it compiles"), &component, None);
            }
        }
    }
    // Code for another architecture is no image.
    let elsewhere = match cfg!(target_arch = "aarch64") {
        true => "x86_64-unknown-linux-gnu",
        false => "aarch64-unknown-linux-gnu",
    };
    let mut config = Config::new();
    config.target(elsewhere.parse().expect("a target"));
    let engine = Engine::new(&config).expect("it is available");
    for (_, component) in fixtures() {
        let file = compile_with(&engine, &component, &ArtifactOptions::default()).expect("it compiles");
        begins[usize::from(follow(&file, &component, None).begins_with_elf)] += 1;
    }
    assert!(begins[0] > 0 && begins[1] > 0, "both beginnings: {begins:?}");
    assert!(named > 0, "no function has a name");
}

/// Returns the folder of one test.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("artifact-document-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

fn artifact() -> (Engine, Vec<u8>, Vec<u8>) {
    let engine = Engine::new(&Config::new()).expect("there is a compiler");
    let component = b"\0asm\x0d\0\x01\0".to_vec();
    let bytes = compile_with(&engine, &component, &ArtifactOptions::default()).expect("it compiles");
    (engine, component, bytes)
}

/// Returns the fields of a record by a table, each with its text, and checks the seal at its end.
fn sealed<'a>(
    bytes: &'a [u8],
    rows: &[Vec<&'static str>],
    key: &[u8],
    context: &str,
) -> Vec<(&'a [u8], String)> {
    let mut reader = Reader(bytes);
    let mut fields = Vec::new();
    for row in rows {
        for size in row[0].split(", ") {
            fields.push((reader.take(size.parse().expect("a number")), row[1].to_owned()));
        }
    }
    assert!(reader.0.is_empty(), "the table has every byte");
    let (seal, text) = fields.last().expect("there are rows");
    assert!(text.contains(&format!("`{context}`")), "{text}");
    let key = blake3::derive_key(context, key);
    let expected = blake3::keyed_hash(&key, &bytes[..bytes.len() - seal.len()]);
    assert_eq!(*seal, expected.as_bytes());
    assert_eq!(fields[0].0, magic(&fields[0].1));
    assert_eq!(
        Reader(fields[1].0).u32() as usize,
        number(&fields[1].1, "format: ")
    );
    fields
}

/// Returns the record in a folder, and the key in it; prints a notice and returns `None` where records are not kept.
fn record(folder: &Path) -> Option<(String, Vec<u8>, Vec<u8>)> {
    let key = fs::read(folder.join("key")).expect("there is a key");
    let names = fs::read_dir(folder).expect("a folder");
    let name = names
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .find(|name| name != "key");
    let Some(name) = name else {
        let required = std::env::var("AIRSSYS_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "verified files are not remembered on this file system: nothing can be checked"
        );
        eprintln!("NOT RUN: verified files are not remembered on this file system");
        return None;
    };
    let bytes = fs::read(folder.join(&name)).expect("readable");
    Some((name, bytes, key))
}

#[cfg(target_os = "linux")]
#[test]
fn records_are_what_the_document_says() {
    use std::os::unix::fs::MetadataExt;
    let folder = scratch("records");
    let file = folder.join("empty.cwasm");
    fs::write(&file, artifact().2).expect("it can be written");
    let records = Records::open(&folder.join("verified")).expect("a folder of ours");
    let open = ArtifactFile::open(&file).expect("it can be read");
    open.verify_once(&records).expect("it verifies");
    let Some((name, bytes, key)) = record(&folder.join("verified")) else {
        return;
    };
    let about = fs::metadata(&file).expect("it is there");
    assert_eq!(name, format!("{:016x}-{:016x}", about.dev(), about.ino()));
    assert_eq!(
        bytes.len(),
        number(DOCUMENT, "A record has "),
        "as many bytes as it says"
    );
    let fields = sealed(
        &bytes,
        &table_after("A record has", &["bytes", "what"]),
        &key,
        "airssys-wasm 2026 records of verified files",
    );
    let numbers: Vec<u64> = fields[2..fields.len() - 2]
        .iter()
        .map(|(bytes, _)| match bytes.len() {
            4 => Reader(bytes).u32().into(),
            _ => Reader(bytes).u64(),
        })
        .collect();
    let unsigned = |time: i64| u64::try_from(time).expect("after 1970");
    assert_eq!(
        numbers,
        [
            about.dev(),
            about.ino(),
            about.size(),
            unsigned(about.mtime()),
            unsigned(about.mtime_nsec()),
            unsigned(about.ctime()),
            unsigned(about.ctime_nsec()),
            about.uid().into(),
            about.mode().into(),
        ]
    );
    Identity::protected(open.file()).expect("the file is one that can be remembered");
}

#[cfg(target_os = "linux")]
#[test]
fn entries_of_the_cache_are_what_the_document_says() {
    let folder = scratch("cache");
    let (engine, component, bytes) = artifact();
    let cache = Cache::open(CacheConfig::new(folder.join("cache"))).expect("a folder of ours");
    let key = airssys_wasm::artifact::cache_key(&component, engine.description().as_bytes());
    cache.put(&key, &bytes);
    let only = |name: &str| {
        let mut names = fs::read_dir(folder.join("cache").join(name)).expect("a folder");
        let path = names.next().expect("one").expect("readable").path();
        assert!(names.next().is_none(), "one in {name}");
        path
    };
    let file = only("files");
    assert_eq!(
        file.file_name().expect("a name").to_string_lossy(),
        format!("{}.cwasm", blake3::hash(&bytes).to_hex())
    );
    assert_eq!(fs::read(&file).expect("readable"), bytes);
    let entry = only("entries");
    let entry_name = entry.file_name().expect("a name").to_string_lossy().into_owned();
    let entry = fs::read(&entry).expect("readable");
    assert_eq!(entry.len(), number(DOCUMENT, "An entry has "));
    let user_key = fs::read(folder.join("cache/verified/key")).expect("there is a key");
    let fields = sealed(
        &entry,
        &table_after("An entry has", &["bytes", "what"]),
        &user_key,
        "airssys-wasm 2026 entries of the cache",
    );
    let digits: String = fields[2].0.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, entry_name);
    assert_eq!(fields[3].0, blake3::hash(&bytes).as_bytes());
    assert_eq!(Reader(fields[4].0).u64(), bytes.len() as u64);
}
