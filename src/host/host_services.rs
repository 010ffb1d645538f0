//! `airssys:host-core/host-services`: services for every component.

use std::time::{Duration, Instant};

use super::bindings::airssys::host_core::host_services::{
    ComponentError, ComponentMetadata, ConfigError, Host, IncomingMessage, LogLevel, MessagingError,
};
use super::{HostContext, log};
use crate::component::HostResult;
use crate::error::{CoreTrap, Error, TrapKind};
use crate::security::Request;

/// Longest pause of a call without a deadline. Stops a guest that holds its thread forever.
const MAX_SLEEP: Duration = Duration::from_secs(60);

impl Host for HostContext {
    fn log(&mut self, level: LogLevel, message: String, context: Option<Vec<(String, String)>>) {
        let context = context.as_deref().unwrap_or_default();
        log::write(&self.id, &mut self.log_rate, level, &message, context);
    }

    fn send_message(&mut self, target: String, message: Vec<u8>) -> Result<(), MessagingError> {
        if self.is_denied(&Request::SendMessage(&target)) {
            return Err(MessagingError::Denied);
        }
        self.services
            .send(&self.id, &target, message, &self.call, self.deadline)
    }

    fn receive_message(&mut self) -> Result<Option<IncomingMessage>, MessagingError> {
        let message = self.mailbox.take().map_err(|_| MessagingError::Closed)?;
        if let Some(message) = &message
            && self.is_denied(&Request::ReceiveMessage(message.sender.as_str()))
        {
            return Err(MessagingError::Denied);
        }
        Ok(message.map(|message| IncomingMessage {
            sender: message.sender.as_str().to_owned(),
            payload: message.payload,
            sent_at_millis: message.sent_at_millis,
        }))
    }

    fn get_config(&mut self, key: String) -> Result<Option<String>, ConfigError> {
        if self.is_denied(&Request::ReadConfig(&key)) {
            return Err(ConfigError::Denied);
        }
        Ok(self.settings.get(&key)?.map(str::to_owned))
    }

    fn set_config(&mut self, key: String, value: String) -> Result<(), ConfigError> {
        if self.is_denied(&Request::WriteConfig(&key)) {
            return Err(ConfigError::Denied);
        }
        self.settings.set(&key, value)
    }

    fn current_time_millis(&mut self) -> u64 {
        self.services.now_millis()
    }

    fn sleep_millis(&mut self, duration: u64) -> HostResult<()> {
        sleep(self.deadline, Duration::from_millis(duration))
    }

    fn list_components(&mut self) -> Vec<String> {
        let components = self.services.list_components();
        components.iter().map(|id| id.as_str().to_owned()).collect()
    }

    fn get_component_metadata(&mut self, id: String) -> Result<ComponentMetadata, ComponentError> {
        self.services
            .component_metadata(&id)
            .map(|metadata| (*metadata).clone())
    }
}

impl HostContext {
    /// Reports whether no rule denies a service, which needs no capability. A denial is recorded.
    pub(crate) fn is_allowed(&self, request: &Request<'_>) -> bool {
        !self.is_denied(request)
    }

    fn is_denied(&self, request: &Request<'_>) -> bool {
        self.grants.check_denial(request, self.info()).is_err()
    }
}

/// Pauses for `duration`. If the deadline comes first, the pause ends there and the guest is stopped.
fn sleep(deadline: Option<Instant>, duration: Duration) -> HostResult<()> {
    let Some(deadline) = deadline else {
        std::thread::sleep(duration.min(MAX_SLEEP));
        return Ok(());
    };
    let left = deadline.saturating_duration_since(Instant::now());
    std::thread::sleep(duration.min(left));
    if duration < left {
        Ok(())
    } else {
        Err(Error::from(TrapKind::Core(CoreTrap::Interrupted)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_with_its_deadline() {
        let start = Instant::now();
        let deadline = start + Duration::from_millis(20);
        let later = Some(start + Duration::from_secs(60));
        assert!(sleep(later, Duration::ZERO).is_ok());
        assert!(sleep(later, Duration::from_millis(1)).is_ok());
        let error = sleep(Some(deadline), Duration::from_millis(u64::MAX)).unwrap_err();
        let error = error.downcast::<Error>().unwrap();
        assert_eq!(
            error.trap().unwrap().kind(),
            &TrapKind::Core(CoreTrap::Interrupted)
        );
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
