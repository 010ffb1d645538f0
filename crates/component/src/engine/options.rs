//! Options of a compiler, beside the target.

use std::fmt;
use std::str::FromStr;

use super::Backend;
use crate::error::{Error, Result};

/// Amount of work that a compiler puts into its code. Singlepass always does the same work, and has no levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum OptLevel {
    /// As little work as possible.
    None,
    /// The fastest code; the default of Cranelift and LLVM.
    Speed,
    /// Fast code, and smaller where that costs little. Cranelift only.
    SpeedAndSize,
}

impl OptLevel {
    /// Every level.
    pub const ALL: [OptLevel; 3] = [OptLevel::None, OptLevel::Speed, OptLevel::SpeedAndSize];

    /// Returns the name as the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            OptLevel::None => "none",
            OptLevel::Speed => "speed",
            OptLevel::SpeedAndSize => "speed-and-size",
        }
    }

    fn is_known_to(self, backend: Backend) -> bool {
        match backend {
            Backend::Cranelift => true,
            Backend::Llvm => self != OptLevel::SpeedAndSize,
            Backend::Singlepass | Backend::Headless | Backend::Tiered => false,
        }
    }
}

impl fmt::Display for OptLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Error for a name that is not an optimization level's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an optimization level: choose none, speed or speed-and-size")]
pub struct UnknownOptLevel(String);

impl FromStr for OptLevel {
    type Err = UnknownOptLevel;

    fn from_str(name: &str) -> std::result::Result<OptLevel, UnknownOptLevel> {
        OptLevel::ALL
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or_else(|| UnknownOptLevel(name.to_owned()))
    }
}

bitflags::bitflags! {
    /// Parts of the component model's concurrency that components may use.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(crate) struct Concurrent: u8 {
        /// Asynchronous functions, streams and futures.
        const FUNCTIONS = 1;
        /// The built-ins and options that the component model marks 🚝.
        const BUILTINS = 1 << 1;
        /// Asynchronous functions without a callback, marked 🚟.
        const STACKFUL = 1 << 2;
        /// The type `error-context` and its built-ins, marked 📝.
        const ERROR_CONTEXT = 1 << 3;
        /// Cooperative threads, marked 🧵.
        const THREADING = 1 << 4;
    }
}

/// The parts that the standard has without a mark.
impl Default for Concurrent {
    fn default() -> Concurrent {
        Concurrent::FUNCTIONS
    }
}

impl Concurrent {
    /// Returns the parts that differ from the default in the form of [`Options::text`]; empty if none do.
    fn text(self) -> String {
        let names = [
            (Concurrent::FUNCTIONS, "component-model-async"),
            (Concurrent::BUILTINS, "component-model-async-builtins"),
            (Concurrent::STACKFUL, "component-model-async-stackful"),
            (Concurrent::ERROR_CONTEXT, "component-model-error-context"),
            (Concurrent::THREADING, "component-model-threading"),
        ];
        let differing = self.symmetric_difference(Concurrent::default());
        let named = names.iter().filter(|(part, _)| differing.contains(*part));
        let value = |part: &Concurrent| if self.contains(*part) { "yes" } else { "no" };
        named
            .map(|(part, name)| format!(", {name}={}", value(part)))
            .collect()
    }
}

/// The options as given; the backend chooses what is omitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Options {
    pub(super) opt_level: Option<OptLevel>,
    pub(super) canonicalize_nans: bool,
    pub(super) consume_fuel: bool,
    pub(super) concurrent: Concurrent,
}

impl Options {
    /// Checks that the backend has these options.
    ///
    /// # Errors
    /// [`Error::EngineOption`] for an option that the backend lacks.
    pub(super) fn check(self, backend: Backend) -> Result<()> {
        match self.opt_level {
            Some(level) if !level.is_known_to(backend) => Err(Error::EngineOption {
                backend: backend.name().into(),
                option: format!("optimization level `{level}`"),
                hint: levels(backend),
            }),
            _ => Ok(()),
        }
    }

    /// Returns the options that the backend has; it chooses the rest itself.
    pub(super) fn known_to(self, backend: Backend) -> Options {
        Options {
            opt_level: self.opt_level.filter(|level| level.is_known_to(backend)),
            ..self
        }
    }

    /// Returns a text, which differs for options that generate different code, or accept components that others refuse.
    pub(super) fn text(self, backend: Backend) -> String {
        let level = match backend {
            Backend::Cranelift | Backend::Llvm => self.opt_level.unwrap_or(OptLevel::Speed).name(),
            Backend::Singlepass | Backend::Headless | Backend::Tiered => "only",
        };
        // Singlepass canonicalizes whether or not it is asked to: see `Engine::compiler`.
        let canonical = self.canonicalize_nans || backend == Backend::Singlepass;
        format!(
            "opt-level={level}, canonicalize-nans={}{}{}",
            if canonical { "yes" } else { "no" },
            if self.consume_fuel {
                ", consume-fuel=yes"
            } else {
                ""
            },
            self.concurrent.text(),
        )
    }
}

fn levels(backend: Backend) -> String {
    let known: Vec<&str> = OptLevel::ALL
        .into_iter()
        .filter(|level| level.is_known_to(backend))
        .map(OptLevel::name)
        .collect();
    match known.as_slice() {
        [] => "it has no optimization levels: omit the option".to_owned(),
        known => format!("choose {}", known.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_refused_where_a_backend_has_them_not() {
        let with = |level| Options {
            opt_level: Some(level),
            ..Options::default()
        };
        for level in OptLevel::ALL {
            assert_eq!(level.name().parse(), Ok(level));
            assert!(with(level).check(Backend::Cranelift).is_ok());
            let refused = with(level).check(Backend::Singlepass).expect_err("it has none");
            assert!(refused.to_string().contains("omit the option"), "{refused}");
        }
        assert!(with(OptLevel::Speed).check(Backend::Llvm).is_ok());
        let refused = with(OptLevel::SpeedAndSize).check(Backend::Llvm);
        let refused = refused.expect_err("LLVM does not support this level here");
        assert!(refused.to_string().contains("choose none or speed"), "{refused}");
        assert!("fast".parse::<OptLevel>().is_err());
    }

    #[test]
    fn the_text_tells_what_gives_other_code() {
        let plain = Options::default();
        let canonical = Options {
            canonicalize_nans: true,
            ..plain
        };
        let none = Options {
            opt_level: Some(OptLevel::None),
            ..plain
        };
        let metered = Options {
            consume_fuel: true,
            ..plain
        };
        assert_ne!(metered.text(Backend::Llvm), plain.text(Backend::Llvm));
        let concurrent = Options {
            concurrent: Concurrent::BUILTINS | Concurrent::ERROR_CONTEXT,
            ..plain
        };
        assert_eq!(
            concurrent.text(Backend::Cranelift),
            "opt-level=speed, canonicalize-nans=no, component-model-async=no, component-model-async-builtins=yes, \
             component-model-error-context=yes"
        );
        let texts = [plain, canonical, none].map(|options| options.text(Backend::Cranelift));
        assert_eq!(texts[0], "opt-level=speed, canonicalize-nans=no");
        assert!(texts[0] != texts[1] && texts[0] != texts[2] && texts[1] != texts[2]);
        assert_eq!(
            plain.text(Backend::Singlepass),
            canonical.text(Backend::Singlepass)
        );
    }
}
