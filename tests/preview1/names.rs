//! Paths that are made, removed, renamed and linked, by the answers that Linux gives.

use super::answers::*;
use super::guest::*;

/// Right answers, by what they are for.
pub(crate) const NAMES: &[(&str, u32, Make)] = &[
    ("creating a folder over a file", EXIST, |g| {
        g.at("path_create_directory", "file")
    }),
    ("creating a folder over a folder", EXIST, |g| {
        g.at("path_create_directory", "inner")
    }),
    ("creating a folder over a link", EXIST, |g| {
        g.at("path_create_directory", "good")
    }),
    ("creating a folder with a slash", SUCCESS, |g| {
        g.at("path_create_directory", "new/")
    }),
    ("creating a folder nowhere", NOENT, |g| {
        g.at("path_create_directory", "no/new")
    }),
    ("creating a folder in a file", NOTDIR, |g| {
        g.at("path_create_directory", "file/new")
    }),
    ("creating a folder without a name", NOENT, |g| {
        g.at("path_create_directory", "")
    }),
    ("removing a file as a folder", NOTDIR, |g| {
        g.at("path_remove_directory", "file")
    }),
    ("removing a link as a folder", NOTDIR, |g| {
        g.at("path_remove_directory", "symdir")
    }),
    ("removing a folder that is not there", NOENT, |g| {
        g.at("path_remove_directory", "no")
    }),
    ("removing a folder that was not looked at", SUCCESS, |g| {
        g.at("path_remove_directory", "inner")
    }),
    ("removing a folder with a slash", SUCCESS, |g| {
        g.at("path_remove_directory", "inner/")
    }),
    ("removing a folder that is not empty", NOTEMPTY, |g| {
        g.at("path_remove_directory", "full")
    }),
    ("removing a folder's dot", INVAL, |g| {
        g.at("path_remove_directory", "inner/.")
    }),
    ("unlinking a folder", ISDIR, |g| g.at("path_unlink_file", "inner")),
    ("unlinking a folder twice", ISDIR, |g| {
        then(&[
            g.at("path_unlink_file", "inner"),
            g.at("path_unlink_file", "inner"),
        ])
    }),
    ("unlinking a parent", ISDIR, |g| {
        g.at("path_unlink_file", "inner/..")
    }),
    ("unlinking a file with a slash", NOTDIR, |g| {
        g.at("path_unlink_file", "file/")
    }),
    ("renaming over a file", SUCCESS, |g| g.rename("file", "full/one")),
    ("renaming a file over a folder", ISDIR, |g| {
        g.rename("file", "inner")
    }),
    ("renaming a file over a full folder", ISDIR, |g| {
        g.rename("file", "full")
    }),
    ("renaming a folder over a file", NOTDIR, |g| {
        g.rename("inner", "file")
    }),
    ("renaming a folder over an empty one", SUCCESS, |g| {
        then(&[g.rename("full", "inner"), g.open("inner/one", 0, READ)])
    }),
    ("renaming a folder over a full one", NOTEMPTY, |g| {
        g.rename("inner", "full")
    }),
    ("renaming a folder to a name with a slash", SUCCESS, |g| {
        g.rename("full", "new/")
    }),
    ("renaming a folder into itself", INVAL, |g| {
        g.rename("full", "full/new")
    }),
    ("renaming a file to a name with a slash", NOTDIR, |g| {
        g.rename("file", "new/")
    }),
    ("renaming a file named with a slash", NOTDIR, |g| {
        g.rename("file/", "new")
    }),
    ("renaming to the folder itself", BUSY, |g| g.rename("file", ".")),
    ("renaming to a folder's dot", BUSY, |g| {
        g.rename("file", "inner/.")
    }),
    ("renaming to a folder's parent", BUSY, |g| {
        g.rename("file", "inner/..")
    }),
    ("renaming to an absolute path", PERM, |g| g.rename("file", "/")),
    ("renaming a folder's parent", BUSY, |g| {
        g.rename("inner/..", "new")
    }),
    ("renaming to no name", NOENT, |g| g.rename("file", "")),
    ("renaming from no name", NOENT, |g| g.rename("", "new")),
    ("renaming what is not there", NOENT, |g| g.rename("no", "new")),
    ("renaming into what is not there", NOENT, |g| {
        g.rename("file", "no/new")
    }),
    ("renaming into a file", NOTDIR, |g| {
        g.rename("file", "full/one/new")
    }),
    ("renaming over a link", SUCCESS, |g| {
        then(&[g.rename("full/one", "good"), g.open("good", 0, READ)])
    }),
    ("renaming over a link to nothing", SUCCESS, |g| {
        g.rename("file", "dangling")
    }),
    ("renaming over a link to itself", SUCCESS, |g| {
        g.rename("file", "loop")
    }),
    ("linking over a file", EXIST, |g| g.symlink("x", "file")),
    ("linking in a file", NOTDIR, |g| g.symlink("x", "file/x")),
    ("linking in a link to a file", NOTDIR, |g| {
        g.symlink("x", "good/x")
    }),
    ("linking deep in a file", NOTDIR, |g| g.symlink("x", "full/one/x")),
    ("linking in a link to a folder", SUCCESS, |g| {
        g.symlink("x", "symdir/x")
    }),
    ("linking at a name with a slash", NOENT, |g| {
        g.symlink("x", "new/")
    }),
    ("linking at a folder with a slash", EXIST, |g| {
        g.symlink("x", "inner/")
    }),
    ("linking at a file with a slash", EXIST, |g| {
        g.symlink("x", "file/")
    }),
    ("linking at a link to nothing with a slash", EXIST, |g| {
        g.symlink("x", "dangling/")
    }),
    ("a second name", SUCCESS, |g| {
        then(&[g.link("file", "new"), g.open("new", 0, READ)])
    }),
    ("a second name for a link", SUCCESS, |g| g.link("loop", "new")),
    ("a second name for a folder", PERM, |g| g.link("inner", "new")),
    ("a second name with a slash", NOENT, |g| g.link("file", "new/")),
    ("a second name below a file", NOTDIR, |g| {
        g.link("file", "full/one/new")
    }),
    ("a second name for what is named with a slash", NOTDIR, |g| {
        g.link("file/", "new")
    }),
    ("a second name for what is not there", NOENT, |g| {
        g.link("no", "new/")
    }),
    ("a second name that is there", EXIST, |g| g.link("file", "file")),
    ("a second name that is a folder", EXIST, |g| {
        g.link("inner", "full")
    }),
    ("a second name that is a link to nothing", EXIST, |g| {
        g.link("file", "dangling")
    }),
];
