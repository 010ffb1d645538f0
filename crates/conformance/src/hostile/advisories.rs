//! Published advisories on other engines that concern components, and the cases that test this library for them.

/// An advisory, and the cases that test this library for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// Its identifiers.
    pub ids: &'static [&'static str],
    /// A summary of the flaw, and its place.
    pub summary: &'static str,
    /// The name of a case, or the common prefix of a group of cases.
    pub case: &'static str,
}

const fn advisory(ids: &'static [&'static str], summary: &'static str, case: &'static str) -> Advisory {
    Advisory { ids, summary, case }
}

/// The advisories, all on wasmtime.
pub const ADVISORIES: &[Advisory] = &[
    advisory(
        &["CVE-2025-62711", "GHSA-4h67-722j-5pmc", "RUSTSEC-2025-0112"],
        "a crash when the host calls an intrinsic that a component exports as its function",
        "a resource intrinsic that is lifted",
    ),
    advisory(
        &["CVE-2026-34943", "GHSA-m758-wjhj-p3jq", "RUSTSEC-2026-0085"],
        "a panic when `flags` with bits beyond the labels are lifted",
        "flags of 3 labels, every bit",
    ),
    advisory(
        &["CVE-2026-35195", "GHSA-394w-hwhg-8vgm", "RUSTSEC-2026-0091"],
        "a write outside of memory when a string is transcoded into what `realloc` returned",
        "realloc returns the last address for a string in utf16, an argument from a component",
    ),
    advisory(
        &["CVE-2026-34942", "GHSA-jxhv-7h78-9775", "RUSTSEC-2026-0092"],
        "a panic when a misaligned UTF-16 string is transcoded",
        "utf16 string: at an odd address",
    ),
    advisory(
        &["CVE-2026-34941", "GHSA-hx6p-xpx3-jvvv", "RUSTSEC-2026-0093"],
        "a read outside of memory when UTF-16 is transcoded to latin1+utf16",
        "utf16 string: half inside as an argument of a component in latin1+utf16",
    ),
    advisory(
        &["GHSA-54p9-vhhq-8f7q", "RUSTSEC-2026-0360"],
        "a panic when an adapter transcodes a string onto itself",
        "a string that overlaps what it is transcoded to",
    ),
    advisory(
        &["CVE-2026-119134"],
        "unbounded memory for handles: their limit was one for each component instance",
        "ten tables of handles that are full together",
    ),
    advisory(
        &["GHSA-6fr9-xmw9-5352"],
        "unbounded memory when borrows are passed between components",
        "one resource lent more often than there may be handles",
    ),
    advisory(
        &["CVE-2026-119141"],
        "a panic when `realloc` calls an import, since leaving the component was permitted",
        "realloc that calls an import",
    ),
    advisory(
        &["CVE-2026-44216", "GHSA-p8xm-42r7-89xg", "RUSTSEC-2026-0114"],
        "a panic when an enormous table is allocated",
        "a table of 2^32 - 1 elements",
    ),
    advisory(
        &["CVE-2026-104855", "GHSA-2hw9-mc66-jc2q", "RUSTSEC-2026-0223"],
        "broken state when a store is used after a trap in a bulk operation",
        "a trap in a bulk operation",
    ),
    advisory(
        &["CVE-2026-115384", "GHSA-32h6-97mm-8q3c"],
        "a stack overwritten by the results of a mistyped callback",
        "a callback of another type",
    ),
    advisory(
        &["GHSA-m6w2-jwq2-cv2c", "RUSTSEC-2026-0353"],
        "a panic when an asynchronous function is called as a synchronous one",
        "an asynchronous function called as a synchronous one",
    ),
    advisory(
        &["CVE-2026-119140", "GHSA-5hhx-4wrr-3j9g", "RUSTSEC-2026-0358"],
        "a panic when a start function yields",
        "a yield in a start function",
    ),
    advisory(
        &["GHSA-93g3-36p8-x2gc", "RUSTSEC-2026-0357"],
        "a panic when nothing is written to a stream from outside of memory",
        "nothing written to a stream from outside of memory",
    ),
    advisory(
        &["GHSA-9pvw-hwfg-92h5"],
        "a panic when a stream of another payload is lowered",
        "a stream of another payload",
    ),
    advisory(
        &["GHSA-xrvr-8678-5wp8"],
        "a panic when a copy is canceled on the wrong end of a stream or future",
        "a copy canceled on the wrong end of a future",
    ),
];
