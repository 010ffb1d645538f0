//! The connection to the servers, and the checks of the server.

use std::sync::Arc;

use async_nats::jetstream::{self, ErrorCode, context::AccountErrorKind};
use async_nats::{Client, ConnectOptions, Event, ServerAddr};

use crate::call::timed;
use crate::counters::Counters;
use crate::error::ClusterError;
use crate::options::ClusterOptions;
use crate::tls;

/// Oldest version of the server that is supported: older ones ignore parts of what they are asked for.
pub(crate) const MIN_SERVER: (u64, u64) = (2, 12);

/// Messages of one subscription that wait to be read. Beyond, the client drops them, and counts. Stops a flood from filling
/// the memory.
const SUBSCRIPTION_CAPACITY: usize = 4096;

/// Connects, and checks the server's version and that it has JetStream.
pub(crate) async fn connect(
    options: &ClusterOptions,
    servers: Vec<ServerAddr>,
    counters: &Arc<Counters>,
) -> Result<(Client, jetstream::Context), ClusterError> {
    let of_client = client_options(options, counters).await?;
    let connecting = tokio::time::timeout(options.connect_timeout, of_client.connect(servers));
    let client = match connecting.await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return Err(ClusterError::Connect(Box::new(error))),
        Err(_) => {
            return Err(ClusterError::Timeout {
                call: "connect",
                after: options.connect_timeout,
            });
        }
    };
    let info = client.server_info();
    check_version(&info.version)?;
    if !info.jetstream {
        let reason = "it is not enabled".to_owned();
        return Err(ClusterError::NoJetStream { reason });
    }
    let mut context = jetstream::new(client.clone());
    context.set_timeout(options.call_timeout);
    check_account(options, &context).await?;
    Ok((client, context))
}

async fn client_options(
    options: &ClusterOptions,
    counters: &Arc<Counters>,
) -> Result<ConnectOptions, ClusterError> {
    let (files, counters) = (options.clone(), counters.clone());
    let read = tokio::task::spawn_blocking(move || tls::client(&files));
    let tls = read.await.map_err(|_| ClusterError::Left)??;
    let mut of_client = ConnectOptions::new();
    if let Some(path) = &options.credentials {
        let read = of_client.credentials_file(path).await;
        of_client = read.map_err(|source| ClusterError::Read {
            path: path.clone(),
            source,
        })?;
    }
    if let Some((user, password)) = &options.password {
        of_client = of_client.user_and_password(user.clone(), password.clone());
    }
    Ok(of_client
        .name(format!("airssys-wasm {}/{}", options.cluster, options.host))
        .tls_client_config(tls)
        .require_tls(options.require_tls)
        .connection_timeout(options.connect_timeout)
        .request_timeout(Some(options.call_timeout))
        .subscription_capacity(SUBSCRIPTION_CAPACITY)
        .event_callback(move |event| {
            count(&counters, &event);
            std::future::ready(())
        }))
}

fn count(counters: &Counters, event: &Event) {
    match event {
        Event::SlowConsumer(_) => counters.slow_consumer.add(),
        Event::Disconnected => counters.disconnects.add(),
        Event::ServerError(_) => counters.server_errors.add(),
        _ => {}
    }
    if matches!(event, Event::Connected | Event::Disconnected) {
        counters.connection.send_modify(|changes| *changes += 1);
    }
    match event {
        Event::Connected => log::info!("connected to the NATS servers"),
        Event::Closed | Event::Draining => {}
        other => log::warn!("NATS: {other}"),
    }
}

/// Refuses versions before [`MIN_SERVER`], and texts that are no version.
fn check_version(text: &str) -> Result<(), ClusterError> {
    match semver::Version::parse(text) {
        // Also a release candidate of the first supported one.
        Ok(version) if (version.major, version.minor) >= MIN_SERVER => Ok(()),
        _ => Err(ClusterError::ServerVersion {
            version: text.chars().take(64).collect(),
        }),
    }
}

async fn check_account(options: &ClusterOptions, context: &jetstream::Context) -> Result<(), ClusterError> {
    let asked = tokio::time::timeout(options.call_timeout, context.query_account()).await;
    let Ok(Err(error)) = asked else {
        return match asked {
            Ok(_) => Ok(()),
            Err(_) => Err(ClusterError::Timeout {
                call: "account info",
                after: options.call_timeout,
            }),
        };
    };
    let absent = match error.kind() {
        AccountErrorKind::JetStreamUnavailable => true,
        AccountErrorKind::JetStream(answer) => [
            ErrorCode::JETSTREAM_NOT_ENABLED,
            ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT,
        ]
        .contains(&answer.error_code()),
        _ => false,
    };
    if absent {
        let reason = error.to_string();
        return Err(ClusterError::NoJetStream { reason });
    }
    timed(
        "account info",
        options.call_timeout,
        std::future::ready(Err(error)),
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_the_first_supported_one_are_refused() {
        for supported in ["2.12.0", "2.12.0-RC.1", "2.13.4", "3.0.0"] {
            assert!(check_version(supported).is_ok(), "{supported}");
        }
        for refused in ["2.11.99", "2.9.10", "1.99.0", "", "latest", "2.12"] {
            let error = check_version(refused).unwrap_err();
            assert!(matches!(&error, ClusterError::ServerVersion { version } if version == refused));
            assert!(error.to_string().contains("2.12 or later"), "{error}");
        }
    }
}
