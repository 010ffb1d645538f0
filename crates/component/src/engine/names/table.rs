//! The table of names: the bytes that artifacts have (`docs/artifact.md`).
//!
//! It is read in place. A name is found without reading the others, and nothing is assumed about the bytes.

#[cfg(feature = "compile")]
use std::borrow::Cow;
#[cfg(feature = "compile")]
use std::collections::BTreeMap;

#[cfg(feature = "compile")]
use crate::engine::names::NAME_CHARS;

/// Bytes before the entries: their number, and the length of the module's name.
const HEAD: usize = 8;
/// Bytes of an entry: the function's index, and the end of its name.
const ENTRY: usize = 8;
/// Length of the name of a module that has none.
const UNNAMED: u32 = u32::MAX;

/// Encodes names; `functions` is by index. `None` if there are none, or more than a table can have.
#[cfg(feature = "compile")]
pub(in crate::engine) fn write(
    module: Option<&str>,
    functions: &BTreeMap<u32, Cow<'_, str>>,
) -> Option<Vec<u8>> {
    if module.is_none() && functions.is_empty() {
        return None;
    }
    let mut text = cut(module.unwrap_or_default()).to_owned();
    let named = match module {
        Some(_) => u32::try_from(text.len()).ok()?,
        None => UNNAMED,
    };
    let mut bytes = u32::try_from(functions.len()).ok()?.to_le_bytes().to_vec();
    bytes.extend(named.to_le_bytes());
    for (index, name) in functions {
        text.push_str(cut(name));
        bytes.extend(index.to_le_bytes());
        bytes.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
    }
    bytes.extend(text.into_bytes());
    Some(bytes)
}

/// Returns as much of a name as is shown, and one character more if there is one: the sign that it was longer.
#[cfg(feature = "compile")]
fn cut(name: &str) -> &str {
    let end = name.char_indices().nth(NAME_CHARS + 1);
    end.and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}

/// The bytes of a table.
pub(super) struct Table(pub(super) Vec<u8>);

impl Table {
    /// Returns the module's name, if it has one.
    pub(super) fn module(&self) -> Option<&str> {
        let length = self.number(4).filter(|length| *length != UNNAMED)?;
        self.text(0, length)
    }

    /// Returns the name of a function, if it has one.
    pub(super) fn function(&self, index: u32) -> Option<&str> {
        let (mut low, mut high) = (0, self.count()?);
        while low < high {
            let middle = low + (high - low) / 2;
            let (found, end) = self.entry(middle)?;
            match found.cmp(&index) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let start = match middle.checked_sub(1) {
                        Some(before) => self.entry(before)?.1,
                        None => self.number(4).filter(|length| *length != UNNAMED).unwrap_or(0),
                    };
                    return self.text(start, end);
                }
            }
        }
        None
    }

    fn count(&self) -> Option<usize> {
        usize::try_from(self.number(0)?).ok()
    }

    /// Returns the index and the end of the name of an entry.
    fn entry(&self, at: usize) -> Option<(u32, u32)> {
        let at = at.checked_mul(ENTRY)?.checked_add(HEAD)?;
        Some((self.number(at)?, self.number(at.checked_add(4)?)?))
    }

    /// Returns a part of the text behind the entries.
    fn text(&self, start: u32, end: u32) -> Option<&str> {
        let text = self.count()?.checked_mul(ENTRY)?.checked_add(HEAD)?;
        let place = |offset: u32| text.checked_add(usize::try_from(offset).ok()?);
        std::str::from_utf8(self.0.get(place(start)?..place(end)?)?).ok()
    }

    fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.0.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }
}

#[cfg(all(test, feature = "compile"))]
mod tests {
    use super::*;

    fn table(module: Option<&str>, functions: &[(u32, &str)]) -> Option<Table> {
        let functions = functions
            .iter()
            .map(|(index, name)| (*index, Cow::Borrowed(*name)));
        write(module, &functions.collect()).map(Table)
    }

    #[test]
    fn each_name_is_found_and_no_other() {
        let named: Vec<(u32, String)> = (0..100).map(|n| (3 * n + 1, format!("función {n}"))).collect();
        let functions: Vec<(u32, &str)> = named.iter().map(|(index, name)| (*index, &name[..])).collect();
        for module in [None, Some(""), Some("módulo")] {
            let table = table(module, &functions).expect("there are names");
            assert_eq!(table.module(), module);
            for (index, name) in &named {
                assert_eq!(table.function(*index), Some(&name[..]));
                assert_eq!(table.function(index + 1), None);
            }
            assert_eq!((table.function(0), table.function(u32::MAX)), (None, None));
        }
    }

    #[test]
    fn empty_names_are_names_and_nothing_is_no_table() {
        let only = table(None, &[(7, ""), (8, "")]).expect("there are names");
        assert_eq!((only.function(7), only.function(8)), (Some(""), Some("")));
        assert_eq!(table(Some("m"), &[]).expect("a name").module(), Some("m"));
        assert!(table(None, &[]).is_none());
    }

    #[test]
    fn long_names_are_cut_one_character_behind_what_is_shown() {
        let long = "é".repeat(10_000);
        let table = table(Some(&long), &[(0, &long), (1, "short")]).expect("there are names");
        assert_eq!(
            table.module().map(|name| name.chars().count()),
            Some(NAME_CHARS + 1)
        );
        assert_eq!(table.function(0), table.module());
        assert_eq!(table.function(1), Some("short"));
        assert!(table.0.len() < 1000, "{}", table.0.len());
    }

    // A signed artifact may have any bytes as its table.
    #[test]
    fn damaged_tables_have_fewer_names() {
        let whole = table(Some("m"), &[(1, "one"), (2, "twö"), (9, "nine")])
            .expect("there are names")
            .0;
        let look = |bytes: Vec<u8>| {
            let table = Table(bytes);
            table.module();
            for index in (0..12).chain([u32::MAX]) {
                table.function(index);
            }
        };
        for length in 0..whole.len() {
            look(whole[..length].to_vec());
        }
        for at in 0..whole.len() {
            for byte in 0..=255 {
                let mut changed = whole.clone();
                changed[at] = byte;
                look(changed);
            }
        }
        for at in (0..whole.len() - 3).step_by(4) {
            let mut changed = whole.clone();
            changed[at..at + 4].fill(0xff);
            look(changed);
        }
    }
}
