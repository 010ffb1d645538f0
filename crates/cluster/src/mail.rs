//! The stream of durable messages: a work queue in files, with a subject for each component that receives.
//!
//! Messages leave it once they are acknowledged. A full stream refuses new messages, as does a full subject, so that one
//! receiver that is away cannot take the place of the others' messages.

use std::time::Duration;

use airssys_wasm::ComponentId;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::{
    Config, ConsumerError, ConsumerErrorKind, DiscardPolicy, RetentionPolicy, StorageType, Stream,
};
use async_nats::jetstream::{Context, ErrorCode};
use futures_util::TryStreamExt;

use crate::call::timed;
use crate::envelope::MessageId;
use crate::error::ClusterError;
use crate::options::ClusterOptions;
use crate::subjects::all_mail;
use crate::time::millis;

/// Messages that a component's host gets at once, and that wait there to be in the store. Also the most that are delivered
/// again after a host ended.
pub(crate) const BATCH: usize = 256;
/// Time after which the server delivers a message again whose acknowledgment it did not get. A host that ends is not waited
/// for: the next begins with a consumer of its own.
const ACK_WAIT: Duration = Duration::from_secs(60);
/// Time after which the server removes a consumer that no host asks any more.
const IDLE: Duration = Duration::from_secs(3600);
/// Time for which the server knows the ids of messages. Saves the receiver copies; those that come later, it finds itself.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// Tries to create a consumer while others of the same component are there.
const MAX_TRIES: u32 = 8;

/// The stream.
#[derive(Debug)]
pub(crate) struct Mail {
    context: Context,
    stream: Stream,
    name: String,
    call_timeout: Duration,
}

impl Mail {
    /// Opens the stream, or creates it.
    pub(crate) async fn open(options: &ClusterOptions, context: &Context) -> Result<Mail, ClusterError> {
        let name = format!("airssys-v1-{}-mail", options.cluster);
        let asked = config(options, name.clone(), all_mail(&options.cluster));
        let created = context.get_or_create_stream(asked.clone());
        let stream = timed("create stream", options.call_timeout, created).await?;
        compare(&name, &asked, &stream.cached_info().config)?;
        Ok(Mail {
            context: context.clone(),
            stream,
            name,
            call_timeout: options.call_timeout,
        })
    }

    /// Creates a consumer that begins with the first message of a component that was not acknowledged, and removes all other
    /// consumers of the component. `process` and `number` make its name, which is new; `before` is the number of the one before.
    pub(crate) async fn consumer(
        &self,
        component: &ComponentId,
        subject: &str,
        process: MessageId,
        number: u64,
        before: Option<u64>,
    ) -> Result<PullConsumer, ClusterError> {
        let prefix = prefix(component);
        if let Some(before) = before {
            self.delete(&format!("{prefix}{process}-{before}")).await?;
        }
        let config = pull::Config {
            durable_name: Some(format!("{prefix}{process}-{number}")),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_deliver: -1,
            filter_subject: subject.to_owned(),
            max_ack_pending: i64::try_from(BATCH).unwrap_or(i64::MAX),
            inactive_threshold: IDLE,
            ..pull::Config::default()
        };
        for _ in 0..MAX_TRIES {
            let create = self
                .context
                .create_consumer_strict_on_stream(config.clone(), &self.name);
            let created = async {
                match create.await {
                    Ok(consumer) => Ok(Some(consumer)),
                    Err(error) if is_code(&error, ErrorCode::CONSUMER_WQ_CONSUMER_NOT_UNIQUE) => Ok(None),
                    Err(error) => Err(error),
                }
            };
            let created = timed("create consumer", self.call_timeout, created).await?;
            if let Some(consumer) = created {
                self.check(&config, &consumer)?;
                return Ok(consumer);
            }
            let names = self.stream.consumer_names().try_collect::<Vec<String>>();
            let names = timed("list consumers", self.call_timeout, names).await?;
            for name in names.iter().filter(|name| name.starts_with(&prefix)) {
                self.delete(name).await?;
            }
        }
        Err(ClusterError::Contended(component.clone()))
    }

    /// Removes a consumer, if it is there.
    async fn delete(&self, consumer: &str) -> Result<(), ClusterError> {
        let delete = async {
            let deleted = self
                .context
                .delete_consumer_from_stream(consumer, &self.name)
                .await;
            match deleted {
                Err(error) if !is_not_found(&error) => Err(error),
                Ok(_) | Err(_) => Ok(()),
            }
        };
        timed("delete consumer", self.call_timeout, delete).await
    }

    /// Compares a consumer with the one that was asked for.
    fn check(&self, asked: &pull::Config, consumer: &PullConsumer) -> Result<(), ClusterError> {
        let found = &consumer.cached_info().config;
        let differs = |setting, asked, found| ClusterError::Stream {
            name: self.name.clone(),
            setting,
            asked,
            found,
        };
        if found.filter_subject != asked.filter_subject {
            return Err(differs("consumer filter", 1, 0));
        }
        if found.ack_policy != asked.ack_policy {
            return Err(differs("consumer ack policy", 1, 0));
        }
        for (setting, asked, found) in [
            ("max_ack_pending", asked.max_ack_pending, found.max_ack_pending),
            ("ack_wait", signed(asked.ack_wait), signed(found.ack_wait)),
            ("max_deliver", asked.max_deliver, found.max_deliver),
        ] {
            if asked != found {
                return Err(differs(setting, asked, found));
            }
        }
        Ok(())
    }
}

/// Beginning of the names of a component's consumers. Names may be shorter than identities.
fn prefix(component: &ComponentId) -> String {
    let hash = blake3::hash(component.as_str().as_bytes()).to_hex();
    format!("{}-", hash.get(..32).unwrap_or_default())
}

fn is_code(error: &async_nats::jetstream::stream::ConsumerCreateStrictError, code: ErrorCode) -> bool {
    use async_nats::jetstream::stream::ConsumerCreateStrictErrorKind as Kind;
    matches!(error.kind(), Kind::JetStream(answer) if answer.error_code() == code)
}

fn is_not_found(error: &ConsumerError) -> bool {
    let code = ErrorCode::CONSUMER_NOT_FOUND;
    matches!(error.kind(), ConsumerErrorKind::JetStream(answer) if answer.error_code() == code)
}

fn config(options: &ClusterOptions, name: String, subjects: String) -> Config {
    let limits = &options.mail;
    Config {
        name,
        subjects: vec![subjects],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        discard_new_per_subject: true,
        max_bytes: i64::try_from(limits.bytes).unwrap_or(i64::MAX),
        max_messages_per_subject: i64::try_from(limits.messages_per_component).unwrap_or(i64::MAX),
        max_age: limits.age,
        duplicate_window: DUPLICATE_WINDOW.min(limits.age),
        num_replicas: options.replicas,
        ..Config::default()
    }
}

fn signed(time: Duration) -> i64 {
    i64::try_from(millis(time)).unwrap_or(i64::MAX)
}

/// Compares the configuration of a stream with the one that was asked for: a server ignores settings that it does not know, and
/// the stream may be there already with others.
fn compare(name: &str, asked: &Config, found: &Config) -> Result<(), ClusterError> {
    let replicas = |config: &Config| i64::try_from(config.num_replicas).unwrap_or(i64::MAX);
    let kinds = |config: &Config| {
        let is_asked = config.subjects == asked.subjects
            && config.retention == asked.retention
            && config.storage == asked.storage
            && config.discard == asked.discard
            && config.discard_new_per_subject == asked.discard_new_per_subject;
        i64::from(is_asked)
    };
    for (setting, asked, found) in [
        ("kind (a work queue in files that discards new)", 1, kinds(found)),
        ("max_bytes", asked.max_bytes, found.max_bytes),
        (
            "max_msgs_per_subject",
            asked.max_messages_per_subject,
            found.max_messages_per_subject,
        ),
        ("max_age in ms", signed(asked.max_age), signed(found.max_age)),
        (
            "duplicate_window in ms",
            signed(asked.duplicate_window),
            signed(found.duplicate_window),
        ),
        ("num_replicas", replicas(asked), replicas(found)),
    ] {
        if asked != found {
            return Err(ClusterError::Stream {
                name: name.to_owned(),
                setting,
                asked,
                found,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::ClusterKey;
    use crate::names::Name;

    #[test]
    fn each_setting_that_differs_is_named() {
        let key = ClusterKey::new(&[1; 32]).unwrap();
        let options = ClusterOptions::new(Name::new("c").unwrap(), Name::new("h").unwrap(), key);
        let asked = config(&options, "mail".to_owned(), "s.*".to_owned());
        assert!(compare("mail", &asked, &asked).is_ok());
        let changed: [fn(&mut Config); 7] = [
            |config| config.retention = RetentionPolicy::Limits,
            |config| config.discard = DiscardPolicy::Old,
            |config| config.storage = StorageType::Memory,
            |config| config.discard_new_per_subject = false,
            |config| config.max_bytes -= 1,
            |config| config.max_age = Duration::ZERO,
            |config| config.duplicate_window = Duration::ZERO,
        ];
        for change in changed {
            let mut found = asked.clone();
            change(&mut found);
            let differs = compare("mail", &asked, &found);
            assert!(
                matches!(differs, Err(ClusterError::Stream { asked, found, .. }) if asked != found),
                "{found:?}"
            );
        }
    }
}
