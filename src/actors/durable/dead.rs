//! Dead letters in the store, and the form of their reasons.

use super::SystemStore;
use super::record::{Reader, bytes, decode};
use crate::actors::dead_letters::{DeadLetter, DeadLetterReason};

/// Dead letters, and their bytes, that are taken from the store in one commit.
const TAKE: (usize, usize) = (1024, 8 << 20);

const DISPLACED: u8 = 0;
const EXPIRED: u8 = 1;
const TIMED_OUT: u8 = 2;
const POISON: u8 = 3;
const GAVE_UP: u8 = 4;
const SHUT_DOWN: u8 = 5;
const REFUSED: u8 = 6;

/// Longest text of a failure that is stored, in bytes.
const LONGEST_ERROR: usize = 4096;

pub(super) fn encode(reason: &DeadLetterReason) -> Vec<u8> {
    match reason {
        DeadLetterReason::Displaced => vec![DISPLACED],
        DeadLetterReason::Expired => vec![EXPIRED],
        DeadLetterReason::TimedOut => vec![TIMED_OUT],
        DeadLetterReason::Poison { tries, error } => {
            let mut out = vec![POISON];
            out.extend(tries.to_le_bytes());
            text(&mut out, error);
            out
        }
        DeadLetterReason::GaveUp => vec![GAVE_UP],
        DeadLetterReason::ShutDown => vec![SHUT_DOWN],
        DeadLetterReason::Refused { error } => {
            let mut out = vec![REFUSED];
            text(&mut out, error);
            out
        }
    }
}

fn text(out: &mut Vec<u8>, error: &str) {
    let end = error.floor_char_boundary(LONGEST_ERROR);
    bytes(out, &error.as_bytes()[..end]);
}

fn decode_reason(reason: &[u8]) -> Result<DeadLetterReason, &'static str> {
    let mut reader = Reader(reason);
    let reason = match reader.byte()? {
        DISPLACED => DeadLetterReason::Displaced,
        EXPIRED => DeadLetterReason::Expired,
        TIMED_OUT => DeadLetterReason::TimedOut,
        POISON => DeadLetterReason::Poison {
            tries: u32::from_le_bytes(reader.array()?),
            error: reader.text()?,
        },
        GAVE_UP => DeadLetterReason::GaveUp,
        SHUT_DOWN => DeadLetterReason::ShutDown,
        REFUSED => DeadLetterReason::Refused {
            error: reader.text()?,
        },
        _ => return Err("an unknown reason"),
    };
    reader.end()?;
    Ok(reason)
}

impl SystemStore {
    /// Removes and returns the dead letters in the store, the oldest first.
    pub(in crate::actors) fn take_dead_letters(&self) -> Vec<DeadLetter> {
        let mut letters = Vec::new();
        let Some(shared) = &self.0 else { return letters };
        loop {
            let taken = match shared.store.blocking().take_dead_letters(TAKE.0, TAKE.1) {
                Ok(taken) => taken.letters,
                Err(error) => {
                    log::error!("dead letters cannot be taken from the store: {error}");
                    return letters;
                }
            };
            if taken.is_empty() {
                return letters;
            }
            for entry in taken {
                let letter = decode(&entry.value).ok().zip(decode_reason(&entry.reason).ok());
                let Some(((letter, reason), id)) = letter.zip(entry.component.parse().ok()) else {
                    log::error!(
                        "a dead letter of `{}` in the store is not readable",
                        entry.component
                    );
                    continue;
                };
                letters.push(DeadLetter {
                    id,
                    payload: letter.payload,
                    request_id: letter.options.request_id,
                    reason,
                });
            }
        }
    }

    /// Returns the number of dead letters that the store dropped for newer ones.
    pub(in crate::actors) fn lost(&self) -> u64 {
        let counts = |shared: &super::Shared| shared.store.dead_letter_counts().ok();
        let counts = self.0.as_deref().and_then(counts);
        counts.map_or(0, |(_, lost)| lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_as_they_were_written_and_others_refused() {
        let poison = |error: &str| DeadLetterReason::Poison {
            tries: 3,
            error: error.to_owned(),
        };
        for reason in [
            DeadLetterReason::Displaced,
            DeadLetterReason::Expired,
            DeadLetterReason::TimedOut,
            poison("unreachable"),
            DeadLetterReason::GaveUp,
            DeadLetterReason::ShutDown,
            DeadLetterReason::Refused {
                error: "too large".to_owned(),
            },
        ] {
            let encoded = encode(&reason);
            assert_eq!(decode_reason(&encoded), Ok(reason));
            for cut in 0..encoded.len() {
                assert!(decode_reason(&encoded[..cut]).is_err());
            }
            assert!(decode_reason(&[&encoded[..], &[0]].concat()).is_err());
        }
        assert!(decode_reason(&[7]).is_err());
        let long = encode(&poison(&"ö".repeat(LONGEST_ERROR)));
        assert!(decode_reason(&long).is_ok() && long.len() < LONGEST_ERROR + 20);
    }
}
