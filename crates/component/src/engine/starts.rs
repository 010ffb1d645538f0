//! Choice of the compilers of a tiered start.

use super::options::Options;
use super::{Backend, Engine, Target};
use crate::error::{Error, Result};

/// Compilers whose code is ready soonest, the quickest first.
const QUICK: [Backend; 2] = [Backend::Singlepass, Backend::Cranelift];
/// Compilers whose code is fastest, the best first.
const FAST: [Backend; 2] = [Backend::Llvm, Backend::Cranelift];

/// Compilers that components start on, and the one that they end on.
#[derive(Debug)]
pub(super) struct StartBackends {
    pub(super) starts: Vec<Backend>,
    pub(super) end: Backend,
}

impl StartBackends {
    /// Returns the compilers of [`Backend::Tiered`] for any target; `None` if this build has no two for it.
    pub(super) fn of_this_build() -> Option<StartBackends> {
        StartBackends::among(Backend::is_available)
    }

    /// Returns the compilers of [`Backend::Tiered`] for `target`.
    ///
    /// # Errors
    /// [`Error::OneCompiler`].
    pub(super) fn of(target: &Target) -> Result<StartBackends> {
        let compiles = |backend: Backend| backend.is_available() && target.check(backend).is_ok();
        StartBackends::among(compiles).ok_or_else(|| {
            let names = Backend::ALL.into_iter().filter(|backend| compiles(*backend));
            let names: Vec<_> = names.map(Backend::name).collect();
            Error::OneCompiler {
                available: match names.as_slice() {
                    [] => "none".to_owned(),
                    names => names.join(", "),
                },
            }
        })
    }

    fn among(compiles: impl Fn(Backend) -> bool) -> Option<StartBackends> {
        let end = FAST.into_iter().find(|backend| compiles(*backend))?;
        let starts = QUICK
            .into_iter()
            .filter(|backend| *backend != end && compiles(*backend));
        let starts: Vec<_> = starts.collect();
        (!starts.is_empty()).then_some(StartBackends { starts, end })
    }
}

/// Creates the engines that an engine of `backend` starts with, each with the options that it has.
///
/// # Errors
/// [`Error::EngineOption`] for a start that is not another compiler; otherwise as [`Engine::new`].
pub(super) fn starts(
    chosen: &[Backend],
    backend: Backend,
    options: Options,
    target: &Target,
) -> Result<Vec<Engine>> {
    let start = |start: &Backend| {
        if *start == backend || !Backend::ALL.contains(start) || backend == Backend::Headless {
            return Err(Error::EngineOption {
                backend: backend.name().into(),
                option: format!("start with `{start}`"),
                hint: "an engine starts with compilers other than its own".into(),
            });
        }
        Engine::single(*start, options.known_to(*start), target.clone())
    };
    chosen.iter().map(start).collect()
}

#[cfg(all(test, feature = "compile"))]
mod tests {
    use super::*;

    #[test]
    fn a_quick_compiler_comes_before_a_good_one() {
        use Backend::{Cranelift, Llvm, Singlepass};
        let among = |those: &[Backend]| StartBackends::among(|backend| those.contains(&backend));
        let stages = |those: &[Backend]| among(those).map(|stages| (stages.starts, stages.end));
        assert_eq!(
            stages(&[Cranelift, Llvm, Singlepass]),
            Some((vec![Singlepass, Cranelift], Llvm))
        );
        assert_eq!(stages(&[Llvm, Singlepass]), Some((vec![Singlepass], Llvm)));
        assert_eq!(stages(&[Cranelift, Llvm]), Some((vec![Cranelift], Llvm)));
        assert_eq!(
            stages(&[Cranelift, Singlepass]),
            Some((vec![Singlepass], Cranelift))
        );
        for alone in [&[Cranelift][..], &[Llvm], &[Singlepass], &[]] {
            assert_eq!(stages(alone), None, "{alone:?}");
        }
    }

    #[test]
    fn what_is_no_other_compiler_is_no_start() {
        let first = Backend::available()[0];
        for start in [first, Backend::Headless, Backend::Tiered] {
            let refused = Engine::new(super::super::Config::new().backend(first).start_with([start]));
            assert!(matches!(refused, Err(Error::EngineOption { .. })), "{start}");
        }
        let mut config = super::super::Config::new();
        let headless = config.backend(Backend::Headless).start_with([first]);
        assert!(matches!(Engine::new(headless), Err(Error::EngineOption { .. })));
    }

    #[test]
    fn one_compiler_is_too_few() {
        let chosen = Engine::new(super::super::Config::new().backend(Backend::Tiered));
        match StartBackends::of_this_build() {
            Some(stages) => {
                let engine = chosen.expect("there are two");
                assert_eq!(engine.backend(), stages.end);
                let starts: Vec<_> = engine.starts().iter().map(Engine::backend).collect();
                assert_eq!(starts, stages.starts);
                assert!(Backend::Tiered.is_available());
            }
            None => {
                assert!(matches!(chosen, Err(Error::OneCompiler { .. })));
                assert!(!Backend::Tiered.is_available());
            }
        }
    }
}
