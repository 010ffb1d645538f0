//! Purposes of components, inferred from the names of standard interfaces.

/// The version of WASI that this library provides.
const TRACK: &str = "0.2.";

/// Returns a sentence about a component that is a program or server of WASI, or needs another version of WASI; `None`
/// if the names say neither. `exports` and `imports` are those of its root.
pub fn described<'n>(
    exports: impl IntoIterator<Item = &'n str>,
    imports: impl IntoIterator<Item = &'n str>,
) -> Option<String> {
    for name in exports {
        let (base, version) = name.split_once('@').unwrap_or((name, ""));
        let (what, runs) = match base {
            "wasi:cli/run" => ("a program", "run it with `airssys-wasm run`"),
            "wasi:http/incoming-handler" => ("an HTTP server", "run it with `airssys-wasm serve`"),
            "wasi:http/handler" | "wasi:http/service" => ("an HTTP server", ""),
            _ => continue,
        };
        return Some(match version.starts_with(TRACK) {
            true if !runs.is_empty() => {
                format!("it is {what} of WASI {version} (it exports `{name}`): {runs}")
            }
            _ => format!(
                "it is {what} of WASI {} (it exports `{name}`), but this host has WASI 0.2: build it for that, as the target \
                 wasm32-wasip2 does",
                if version.is_empty() {
                    "without a version"
                } else {
                    version
                }
            ),
        });
    }
    let foreign = imports.into_iter().find(|name| {
        let version = name.strip_prefix("wasi:").and_then(|rest| rest.split_once('@'));
        version.is_some_and(|(_, version)| version.starts_with("0.") && !version.starts_with(TRACK))
    })?;
    let (_, version) = foreign.split_once('@').unwrap_or_default();
    Some(format!(
        "it is built for WASI {version} (it imports `{foreign}`), but this host has WASI 0.2"
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
                &["a program of WASI 0.3.0", "wasm32-wasip2"][..],
            ),
            (
                &["wasi:cli/run@0.3.0-rc-2025-09-16"],
                &[],
                &["a program of WASI 0.3.0-rc"],
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
                &["an HTTP server of WASI 0.3.0", "has WASI 0.2"],
            ),
            (
                &["run"],
                &["wasi:io/streams@0.2.3", "wasi:clocks/types@0.3.0"],
                &["built for WASI 0.3.0", "`wasi:clocks/types@0.3.0`"],
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
            (&["run"][..], &["wasi:io/streams@0.2.3"][..]),
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
