//! Readable values.

use airssys_wasm_component::component::Val;
use airssys_wasm_component::wave;

/// Formats the value as WAVE text, with the bits of every NaN behind it; very long text is cut.
pub fn show(value: &Val) -> String {
    const MAX_CHARS: usize = 400;
    let mut text = wave::to_text(value).unwrap_or_else(|error| format!("a value without a text: {error}"));
    if let Some((at, _)) = text.char_indices().nth(MAX_CHARS) {
        text.truncate(at);
        text.push('…');
    }
    let mut nans = Vec::new();
    collect_nans(value, &mut nans);
    if !nans.is_empty() {
        text = format!("{text} [{}]", nans.join(", "));
    }
    text
}

fn collect_nans(value: &Val, nans: &mut Vec<String>) {
    const MAX: usize = 8;
    if nans.len() == MAX {
        return;
    }
    match value {
        Val::Float32(value) if value.is_nan() => nans.push(format!("{:#010x}", value.to_bits())),
        Val::Float64(value) if value.is_nan() => nans.push(format!("{:#018x}", value.to_bits())),
        Val::List(values) | Val::FixedLengthList(values) | Val::Tuple(values) => {
            values.iter().for_each(|value| collect_nans(value, nans));
        }
        Val::Record(fields) => fields.iter().for_each(|(_, value)| collect_nans(value, nans)),
        Val::Variant(_, Some(value))
        | Val::Option(Some(value))
        | Val::Result(Ok(Some(value)) | Err(Some(value))) => collect_nans(value, nans),
        _ => {}
    }
}
