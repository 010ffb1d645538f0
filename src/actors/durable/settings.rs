//! Settings of durable actors.

use airssys_wasm_store::{ConfigurationBounds, Store};

use crate::host::{MAX_KEY_BYTES, MAX_SETTINGS, MAX_SETTINGS_BYTES, MAX_VALUE_BYTES, SavedSettings};
use crate::messaging::ComponentId;

/// The settings in a store.
#[derive(Debug)]
pub(super) struct StoreSettings(pub(super) Store);

impl SavedSettings for StoreSettings {
    fn load(&self, id: &ComponentId) -> Result<Vec<(String, String)>, String> {
        let values = self
            .0
            .configuration(id.as_str())
            .map_err(|error| error.to_string())?;
        let text = |(key, value): (String, Vec<u8>)| match String::from_utf8(value) {
            Ok(value) => Ok((key, value)),
            Err(_) => Err(format!("the value of `{key}` in the store is not UTF-8")),
        };
        values.into_iter().map(text).collect()
    }

    fn save(&self, id: &ComponentId, key: &str, value: &str) -> Result<(), String> {
        let bounds =
            ConfigurationBounds::new(MAX_SETTINGS, MAX_KEY_BYTES, MAX_VALUE_BYTES, MAX_SETTINGS_BYTES);
        let saved = self
            .0
            .blocking()
            .set(id.as_str(), key, value.as_bytes().to_vec(), bounds);
        saved.map_err(|error| error.to_string())
    }
}
