//! Shared loading and compilation: one thread works, the others wait for it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::lock;
use super::memory::Memory;
use crate::artifact::cache::CacheKey;
use crate::component::Component;
use crate::error::Error;

/// A component that a thread is loading or compiling.
#[derive(Default)]
pub(super) struct Flight {
    landing: Mutex<Option<Outcome>>,
    landed: Condvar,
}

enum Outcome {
    Component(Component),
    Failed(Error),
    Elsewhere,
    Panicked,
}

/// Result for a thread that waited.
pub(super) enum Landing {
    Component(Component),
    Failed(Error),
    /// An error that concerns the other thread alone.
    Elsewhere,
}

impl Flight {
    /// Waits for the result, which always comes: the thread that produces it holds a [`Lead`].
    pub(super) fn wait(&self) -> Landing {
        let landing = lock(&self.landing);
        let landing = self.landed.wait_while(landing, |landing| landing.is_none());
        let landing = landing.unwrap_or_else(PoisonError::into_inner);
        match &*landing {
            Some(Outcome::Component(component)) => Landing::Component(component.clone()),
            Some(Outcome::Failed(error)) => same(error).map_or(Landing::Elsewhere, Landing::Failed),
            Some(Outcome::Elsewhere) | None => Landing::Elsewhere,
            Some(Outcome::Panicked) => {
                Landing::Failed(Error::bug("the thread that compiled the component has panicked"))
            }
        }
    }
}

/// Duty to publish the result of a flight. A panic is published as well.
pub(super) struct Lead<'a> {
    memory: &'a Mutex<Memory>,
    key: CacheKey,
    flight: Arc<Flight>,
    outcome: Option<Outcome>,
}

impl<'a> Lead<'a> {
    pub(super) fn new(memory: &'a Mutex<Memory>, key: CacheKey, flight: Arc<Flight>) -> Lead<'a> {
        Lead {
            memory,
            key,
            flight,
            outcome: None,
        }
    }

    pub(super) fn land(mut self, made: Result<(Component, u64), Error>) -> Result<Component, Error> {
        match made {
            Ok((component, code_bytes)) => {
                self.outcome = Some(Outcome::Component(component.clone()));
                lock(self.memory).landed(&self.key, Some((component.clone(), code_bytes)));
                Ok(component)
            }
            Err(error) => {
                self.outcome = Some(same(&error).map_or(Outcome::Elsewhere, Outcome::Failed));
                Err(error)
            }
        }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or(Outcome::Panicked);
        if !matches!(outcome, Outcome::Component(_)) {
            lock(self.memory).landed(&self.key, None);
        }
        *lock(&self.flight.landing) = Some(outcome);
        self.flight.landed.notify_all();
    }
}

/// Copies an error, if every thread that compiles the component would get it.
fn same(error: &Error) -> Option<Error> {
    Some(match error {
        Error::InvalidComponent { offset, message } => Error::InvalidComponent {
            offset: *offset,
            message: message.clone(),
        },
        Error::CoreModule => Error::CoreModule,
        Error::NotWasm(message) => Error::NotWasm(message.clone()),
        Error::Unsupported(message) => Error::Unsupported(message.clone()),
        Error::MissingFeatures {
            features,
            place,
            message,
        } => Error::MissingFeatures {
            features: features.clone(),
            place: place.clone(),
            message: message.clone(),
        },
        Error::BackendFeature(feature) => Error::BackendFeature(feature.clone()),
        Error::Compile {
            module,
            backend,
            message,
        } => Error::Compile {
            module: *module,
            backend: backend.clone(),
            message: message.clone(),
        },
        Error::BackendUnavailable { backend } => Error::BackendUnavailable {
            backend: backend.clone(),
        },
        Error::CompilerLibrary { backend, message } => Error::CompilerLibrary {
            backend: backend.clone(),
            message: message.clone(),
        },
        Error::Bug(message) => Error::Bug(message.clone()),
        _ => return None,
    })
}
