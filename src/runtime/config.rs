//! Settings of a runtime.

use std::sync::Arc;
use std::time::Duration;

use super::error::InvalidConfig;
use crate::artifact::ComponentCache;
use crate::engine::{Backend, Config, Engine, StoreLimits};
use crate::host::{Clock, SystemClock};
use crate::messaging::MailboxLimits;

/// Time for a call when nobody says otherwise. Stops a component that never answers.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest time that a caller can ask for when the configuration does not say otherwise.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);

/// Checked settings of a [`ComponentRuntime`](super::ComponentRuntime).
///
/// ```
/// use std::time::Duration;
/// use airssys_wasm::RuntimeConfig;
///
/// let config = RuntimeConfig::builder()
///     .with_mailbox_capacity(16)
///     .with_default_timeout(Duration::from_secs(2))
///     .with_multicodec_support()
///     .with_capability_enforcement()
///     .build()?;
/// # Ok::<(), airssys_wasm::runtime::InvalidConfig>(())
/// ```
#[derive(Clone, Debug)]
pub struct RuntimeConfig {
    pub(super) engine: Engine,
    pub(super) limits: StoreLimits,
    pub(super) mailbox: MailboxLimits,
    pub(super) default_timeout: Duration,
    pub(super) longest_timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cache: Option<ComponentCache>,
}

impl RuntimeConfig {
    /// Starts from the defaults: the first backend that is compiled in, the default [`StoreLimits`] and
    /// [`MailboxLimits`], 30 seconds for a call, and at most ten minutes.
    pub fn builder() -> RuntimeConfigBuilder {
        RuntimeConfigBuilder {
            engine: Config::new(),
            limits: StoreLimits::default(),
            mailbox: MailboxLimits::default(),
            default_timeout: DEFAULT_TIMEOUT,
            longest_timeout: None,
            clock: Arc::new(SystemClock),
            cache: None,
        }
    }

    /// The compiler that it chose; the one with the better code, of a tiered start.
    pub fn backend(&self) -> Backend {
        self.engine.backend()
    }

    /// The cache that it compiles through, if there is one.
    pub fn cache(&self) -> Option<&ComponentCache> {
        self.cache.as_ref()
    }
}

/// Collects the settings of a [`RuntimeConfig`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RuntimeConfigBuilder {
    engine: Config,
    limits: StoreLimits,
    mailbox: MailboxLimits,
    default_timeout: Duration,
    longest_timeout: Option<Duration>,
    clock: Arc<dyn Clock>,
    cache: Option<ComponentCache>,
}

impl RuntimeConfigBuilder {
    /// Chooses the compiler, or two with [`Backend::Tiered`].
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.engine.backend(backend);
        self
    }

    /// Chooses the compiler, its options, and what it compiles for.
    pub fn with_engine(mut self, config: Config) -> Self {
        self.engine = config;
        self
    }

    /// Limits of each component.
    pub fn with_limits(mut self, limits: StoreLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Messages that may wait in one mailbox; at least 1.
    pub fn with_mailbox_capacity(mut self, messages: usize) -> Self {
        self.mailbox.messages = messages;
        self
    }

    /// Bytes that all messages in one mailbox may have together; at least 1.
    pub fn with_mailbox_bytes(mut self, bytes: usize) -> Self {
        self.mailbox.bytes = bytes;
        self
    }

    /// Bytes that one message may have; at least 1.
    pub fn with_max_message_bytes(mut self, bytes: usize) -> Self {
        self.mailbox.message_bytes = bytes;
        self
    }

    /// Wall-clock time for a call when its caller does not say otherwise; more than zero.
    pub fn with_default_timeout(mut self, timeout: Duration) -> Self {
        self.default_timeout = timeout;
        self
    }

    /// The longest time that a caller can give an `execute`: more counts as this much. Ten minutes, or the default
    /// timeout if that is longer, unless it is set.
    pub fn with_longest_timeout(mut self, timeout: Duration) -> Self {
        self.longest_timeout = Some(timeout);
        self
    }

    /// Where components get the time of day from.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Compiles through a cache, which may be shared with other runtimes and, if it has a folder, with other processes.
    /// Without one, each load compiles.
    pub fn with_cache(mut self, cache: ComponentCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Compiles whatever is loaded: the default.
    pub fn without_cache(mut self) -> Self {
        self.cache = None;
        self
    }

    /// Says that components may use the payload codecs. They always may: this changes nothing, and is here for
    /// those who like to see it written.
    pub fn with_multicodec_support(self) -> Self {
        self
    }

    /// Says that capabilities are enforced. They always are: this changes nothing, and nothing turns it off.
    pub fn with_capability_enforcement(self) -> Self {
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// Each case of [`InvalidConfig`].
    pub fn build(self) -> Result<RuntimeConfig, InvalidConfig> {
        let engine = Engine::new(&self.engine).map_err(InvalidConfig::Backend)?;
        let longest_timeout = self
            .longest_timeout
            .unwrap_or(LONGEST_TIMEOUT.max(self.default_timeout));
        let zeros = [
            (self.mailbox.messages == 0, "the mailbox's capacity"),
            (self.mailbox.bytes == 0, "the mailbox's size"),
            (self.mailbox.message_bytes == 0, "the largest message"),
            (
                self.default_timeout.as_millis() == 0,
                "the default timeout, in milliseconds,",
            ),
        ];
        if let Some((_, what)) = zeros.into_iter().find(|(zero, _)| *zero) {
            return Err(InvalidConfig::Zero(what));
        }
        if self.default_timeout > longest_timeout {
            return Err(InvalidConfig::Timeouts {
                default: self.default_timeout,
                longest: longest_timeout,
            });
        }
        Ok(RuntimeConfig {
            engine,
            limits: self.limits,
            mailbox: self.mailbox,
            default_timeout: self.default_timeout,
            longest_timeout,
            clock: self.clock,
            cache: self.cache,
        })
    }
}
