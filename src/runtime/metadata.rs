//! Limits of a component's metadata, and limits that it states.

use crate::host::ComponentMetadata;
use crate::limits::{EffectiveLimit, LimitSource, Resource};

/// Most bytes of all texts together. The host keeps metadata and returns it to every component that asks: stops one
/// component from filling the memory of all.
const MAX_BYTES: usize = 256 << 10;
/// Most entries of all lists together. Stops a million empty tags.
const MAX_ENTRIES: usize = 4096;

/// Returns the most memory that the component says it uses; `None` if it states none, by 0.
pub(super) fn memory(metadata: &ComponentMetadata) -> Option<EffectiveLimit> {
    let value = metadata.memory_requirements.max_memory_bytes;
    (value != 0).then_some(EffectiveLimit {
        resource: Resource::Memory,
        value,
        source: LimitSource::Metadata,
    })
}

/// Checks only the sizes: custom metadata is for other components.
pub(super) fn check(metadata: &ComponentMetadata) -> Result<(), String> {
    let mut bytes = 0;
    let mut entries = metadata.supported_codecs.len();
    let texts = [
        &metadata.name,
        &metadata.version,
        &metadata.description,
        &metadata.author,
        &metadata.license,
        &metadata.language,
        &metadata.api_version,
    ];
    let options = [&metadata.homepage, &metadata.repository];
    for text in texts.into_iter().chain(options.into_iter().flatten()) {
        bytes += text.len();
    }
    for list in [
        &metadata.required_capabilities,
        &metadata.supported_operations,
        &metadata.tags,
    ] {
        entries += list.len();
        bytes += list.iter().map(String::len).sum::<usize>();
    }
    for (key, value) in metadata.custom_metadata.iter().flatten() {
        entries += 1;
        bytes += key.len() + value.len();
    }
    if bytes > MAX_BYTES {
        return Err(format!(
            "its texts have {bytes} bytes in total, more than the limit of {MAX_BYTES}"
        ));
    }
    if entries > MAX_ENTRIES {
        return Err(format!(
            "its lists have {entries} entries in total, more than the limit of {MAX_ENTRIES}"
        ));
    }
    Ok(())
}
