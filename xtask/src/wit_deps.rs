//! `cargo xtask wit-deps DIR`: lays the contract's packages out beside a guest's own world.
//!
//! The tools that read WIT (wit-bindgen, componentize-js, componentize-qjs, componentize-py, `wasm-tools component`)
//! all read a folder with the guest's package and, under `deps/`, one folder per package that it depends on:
//!
//! ```text
//! DIR/world.wit                    package my:guest;
//!                                  world guest { include airssys:component-core/component@1.0.0; }
//! DIR/deps/types/types.wit         airssys:types-core
//! DIR/deps/multicodec/multicodec.wit
//! DIR/deps/messaging/messaging.wit
//! DIR/deps/host/host.wit
//! DIR/deps/component/component.wit
//! ```
//!
//! The order within `deps/` does not matter; the tools sort packages by what they use.
//!
//! With `--async`, the functions of the lifecycle that may wait are `async func` in the copy: tools give only functions of
//! such a type asynchronous code. A host takes both.

use anyhow::{Context, Result, bail};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The core packages: `airssys:NAME-core`, in `wit/core/NAME.wit`.
pub(crate) const PACKAGES: [&str; 5] = ["types", "multicodec", "messaging", "host", "component"];

/// The type of the contract's functions that may wait for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `func`, as in `wit/core`.
    Synchronous,
    /// `async func`, for [`WAITING`].
    Asynchronous,
}

/// The functions of `component-lifecycle` that may be `async`: the others are to return immediately.
const WAITING: [&str; 3] = ["init", "execute", "shutdown"];

/// A file of a package that was laid out.
#[derive(Debug)]
pub(crate) struct LaidOut {
    path: PathBuf,
    changed: bool,
}

impl fmt::Display for LaidOut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.changed { "wrote    " } else { "unchanged" };
        write!(out, "{what} {}", self.path.display())
    }
}

/// Lays the packages out under `dir`. Older copies of them are replaced; files that are up to date are left unchanged,
/// so that builds which depend on them are not repeated.
///
/// # Errors
///
/// If a file cannot be read or written, or if the folder for a package of the contract contains other files, which are
/// never overwritten.
pub(crate) fn lay_out(root: &Path, dir: &Path, form: Form) -> Result<Vec<LaidOut>> {
    for name in PACKAGES {
        refuse_foreign_files(&dir.join("deps").join(name), name)?;
    }
    PACKAGES
        .iter()
        .map(|name| lay_out_package(root, dir, name, form))
        .collect()
}

/// Lays WASI's packages out under `dir`, for guests of this workspace: all of them, each in a folder `wasi-NAME`.
///
/// # Errors
///
/// If a file cannot be read or written.
pub(crate) fn lay_out_wasi(root: &Path, dir: &Path) -> Result<()> {
    let sources = root.join("wit/wasi");
    let entries = fs::read_dir(&sources).with_context(|| format!("cannot list {}", sources.display()))?;
    for entry in entries {
        let source = entry?.path();
        let name = source.file_stem().and_then(|name| name.to_str());
        let name = format!("wasi-{}", name.context("a package has a name")?);
        copy(&source, &dir.join("deps").join(&name).join(format!("{name}.wit")))?;
    }
    Ok(())
}

fn lay_out_package(root: &Path, dir: &Path, name: &str, form: Form) -> Result<LaidOut> {
    let source = root.join("wit/core").join(format!("{name}.wit"));
    let path = dir.join("deps").join(name).join(format!("{name}.wit"));
    if name != "component" || form == Form::Synchronous {
        return copy(&source, &path);
    }
    let text = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    write(&path, asynchronous(&text)?.as_bytes())
}

/// Returns the package of the lifecycle with its functions of [`WAITING`] as `async func`.
fn asynchronous(text: &str) -> Result<String> {
    let mut text = text.to_owned();
    for name in WAITING {
        let old = format!("\n    {name}: func(");
        if text.matches(&old).count() != 1 {
            bail!("the contract has no function `{name}` to make asynchronous");
        }
        text = text.replace(&old, &format!("\n    {name}: async func("));
    }
    Ok(text)
}

/// Copies a file, unless the copy is there already.
pub(crate) fn copy(source: &Path, path: &Path) -> Result<LaidOut> {
    let text = fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
    write(path, &text)
}

fn write(path: &Path, text: &[u8]) -> Result<LaidOut> {
    let path = path.to_path_buf();
    if fs::read(&path).is_ok_and(|old| old == text) {
        return Ok(LaidOut { path, changed: false });
    }
    let folder = path.parent().context("a file stands in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(LaidOut { path, changed: true })
}

/// Refuses files of another package: all files of a folder form one package, so they would be lost or break the guest.
fn refuse_foreign_files(folder: &Path, name: &str) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot list {}", folder.display()))?
            .path();
        if path.extension().is_none_or(|extension| extension != "wit") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let own = format!("package airssys:{name}-core@");
        if !text.lines().any(|line| line.starts_with(&own))
            || path.file_stem().is_none_or(|stem| stem != name)
        {
            bail!(
                "{} is not part of the package airssys:{name}-core; move it to a folder of its own under {}",
                path.display(),
                folder.parent().unwrap_or(folder).display()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wit_parser::Resolve;

    /// A folder that is removed at the end of the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("airssys-wasm-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).expect("a temporary folder can be made");
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the package lies in the workspace")
    }

    fn changed(files: &[LaidOut]) -> usize {
        files.iter().filter(|file| file.changed).count()
    }

    #[test]
    fn a_guest_folder_resolves_as_the_tools_read_it() {
        let scratch = Scratch::new("resolves");
        let wit = scratch.0.join("wit");
        assert_eq!(
            changed(&lay_out(root(), &wit, Form::Synchronous).expect("laid out")),
            PACKAGES.len()
        );
        let world = "package my:guest;\nworld guest { include airssys:component-core/component@1.0.0; }\n";
        fs::write(wit.join("world.wit"), world).expect("the world can be written");

        let mut resolve = Resolve::default();
        let (package, _) = resolve
            .push_dir(&wit)
            .expect("the folder is what the tools expect");
        let world = resolve.select_world(&[package], None).expect("it has one world");
        assert_eq!(resolve.worlds[world].exports.len(), 1);
    }

    #[test]
    fn the_asynchronous_contract_differs_in_the_functions_that_wait() {
        let scratch = Scratch::new("asynchronous");
        lay_out(root(), &scratch.0, Form::Asynchronous).unwrap();
        let text = fs::read_to_string(scratch.0.join("deps/component/component.wit")).unwrap();
        assert_eq!(text.matches(": async func(").count(), WAITING.len());
        let old = fs::read_to_string(root().join("wit/core/component.wit")).unwrap();
        assert_eq!(text.replace(": async func(", ": func("), old);
    }

    #[test]
    fn older_copies_are_replaced_and_current_ones_left_alone() {
        let scratch = Scratch::new("replaces");
        lay_out(root(), &scratch.0, Form::Synchronous).expect("laid out");
        assert_eq!(
            changed(&lay_out(root(), &scratch.0, Form::Synchronous).expect("laid out again")),
            0
        );
        let file = scratch.0.join("deps/types/types.wit");
        fs::write(&file, "package airssys:types-core@0.9.0;\n").expect("an old copy can be written");
        assert_eq!(
            changed(&lay_out(root(), &scratch.0, Form::Synchronous).expect("laid out over it")),
            1
        );
        let current = fs::read(root().join("wit/core/types.wit")).expect("the contract can be read");
        assert_eq!(fs::read(file).expect("the copy can be read"), current);
    }

    #[test]
    fn other_peoples_files_are_not_overwritten() {
        for file in ["types.wit", "more.wit"] {
            let scratch = Scratch::new(file);
            let path = scratch.0.join("deps/types").join(file);
            fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("the folder can be made");
            fs::write(&path, "package my:types;\n").expect("the file can be written");
            let error =
                lay_out(root(), &scratch.0, Form::Synchronous).expect_err("the file is not the contract's");
            assert!(error.to_string().contains(file), "{error}");
            assert_eq!(
                fs::read_to_string(&path).expect("it is there"),
                "package my:types;\n"
            );
            assert!(!scratch.0.join("deps/host").exists(), "nothing is half done");
        }
    }
}
