//! Purposes of components, inferred from the names of standard interfaces.

/// Returns whether this library provides a version of WASI.
fn is_provided(version: &str) -> bool {
    let is_release =
        !version.contains('-') && ["0.2.", "0.3."].iter().any(|track| version.starts_with(track));
    is_release || version == "0.3.0-rc-2026-03-15"
}

/// The versions for messages.
const PROVIDED: &str = "WASI 0.2 and 0.3";

/// Returns a sentence about a component that is a program or server of WASI, or needs another version of WASI; `None`
/// if the names say neither. `exports` and `imports` are those of its root.
pub fn described<'n>(
    exports: impl IntoIterator<Item = &'n str>,
    imports: impl IntoIterator<Item = &'n str>,
) -> Option<String> {
    for name in exports {
        let (base, version) = name.split_once('@').unwrap_or((name, ""));
        let (what, command) = match base {
            "wasi:cli/run" => ("a program", "run"),
            "wasi:http/incoming-handler" | "wasi:http/handler" => ("an HTTP server", "serve"),
            _ => continue,
        };
        return Some(match is_provided(version) {
            true => format!(
                "it is {what} of WASI {version} (it exports `{name}`): run it with `airssys-wasm {command}`"
            ),
            false => format!(
                "it is {what} of WASI {} (it exports `{name}`), but this host has {PROVIDED}: build it for one of these, as \
                 the target wasm32-wasip2 does",
                match version {
                    "" => "without a version",
                    version => version,
                }
            ),
        });
    }
    let foreign = imports.into_iter().find(|name| {
        let version = name.strip_prefix("wasi:").and_then(|rest| rest.split_once('@'));
        version.is_some_and(|(_, version)| version.starts_with("0.") && !is_provided(version))
    })?;
    let (_, version) = foreign.split_once('@').unwrap_or_default();
    Some(format!(
        "it is built for WASI {version} (it imports `{foreign}`), but this host has {PROVIDED}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_servers_are_told_by_their_exports() {
        let of = |exports: &[&'static str], imports: &[&'static str]| {
            described(exports.iter().copied(), imports.iter().copied()).unwrap_or_default()
        };
        for (exports, imports, parts) in [
            (
                &["a:b/c", "wasi:cli/run@0.3.0"][..],
                &[][..],
                &["a program of WASI 0.3.0 (", "airssys-wasm run"][..],
            ),
            (
                &["wasi:cli/run@0.3.0-rc-2025-09-16"],
                &[],
                &["a program of WASI 0.3.0-rc", "wasm32-wasip2"],
            ),
            (
                &["wasi:cli/run@0.2.3"],
                &[],
                &["a program of WASI 0.2.3", "airssys-wasm run"],
            ),
            (
                &["wasi:http/incoming-handler@0.2.0"],
                &[],
                &["an HTTP server of WASI 0.2.0", "airssys-wasm serve"],
            ),
            (
                &["wasi:http/handler@0.3.0"],
                &[],
                &["an HTTP server of WASI 0.3.0", "airssys-wasm serve"],
            ),
            (
                &["wasi:http/handler@0.3.0-rc-2026-03-15"],
                &[],
                &["an HTTP server of WASI 0.3.0-rc-2026-03-15", "airssys-wasm serve"],
            ),
            (
                &["wasi:cli/run@0.4.0"],
                &[],
                &["a program of WASI 0.4.0", "has WASI 0.2 and 0.3"],
            ),
            (
                &["run"],
                &["wasi:io/streams@0.2.3", "wasi:clocks/types@0.3.0-draft"],
                &["built for WASI 0.3.0-draft", "`wasi:clocks/types@0.3.0-draft`"],
            ),
        ] {
            for part in parts {
                assert!(
                    of(exports, imports).contains(part),
                    "{part}: {}",
                    of(exports, imports)
                );
            }
        }
        for (exports, imports) in [
            (
                &["run"][..],
                &[
                    "wasi:io/streams@0.2.3",
                    "wasi:clocks/types@0.3.2",
                    "wasi:cli/exit@0.3.0-rc-2026-03-15",
                ][..],
            ),
            (
                &["airssys:component-core/component-lifecycle@1.0.0"],
                &["wasi:nn/graph@1.0.0"],
            ),
            (&[], &["wasi:unversioned/x"]),
        ] {
            assert_eq!(of(exports, imports), "");
        }
    }
}
