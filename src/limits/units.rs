//! Sizes and times with units. Whole numbers only, so that a text has one meaning and no digit is lost.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use airssys_wasm_component::internal::text::sanitize;
use serde::{Serialize, Serializer};

/// A number of bytes, written with a unit: `256MB` is 256 × 10⁶ bytes, `256MiB` is 256 × 2²⁰ bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// A time limit of one operation, written with units: `60s`, `1m30s`, `250ms`. Whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionTimeout(Duration);

/// An error for text that is not a size or a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {what}: {problem}; write {example}", sanitize(text, 64))]
pub struct InvalidUnit {
    text: String,
    what: &'static str,
    problem: String,
    example: &'static str,
}

/// Units of sizes, the largest first. Of equal sizes, the first is written.
const SIZES: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("KB", 1000),
    ("B", 1),
];

/// Units of times in milliseconds, in the order of writing.
const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// One page of linear memory: the least that a memory limit may be.
pub(super) const MIN_BYTES: u64 = 64 << 10;

/// Most milliseconds of a time: 49 days. Clocks are sure to reach it.
pub(super) const MAX_MILLIS: u64 = u32::MAX as u64;

impl ByteSize {
    /// Returns the number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl ExecutionTimeout {
    /// Returns the time.
    pub fn duration(self) -> Duration {
        self.0
    }

    /// Returns the number of milliseconds.
    pub fn millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<ByteSize, InvalidUnit> {
        match bytes(text)? {
            bytes if bytes < MIN_BYTES => Err(no_size(
                text,
                "it is less than 64KiB, one page of memory".to_owned(),
            )),
            bytes => Ok(ByteSize(bytes)),
        }
    }
}

/// Parses a number of bytes with a unit, of any size.
pub(crate) fn bytes(text: &str) -> Result<u64, InvalidUnit> {
    let refuse = |problem| no_size(text, problem);
    let (number, unit, rest) = part(text).map_err(refuse)?;
    if !rest.is_empty() {
        return Err(refuse("it has more than one unit".to_owned()));
    }
    let factor = find(&SIZES, unit).map_err(refuse)?;
    let bytes = number.checked_mul(factor);
    bytes.ok_or_else(|| refuse("it has more than 64 bits".to_owned()))
}

fn no_size(text: &str, problem: String) -> InvalidUnit {
    InvalidUnit {
        text: text.to_owned(),
        what: "a size",
        problem,
        example: "a whole number and a unit, as in `256MB` or `256MiB`",
    }
}

/// Writes a time with its units.
pub(super) fn shown_millis(millis: u64) -> String {
    ExecutionTimeout(Duration::from_millis(millis)).to_string()
}

/// Writes a number of bytes with the largest unit that needs no fraction.
pub(super) fn shown(bytes: u64) -> String {
    match bytes {
        0 => "0B".to_owned(),
        bytes => ByteSize(bytes).to_string(),
    }
}

impl FromStr for ExecutionTimeout {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<ExecutionTimeout, InvalidUnit> {
        let refuse = |problem: String| InvalidUnit {
            text: text.to_owned(),
            what: "a time",
            problem,
            example: "whole numbers and units, as in `60s`, `1m30s` or `250ms`",
        };
        let (mut total, mut rest, mut smallest) = (0u64, text, u64::MAX);
        while smallest == u64::MAX || !rest.is_empty() {
            let (number, unit, after) = part(rest).map_err(refuse)?;
            let factor = find(&TIMES, unit).map_err(refuse)?;
            if factor >= smallest {
                return Err(refuse("its units are not in the order h, m, s, ms".to_owned()));
            }
            let sum = number
                .checked_mul(factor)
                .and_then(|millis| millis.checked_add(total));
            match sum.filter(|sum| *sum <= MAX_MILLIS) {
                Some(sum) => total = sum,
                None => return Err(refuse("it is more than 49 days".to_owned())),
            }
            (rest, smallest) = (after, factor);
        }
        match total {
            0 => Err(refuse("it is zero".to_owned())),
            millis => Ok(ExecutionTimeout(Duration::from_millis(millis))),
        }
    }
}

/// Splits a number and its unit from the front of a text.
fn part(text: &str) -> Result<(u64, &str, &str), String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let letters = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    if number.is_empty() {
        return Err(match text.is_empty() {
            true => "it is empty".to_owned(),
            false => "a number is missing".to_owned(),
        });
    }
    if unit.is_empty() && !rest.is_empty() {
        return Err("it has a character that is neither a digit nor a letter".to_owned());
    }
    if unit.is_empty() {
        return Err("the unit is missing".to_owned());
    }
    match number.parse() {
        Ok(number) => Ok((number, unit, rest)),
        Err(_) => Err("the number has more than 64 bits".to_owned()),
    }
}

fn find(units: &[(&'static str, u64)], unit: &str) -> Result<u64, String> {
    if let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) {
        return Ok(*factor);
    }
    let unit = sanitize(unit, 16);
    Err(
        match units.iter().find(|(name, _)| name.eq_ignore_ascii_case(&unit)) {
            Some((name, _)) => format!("the unit `{unit}` is written `{name}`"),
            None => format!("the unit `{unit}` is unknown"),
        },
    )
}

/// Writes the size with the largest unit that needs no fraction.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = SIZES.iter().find(|(_, factor)| self.0.is_multiple_of(*factor));
        let (unit, factor) = fits.unwrap_or(&("B", 1));
        f.pad(&format!("{}{unit}", self.0 / factor))
    }
}

impl fmt::Display for ExecutionTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut text, mut rest) = (String::new(), self.millis());
        for (unit, factor) in TIMES {
            if rest >= factor {
                text += &format!("{}{unit}", rest / factor);
                rest %= factor;
            }
        }
        f.pad(&text)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Serialize for ExecutionTimeout {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        for (text, bytes) in [
            ("256MB", 256_000_000),
            ("256MiB", 256 << 20),
            ("64KiB", 64 << 10),
            ("65536B", 64 << 10),
            ("100kB", 100_000),
            ("100KB", 100_000),
            ("2GB", 2_000_000_000),
            ("4GiB", 4 << 30),
            ("0256MB", 256_000_000),
            ("18446744073709551615B", u64::MAX),
        ] {
            let size: ByteSize = text.parse().expect(text);
            assert_eq!(size.bytes(), bytes, "{text}");
            assert_eq!(size.to_string().parse(), Ok(size), "{text}");
        }
        assert_eq!("1024MiB".parse::<ByteSize>().unwrap().to_string(), "1GiB");
    }

    #[test]
    fn times_add_their_units() {
        for (text, millis, written) in [
            ("60s", 60_000, "1m"),
            ("1m30s", 90_000, "1m30s"),
            ("90s", 90_000, "1m30s"),
            ("250ms", 250, "250ms"),
            ("1h0m1ms", 3_600_001, "1h1ms"),
            ("4294967295ms", 4_294_967_295, "1193h2m47s295ms"),
        ] {
            let time: ExecutionTimeout = text.parse().expect(text);
            assert_eq!((time.millis(), time.to_string().as_str()), (millis, written));
            assert_eq!(written.parse(), Ok(time));
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for (text, problem) in [
            ("", "it is empty"),
            ("MB", "a number is missing"),
            ("-1MB", "a number is missing"),
            ("256", "the unit is missing"),
            ("1.5GB", "neither a digit nor a letter"),
            ("256 MB", "neither a digit nor a letter"),
            ("256mb", "the unit `mb` is written `MB`"),
            ("256MX", "the unit `MX` is unknown"),
            ("1MB1MB", "more than one unit"),
            ("99999999999999999999B", "the number has more than 64 bits"),
            ("99999999999GiB", "it has more than 64 bits"),
            ("65535B", "less than 64KiB"),
            ("0MB", "less than 64KiB"),
            ("256M\u{1b}B", "more than one unit"),
        ] {
            let error = text.parse::<ByteSize>().unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
        for (text, problem) in [
            ("", "it is empty"),
            ("s", "a number is missing"),
            ("60", "the unit is missing"),
            ("60S", "the unit `S` is written `s`"),
            ("1us", "the unit `us` is unknown"),
            ("1d", "the unit `d` is unknown"),
            ("30s1m", "not in the order"),
            ("1s1s", "not in the order"),
            ("0s", "it is zero"),
            ("50000h", "more than 49 days"),
            ("18446744073709551615h", "more than 49 days"),
            ("1m 30s", "a number is missing"),
        ] {
            let error = text.parse::<ExecutionTimeout>().unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
