//! Joining: the server's version, JetStream, certificates, time.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use airssys_wasm_cluster::{Cluster, ClusterError, ClusterOptions};
use airssys_wasm_test_support::ClosedPort;
use airssys_wasm_test_support::host::runtime;

use crate::{LONG, key, name, options};
use airssys_wasm_test_support::nats::{Server, certificates, old_program};

fn refused(options: ClusterOptions) -> ClusterError {
    let joined = Cluster::join(&runtime(), options).wait();
    joined.expect_err("it is refused")
}

#[test]
fn a_server_of_the_supported_version_is_joined_and_left() {
    let server = Server::start();
    let cluster = Cluster::join(&runtime(), options("one", &server)).wait().unwrap();
    assert!(
        cluster.server_version().starts_with("2.12."),
        "{}",
        cluster.server_version()
    );
    assert_eq!(cluster.host().as_str(), "one");
    cluster.leave(LONG).wait().unwrap();
    // Again, which is no error.
    cluster.leave(LONG).wait().unwrap();
    let sent = cluster.send(&"two/a".parse().unwrap(), b"x".to_vec()).wait();
    assert!(matches!(sent, Err(ClusterError::Left)), "{sent:?}");
}

#[test]
fn an_old_server_is_refused_with_its_version_and_the_remedy() {
    let Some(program) = old_program() else { return };
    let server = Server::with(&program, |folder| {
        let store = folder.join("store").display().to_string();
        vec!["--jetstream".to_owned(), "--store_dir".to_owned(), store]
    });
    let error = refused(options("one", &server));
    assert!(
        matches!(&error, ClusterError::ServerVersion { version } if version == "2.9.10"),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("install a newer nats-server"),
        "{error}"
    );
}

#[test]
fn a_server_without_jetstream_is_refused() {
    let server = Server::configured(|_| String::new());
    let error = refused(options("one", &server));
    assert!(matches!(error, ClusterError::NoJetStream { .. }), "{error:?}");
}

#[test]
fn an_account_without_jetstream_is_refused() {
    let server = Server::configured(|folder| {
        format!(
            "jetstream {{ store_dir: \"{}\" }}\naccounts {{ A {{ users: [{{user: u, password: p}}] }} }}\nno_auth_user: u\n",
            folder.join("store").display()
        )
    });
    let error = refused(options("one", &server));
    assert!(matches!(error, ClusterError::NoJetStream { .. }), "{error:?}");
}

#[test]
fn a_server_that_is_absent_or_silent_is_an_error_in_time() {
    let absent = ClosedPort::new();
    let at = |port| {
        ClusterOptions::new(name("test"), name("one"), key(7))
            .with_server(format!("nats://127.0.0.1:{port}"))
            .with_connect_timeout(Duration::from_millis(500))
    };
    let error = refused(at(absent.addr.port()));
    assert!(
        matches!(error, ClusterError::Connect(_) | ClusterError::Timeout { .. }),
        "{error:?}"
    );
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let error = refused(at(silent.local_addr().unwrap().port()));
    assert!(
        matches!(error, ClusterError::Connect(_) | ClusterError::Timeout { .. }),
        "{error:?}"
    );
}

#[test]
fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let server = Server::configured(|folder| {
        format!(
            "jetstream {{ store_dir: \"{}\" }}\nauthorization {{ user: u, password: right }}\n",
            folder.join("store").display()
        )
    });
    let with = |password| options("one", &server).with_password("u", password);
    let error = refused(with("geheim"));
    assert!(matches!(error, ClusterError::Connect(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("geheim"), "{error:?}");
    Cluster::join(&runtime(), with("right")).wait().unwrap();
}

#[test]
fn certificates_of_both_sides_are_checked() {
    let server = Server::configured(|folder| {
        certificates(folder);
        let at = folder.display();
        format!(
            "jetstream {{ store_dir: \"{at}/store\" }}\ntls {{ cert_file: \"{at}/server.pem\", key_file: \"{at}/server.key\", \
             ca_file: \"{at}/ca.pem\", verify: true }}\n"
        )
    });
    let file = |name: &str| server.folder.0.join(name);
    let with = |authority: &str| {
        options("one", &server)
            .with_required_tls()
            .with_root_certificates(file(authority))
    };
    let client =
        |options: ClusterOptions| options.with_client_certificate(file("client.pem"), file("client.key"));
    Cluster::join(&runtime(), client(with("ca.pem"))).wait().unwrap();
    for options in [
        client(with("other.pem")),
        with("ca.pem"),
        client(options("one", &server)),
    ] {
        let error = refused(options);
        assert!(matches!(error, ClusterError::Connect(_)), "{error:?}");
    }
    // Files that are missing, or not what they should be.
    let error = refused(with("missing.pem"));
    assert!(
        matches!(&error, ClusterError::Read { path, .. } if path.ends_with("missing.pem")),
        "{error:?}"
    );
    let error = refused(with("ca.key"));
    assert!(matches!(error, ClusterError::Tls(_)), "{error:?}");
    let error = refused(with("ca.pem").with_client_certificate(file("client.pem"), file("ca.pem")));
    assert!(matches!(error, ClusterError::Read { .. }), "{error:?}");
    let error = refused(with("ca.pem").with_credentials_file(file("missing.creds")));
    assert!(
        matches!(&error, ClusterError::Read { path, .. } if path.ends_with("missing.creds")),
        "{error:?}"
    );
}

#[test]
fn a_server_without_tls_is_refused_where_tls_is_required() {
    let server = Server::start();
    let error = refused(
        options("one", &server)
            .with_required_tls()
            .with_connect_timeout(Duration::from_secs(2)),
    );
    assert!(
        matches!(error, ClusterError::Connect(_) | ClusterError::Timeout { .. }),
        "{error:?}"
    );
}
