#!/usr/bin/env bash
# Some functions of cap-std drop a trailing slash of a path, and behave differently from the system.
#
# Versions: cap-std 4.0.3, on Linux
# Behavior: `file/` does not name a file: the system returns "not a directory". Dir::symlink_metadata returns the file, and for `link/` the
#   link instead of its target directory; Dir::metadata agrees with the system. Dir::rename accepts `new/` as the new name of a file, which
#   the system refuses.
# Output seen:
#   symlink_metadata file/: cap-std file, std Not a directory
#   symlink_metadata link/: cap-std symlink, std dir
#   metadata file/: cap-std Not a directory, std Not a directory
#   rename to new/: cap-std ok, std Not a directory
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
cap-std = "=4.0.3"
END
cat > src/main.rs <<'END'
use std::{fs, io, path::Path};

fn kind(symlink: bool, dir: bool) -> String {
    if symlink { "symlink" } else if dir { "dir" } else { "file" }.to_string()
}

fn said(outcome: io::Result<String>) -> String {
    outcome.unwrap_or_else(|error| error.to_string().split(" (").next().unwrap().to_string())
}

fn main() {
    let root = Path::new("root");
    fs::create_dir_all(root.join("dir")).unwrap();
    fs::write(root.join("file"), "").unwrap();
    std::os::unix::fs::symlink("dir", root.join("link")).unwrap();
    let cap = cap_std::fs::Dir::open_ambient_dir(root, cap_std::ambient_authority()).unwrap();
    for name in ["file/", "link/"] {
        let theirs = said(cap.symlink_metadata(name).map(|data| kind(data.is_symlink(), data.is_dir())));
        let std = said(fs::symlink_metadata(root.join(name)).map(|data| kind(data.is_symlink(), data.is_dir())));
        println!("symlink_metadata {name}: cap-std {theirs}, std {std}");
    }
    let theirs = said(cap.metadata("file/").map(|data| kind(false, data.is_dir())));
    let std = said(fs::metadata(root.join("file/")).map(|data| kind(false, data.is_dir())));
    println!("metadata file/: cap-std {theirs}, std {std}");
    let std = said(fs::rename(root.join("file"), root.join("new/")).map(|()| "ok".to_string()));
    let theirs = said(cap.rename("file", &cap, "new/").map(|()| "ok".to_string()));
    println!("rename to new/: cap-std {theirs}, std {std}");
}
END
expected='symlink_metadata file/: cap-std file, std Not a directory
symlink_metadata link/: cap-std symlink, std dir
metadata file/: cap-std Not a directory, std Not a directory
rename to new/: cap-std ok, std Not a directory'
seen=$(CARGO_TARGET_DIR="$dir/target" cargo run --quiet)
if [ "$seen" != "$expected" ]; then
    printf "changed.\nexpected:\n%s\nseen:\n%s\n" "$expected" "$seen"
    exit 1
fi
echo "as described"
