//! Artifacts in the servers' object store, by their digest.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use airssys_wasm::artifact::{ArtifactError, ArtifactFile, Trust};
use async_nats::jetstream::object_store::{Config, GetErrorKind, Object, ObjectMetadata, ObjectStore};
use async_nats::jetstream::stream::StorageType;
use async_nats::jetstream::{Context, ErrorCode};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::call::timed;
use crate::envelope::MessageId;
use crate::error::ClusterError;
use crate::options::ClusterOptions;

/// Most bytes of one artifact. Stops an object without end from filling the disk of a host that fetches it.
pub const MAX_ARTIFACT_BYTES: u64 = 1 << 30;

/// Time after which a file that is being read was abandoned, by a process that was killed: each part of it has a shorter one.
const ABANDONED: Duration = Duration::from_secs(2 * 3600);

/// Bytes that are read from the servers at once: those of a part of an object.
const READ_BYTES: usize = 128 << 10;

/// Identifies an artifact: the BLAKE3 digest of all of its bytes. As text, 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactDigest([u8; 32]);

impl ArtifactDigest {
    /// Computes the digest of an artifact.
    pub fn of(artifact: &[u8]) -> ArtifactDigest {
        ArtifactDigest(*blake3::hash(artifact).as_bytes())
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ArtifactDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

/// Text is not the digest of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the digest of an artifact has 64 hexadecimal digits in lower case")]
pub struct InvalidArtifactDigest;

impl FromStr for ArtifactDigest {
    type Err = InvalidArtifactDigest;

    fn from_str(text: &str) -> Result<ArtifactDigest, InvalidArtifactDigest> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| InvalidArtifactDigest)?;
        let digest = ArtifactDigest(*hash.as_bytes());
        if digest.to_string() != text {
            return Err(InvalidArtifactDigest);
        }
        Ok(digest)
    }
}

/// Opens the bucket, or creates it.
async fn bucket(options: &ClusterOptions, context: &Context) -> Result<ObjectStore, ClusterError> {
    let time = options.call_timeout;
    let name = format!("airssys-v1-{}-artifacts", options.cluster);
    let stream = format!("OBJ_{name}");
    let bytes = i64::try_from(options.artifact_bytes).unwrap_or(i64::MAX);
    let existing = async {
        match context.get_stream(&stream).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    };
    if timed("get stream", time, existing).await?.is_none() {
        let config = Config {
            bucket: name.clone(),
            max_bytes: bytes,
            storage: StorageType::File,
            num_replicas: options.replicas,
            ..Config::default()
        };
        timed("create object store", time, context.create_object_store(config)).await?;
    }
    let found = timed("get stream", time, context.get_stream(&stream)).await?;
    let config = &found.cached_info().config;
    let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
    for (setting, asked, found) in [
        ("max_bytes", bytes, config.max_bytes),
        (
            "num_replicas",
            signed(options.replicas),
            signed(config.num_replicas),
        ),
        ("max_age in ms", 0, {
            i64::try_from(config.max_age.as_millis()).unwrap_or(i64::MAX)
        }),
    ] {
        if asked != found {
            return Err(ClusterError::Stream {
                name: stream,
                setting,
                asked,
                found,
            });
        }
    }
    timed("get object store", time, context.get_object_store(&name)).await
}

fn is_absent(error: &async_nats::jetstream::context::GetStreamError) -> bool {
    use async_nats::jetstream::context::GetStreamErrorKind as Kind;
    matches!(error.kind(), Kind::JetStream(answer) if answer.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// Stores an artifact under its digest, unless a right one is there.
pub(crate) async fn publish(
    options: &ClusterOptions,
    context: &Context,
    path: PathBuf,
) -> Result<ArtifactDigest, ClusterError> {
    let reading = tokio::task::spawn_blocking(move || read_artifact(&path));
    let artifact = reading.await.map_err(|_| ClusterError::Left)??;
    let digest = ArtifactDigest::of(&artifact);
    let store = bucket(options, context).await?;
    // One that is right is never written again, so that hosts that read it are not disturbed.
    if let Some(object) = find(options, &store, &digest).await? {
        if is_intact(Parts::new(options, &digest, object)).await? {
            return Ok(digest);
        }
        log::warn!("the artifact {digest} on the servers is damaged, and is stored again");
    }
    let meta = ObjectMetadata {
        name: digest.to_string(),
        ..ObjectMetadata::default()
    };
    let parts = u32::try_from(artifact.len() / READ_BYTES).unwrap_or(u32::MAX);
    // Each part awaits an answer of its own.
    let time = options
        .call_timeout
        .saturating_add(Duration::from_millis(100) * parts);
    let mut bytes = artifact.as_slice();
    timed("put object", time, store.put(meta, &mut bytes)).await?;
    Ok(digest)
}

/// Reports whether an object has its digest.
async fn is_intact(mut parts: Parts<'_>) -> Result<bool, ClusterError> {
    let mut hasher = blake3::Hasher::new();
    loop {
        match parts.next().await {
            Ok([]) => return Ok(hasher.finalize().as_bytes() == parts.digest.as_bytes()),
            Ok(part) => drop(hasher.update(part)),
            Err(ClusterError::ArtifactDigest(_) | ClusterError::ArtifactTooLarge { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Reads a file that must be an intact artifact, signed or not.
fn read_artifact(path: &Path) -> Result<Vec<u8>, ClusterError> {
    let refused = |source| ClusterError::Artifact {
        path: path.to_owned(),
        source,
    };
    let file = ArtifactFile::open(path).map_err(refused)?;
    file.verify().map_err(refused)?;
    let unreadable = |source| ClusterError::Read {
        path: path.to_owned(),
        source,
    };
    let size = file.file().metadata().map_err(unreadable)?.len();
    if size > MAX_ARTIFACT_BYTES {
        return Err(ClusterError::ArtifactTooLarge {
            bytes: size,
            limit: MAX_ARTIFACT_BYTES,
        });
    }
    std::fs::read(path).map_err(unreadable)
}

async fn find(
    options: &ClusterOptions,
    store: &ObjectStore,
    digest: &ArtifactDigest,
) -> Result<Option<Object>, ClusterError> {
    let found = async {
        match store.get(digest.to_string()).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.kind() == GetErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    };
    timed("get object", options.call_timeout, found).await
}

/// Reads an object in parts, each of which has a time.
struct Parts<'a> {
    options: &'a ClusterOptions,
    digest: &'a ArtifactDigest,
    object: Object,
    buffer: Vec<u8>,
    bytes: u64,
}

impl<'a> Parts<'a> {
    fn new(options: &'a ClusterOptions, digest: &'a ArtifactDigest, object: Object) -> Parts<'a> {
        Parts {
            options,
            digest,
            object,
            buffer: vec![0; READ_BYTES],
            bytes: 0,
        }
    }

    /// Returns the next part; an empty one at the end.
    async fn next(&mut self) -> Result<&[u8], ClusterError> {
        let (call, after) = ("read object", self.options.call_timeout);
        let count = match tokio::time::timeout(after, self.object.read(&mut self.buffer)).await {
            Ok(Ok(count)) => count,
            // The client compares with a digest of its own, which is as easily replaced as the content.
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(ClusterError::ArtifactDigest(*self.digest));
            }
            Ok(Err(error)) => {
                let source = error.into();
                return Err(ClusterError::Server { call, source });
            }
            Err(_) => return Err(ClusterError::Timeout { call, after }),
        };
        self.bytes += u64::try_from(count).unwrap_or(u64::MAX);
        if self.bytes > MAX_ARTIFACT_BYTES {
            return Err(ClusterError::ArtifactTooLarge {
                bytes: self.bytes,
                limit: MAX_ARTIFACT_BYTES,
            });
        }
        Ok(self.buffer.get(..count).unwrap_or_default())
    }
}

/// Fetches an artifact into a folder, unless it is there, and checks its digest and its signature. Returns its file.
pub(crate) async fn fetch(
    options: &ClusterOptions,
    context: &Context,
    digest: ArtifactDigest,
    folder: PathBuf,
    trust: Trust,
) -> Result<PathBuf, ClusterError> {
    let path = folder.join(format!("{digest}.artifact"));
    sweep(folder.clone(), digest).await;
    match checked(path.clone(), path.clone(), digest, trust.clone()).await {
        Ok(()) => return Ok(path),
        Err(Unchecked::Absent) => {}
        // One whose bytes are right, and which is not trusted.
        Err(Unchecked::Refused(error @ ClusterError::Artifact { .. })) => return Err(error),
        Err(Unchecked::Refused(error)) => log::warn!("{} is replaced: {error}", path.display()),
    }
    let random = MessageId::random().map_err(|error| ClusterError::Random(error.to_string()))?;
    let part = Partial(folder.join(format!("{digest}.{random}.part")));
    download(options, context, &digest, &part.0).await?;
    match checked(part.0.clone(), path.clone(), digest, trust).await {
        Ok(()) => {}
        Err(Unchecked::Absent) => return Err(ClusterError::ArtifactDigest(digest)),
        Err(Unchecked::Refused(error)) => return Err(error),
    }
    // Another that fetched it at the same time wrote the same bytes.
    let renamed = tokio::fs::rename(&part.0, &path).await;
    renamed.map_err(|source| ClusterError::Write {
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

/// Removes what fetches of this artifact left that were killed.
async fn sweep(folder: PathBuf, digest: ArtifactDigest) {
    let remove = move || {
        let digest = digest.to_string();
        let Ok(entries) = std::fs::read_dir(&folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_part = name.to_str().is_some_and(|name| {
                let middle = name
                    .strip_prefix(&digest)
                    .and_then(|rest| rest.strip_suffix(".part"));
                let id = middle.and_then(|middle| middle.strip_prefix('.'));
                id.and_then(MessageId::parse).is_some()
            });
            let changed = entry.metadata().and_then(|about| about.modified());
            let age = changed.ok().and_then(|changed| changed.elapsed().ok());
            if is_part && age.is_some_and(|age| age > ABANDONED) {
                // It is tried again by the next one.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    };
    // A panic there was reported.
    let _ = tokio::task::spawn_blocking(remove).await;
}

/// A file that is removed unless it was renamed.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn download(
    options: &ClusterOptions,
    context: &Context,
    digest: &ArtifactDigest,
    path: &Path,
) -> Result<(), ClusterError> {
    let store = bucket(options, context).await?;
    let object = find(options, &store, digest).await?;
    let object = object.ok_or(ClusterError::NoArtifact(*digest))?;
    let unwritable = |source| ClusterError::Write {
        path: path.to_owned(),
        source,
    };
    let mut file = File::create_new(path).await.map_err(unwritable)?;
    let mut parts = Parts::new(options, digest, object);
    loop {
        let part = parts.next().await?;
        if part.is_empty() {
            break;
        }
        file.write_all(part).await.map_err(unwritable)?;
    }
    file.sync_all().await.map_err(unwritable)
}

enum Unchecked {
    Absent,
    Refused(ClusterError),
}

/// Checks the digest and the signature of a file. An error names `path`.
async fn checked(
    file: PathBuf,
    path: PathBuf,
    digest: ArtifactDigest,
    trust: Trust,
) -> Result<(), Unchecked> {
    let check = move || {
        let mut hasher = blake3::Hasher::new();
        let opened = match std::fs::File::open(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Unchecked::Absent),
            opened => opened.and_then(|opened| hasher.update_reader(opened).map(drop)),
        };
        opened.map_err(|source| {
            let path = path.clone();
            Unchecked::Refused(ClusterError::Read { path, source })
        })?;
        if hasher.finalize().as_bytes() != digest.as_bytes() {
            return Err(Unchecked::Refused(ClusterError::ArtifactDigest(digest)));
        }
        let trusted =
            || -> Result<(), ArtifactError> { ArtifactFile::open(&file)?.verify()?.check_signer(&trust) };
        trusted().map_err(|source| Unchecked::Refused(ClusterError::Artifact { path, source }))
    };
    let checking = tokio::task::spawn_blocking(check).await;
    checking.unwrap_or(Err(Unchecked::Refused(ClusterError::Left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_shown() {
        let digest = ArtifactDigest::of(b"artifact");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for refused in ["", "00", &"A".repeat(64), &"g".repeat(64), &"0".repeat(65)] {
            assert_eq!(
                refused.parse::<ArtifactDigest>(),
                Err(InvalidArtifactDigest),
                "{refused}"
            );
        }
    }
}
