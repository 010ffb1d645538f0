//! Parsing of numerals in JSON and in YAML.
//!
//! A whole number keeps every digit or is refused. A number with a fraction or an exponent becomes the nearest double, as
//! everywhere in JSON, and is refused where none is near.

use super::forms;
use serde_json::{Number, Value};

/// Parses a plain scalar by the core schema of YAML 1.2.2 (section 10.3.2).
///
/// One deviation: a decimal number with a zero before another digit is text. The schema reads `02134` as the number 2134,
/// its own JSON schema does not, and such scalars are postal codes, telephone numbers or keys, whose zeros would be lost.
///
/// # Errors
///
/// A readable reason for a number that cannot be represented.
pub(super) fn plain(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => forms::float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => forms::float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => forms::float(f64::NAN),
        _ => match numeral(text) {
            Some(Numeral::Decimal) if !has_leading_zero(text) => decimal(text)?,
            Some(Numeral::Radix(digits, radix)) => whole_of_radix(text, digits, radix)?,
            Some(Numeral::Decimal) | None => Value::from(text),
        },
    })
}

/// Parses a scalar whose tag declares it a number.
///
/// # Errors
///
/// Text that is not a number in the core schema, and the errors of [`plain`].
pub(super) fn tagged(text: &str) -> Result<Value, String> {
    match numeral(text) {
        Some(Numeral::Decimal) => decimal(text),
        _ => match plain(text)? {
            number if is_number(&number) => Ok(number),
            _ => Err("it is not a number".to_owned()),
        },
    }
}

/// Reports whether a value that [`plain`] returned is a number.
pub(super) fn is_number(value: &Value) -> bool {
    // Of the forms, a plain scalar only produces those of numbers.
    value.is_number() || value.is_object()
}

/// Converts a decimal numeral, in the syntax of JSON or of the core schema.
///
/// # Errors
///
/// A whole number of more than 128 bits; a number that is nearer to infinity, or to zero, than to any other double.
pub(super) fn decimal(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text.contains(['.', 'e', 'E']) {
        return fraction(text);
    }
    if let Ok(value) = text.parse::<i64>() {
        // An integer has no negative zero; a double has.
        return Ok(match value {
            0 if text.starts_with('-') => Value::from(-0.0),
            _ => Value::from(value),
        });
    }
    if let Ok(value) = text.parse::<u64>() {
        return Ok(Value::from(value));
    }
    if let Ok(value) = text.parse::<i128>() {
        return Ok(forms::int(value));
    }
    match text.parse::<u128>() {
        Ok(value) => Ok(forms::int(value)),
        Err(_) => Err(format!("the whole number `{text}` has more than 128 bits")),
    }
}

fn fraction(text: &str) -> Result<Value, String> {
    let Ok(value) = text.parse::<f64>() else {
        return Err(format!("`{text}` is not a number"));
    };
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    if value == 0.0 && mantissa.contains(|digit: char| matches!(digit, '1'..='9')) {
        return Err(format!("the number `{text}` is too small for a double"));
    }
    match Number::from_f64(value) {
        Some(number) => Ok(Value::Number(number)),
        None => Err(format!("the number `{text}` is too large for a double")),
    }
}

fn whole_of_radix(text: &str, digits: &str, radix: u32) -> Result<Value, String> {
    let Ok(value) = u128::from_str_radix(digits, radix) else {
        return Err(format!("the whole number `{text}` has more than 128 bits"));
    };
    Ok(u64::try_from(value).map_or_else(|_| forms::int(value), Value::from))
}

/// The numeral syntaxes of the core schema.
enum Numeral<'a> {
    /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
    Decimal,
    /// `0o [0-7]+` and `0x [0-9a-fA-F]+`: the digits, and their number.
    Radix(&'a str, u32),
}

fn numeral(text: &str) -> Option<Numeral<'_>> {
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let is_whole = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
            return is_whole.then_some(Numeral::Radix(digits, radix));
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_run = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    let is_decimal = is_run(whole)
        && is_run(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|digits| !digits.is_empty() && is_run(digits));
    is_decimal.then_some(Numeral::Decimal)
}

fn has_leading_zero(decimal: &str) -> bool {
    let unsigned = decimal.strip_prefix(['-', '+']).unwrap_or(decimal);
    let mut digits = unsigned.bytes();
    digits.next() == Some(b'0') && digits.next().is_some_and(|digit| digit.is_ascii_digit())
}

/// The numerals of a JSON text, in order.
///
/// The parser returns a double for a number that no 64-bit integer holds, and drops its text. This iterator finds the text
/// again. The JSON must be valid up to the last numeral that is requested.
pub(super) struct Numerals<'a> {
    rest: &'a [u8],
}

impl<'a> Numerals<'a> {
    pub(super) fn new(json: &'a [u8]) -> Self {
        Self { rest: json }
    }
}

impl<'a> Iterator for Numerals<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let (&first, behind) = self.rest.split_first()?;
            match first {
                b'"' => self.rest = behind_text(behind),
                b'-' | b'0'..=b'9' => {
                    let belongs = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                    let end = self.rest.iter().position(|byte| !belongs(byte));
                    let (numeral, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                    self.rest = rest;
                    return std::str::from_utf8(numeral).ok();
                }
                _ => self.rest = behind,
            }
        }
    }
}

/// Skips to the end of a JSON string; `rest` starts behind the opening quote.
fn behind_text(mut rest: &[u8]) -> &[u8] {
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match byte {
            b'"' => return behind,
            b'\\' => behind.get(1..).unwrap_or_default(),
            _ => behind,
        };
    }
    rest
}
