//! `airssys:host-core/host-services`: what every component may use.

use std::time::{Duration, Instant};

use super::types::{
    ComponentError, ComponentMetadata, ConfigError, IncomingMessage, LogLevel, MessagingError,
};
use super::{HostState, log, versioned};
use crate::component::{HostResult, Linker, StoreContextMut};
use crate::error::{CoreTrap, Error, Result, TrapKind};

pub(super) const INTERFACE: &str = "airssys:host-core/host-services";

/// Longest pause of a call that has no deadline. Stops a guest that holds its thread forever.
const MAX_SLEEP: Duration = Duration::from_secs(60);

type Context = Option<Vec<(String, String)>>;

/// Defines the interface.
pub(super) fn add_to_linker<T: HostState>(linker: &mut Linker<T>) -> Result<()> {
    let mut interface = linker.instance(&versioned(INTERFACE))?;
    interface.func_wrap(
        "log",
        |mut cx: StoreContextMut<'_, T>, (level, message, context): (LogLevel, String, Context)| {
            let id = &cx.data_mut().host().id;
            log::write(id, level, &message, context.as_deref().unwrap_or_default());
            Ok(())
        },
    )?;
    interface.func_wrap(
        "send-message",
        |mut cx: StoreContextMut<'_, T>, (target, message): (String, Vec<u8>)| {
            let host = cx.data_mut().host();
            Ok((host.services.send(&host.id, &target, message),))
        },
    )?;
    interface.func_wrap("receive-message", |mut cx: StoreContextMut<'_, T>, ()| {
        Ok((receive(&mut cx),))
    })?;
    interface.func_wrap(
        "get-config",
        |mut cx: StoreContextMut<'_, T>, (key,): (String,)| {
            let value = cx.data_mut().host().settings.get(&key);
            let value: std::result::Result<_, ConfigError> = value.map(|value| value.map(str::to_owned));
            Ok((value,))
        },
    )?;
    interface.func_wrap(
        "set-config",
        |mut cx: StoreContextMut<'_, T>, (key, value): (String, String)| {
            Ok((cx.data_mut().host().settings.set(&key, value),))
        },
    )?;
    interface.func_wrap("current-time-millis", |mut cx: StoreContextMut<'_, T>, ()| {
        Ok((cx.data_mut().host().services.now_millis(),))
    })?;
    interface.func_wrap(
        "sleep-millis",
        |mut cx: StoreContextMut<'_, T>, (duration,): (u64,)| {
            sleep(cx.data_mut().host().deadline, Duration::from_millis(duration))
        },
    )?;
    interface.func_wrap("list-components", |mut cx: StoreContextMut<'_, T>, ()| {
        Ok((cx.data_mut().host().services.list_components(),))
    })?;
    interface.func_wrap(
        "get-component-metadata",
        |mut cx: StoreContextMut<'_, T>, (id,): (String,)| {
            let metadata = cx.data_mut().host().services.component_metadata(&id);
            let metadata: std::result::Result<ComponentMetadata, ComponentError> =
                metadata.map(|metadata| (*metadata).clone());
            Ok((metadata,))
        },
    )
}

fn receive<T: HostState>(
    cx: &mut StoreContextMut<'_, T>,
) -> std::result::Result<Option<IncomingMessage>, MessagingError> {
    match cx.data_mut().host().mailbox.take() {
        Ok(message) => Ok(message.map(|message| IncomingMessage {
            sender: message.sender.as_str().to_owned(),
            payload: message.payload,
            sent_at_millis: message.sent_at_millis,
        })),
        Err(_) => Err(MessagingError::Closed),
    }
}

/// Pauses for `duration`. A pause that would outlast the deadline ends there, and the guest with it.
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
        assert!(sleep(Some(deadline), Duration::ZERO).is_ok());
        assert!(sleep(Some(deadline), Duration::from_millis(1)).is_ok());
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
