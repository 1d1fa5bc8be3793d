//! Keys and certificates in the hands of other programs: what OpenSSL makes of ours, and what we make of a certificate
//! that a city's own authority signed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use wego_tests::process::{Federation, Signal, Site, wait_for};

/// Runs `openssl`; prints why the test is skipped where there is none.
fn openssl(dir: &Path, args: &[&str]) -> String {
    let done = Command::new("openssl").args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap();
    let out = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "openssl {args:?}: {out}");
    out
}

fn is_there() -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok_and(|done| done.status.success());
    if !found {
        println!("skipped: there is no openssl here");
    }
    found
}

/// All private keys below a folder.
fn private_keys(dir: &Path) -> Vec<PathBuf> {
    let mut keys = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            keys.extend(private_keys(&path));
        } else if fs::read(&path).unwrap().starts_with(b"-----BEGIN PRIVATE KEY-----") {
            keys.push(path);
        }
    }
    keys
}

#[test]
fn every_key_that_is_written_is_read_by_openssl() {
    if !is_there() {
        return;
    }
    let mut federation = Federation::found(&["kr-seoul"]);
    let site = &mut federation.sites[0];
    let at_first = private_keys(&site.dir);
    site.start();
    site.answers();
    wait_for("the keys are changed", || site.wego(&["key", "rotate", "--yes"]).code == Some(0));
    let begun = site.wego(&["key", "rotate-transport", "--yes"]);
    assert_eq!(begun.code, Some(0), "{}{}", begun.out, begun.err);
    let second = site.dir.join("second");
    let add = [
        "operator",
        "add",
        "--name",
        "second",
        "--role",
        "editor",
        "--out",
        second.to_str().unwrap(),
        "--yes",
    ];
    let added = site.wego_node(&add);
    assert_eq!(added.code, Some(0), "{}{}", added.out, added.err);
    let now = private_keys(&site.dir);
    assert!(at_first.len() >= 6 && now.len() > at_first.len(), "{at_first:?} {now:?}");
    for key in at_first.iter().chain(&now).filter(|key| key.exists()) {
        let read = openssl(&site.dir, &["pkey", "-in", key.to_str().unwrap(), "-noout", "-text"]);
        assert!(read.contains("ED25519 Private-Key"), "{}: {read}", key.display());
    }
    assert!(site.end(Signal::TERM).success());
}

/// As deploy/README.md, 15 says: a certificate from an authority of the city's own, for the same key.
fn certify(site: &Site) -> PathBuf {
    let keys = site.dir.join("keys");
    let authority = ["req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "ca.key", "-out", "ca.crt"];
    openssl(&site.dir, &[&authority[..], &["-subj", "/CN=City authority", "-days", "30"]].concat());
    let key = keys.join("transport.pem");
    let subject = format!("/CN={}", site.handle);
    let request = ["req", "-new", "-key", key.to_str().unwrap(), "-subj", &subject, "-out", "transport.csr"];
    openssl(&site.dir, &request);
    fs::write(site.dir.join("names"), format!("subjectAltName = DNS:{}\n", site.handle)).unwrap();
    let sign =
        ["x509", "-req", "-in", "transport.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    let rest = ["-extfile", "names", "-days", "30", "-out", "transport.crt"];
    openssl(&site.dir, &[&sign[..], &rest].concat());
    fs::copy(site.dir.join("transport.crt"), keys.join("transport.crt")).unwrap();
    site.dir.join("ca.crt")
}

#[test]
fn a_certificate_of_the_citys_own_authority_is_shown_after_a_reload_and_peers_go_on() {
    if !is_there() {
        return;
    }
    let mut federation = Federation::start(&["kr-seoul", "fr-paris"]);
    let authority = certify(&federation.sites[0]);
    federation.sites[0].daemon().signal(Signal::HUP);
    let site = &federation.sites[0];
    let clients = site.clients.to_string();
    let profile = site.profile();
    let file = |name: &str| profile.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (file("cert.pem"), file("key.pem"));
    // A client of another library, with the operator's key as it was written.
    let connect = ["s_client", "-connect", &clients, "-CAfile", authority.to_str().unwrap(), "-alpn", "h2"];
    let identity = ["-cert", &certificate, "-key", &key];
    wait_for("the certificate is shown", || {
        openssl(&site.dir, &[&connect[..], &identity].concat()).contains("Verify return code: 0 (ok)")
    });
    assert_eq!(site.wego(&["status"]).code, Some(0), "operators go by the key");
    assert!(federation.sites[0].end(Signal::TERM).success());
    federation.sites[0].start();
    federation.is_well();
    for site in &mut federation.sites {
        assert!(site.end(Signal::TERM).success());
    }
}
