//! Errors of a backend: features that it does not compile, and targets that it does not support.

use std::fmt;

/// A WebAssembly feature that one backend lacks and another has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendFeature {
    /// The backend's name.
    pub backend: String,
    /// The feature: `simd`.
    pub feature: String,
    /// The function, type or import that uses it.
    pub place: String,
    /// The backends of this build that have it.
    pub available: Vec<String>,
    /// The backends of other builds that have it.
    pub elsewhere: Vec<String>,
}

impl fmt::Display for BackendFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (backend, feature, place) = (&self.backend, &self.feature, &self.place);
        write!(f, "{backend} does not compile {feature}, which {place} uses: ")?;
        match &self.available[..] {
            [] => f.write_str("no backend of this build does")?,
            backends => write!(f, "choose a backend that does: {}", backends.join(" or "))?,
        }
        for backend in &self.elsewhere {
            write!(f, "; {backend} does, in a build with `--features {backend}`")?;
        }
        Ok(())
    }
}

impl std::error::Error for BackendFeature {}

/// Reasons for which a target is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The text is not a target triple.
    #[error(
        "`{0}` is not a target triple: write ARCHITECTURE-VENDOR-SYSTEM-ENVIRONMENT, as in x86_64-unknown-linux-gnu"
    )]
    Triple(String),
    /// No compiler here generates code for it.
    #[error(
        "unsupported target `{0}`: the compilers support x86_64 and aarch64 Linux, as in aarch64-unknown-linux-gnu"
    )]
    Unsupported(String),
    /// The processor feature is unknown, or belongs to another architecture.
    #[error("unknown processor feature `{name}` for {architecture}: the compilers support {}", known.join(", "))]
    Feature {
        /// The requested name.
        name: String,
        /// The target's architecture.
        architecture: &'static str,
        /// The known features.
        known: Vec<&'static str>,
    },
    /// The backend requires a processor feature that the target lacks.
    #[error("{backend} requires {needs} on this architecture: add it to the features")]
    TooOld {
        /// The backend's name.
        backend: &'static str,
        /// The required feature.
        needs: &'static str,
    },
}
