//! The configuration of `host-capabilities`, shared by the components of a runtime.

#[cfg(feature = "wasi")]
use std::sync::OnceLock;

use super::{HostFunctions, HostLimits};
#[cfg(feature = "wasi")]
use crate::wasi::http::{HttpClient, TlsRoots};

/// The host's side of `host-capabilities`: functions of the host application, limits, and the HTTP client.
#[derive(Debug, Default)]
pub struct HostPowers {
    pub(super) functions: HostFunctions,
    pub(super) limits: HostLimits,
    #[cfg(feature = "wasi")]
    roots: TlsRoots,
    #[cfg(feature = "wasi")]
    client: OnceLock<HttpClient>,
}

impl HostPowers {
    /// Creates a configuration without functions, with the default limits and the system's root certificates.
    pub fn new() -> HostPowers {
        HostPowers::default()
    }

    /// Sets the functions of the host application.
    #[must_use]
    pub fn with_functions(mut self, functions: HostFunctions) -> Self {
        self.functions = functions;
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: HostLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the root certificates for HTTPS, in place of those of the system.
    #[cfg(feature = "wasi")]
    #[must_use]
    pub fn with_tls_roots(mut self, roots: TlsRoots) -> Self {
        self.roots = roots;
        self
    }

    #[cfg(feature = "wasi")]
    pub(super) fn client(&self) -> &HttpClient {
        self.client
            .get_or_init(|| super::http::client(self.roots.clone(), &self.limits))
    }
}
