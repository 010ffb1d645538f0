//! Compilation targets: a target triple, and features of the processor.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use wasmer::sys::{Architecture, CpuFeature, OperatingSystem, Triple};

use super::Backend;
pub use crate::error::TargetError;

/// The kind of machine that code is compiled for.
///
/// ```
/// # extern crate airssys_wasm_component as airssys_wasm;
/// use airssys_wasm::engine::Target;
///
/// let target: Target = "x86_64-unknown-linux-gnu".parse()?;
/// let target = target.with_features("avx2,bmi")?;
/// assert_eq!(target.features().collect::<Vec<_>>(), ["avx2", "bmi", "sse2"]);
/// assert!("pdp11-unknown-unix".parse::<Target>().is_err());
/// # Ok::<(), airssys_wasm::engine::TargetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    triple: Triple,
    /// Names, sorted.
    features: BTreeSet<&'static str>,
}

/// Features: the command line's name of each, and the engine's value.
const X86_64: [(&str, CpuFeature); 15] = [
    ("avx", CpuFeature::AVX),
    ("avx2", CpuFeature::AVX2),
    ("avx512dq", CpuFeature::AVX512DQ),
    ("avx512f", CpuFeature::AVX512F),
    ("avx512vl", CpuFeature::AVX512VL),
    ("bmi", CpuFeature::BMI1),
    ("bmi2", CpuFeature::BMI2),
    ("fma", CpuFeature::FMA),
    ("lzcnt", CpuFeature::LZCNT),
    ("popcnt", CpuFeature::POPCNT),
    ("sse2", CpuFeature::SSE2),
    ("sse3", CpuFeature::SSE3),
    ("sse4.1", CpuFeature::SSE41),
    ("sse4.2", CpuFeature::SSE42),
    ("ssse3", CpuFeature::SSSE3),
];

const AARCH64: [(&str, CpuFeature); 1] = [("neon", CpuFeature::NEON)];

impl Target {
    /// Returns the machine that this process runs on, with all features of its processor.
    pub fn host() -> Target {
        let triple = Triple::host();
        let here = CpuFeature::for_host();
        let features = known(&triple)
            .iter()
            .filter(|(_, feature)| here.contains(*feature))
            .map(|(name, _)| *name)
            .collect();
        Target { triple, features }
    }

    /// As [`Target::host`], found out once.
    pub(in crate::engine) fn shared_host() -> Arc<Target> {
        static HOST: OnceLock<Arc<Target>> = OnceLock::new();
        HOST.get_or_init(|| Arc::new(Target::host())).clone()
    }

    /// Returns the same kind of machine with these processor features, separated by commas, and with those that
    /// every processor of its architecture has. An empty text adds none.
    ///
    /// # Errors
    /// [`TargetError::Feature`].
    pub fn with_features(self, names: &str) -> Result<Target, TargetError> {
        let known = known(&self.triple);
        let mut features = baseline(&self.triple);
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let found = known.iter().find(|(known, _)| *known == name);
            let (name, _) = found.ok_or_else(|| TargetError::Feature {
                name: name.to_owned(),
                architecture: architecture(&self.triple),
                known: known.iter().map(|(name, _)| *name).collect(),
            })?;
            features.insert(name);
        }
        Ok(Target {
            triple: self.triple,
            features,
        })
    }

    /// Returns the target triple.
    pub fn triple(&self) -> String {
        self.triple.to_string()
    }

    /// Returns the processor features that the code may use, sorted by name.
    pub fn features(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.features.iter().copied()
    }

    /// Reports whether code for the target runs on this machine.
    pub fn runs_here(&self) -> bool {
        let host = Target::host();
        self.triple == host.triple && self.features.is_subset(&host.features)
    }

    /// Reports whether this machine has the target's architecture.
    pub(crate) fn is_of_host_architecture(&self) -> bool {
        self.triple.architecture == Triple::host().architecture
    }

    /// Checks that the backend compiles for the target.
    ///
    /// # Errors
    /// [`TargetError::Unsupported`], [`TargetError::TooOld`].
    pub(super) fn check(&self, backend: Backend) -> Result<(), TargetError> {
        if known(&self.triple).is_empty() {
            return Err(TargetError::Unsupported(self.triple.to_string()));
        }
        // Singlepass accepts processors with SSE 4.2 alone, too, but then miscomputes floats (`tests/library/targets.rs`).
        if backend == Backend::Singlepass
            && self.triple.architecture == Architecture::X86_64
            && !self.features.contains("avx")
        {
            return Err(TargetError::TooOld {
                backend: "Singlepass",
                needs: "avx",
            });
        }
        Ok(())
    }

    /// Converts the target to the engine's type.
    #[allow(dead_code, reason = "a build without a backend has no compiler")]
    pub(super) fn to_engine(&self) -> wasmer::sys::Target {
        let mut features = CpuFeature::set();
        for (name, feature) in known(&self.triple) {
            if self.features.contains(name) {
                features.insert(*feature);
            }
        }
        wasmer::sys::Target::new(self.triple.clone(), features)
    }
}

impl FromStr for Target {
    type Err = TargetError;

    /// Parses a target triple; its features are those that every processor of its architecture has.
    fn from_str(text: &str) -> Result<Target, TargetError> {
        let triple: Triple = text.parse().map_err(|_| TargetError::Triple(text.to_owned()))?;
        // Memory images, guard pages and the code's own format are tested on Linux.
        if known(&triple).is_empty() || triple.operating_system != OperatingSystem::Linux {
            return Err(TargetError::Unsupported(text.to_owned()));
        }
        let features = baseline(&triple);
        Ok(Target { triple, features })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with ", self.triple)?;
        for (index, feature) in self.features.iter().enumerate() {
            write!(f, "{}{feature}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

fn known(triple: &Triple) -> &'static [(&'static str, CpuFeature)] {
    match triple.architecture {
        Architecture::X86_64 => &X86_64,
        Architecture::Aarch64(_) => &AARCH64,
        _ => &[],
    }
}

fn baseline(triple: &Triple) -> BTreeSet<&'static str> {
    match triple.architecture {
        Architecture::X86_64 => BTreeSet::from(["sse2"]),
        Architecture::Aarch64(_) => BTreeSet::from(["neon"]),
        _ => BTreeSet::new(),
    }
}

fn architecture(triple: &Triple) -> &'static str {
    match triple.architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Aarch64(_) => "aarch64",
        _ => "this architecture",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_the_engine_s_name() {
        for (name, feature) in X86_64.iter().chain(&AARCH64) {
            assert_eq!(name.parse::<CpuFeature>().ok(), Some(*feature), "{name}");
        }
        let named = X86_64.len() + AARCH64.len();
        assert_eq!(
            CpuFeature::all().len(),
            named,
            "a feature of the engine has no name here"
        );
    }

    #[test]
    fn texts_are_targets_or_say_what_there_is() {
        let target: Target = "aarch64-unknown-linux-gnu".parse().expect("a target");
        assert_eq!(target.to_string(), "aarch64-unknown-linux-gnu with neon");
        assert!(!target.runs_here() || cfg!(target_arch = "aarch64"));
        for (text, word) in [
            ("", "not a target triple"),
            ("x86", "not a target triple"),
            ("nonsense-unknown-linux", "not a target triple"),
            ("riscv64gc-unknown-linux-gnu", "unsupported target"),
            ("x86_64-pc-windows-msvc", "unsupported target"),
            ("wasm32-unknown-unknown", "unsupported target"),
        ] {
            let error = text.parse::<Target>().expect_err(text);
            assert!(error.to_string().contains(word), "{text}: {error}");
        }
        let error = target.clone().with_features("avx2").expect_err("another's");
        assert!(
            error.to_string().contains("for aarch64") && error.to_string().contains("neon"),
            "{error}"
        );
        let x86: Target = "x86_64-unknown-linux-gnu".parse().expect("a target");
        let error = x86.clone().with_features("sse5").expect_err("there is none");
        assert!(error.to_string().contains("sse4.2, ssse3"), "{error}");
        assert!(matches!(
            x86.check(Backend::Singlepass),
            Err(TargetError::TooOld { .. })
        ));
        let newer = x86.with_features("sse4.2, avx").expect("they are known");
        assert_eq!(newer.check(Backend::Singlepass), Ok(()));
    }

    #[test]
    fn this_machine_runs_its_own_code() {
        let host = Target::host();
        assert!(host.runs_here());
        assert_eq!(host.to_engine(), wasmer::sys::Target::default());
        let small = host.with_features("").expect("no names");
        assert!(small.runs_here());
    }
}
