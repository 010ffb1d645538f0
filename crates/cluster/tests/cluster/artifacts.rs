//! Artifacts that hosts get from each other.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use airssys_wasm::ComponentOptions;
use airssys_wasm::actors::ActorOptions;
use airssys_wasm::artifact::{ArtifactError, SecretKey, Trust, compile};
use airssys_wasm::engine::{Config, Engine};
use airssys_wasm::load::{LoadOptions, Source};
use airssys_wasm::security::Capability;
use airssys_wasm_cluster::{ArtifactDigest, Cluster, ClusterError};
use airssys_wasm_test_support::host::id;

use crate::envelope::stranger;
use crate::{Host, obedient, options, said, to};
use airssys_wasm_test_support::nats::{Folder, Server};

/// An artifact of the guest, signed or not.
fn artifact(folder: &Path, name: &str, key: Option<&SecretKey>) -> PathBuf {
    let engine = Engine::new(&Config::new()).expect("a compiler");
    let path = folder.join(name);
    fs::write(&path, compile(&engine, &obedient(), key).expect("it compiles")).expect("it is written");
    path
}

fn fetch(
    cluster: &Cluster,
    digest: &ArtifactDigest,
    folder: &Path,
    trust: &Trust,
) -> Result<PathBuf, ClusterError> {
    cluster.fetch_artifact(digest, folder, trust).wait()
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).expect("a folder").next().is_none()
}

/// Puts other bytes under the name of an artifact.
fn replace(server: &Server, digest: &ArtifactDigest, bytes: &[u8]) {
    stranger(server, async |client| {
        let jetstream = async_nats::jetstream::new(client);
        let store = jetstream
            .get_object_store("airssys-v1-test-artifacts")
            .await
            .unwrap();
        store
            .put(digest.to_string().as_str(), &mut &bytes[..])
            .await
            .unwrap();
    });
}

#[test]
fn a_host_without_an_artifact_fetches_verifies_and_runs_it() {
    let (server, from, into) = (Server::start(), Folder::new(), Folder::new());
    let key = SecretKey::generate().unwrap();
    let trust = Trust::new([key.public()]);
    let (first, second) = (Host::new(|_, _| 3), Host::with(&[], |_, message| message[0]));
    let one = first.join(options("one", &server));
    let two = second.join(options("two", &server));
    let file = artifact(&from.0, "guest", Some(&key));
    let digest = one.publish_artifact(&file).wait().unwrap();
    // Left by a process that was killed long ago, by one that may still run, and another's.
    let left = |id: char, extension: &str| {
        let id = id.to_string().repeat(32);
        into.0.join(format!("{digest}.{id}.{extension}"))
    };
    let (old, new, other) = (left('0', "part"), left('1', "part"), left('0', "other"));
    let leave = |file: &PathBuf| {
        let file = fs::File::create_new(file).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3 * 3600))
            .unwrap();
    };
    [&old, &new, &other].into_iter().for_each(leave);
    fs::write(&new, b"begun").unwrap();
    assert_eq!(digest, ArtifactDigest::of(&fs::read(&file).unwrap()));
    assert_eq!(
        one.publish_artifact(&file).wait().unwrap(),
        digest,
        "it is there already"
    );

    let fetched = fetch(&two, &digest, &into.0, &trust).unwrap();
    assert_eq!(fs::read(&fetched).unwrap(), fs::read(&file).unwrap());
    let source = Source::open_artifact(&fetched).unwrap();
    let loaded = second
        .runtime
        .loader()
        .load(&source, &trust, &LoadOptions::default());
    let component = ComponentOptions::new()
        .with_id(id("fetched"))
        .with_capability(Capability::new("host-function:call").unwrap());
    second
        .runtime
        .start_actor(&loaded.unwrap(), component, &second.system, ActorOptions::new())
        .wait()
        .unwrap();
    assert_eq!(one.send(&to("two/fetched"), [9]).wait().unwrap(), said(9));

    // A second time it is there, without the servers; one that was damaged here is fetched again.
    // By renaming, since the file is mapped.
    fs::write(into.0.join("damaged"), b"damaged").unwrap();
    fs::rename(into.0.join("damaged"), &fetched).unwrap();
    assert_eq!(fetch(&two, &digest, &into.0, &trust).unwrap(), fetched);
    assert_eq!(fs::read(&fetched).unwrap(), fs::read(&file).unwrap());
    drop(server);
    assert!(!old.exists());
    leave(&old);
    assert_eq!(fetch(&two, &digest, &into.0, &trust).unwrap(), fetched);
    assert!(!old.exists() && new.exists() && other.exists());
    assert_eq!(fs::read_dir(&into.0).unwrap().count(), 3);
}

#[test]
fn an_artifact_that_was_changed_is_refused_until_it_is_published_again() {
    let (server, from, into) = (Server::start(), Folder::new(), Folder::new());
    let key = SecretKey::generate().unwrap();
    let trust = Trust::new([key.public()]);
    let first = Host::new(|_, _| 3);
    let one = first.join(options("one", &server));
    let file = artifact(&from.0, "guest", Some(&key));
    let bytes = fs::read(&file).unwrap();
    let digest = one.publish_artifact(&file).wait().unwrap();
    let middle = bytes.len() / 2;
    let mut changed = bytes.clone();
    changed[middle] ^= 1;
    let longer = [&bytes[..], b"more"].concat();
    for other in [&changed[..], &bytes[..middle], &longer, b""] {
        replace(&server, &digest, other);
        let refused = fetch(&one, &digest, &into.0, &trust);
        assert!(
            matches!(&refused, Err(ClusterError::ArtifactDigest(of)) if *of == digest),
            "{refused:?}"
        );
        assert!(is_empty(&into.0), "nothing is left of it");
    }
    assert_eq!(one.publish_artifact(&file).wait().unwrap(), digest);
    fetch(&one, &digest, &into.0, &trust).unwrap();
}

#[test]
fn an_artifact_that_no_trusted_key_signed_is_refused() {
    let (server, from, into) = (Server::start(), Folder::new(), Folder::new());
    let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let first = Host::new(|_, _| 3);
    let one = first.join(options("one", &server));
    let unsigned = one
        .publish_artifact(artifact(&from.0, "unsigned", None))
        .wait()
        .unwrap();
    let signed = one.publish_artifact(artifact(&from.0, "signed", Some(&other)));
    let signed = signed.wait().unwrap();
    let trust = Trust::new([key.public()]);
    let refused = fetch(&one, &unsigned, &into.0, &trust);
    let of_artifact = |refused: &Result<PathBuf, ClusterError>, is: fn(&ArtifactError) -> bool| matches!(refused, Err(ClusterError::Artifact { source, .. }) if is(source));
    let is_unsigned = |error: &ArtifactError| matches!(error, ArtifactError::Unsigned);
    assert!(of_artifact(&refused, is_unsigned), "{refused:?}");
    let refused = fetch(&one, &signed, &into.0, &trust);
    let is_unknown = |error: &ArtifactError| matches!(error, ArtifactError::UnknownSigner(_));
    assert!(of_artifact(&refused, is_unknown), "{refused:?}");
    assert!(is_empty(&into.0));
    // It is there, and fetched by a host that trusts its key; then refused from the disk too.
    fetch(&one, &signed, &into.0, &Trust::new([other.public()])).unwrap();
    let refused = fetch(&one, &signed, &into.0, &trust);
    assert!(of_artifact(&refused, is_unknown), "{refused:?}");

    let absent = ArtifactDigest::of(b"absent");
    let refused = fetch(&one, &absent, &into.0, &trust);
    assert!(matches!(refused, Err(ClusterError::NoArtifact(of)) if of == absent));
    let none = from.0.join("none");
    fs::write(&none, b"no artifact").unwrap();
    let refused = one.publish_artifact(&none).wait();
    assert!(
        matches!(refused, Err(ClusterError::Artifact { .. })),
        "{refused:?}"
    );
    let nowhere = fetch(&one, &signed, &from.0.join("absent"), &trust);
    assert!(matches!(nowhere, Err(ClusterError::Write { .. })), "{nowhere:?}");
}
