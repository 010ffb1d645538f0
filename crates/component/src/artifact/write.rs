//! Creation of artifacts.

use super::error::ArtifactError;
use super::format::{Header, Kind, Section, assemble, mark};
use super::key::SecretKey;
use crate::component::Precompiled;
use crate::engine::Engine;

/// Contents of an artifact beside the compiled component.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ArtifactOptions<'a> {
    /// Key that signs the artifact; unsigned without one.
    pub key: Option<&'a SecretKey>,
    /// The component's metadata, in JSON.
    pub metadata: Option<&'a [u8]>,
    /// The component's manifest.
    pub manifest: Option<&'a [u8]>,
}

/// Compiles a component for the engine's target, and signs the artifact if there is a key.
///
/// # Errors
/// As [`Component::from_binary`](crate::component::Component::from_binary); another target is not an error.
pub fn compile(engine: &Engine, component: &[u8], key: Option<&SecretKey>) -> Result<Vec<u8>, ArtifactError> {
    let options = ArtifactOptions {
        key,
        ..ArtifactOptions::default()
    };
    compile_with(engine, component, &options)
}

impl Engine {
    /// Compiles a component into an unsigned artifact for the engine's target. [`compile`] signs it, too.
    ///
    /// # Errors
    /// As [`compile`].
    pub fn precompile_component(&self, bytes: &[u8]) -> Result<Vec<u8>, ArtifactError> {
        compile(self, bytes, None)
    }
}

/// As [`compile`], with further contents.
///
/// # Errors
/// As [`compile`].
pub fn compile_with(
    engine: &Engine,
    component: &[u8],
    options: &ArtifactOptions<'_>,
) -> Result<Vec<u8>, ArtifactError> {
    Unfinished::compile(engine, component)?.finish(options)
}

/// A compiled component, before the rest of the artifact is known.
pub struct Unfinished<'a> {
    engine: &'a Engine,
    component: &'a [u8],
    compiled: Precompiled,
    /// The module whose code begins the file.
    first: Option<usize>,
}

impl std::fmt::Debug for Unfinished<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unfinished").finish_non_exhaustive()
    }
}

impl<'a> Unfinished<'a> {
    /// Compiles a component for the engine's target.
    ///
    /// # Errors
    /// As [`compile`].
    pub fn compile(engine: &'a Engine, component: &'a [u8]) -> Result<Unfinished<'a>, ArtifactError> {
        let mut compiled = Precompiled::compile(engine, component)?;
        // The largest module's code begins the file, where tools for ELF files look for it.
        let modules = &mut compiled.modules;
        let first =
            (0..modules.len()).max_by_key(|index| modules.get(*index).map_or(0, |module| module.code.len()));
        if let Some(module) = first.and_then(|first| modules.get_mut(first)) {
            mark(&mut module.code);
        }
        for module in modules {
            if let Some(description) = &mut module.description {
                // A description fits one image.
                let image = blake3::hash(&module.code);
                description.splice(..0, *image.as_bytes());
            }
        }
        Ok(Unfinished {
            engine,
            component,
            compiled,
            first,
        })
    }

    /// Returns the artifact's bytes. May be called more than once, with other options.
    ///
    /// # Errors
    /// [`ArtifactError::Header`] if it has more sections than an artifact can have.
    pub fn finish(&self, options: &ArtifactOptions<'_>) -> Result<Vec<u8>, ArtifactError> {
        finish(self, options)
    }
}

fn finish(unfinished: &Unfinished<'_>, options: &ArtifactOptions<'_>) -> Result<Vec<u8>, ArtifactError> {
    let Unfinished {
        engine,
        component,
        compiled: Precompiled { translated, modules },
        first,
    } = unfinished;
    let mut code: Vec<(Kind, &[u8])> = Vec::new();
    let mut images: Vec<(Kind, &[u8])> = Vec::new();
    let mut names: Vec<(Kind, &[u8])> = Vec::new();
    let mut descriptions: Vec<(Kind, &[u8])> = Vec::new();
    for (index, compiled) in (0u32..).zip(modules) {
        let kind = Kind::Code {
            module: index,
            elf: compiled.elf,
        };
        let section = (kind, &compiled.code[..]);
        match first.and_then(|first| u32::try_from(first).ok()) == Some(index) {
            true => code.insert(0, section),
            false => code.push(section),
        }
        if let Some(image) = &compiled.image {
            let kind = Kind::Image {
                module: index,
                start: image.start,
            };
            images.push((kind, &image.bytes));
        }
        if let Some(description) = &compiled.description {
            descriptions.push((Kind::Description { module: index }, description));
        }
        if let Some(table) = &compiled.names {
            names.push((Kind::Names { module: index }, table));
        }
    }
    let mut sections = code;
    sections.extend(images);
    sections.extend(names);
    sections.extend(descriptions);
    // Last, beside the header: one read has both.
    sections.extend(options.metadata.map(|bytes| (Kind::Metadata, bytes)));
    sections.extend(options.manifest.map(|bytes| (Kind::Manifest, bytes)));
    sections.push((Kind::Translated, translated));
    let entries = sections.iter().map(|(kind, bytes)| Section {
        kind: *kind,
        bytes: bytes.len() as u64,
        digest: *blake3::hash(bytes).as_bytes(),
    });
    let header = Header::new(engine, component, entries.collect());
    let header = borsh::to_vec(&header).map_err(|error| ArtifactError::Header(error.to_string()))?;
    let signature = options.key.map(|key| key.sign(&header));
    Ok(assemble(&header, signature, &sections))
}
