//! Snapshots: artifacts whose instances begin with the state of another instance.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::error::ArtifactError;
use super::format::{Header, Kind, Section, assemble};
use super::key::SecretKey;
use super::open::Artifact;
use crate::component::{AsContextMut, Instance};
use crate::engine::{SNAPSHOTS, SavedState, describe_with};
use crate::error::UnsavedState;

/// Contents of a snapshot beside those of the artifact that it is made from.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SnapshotOptions<'a> {
    /// Key that signs the snapshot; unsigned without one.
    pub key: Option<&'a SecretKey>,
    /// Record of the host, which [`Component::snapshot_record`](crate::component::Component::snapshot_record) returns.
    pub record: &'a [u8],
}

/// Reasons for which no snapshot is made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The state of the instance cannot be saved.
    #[error(transparent)]
    State(#[from] UnsavedState),
    /// The instance is of a component that was not loaded from this artifact.
    #[error("the instance is not of a component that was loaded from this artifact")]
    OtherArtifact,
    /// The artifact cannot be read any more, or is malformed.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

/// Sections, in their order.
type Contents<'a> = Vec<(Kind, Cow<'a, [u8]>)>;

impl Artifact<'_> {
    /// Returns an artifact with the code of this one, whose instances begin with the state of `instance`: the content of its memories, and
    /// its globals. Start functions do not run in them. `instance` can be called afterwards as before.
    ///
    /// Random numbers that the component has drawn, clocks that it has read, and secrets that it was given are part of the state: all instances
    /// of the snapshot share them, and everyone with access to the file can read them. The state of other components whose functions it imports is not part.
    ///
    /// Linux with the GNU C library, on x86-64 and AArch64.
    ///
    /// # Errors
    /// [`UnsavedState`] for an instance that holds resources, has trapped, or is running, and for components whose state is not in memories and
    /// globals alone; [`SnapshotError::OtherArtifact`]; [`ArtifactError::Changed`] if the file cannot be read any more,
    /// [`ArtifactError::NoSnapshots`] on other systems.
    ///
    /// ```
    /// # extern crate airssys_wasm_component as airssys_wasm;
    /// use airssys_wasm::artifact::{self, Artifact, SecretKey, SnapshotOptions, Trust};
    /// use airssys_wasm::component::{Linker, Store};
    /// use airssys_wasm::engine::{Config, Engine};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::new(&Config::new())?;
    /// let counter = wat::parse_str(
    ///     r#"(component
    ///         (core module $m
    ///             (global $count (mut i32) (i32.const 0))
    ///             (func (export "next") (result i32)
    ///                 (global.set $count (i32.add (global.get $count) (i32.const 1)))
    ///                 (global.get $count)))
    ///         (core instance $i (instantiate $m))
    ///         (func (export "next") (result u32) (canon lift (core func $i "next"))))"#,
    /// )?;
    /// let key = SecretKey::generate()?;
    /// let trust = Trust::new([key.public()]);
    /// let file = artifact::compile(&engine, &counter, Some(&key))?;
    ///
    /// let artifact = Artifact::open(&file)?;
    /// let linker = Linker::new(&engine);
    /// let mut store = Store::new(&engine, ());
    /// let instance = linker.instantiate(&mut store, &artifact.load(&trust)?)?;
    /// let next = instance.get_typed_func::<(), (u32,)>(&mut store, "next")?;
    /// assert_eq!(next.call(&mut store, ())?, (1,));
    /// let mut options = SnapshotOptions::default();
    /// options.key = Some(&key);
    /// let snapshot = artifact.snapshot(&mut store, &instance, &options)?;
    ///
    /// let component = Artifact::open(&snapshot)?.load(&trust)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = linker.instantiate(&mut store, &component)?;
    /// let next = instance.get_typed_func::<(), (u32,)>(&mut store, "next")?;
    /// assert_eq!(next.call(&mut store, ())?, (2,));
    /// # Ok(())
    /// # }
    /// ```
    pub fn snapshot(
        &self,
        store: impl AsContextMut,
        instance: &Instance,
        options: &SnapshotOptions<'_>,
    ) -> Result<Vec<u8>, SnapshotError> {
        if !SNAPSHOTS {
            return Err(ArtifactError::NoSnapshots.into());
        }
        if instance.component().artifact() != Some(self.digest()) {
            return Err(SnapshotError::OtherArtifact);
        }
        let states = instance.save_state(store)?;
        let sections = self.sections_with(&states, options.record)?;
        let sections: Vec<(Kind, &[u8])> = sections.iter().map(|(kind, bytes)| (*kind, &**bytes)).collect();
        let entries = sections.iter().map(|(kind, bytes)| Section {
            kind: *kind,
            bytes: bytes.len() as u64,
            digest: *blake3::hash(bytes).as_bytes(),
        });
        let header = Header {
            sections: entries.collect(),
            ..self.header().clone()
        };
        let header = borsh::to_vec(&header).map_err(|error| ArtifactError::Header(error.to_string()))?;
        let signature = options.key.map(|key| key.sign(&header));
        Ok(assemble(&header, signature, &sections))
    }

    /// Returns the sections of the snapshot, in their order.
    fn sections_with<'a>(
        &'a self,
        states: &'a BTreeMap<u32, SavedState>,
        record: &'a [u8],
    ) -> Result<Contents<'a>, SnapshotError> {
        let mut sections = Vec::new();
        let mut described = 0;
        for (kind, range) in self.sections() {
            let bytes = match kind {
                Kind::Image { module, .. } if states.contains_key(module) => continue,
                Kind::Snapshot => continue,
                _ => self.read(range.clone())?,
            };
            let bytes = match kind {
                Kind::Description { module } => match states.get(module) {
                    Some(state) => {
                        described += 1;
                        let changed = describe_with(&bytes, state).map_err(ArtifactError::Contents)?;
                        Cow::Owned(changed)
                    }
                    None => bytes,
                },
                _ => bytes,
            };
            sections.push((*kind, bytes));
        }
        if described != states.len() {
            let what = "the code of a core module has no description, which snapshots need";
            return Err(ArtifactError::Contents(what.into()).into());
        }
        // Images are between code and names, and not last; the record is beside the header.
        let behind_code = sections.partition_point(|(kind, _)| matches!(kind, Kind::Code { .. }));
        let images = states.iter().filter_map(|(module, state)| {
            let image = state.image()?;
            let kind = Kind::Image {
                module: *module,
                start: image.start,
            };
            Some((kind, Cow::Borrowed(&image.bytes[..])))
        });
        sections.splice(behind_code..behind_code, images);
        let last = sections.len().saturating_sub(1);
        sections.insert(last, (Kind::Snapshot, Cow::Borrowed(record)));
        Ok(sections)
    }
}
