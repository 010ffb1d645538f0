//! A time of our own around each call of the client, which has none for most calls while no server is there.

use std::error::Error as StdError;
use std::future::Future;
use std::time::Duration;

use crate::error::ClusterError;

/// Awaits a call for at most `after`.
pub(crate) async fn timed<T, E>(
    call: &'static str,
    after: Duration,
    operation: impl Future<Output = Result<T, E>>,
) -> Result<T, ClusterError>
where
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    match tokio::time::timeout(after, operation).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let source = error.into();
            Err(ClusterError::Server { call, source })
        }
        Err(_) => Err(ClusterError::Timeout { call, after }),
    }
}
