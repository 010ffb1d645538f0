//! Reading of the layout from an ELF image that the engine has made.

use std::ops::Range;

use object::elf::{
    PF_R, PF_W, PF_X, R_AARCH64_ABS64, R_AARCH64_GLOB_DAT, R_AARCH64_JUMP_SLOT, R_AARCH64_RELATIVE,
    R_X86_64_64, R_X86_64_GLOB_DAT, R_X86_64_JUMP_SLOT, R_X86_64_RELATIVE,
};
use object::{
    Architecture, File, Object, ObjectSection, ObjectSegment, ObjectSymbol, ObjectSymbolTable,
    RelocationFlags, RelocationTarget, SegmentFlags,
};
use wasmer_compiler::LIBCALLS_ELF;
use wasmer_types::ModuleInfo;

use super::layout::{Access, Layout, Relocation, Segment, Target};
use crate::engine::run::instance::Places;

/// Section of the engine with the addresses of functions, entries by signature, and calls of host functions, 64 bits each.
const ADDRESSES: &[u8] = b".w.fn_offsets";
const UNWIND: &[u8] = b".eh_frame";
/// Sections that only the system's loader reads.
const OF_LOADER: [&[u8]; 2] = [b".dynamic", b".relro_padding"];

/// Reads the layout of an image, and where the parts of its module are.
///
/// # Errors
/// The part that the engine is not known to make.
pub(super) fn read(elf: &[u8], info: &ModuleInfo) -> Result<(Layout, Places), String> {
    let image = File::parse(elf).map_err(|error| format!("its image is malformed: {error}"))?;
    let malformed = |what: &str| format!("its image has {what}");
    let relocations = relocations(&image)?;
    let mut segments = Vec::new();
    for segment in image.segments() {
        let range = segment.address()..segment.address().saturating_add(segment.size());
        let (offset, bytes) = segment.file_range();
        let SegmentFlags::Elf { p_flags, .. } = segment.flags() else {
            return Err(malformed("a segment of another kind"));
        };
        let access = match (
            p_flags.contains(PF_R),
            p_flags.contains(PF_W),
            p_flags.contains(PF_X),
        ) {
            (true, false, false) => Access::Read,
            (true, false, true) => Access::Execute,
            (true, true, false) => Access::Relocate,
            _ => return Err(malformed("a segment with unknown rights")),
        };
        let is_unused = access == Access::Relocate
            && !relocations
                .iter()
                .any(|relocation| range.contains(&u64::from(relocation.at)))
            && is_for_loader(&image, &range);
        let number = |value: u64| u32::try_from(value).map_err(|_| malformed("more than 4 GiB"));
        if !is_unused && segment.size() > 0 {
            segments.push(Segment {
                address: number(segment.address())?,
                size: number(segment.size())?,
                offset,
                bytes: number(bytes)?,
                access,
            });
        }
    }
    let section = image.section_by_name_bytes(ADDRESSES);
    let section = section.ok_or_else(|| malformed("no addresses of functions"))?;
    let (addresses, _) = section
        .file_range()
        .ok_or_else(|| malformed("no addresses of functions"))?;
    let data = section.data().map_err(|error| error.to_string())?;
    let (words, rest) = data.as_chunks::<8>();
    let all: Option<Vec<u32>> = words
        .iter()
        .map(|word| u32::try_from(u64::from_le_bytes(*word)).ok())
        .collect();
    let all = all
        .filter(|_| rest.is_empty())
        .ok_or_else(|| malformed("addresses beyond 4 GiB"))?;
    let own = info.functions.len().saturating_sub(info.num_imported_functions);
    let split = all.split_at_checked(own).and_then(|(functions, rest)| {
        let (trampolines, dynamic) = rest.split_at_checked(info.signatures.len())?;
        (dynamic.len() == info.num_imported_functions).then_some((functions, trampolines, dynamic))
    });
    let (functions, trampolines, dynamic) = split.ok_or_else(|| malformed("too few or many functions"))?;
    let range = match (functions.first(), all.get(own)) {
        (None, _) => 0..0,
        // A function ends where the next one, or the first entry, begins.
        (Some(first), Some(end))
            if all
                .get(..=own)
                .is_some_and(|all| all.is_sorted_by(|one, next| one < next)) =>
        {
            *first..*end
        }
        _ => return Err(malformed("functions out of order")),
    };
    let layout = Layout {
        segments,
        relocations,
        unwind: unwind(&image)?,
        functions: range,
        addresses,
        count: u32::try_from(own).map_err(|_| malformed("too many functions"))?,
    };
    let places = Places {
        functions: functions.to_vec(),
        trampolines: trampolines.to_vec(),
        dynamic: dynamic.to_vec(),
    };
    Ok((layout, places))
}

/// Reports whether all sections at these addresses are for the system's loader.
fn is_for_loader(image: &File<'_>, range: &Range<u64>) -> bool {
    let mut within = image.sections().filter(|section| {
        let is_loaded = section.size() > 0 && section.address() > 0;
        is_loaded && range.contains(&section.address())
    });
    within.all(|section| section.name_bytes().is_ok_and(|name| OF_LOADER.contains(&name)))
}

fn relocations(image: &File<'_>) -> Result<Vec<Relocation>, String> {
    let Some(all) = image.dynamic_relocations() else {
        return Ok(Vec::new());
    };
    let symbols = image.dynamic_symbol_table();
    let relocation = |(at, relocation): (u64, object::Relocation)| {
        let RelocationFlags::Elf { r_type } = relocation.flags() else {
            return None;
        };
        let target = match (image.architecture(), r_type, relocation.target()) {
            (Architecture::X86_64, R_X86_64_RELATIVE, _) | (Architecture::Aarch64, R_AARCH64_RELATIVE, _) => {
                Target::Image
            }
            (
                Architecture::X86_64,
                R_X86_64_64 | R_X86_64_GLOB_DAT | R_X86_64_JUMP_SLOT,
                RelocationTarget::Symbol(symbol),
            )
            | (
                Architecture::Aarch64,
                R_AARCH64_ABS64 | R_AARCH64_GLOB_DAT | R_AARCH64_JUMP_SLOT,
                RelocationTarget::Symbol(symbol),
            ) => {
                let symbol = symbols.as_ref()?.symbol_by_index(symbol).ok()?;
                let name = symbol
                    .name()
                    .ok()
                    .filter(|name| LIBCALLS_ELF.contains_key(name))?;
                Target::Engine(name.to_owned())
            }
            _ => return None,
        };
        Some(Relocation {
            at: u32::try_from(at).ok()?,
            target,
            addend: relocation.addend(),
        })
    };
    let all: Option<Vec<_>> = all.map(relocation).collect();
    all.ok_or_else(|| "its image has an unknown relocation".into())
}

/// Returns the addresses of the lists of unwind information.
fn unwind(image: &File<'_>) -> Result<Vec<u32>, String> {
    let Some(section) = image.section_by_name_bytes(UNWIND) else {
        return Ok(Vec::new());
    };
    let malformed = || "its image has malformed unwind information".to_owned();
    let data = section.data().map_err(|error| error.to_string())?;
    let (mut lists, mut at, mut begins) = (Vec::new(), 0usize, true);
    while at < data.len() {
        let length = at
            .checked_add(4)
            .and_then(|end| data.get(at..end))
            .ok_or_else(malformed)?;
        let length = length
            .try_into()
            .map(u32::from_le_bytes)
            .map_err(|_| malformed())?;
        if begins && length != 0 {
            let address = section.address().checked_add(at as u64);
            lists.push(
                address
                    .and_then(|address| u32::try_from(address).ok())
                    .ok_or_else(malformed)?,
            );
        }
        begins = length == 0;
        at = at
            .checked_add(4)
            .and_then(|at| at.checked_add(length as usize))
            .ok_or_else(malformed)?;
    }
    // The last list ends, too.
    match begins && at == data.len() {
        true => Ok(lists),
        false => Err(malformed()),
    }
}
