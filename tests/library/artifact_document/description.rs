//! The descriptions of images, followed literally.

use super::{Reader, table};

/// Reads a list whose entries `read` reads.
fn list<T>(reader: &mut Reader<'_>, mut read: impl FnMut(&mut Reader<'_>) -> T) -> Vec<T> {
    let count = reader.u32();
    (0..count).map(|_| read(reader)).collect()
}

/// Checks the description of an image.
pub(super) fn follow_description(bytes: &[u8], image: &[u8]) {
    let mut reader = Reader(bytes);
    let mut segments: Vec<(u32, u32, u8)> = Vec::new();
    let mut export_names = String::new();
    let within = |segments: &[(u32, u32, u8)], address: u32, access: u8| {
        let mut found = segments.iter();
        found.any(|(start, size, of)| *of == access && (*start..start + size).contains(&address))
    };
    for row in table(&["field of the layout", "type", "what"]) {
        match (row[0], row[1]) {
            ("image", "32 bytes") => assert_eq!(reader.take(32), blake3::hash(image).as_bytes()),
            ("segments", "list of (address u32, size u32, offset u64, bytes u32, access u8)") => {
                segments = list(&mut reader, |reader| {
                    let (address, size, offset) = (reader.u32(), reader.u32(), reader.u64() as usize);
                    assert!(offset + reader.u32() as usize <= image.len());
                    (address, size, reader.u8())
                });
                assert!(segments.is_sorted() && segments.iter().any(|(_, _, access)| *access == 1));
            }
            ("relocations", "list of (at u32, target u8, name string if target is 1, addend i64)") => {
                for (at, target) in list(&mut reader, |reader| {
                    let (at, target) = (reader.u32(), reader.u8());
                    let name = (target == 1).then(|| reader.string());
                    reader.u64();
                    (at, (target, name))
                }) {
                    assert!(within(&segments, at, 2) && target.0 <= 1, "{at:#x} {target:?}");
                }
            }
            ("unwind", "list of u32") => {
                for at in list(&mut reader, |reader| reader.u32()) {
                    assert!(within(&segments, at, 0), "{at:#x}");
                }
            }
            ("functions", "(u32, u32)") => {
                let (start, end) = (reader.u32(), reader.u32());
                assert!(start == end || within(&segments, start, 1) && within(&segments, end - 1, 1));
            }
            ("addresses", "u64") => assert!(reader.u64() as usize <= image.len()),
            ("count", "u32") => assert!(reader.u32() < 1 << 20),
            ("description", "list of u8") => assert!(!list(&mut reader, |reader| reader.u8()).is_empty()),
            ("imports", "list of (kind u8, u32)") => {
                for (kind, _) in list(&mut reader, |reader| (reader.u8(), reader.u32())) {
                    assert!(kind <= 3, "an import of kind {kind}");
                }
            }
            ("export names", "string") => export_names = reader.string(),
            ("exports", "list of (end u32, kind u8, u32)") => {
                let mut before = None;
                let mut start = 0;
                for (end, kind, _) in list(&mut reader, |reader| (reader.u32(), reader.u8(), reader.u32())) {
                    let name = &export_names[start..end as usize];
                    assert!(before < Some(name) && kind <= 3, "`{name}`");
                    (before, start) = (Some(name), end as usize);
                }
                assert_eq!(start, export_names.len());
            }
            ("memory", "u8, and u32 if it is 1") => {
                if reader.u8() == 1 {
                    reader.u32();
                }
            }
            ("metered" | "state", "u8") => assert_eq!(reader.u8(), 0),
            ("kept" | "trampolines" | "dynamic", "list of u32") => {
                for at in list(&mut reader, |reader| reader.u32()) {
                    assert!(within(&segments, at, 1), "{}: {at:#x}", row[0]);
                }
            }
            ("tables", "list of (table u32, elements)") => {
                list(&mut reader, |reader| {
                    reader.u32();
                    list(reader, |reader| match reader.u8() {
                        0 => {}
                        1 => drop(reader.u32()),
                        2 => assert!(within(&segments, reader.u32(), 1) && reader.u32() < 1 << 20),
                        other => panic!("an element of kind {other}"),
                    })
                });
            }
            (field, ty) => panic!("the document's `{field}`, `{ty}`, is not known here"),
        }
    }
    assert!(reader.0.is_empty(), "the table has every field");
}
