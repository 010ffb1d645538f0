//! `cargo xtask findings`: runs the scripts in `findings/`, which demonstrate the behavior of real libraries and tools.
//! Run by hand, never in CI.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs the named findings, or all, one by one; returns whether each is still as it says.
pub(crate) fn run(root: &Path, names: &[String]) -> Result<bool> {
    let mut failed = 0;
    let chosen = chosen(&root.join("findings"), names)?;
    for (name, script) in &chosen {
        let start = Instant::now();
        let output = Command::new("bash")
            .arg(script)
            .current_dir(root)
            .stdin(Stdio::null())
            .output()
            .context("bash cannot be run")?;
        let seconds = start.elapsed().as_secs();
        if output.status.success() {
            println!("ok      {name} ({seconds} s)");
        } else {
            failed += 1;
            println!("FAILED  {name} ({seconds} s, {})", output.status);
            for text in [output.stdout, output.stderr] {
                for line in String::from_utf8_lossy(&text).lines() {
                    println!("        {line}");
                }
            }
        }
    }
    println!("{} ok, {failed} failed", chosen.len() - failed);
    Ok(failed == 0)
}

/// Returns the scripts to run, by name.
fn chosen(folder: &Path, names: &[String]) -> Result<Vec<(String, PathBuf)>> {
    let all = scripts(folder)?;
    if names.is_empty() {
        return Ok(all);
    }
    let find = |name: &String| {
        let name = name.strip_suffix(".sh").unwrap_or(name);
        all.iter().find(|(known, _)| known == name).cloned()
    };
    let mut found = Vec::new();
    for name in names {
        match find(name) {
            Some(script) => found.push(script),
            None => {
                let known: Vec<_> = all.iter().map(|(known, _)| known.as_str()).collect();
                bail!("unknown finding `{name}`: the findings are {}", known.join(", "));
            }
        }
    }
    Ok(found)
}

fn scripts(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut all = Vec::new();
    let entries = folder
        .read_dir()
        .with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sh")
            && let Some(name) = path.file_stem()
        {
            all.push((name.to_string_lossy().into_owned(), path));
        }
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Checks the form that findings/README.md states, as far as that is possible without a run.
    #[test]
    fn every_finding_has_the_form() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../findings");
        let all = scripts(&folder).expect("the findings can be listed");
        assert!(!all.is_empty());
        for (name, path) in all {
            let text = fs::read_to_string(&path).expect("a script is text");
            for part in [
                "#!/usr/bin/env bash\n# ",
                "\n# Versions: ",
                "\n# Behavior: ",
                "\n# Output seen:\n",
                "\nset -euo pipefail\n",
                "\ndir=$(mktemp -d)\ntrap 'rm -rf \"$dir\"' EXIT\n",
            ] {
                assert!(text.contains(part), "findings/{name}.sh lacks {part:?}");
            }
            assert!(
                !text.contains("airssys"),
                "findings/{name}.sh runs without the product"
            );
            // The head has the expected output.
            let expected = text
                .split_once("\nexpected='")
                .and_then(|(_, rest)| rest.split_once("'\n"))
                .map(|(expected, _)| expected)
                .unwrap_or_else(|| panic!("findings/{name}.sh expects nothing"));
            for line in expected.lines() {
                assert!(
                    text.contains(&format!("\n#   {line}\n")),
                    "the head of findings/{name}.sh does not show: {line}"
                );
            }
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = fs::metadata(&path).expect("it is there").permissions().mode();
                assert!(mode & 0o111 != 0, "findings/{name}.sh is not executable");
            }
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../findings");
        let error = chosen(&folder, &["nan".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("borsh-nan"), "{error}");
        assert_eq!(chosen(&folder, &["borsh-nan.sh".to_owned()]).unwrap().len(), 1);
    }
}
