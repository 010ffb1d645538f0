//! One component's settings, behind `get-config` and `set-config`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::ConfigError;
use crate::messaging::ComponentId;
use crate::security::Secret;
use airssys_wasm_component::internal::text::sanitize;

/// Maximum bytes of a key. Stops payloads disguised as keys.
pub const MAX_KEY_BYTES: usize = 256;
/// Maximum bytes of a value. Stops a guest from keeping its data in the host's memory.
pub const MAX_VALUE_BYTES: usize = 64 << 10;
/// Maximum number of settings of one component. Stops a loop that adds settings forever.
pub const MAX_SETTINGS: usize = 1024;
/// Maximum bytes of all keys and values of one component. Stops a thousand settings of the largest size.
pub const MAX_SETTINGS_BYTES: usize = 1 << 20;

/// Settings of components that outlast the process.
pub trait SavedSettings: fmt::Debug + Send + Sync {
    /// Returns the keys and values that the component set.
    ///
    /// # Errors
    /// A text, if they cannot be read.
    fn load(&self, id: &ComponentId) -> Result<Vec<(String, String)>, String>;

    /// Saves a value. It is durable when this returns.
    ///
    /// # Errors
    /// A text, if it was not saved.
    fn save(&self, id: &ComponentId, key: &str, value: &str) -> Result<(), String>;
}

/// Key-value pairs of one component, bounded in number and size.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    entries: BTreeMap<String, Setting>,
    bytes: usize,
    saved: Option<(Arc<dyn SavedSettings>, ComponentId)>,
}

#[derive(Clone)]
struct Setting {
    value: String,
    fixed: bool,
    secret: bool,
    /// Set by the component.
    own: bool,
}

/// The party that sets a value.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Component,
    Host { fixed: bool, secret: bool },
}

/// Hides the value of a secret.
impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = Secret::new(());
        let value: &dyn fmt::Debug = if self.secret { &hidden } else { &self.value };
        f.debug_struct("Setting")
            .field("value", value)
            .field("fixed", &self.fixed)
            .finish()
    }
}

impl Settings {
    /// Returns the value under `key`; `None` if there is none.
    ///
    /// # Errors
    /// [`ConfigError::InvalidKey`].
    pub fn get(&self, key: &str) -> Result<Option<&str>, ConfigError> {
        check_key(key)?;
        Ok(self.entries.get(key).map(|setting| setting.value.as_str()))
    }

    /// Changes or adds a setting on behalf of the component.
    ///
    /// # Errors
    /// [`ConfigError::InvalidKey`]; [`ConfigError::ReadOnly`] for one that the host has fixed;
    /// [`ConfigError::Unavailable`] if the value is too long or there is no room.
    pub fn set(&mut self, key: &str, value: String) -> Result<(), ConfigError> {
        check_key(key)?;
        if self.entries.get(key).is_some_and(|setting| setting.fixed) {
            return Err(ConfigError::ReadOnly(key.to_owned()));
        }
        self.check_room(key, &value)?;
        if let Some((saved, id)) = &self.saved {
            saved.save(id, key, &value).map_err(ConfigError::Unavailable)?;
        }
        self.insert(key, value, Origin::Component)
    }

    /// Returns the keys and values that the host has set, without secrets.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        let given = self.entries.iter();
        let given = given.filter(|(_, setting)| !setting.own && !setting.secret);
        given.map(|(key, setting)| (key.as_str(), setting.value.as_str()))
    }

    /// Returns the keys of the settings that the component has set.
    pub(crate) fn own(&self) -> impl Iterator<Item = &str> {
        let own = self.entries.iter().filter(|(_, setting)| setting.own);
        own.map(|(key, _)| key.as_str())
    }

    /// Saves what the component sets from now on, and reads what it set before.
    ///
    /// # Errors
    /// A text, if that cannot be read.
    pub(crate) fn save_in(&mut self, saved: Arc<dyn SavedSettings>, id: &ComponentId) -> Result<(), String> {
        self.saved = Some((saved, id.clone()));
        self.read_saved()
    }

    /// Reads what the component set before, if it is saved. Settings that the host has fixed stay.
    ///
    /// # Errors
    /// A text, if it cannot be read.
    pub(crate) fn read_saved(&mut self) -> Result<(), String> {
        let Some((saved, id)) = &self.saved else {
            return Ok(());
        };
        for (key, value) in saved.load(id)? {
            if self.entries.get(&key).is_none_or(|setting| !setting.fixed) {
                let inserted = self.insert(&key, value, Origin::Component);
                inserted.map_err(|error| format!("the setting `{key}`: {error}"))?;
            }
        }
        Ok(())
    }

    /// Sets a value on behalf of the host; `fixed` prevents the component from changing it.
    ///
    /// # Errors
    /// As [`Settings::set`], without [`ConfigError::ReadOnly`].
    pub fn define(&mut self, key: &str, value: String, fixed: bool) -> Result<(), ConfigError> {
        check_key(key)?;
        self.insert(key, value, Origin::Host { fixed, secret: false })
    }

    /// Sets a value that the component cannot change, and that `Debug` hides.
    ///
    /// # Errors
    /// As [`Settings::define`].
    pub fn define_secret(&mut self, key: &str, value: String) -> Result<(), ConfigError> {
        check_key(key)?;
        self.insert(
            key,
            value,
            Origin::Host {
                fixed: true,
                secret: true,
            },
        )
    }

    fn insert(&mut self, key: &str, value: String, origin: Origin) -> Result<(), ConfigError> {
        self.bytes = self.check_room(key, &value)?;
        let (fixed, secret, own) = match origin {
            Origin::Component => (false, false, true),
            Origin::Host { fixed, secret } => (fixed, secret, false),
        };
        let setting = Setting {
            value,
            fixed,
            secret,
            own,
        };
        self.entries.insert(key.to_owned(), setting);
        Ok(())
    }

    /// Returns the bytes of all settings with this one.
    fn check_room(&self, key: &str, value: &str) -> Result<usize, ConfigError> {
        let no_room = |what: String| Err(ConfigError::Unavailable(what));
        if value.len() > MAX_VALUE_BYTES {
            return no_room(format!(
                "the value has {} bytes, more than the limit of {MAX_VALUE_BYTES}",
                value.len()
            ));
        }
        let old = match self.entries.get(key) {
            Some(old) => key.len() + old.value.len(),
            None if self.entries.len() >= MAX_SETTINGS => {
                return no_room(format!("a component has at most {MAX_SETTINGS} settings"));
            }
            None => 0,
        };
        let bytes = self.bytes - old + key.len() + value.len();
        if bytes > MAX_SETTINGS_BYTES {
            return no_room(format!(
                "a component's settings have at most {MAX_SETTINGS_BYTES} bytes"
            ));
        }
        Ok(bytes)
    }
}

fn check_key(key: &str) -> Result<(), ConfigError> {
    let problem = if key.is_empty() {
        "the key is empty".to_owned()
    } else if key.len() > MAX_KEY_BYTES {
        format!(
            "the key has {} bytes, more than the limit of {MAX_KEY_BYTES}",
            key.len()
        )
    } else if key.contains(char::is_control) {
        format!(
            "the key `{}` has a control character",
            sanitize(key, MAX_KEY_BYTES)
        )
    } else {
        return Ok(());
    };
    Err(ConfigError::InvalidKey(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked() {
        let mut settings = Settings::default();
        for key in ["", "a\nb", &"k".repeat(MAX_KEY_BYTES + 1)] {
            assert!(matches!(settings.get(key), Err(ConfigError::InvalidKey(_))));
            assert!(matches!(
                settings.set(key, String::new()),
                Err(ConfigError::InvalidKey(_))
            ));
        }
        assert_eq!(settings.get("absent"), Ok(None));
        settings.set(&"k".repeat(MAX_KEY_BYTES), "v".into()).unwrap();
    }

    #[test]
    fn a_fixed_setting_stays() {
        let mut settings = Settings::default();
        settings.define("fixed", "1".into(), true).unwrap();
        settings.define("free", "1".into(), false).unwrap();
        assert_eq!(
            settings.set("fixed", "2".into()),
            Err(ConfigError::ReadOnly("fixed".into()))
        );
        settings.set("free", "2".into()).unwrap();
        assert_eq!(settings.get("fixed"), Ok(Some("1")));
        assert_eq!(settings.get("free"), Ok(Some("2")));
    }

    #[test]
    fn a_secret_is_read_but_neither_changed_nor_shown() {
        let mut settings = Settings::default();
        settings.define_secret("token", "hunter2".into()).unwrap();
        settings.define("step", "visible".into(), false).unwrap();
        assert_eq!(settings.get("token"), Ok(Some("hunter2")));
        assert!(settings.set("token", String::new()).is_err());
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hunter2") && shown.contains("visible"), "{shown}");
    }

    #[test]
    fn room_is_bounded_in_number_and_bytes() {
        let mut settings = Settings::default();
        let refused = |result| matches!(result, Err(ConfigError::Unavailable(_)));
        assert!(refused(settings.set("k", "v".repeat(MAX_VALUE_BYTES + 1))));
        for key in 0..MAX_SETTINGS {
            settings.set(&key.to_string(), String::new()).unwrap();
        }
        assert!(refused(settings.set("one more", String::new())));
        let mut taken = 0;
        while settings
            .set(&taken.to_string(), "v".repeat(MAX_VALUE_BYTES))
            .is_ok()
        {
            taken += 1;
        }
        assert_eq!(taken, MAX_SETTINGS_BYTES / MAX_VALUE_BYTES - 1);
        // A replaced value makes room.
        settings.set("0", String::new()).unwrap();
        settings
            .set(&taken.to_string(), "v".repeat(MAX_VALUE_BYTES))
            .unwrap();
    }
}
