//! Single calls of `wasi:filesystem`.

use crate::bindings::exports::fixtures::wasi_cases::steps::{Guest, Step};
use crate::bindings::wasi::filesystem::types::{Advice, NewTimestamp};
use crate::bindings::wasi::io::streams::StreamError;
use crate::files::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags, entries, kind};
use crate::text::{bytes, done};
use std::cell::RefCell;

thread_local! {
    static OPEN: RefCell<Vec<Option<Descriptor>>> = const { RefCell::new(Vec::new()) };
}

impl Guest for crate::Cases {
    fn take(step: Step) -> String {
        OPEN.with_borrow_mut(|open| {
            if open.is_empty() {
                let folders = crate::bindings::wasi::filesystem::preopens::get_directories();
                open.extend(folders.into_iter().map(|(folder, _)| Some(folder)));
            }
            take(open, &step)
        })
    }
}

fn told<T>(result: Result<T, ErrorCode>, tell: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => format!("ok {}", tell(value)),
        Err(code) => code.name().into(),
    }
}

/// A step on a stream of a file: its error is reported as the file's.
fn streamed(result: Result<String, StreamError>) -> String {
    match result {
        Ok(text) => format!("ok {text}"),
        Err(StreamError::Closed) => "closed".into(),
        Err(StreamError::LastOperationFailed(error)) => {
            let code = crate::bindings::wasi::filesystem::types::filesystem_error_code(&error);
            format!("failed {}", code.map_or("without a code", |code| code.name()))
        }
    }
}

fn take(open: &mut Vec<Option<Descriptor>>, step: &Step) -> String {
    let has = |flag: &str| step.flags.iter().any(|name| name == flag);
    let mut flags = DescriptorFlags::empty();
    flags.set(DescriptorFlags::READ, has("read"));
    flags.set(DescriptorFlags::WRITE, has("write"));
    flags.set(DescriptorFlags::MUTATE_DIRECTORY, has("mutate-directory"));
    let mut how = OpenFlags::empty();
    how.set(OpenFlags::CREATE, has("create"));
    how.set(OpenFlags::DIRECTORY, has("directory"));
    how.set(OpenFlags::EXCLUSIVE, has("exclusive"));
    how.set(OpenFlags::TRUNCATE, has("truncate"));
    let mut follow = PathFlags::empty();
    follow.set(PathFlags::SYMLINK_FOLLOW, has("symlink-follow"));

    let place = step.descriptor as usize;
    if step.call == "drop" {
        open[place] = None;
        return "ok".into();
    }
    if step.call == "after-drop" {
        let Some(descriptor) = open[place].take() else {
            return "it is dropped".into();
        };
        let handle = descriptor.handle();
        drop(descriptor);
        // SAFETY: of memory nothing is at stake. The host sees a handle that there is not.
        let ghost = std::mem::ManuallyDrop::new(unsafe { Descriptor::from_handle(handle) });
        return done(ghost.stat());
    }
    if step.call == "flood" {
        let mut opened = 0;
        while opened < step.at {
            match open[place].as_ref().map(|dir| dir.open_at(follow, &step.path, how, flags)) {
                Some(Ok(file)) => open.push(Some(file)),
                Some(Err(code)) => return format!("{opened}, then {}", code.name()),
                None => return "it is dropped".into(),
            }
            opened += 1;
        }
        return format!("{opened}");
    }
    let Some(on) = open.get(place).and_then(Option::as_ref) else {
        return "it is dropped".into();
    };
    let other = open.get(step.other as usize).and_then(Option::as_ref).unwrap_or(on);
    let (path, new_path, now) = (&step.path, &step.new_path, NewTimestamp::Now);
    match &*step.call {
        "open-at" => {
            let opened = on.open_at(follow, path, how, flags);
            told(opened, |file| {
                open.push(Some(file));
                format!("{}", open.len() - 1)
            })
        }
        "stat-at" => told(on.stat_at(follow, path), |stat| format!("{} {}", kind(stat.type_), stat.size)),
        "stat" => told(on.stat(), |stat| format!("{} {}", kind(stat.type_), stat.size)),
        "create-directory-at" => done(on.create_directory_at(path)),
        "remove-directory-at" => done(on.remove_directory_at(path)),
        "unlink-file-at" => done(on.unlink_file_at(path)),
        "readlink-at" => told(on.readlink_at(path), |target| target),
        "symlink-at" => done(on.symlink_at(path, new_path)),
        "link-at" => done(on.link_at(follow, path, other, new_path)),
        "rename-at" => done(on.rename_at(path, other, new_path)),
        "set-times-at" => done(on.set_times_at(follow, path, now, now)),
        "metadata-hash-at" => done(on.metadata_hash_at(follow, path)),
        "metadata-hash" => done(on.metadata_hash()),
        "is-same-object" => on.is_same_object(other).to_string(),
        "get-type" => told(on.get_type(), |it| kind(it).into()),
        "get-flags" => told(on.get_flags(), |flags| format!("{:06b}", flags.bits())),
        "read" => told(on.read(step.length, step.at), |(read, end)| format!("{} {end}", bytes(&read))),
        "write" => told(on.write(&step.bytes, step.at), |written| written.to_string()),
        "set-size" => done(on.set_size(step.at)),
        "set-times" => done(on.set_times(now, now)),
        "sync" => done(on.sync()),
        "sync-data" => done(on.sync_data()),
        "advise" => done(on.advise(step.at, step.length, Advice::WillNeed)),
        "list" => entries(on),
        "flood-list" => {
            let mut streams = Vec::new();
            for _ in 0..step.at {
                match on.read_directory() {
                    Ok(stream) => streams.push(stream),
                    Err(code) => return format!("{}, then {}", streams.len(), code.name()),
                }
            }
            streams.len().to_string()
        }
        "read-via-stream" => match on.read_via_stream(step.at) {
            Ok(stream) => streamed(stream.blocking_read(step.length).map(|read| bytes(&read))),
            Err(code) => code.name().into(),
        },
        "write-via-stream" => match on.write_via_stream(step.at) {
            Ok(stream) => streamed(stream.blocking_write_and_flush(&step.bytes).map(|()| String::new())),
            Err(code) => code.name().into(),
        },
        "append-via-stream" => match on.append_via_stream() {
            Ok(stream) => streamed(stream.blocking_write_and_flush(&step.bytes).map(|()| String::new())),
            Err(code) => code.name().into(),
        },
        // Streams hold their files after the descriptor is gone.
        "flood-streams" => {
            let mut streams = Vec::new();
            for _ in 0..step.at {
                let file = match on.open_at(follow, path, how, DescriptorFlags::READ) {
                    Ok(file) => file,
                    Err(code) => return format!("{}, then {}", streams.len(), code.name()),
                };
                match file.read_via_stream(0) {
                    Ok(stream) => streams.push(stream),
                    Err(code) => return code.name().into(),
                }
            }
            streams.len().to_string()
        }
        call => format!("there is no call {call}"),
    }
}
