//! Descriptions of images, whole and damaged, and images in memory.
#![allow(unsafe_code, reason = "trusts code that the tests have just compiled")]

use super::*;
use crate::engine::run::instance::Base;
use crate::engine::{Backend, CodeForm, CodeSource, Config, Engine};

/// A module with an import, exports, a table that is only called through, a memory, and data.
const MODULE: &str = r#"(module
    (import "m" "f" (func $f (param i32) (result i32)))
    (type $t (func (param i32) (result i32)))
    (memory (export "memory") 1)
    (global (export "g") (mut i32) (i32.const 3))
    (table 3 3 funcref)
    (elem (i32.const 0) $f $double)
    (data (i32.const 8) "text")
    (data $passive "passive")
    (func $double (type $t) (i32.mul (local.get 0) (i32.const 2)))
    (func (export "call") (param i32 i32) (result i32)
        (call_indirect (type $t) (local.get 0) (local.get 1)))
    (func (export "init") (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 7)))
    (func (export "fail") unreachable))"#;

fn engines() -> Vec<Engine> {
    let engines = Backend::available().iter();
    engines
        .map(|backend| Engine::new(Config::new().backend(*backend)).expect("it is available"))
        .collect()
}

/// Compiles a module; returns its image, and the description behind the image's digest.
fn compiled(engine: &Engine, text: &str) -> (Vec<u8>, Vec<u8>) {
    let bytes = wat::parse_str(text).expect("the text parses");
    let compiler = engine.compiler(CodeForm::Elf).expect("it compiles");
    let module = wasmer::Module::from_binary(&compiler, &bytes).expect("it compiles");
    let image = code::save(&module).expect("it is saved");
    let description = describe(&module, &image).expect("it is known");
    let digest = blake3::hash(&image);
    let saved = [&digest.as_bytes()[..], &description].concat();
    (image, saved)
}

/// Reads a description, and plans instances of code that is nowhere.
fn read_of(image: &[u8], saved: &[u8]) -> Result<Layout, String> {
    let digest = *blake3::hash(image).as_bytes();
    let Described {
        layout, plan, data, ..
    } = read(saved, &digest, image.len() as u64, 4096)?;
    // SAFETY: no instance is made.
    let plan = unsafe { plan.at_base(Base::new(std::ptr::null()), data) };
    assert!(plan.sizes().len() <= plan.info().tables.len());
    for (name, _) in plan.exports().iter() {
        assert!(!name.contains('\0') || saved.contains(&0));
    }
    Ok(layout)
}

#[test]
fn an_image_is_described_whole() {
    for engine in engines() {
        let (image, saved) = compiled(&engine, MODULE);
        let layout = read_of(&image, &saved).expect("it is as it was written");
        assert_eq!(layout.count, 4);
        assert!(!layout.functions.is_empty() && !layout.unwind.is_empty());
        assert!(layout.segments.len() >= 2, "{layout:?}");
    }
}

#[test]
fn a_description_of_another_image_is_refused() {
    for engine in engines() {
        let (image, saved) = compiled(&engine, MODULE);
        let (other, _) = compiled(&engine, "(module (func (export \"run\")))");
        let error = read_of(&other, &saved).expect_err("it is of the first");
        assert_eq!(error, "its description is that of another image");
        let cut = &image[..image.len() - 1];
        assert!(read_of(cut, &saved).is_err());
        for length in 0..saved.len() {
            assert!(read_of(&image, &saved[..length]).is_err(), "{length} bytes");
        }
        let longer = [&saved[..], b"\0"].concat();
        assert!(read_of(&image, &longer).is_err());
    }
}

// A signer may sign anything.
#[test]
fn altered_descriptions_are_read_without_a_panic() {
    let engine = engines().remove(0);
    let (image, saved) = compiled(&engine, MODULE);
    let (mut read, mut refused) = (0, 0);
    let mut look = |bytes: &[u8]| match read_of(&image, bytes) {
        Ok(layout) => {
            let end = layout.segments.last().map_or(0, |last| last.range().end);
            assert!(end < 1 << 32);
            read += 1;
        }
        Err(_) => refused += 1,
    };
    for at in 32..saved.len() {
        let mut changed = saved.clone();
        for bits in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            changed[at] = saved[at] ^ bits;
            look(&changed);
        }
    }
    for at in 32..saved.len() - 7 {
        for value in [0, 1, u64::MAX, 1 << 31, 1 << 32, 0x7fff_ffff_ffff_ffff] {
            let mut changed = saved.clone();
            changed[at..at + 8].copy_from_slice(&value.to_le_bytes());
            look(&changed);
            let mut changed = saved.clone();
            changed[at..at + 4].copy_from_slice(&value.to_le_bytes()[..4]);
            look(&changed);
        }
    }
    println!("{read} read, {refused} refused");
    // Most of a description are numbers of which many are possible.
    assert!(refused > 5000 && read > 5000, "{read} read, {refused} refused");
}

fn description(bytes: &[u8], image: [u8; 32]) -> SavedDescription<'_> {
    let bytes = bytes.into();
    SavedDescription { bytes, image }
}

/// Loads an image, from memory or from a file in which it begins at this offset.
fn loaded(image: &[u8], saved: &[u8], begins: Option<u64>) -> Arc<MappedCode> {
    use std::io::{Seek, SeekFrom, Write};
    let source = match begins {
        None => CodeSource::Bytes(image.into()),
        Some(begins) => {
            let name = format!("airssys-image-{}-{begins}-{}", std::process::id(), image.len());
            let path = std::env::temp_dir().join(name);
            let mut file = std::fs::File::options()
                .create_new(true)
                .read(true)
                .write(true)
                .open(&path)
                .expect("a file");
            std::fs::remove_file(&path).expect("it is there");
            file.seek(SeekFrom::Start(begins)).expect("a file");
            file.write_all(image).expect("it is written");
            CodeSource::File {
                file: Arc::new(file),
                begins,
                length: image.len() as u64,
            }
        }
    };
    // SAFETY: the engine has just made it.
    let code = unsafe { TrustedCode::new(source, Some(description(saved, *blake3::hash(image).as_bytes()))) };
    MappedCode::load(code).expect("it loads")
}

/// Returns the rights of all mappings of this process that an image has pages in, as the system shows them.
#[cfg(target_os = "linux")]
fn rights(code: &MappedCode) -> Vec<String> {
    let start = code._map.base().addr();
    let end = start + code._map.size();
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the system tells");
    let lines = maps.lines().filter_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let from = usize::from_str_radix(from, 16).ok()?;
        let to = usize::from_str_radix(to, 16).ok()?;
        (from < end && to > start).then(|| rest[..3].to_owned())
    });
    lines.collect()
}

#[cfg(target_os = "linux")]
#[test]
fn no_page_of_an_image_is_writable() {
    for engine in engines() {
        let (image, saved) = compiled(&engine, MODULE);
        // Mapped, and copied since the offset is none of a page.
        for begins in [None, Some(0), Some(8192), Some(64)] {
            let code = loaded(&image, &saved, begins);
            let rights = rights(&code);
            assert!(rights.iter().any(|rights| rights == "r-x"), "{rights:?}");
            assert!(rights.iter().all(|rights| !rights.contains('w')), "{rights:?}");
        }
    }
}

#[test]
fn the_engine_has_the_whole_module_when_a_library_asks_for_it() {
    for engine in engines() {
        let (image, saved) = compiled(&engine, MODULE);
        for begins in [None, Some(0), Some(4096)] {
            let code = loaded(&image, &saved, begins);
            let whole = code.whole().expect("the engine loads it");
            assert!(whole.info().functions.len() >= code.plan().info().functions.len());
            let exports: std::collections::BTreeMap<&str, _> = code.plan().exports().iter().collect();
            let all = whole
                .info()
                .exports
                .iter()
                .map(|(name, export)| (name.as_str(), *export));
            assert_eq!(exports, all.collect());
        }
    }
}

#[test]
fn frames_are_registered_once_and_with_their_digest() {
    for engine in engines() {
        let (image, saved) = compiled(&engine, MODULE);
        let code = loaded(&image, &saved, Some(4096));
        assert!(!code.frames.is_registered());
        let functions = code.functions().expect("it has some");
        for address in [functions.start, functions.end] {
            assert!(frames::register_at(address) && code.frames.is_registered());
        }
        drop(code);
        assert!(frames::register_at(functions.start), "no image is there now");

        let mut other = saved.clone();
        other[..32].fill(7);
        // SAFETY: the engine has just made it.
        let changed = unsafe {
            TrustedCode::new(
                CodeSource::Bytes(image.into()),
                Some(description(&other, [7; 32])),
            )
        };
        let code = MappedCode::load(changed).expect("it loads");
        let functions = code.functions().expect("it has some");
        assert!(!frames::register_at(functions.start) && !code.frames.is_registered());
    }
}
