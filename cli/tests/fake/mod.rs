//! A node made of maps, behind real TLS and gRPC: enough for the command to believe it.

#![expect(clippy::print_stdout, reason = "a skipped test says so")]

mod services;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use tokio_stream::StreamExt as _;
use wego_cli::Stdio;
use wego_proto::{
    pin::{self, Identity},
    v1::{self, Health},
};

/// What the node holds and how it behaves.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) records: BTreeMap<Vec<u8>, Stored>,
    pub(crate) answered: BTreeMap<Vec<u8>, v1::PublishReply>,
    pub(crate) seq: u64,
    pub(crate) status: v1::StatusReply,
    pub(crate) hits: Vec<v1::Hit>,
    pub(crate) deny: bool,
    pub(crate) silent: bool,
    /// What a backup begins with, and how it ends.
    pub(crate) backup: (Vec<u8>, BackupEnd),
}

/// What comes after the pieces of a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BackupEnd {
    /// The stream ends.
    #[default]
    End,
    /// An error.
    Error,
    /// Nothing, for ever.
    Silence,
}

#[derive(Clone, Default)]
pub(crate) struct Stored {
    pub(crate) record: v1::Record,
    pub(crate) versions: Vec<v1::Position>,
    pub(crate) retracted: bool,
    pub(crate) reason: String,
}

pub(crate) struct FakeNode {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) address: String,
    server_key: String,
    _runtime: tokio::runtime::Runtime,
}

impl FakeNode {
    /// Starts it, with a profile folder `operator` for somebody it knows and `stranger` for somebody it does not.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (server, server_pem) = identity();
        let (operator, operator_pem) = identity();
        let (_, stranger_pem) = identity();
        let known = operator.public_key().expect("Ed25519");
        let server_key = server.public_key().expect("Ed25519").to_string();
        let config = pin::server_config(server, Arc::new(move |key| *key == known)).expect("config");
        drop(server_pem);
        let state = Arc::new(Mutex::new(State::default()));
        state.lock().expect("state").status.set_health(Health::Ok);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("runtime");
        let address = runtime.block_on(serve(Arc::new(config), state.clone()));
        let node = Self { dir, state, address, server_key, _runtime: runtime };
        node.profile("operator", &operator_pem, &node.server_key);
        node.profile("stranger", &stranger_pem, &node.server_key);
        let other = identity().0.public_key().expect("Ed25519").to_string();
        node.profile("misled", &operator_pem, &other);
        node
    }

    /// The fingerprint of its key, as it is told to people.
    pub(crate) fn fingerprint(&self) -> String {
        let key: wego_proto::id::Hash = self.server_key.parse().expect("hex");
        wego_proto::id::fingerprint(key.as_bytes())
    }

    /// Puts another server key into a profile.
    pub(crate) fn pin(&self, profile: &str, server_key: &str) {
        let path = self.path(profile).join("profile.toml");
        let text = fs::read_to_string(&path).expect("a profile");
        let lines = text.lines().map(|line| match line.starts_with("server_key") {
            true => format!("server_key = '{server_key}'\n"),
            false => format!("{line}\n"),
        });
        fs::write(&path, lines.collect::<String>()).expect("it can be written");
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file in the node's folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        path
    }

    fn profile(&self, name: &str, (cert, key): &(String, String), server_key: &str) {
        let dir = self.path(name);
        fs::create_dir(&dir).expect("a folder");
        let toml =
            format!("address = '{}'\nserver_key = '{server_key}'\nhandle = 'kr-seoul'\n", self.address);
        fs::write(dir.join("profile.toml"), toml).expect("profile");
        fs::write(dir.join("cert.pem"), cert).expect("cert");
        fs::write(dir.join("key.pem"), key).expect("key");
        fs::set_permissions(dir.join("key.pem"), fs::Permissions::from_mode(0o600)).expect("mode");
    }

    /// Runs a command as the operator; `%name` is a file in the node's folder, `_` inside a word a space.
    pub(crate) fn wego(&self, line: &str) -> Ran {
        self.wego_as("operator", line, None)
    }

    /// As [`FakeNode::wego`], at a terminal where somebody answers `answer`.
    pub(crate) fn wego_answering(&self, line: &str, answer: &str) -> Ran {
        self.wego_as("operator", line, Some(answer))
    }

    pub(crate) fn wego_as(&self, profile: &str, line: &str, answer: Option<&str>) -> Ran {
        let (mut stdio, out, err) = Stdio::captured(answer.unwrap_or_default());
        stdio.input_is_tty = answer.is_some();
        let word = |word: &str| match word.strip_prefix('%') {
            Some(name) => self.path(name).into_os_string(),
            None => word.replace('_', " ").into(),
        };
        let profile = self.path(profile).into_os_string();
        let args = ["wego".into(), "--profile".into(), profile].into_iter().chain(line.split(' ').map(word));
        let code = wego_cli::run(args.collect::<Vec<_>>(), stdio);
        Ran { code, out: out.text(), err: err.text() }
    }
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Its stdout as JSON, after checking that it succeeded.
    pub(crate) fn json(&self) -> serde_json::Value {
        assert!(matches!(self.code, 0 | 3), "{self:?}");
        serde_json::from_str(&self.out).expect("JSON")
    }
}

/// A file of the shared real data, or none with a line saying so.
pub(crate) fn real(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is not here", path.display());
    }
    text
}

fn identity() -> (Identity, (String, String)) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let cert = rcgen::CertificateParams::default().self_signed(&key).expect("a certificate");
    let pem = (cert.pem(), key.serialize_pem());
    (Identity::from_pem(&pem.0, &pem.1).expect("identity"), pem)
}

async fn serve(config: Arc<rustls::ServerConfig>, state: Arc<Mutex<State>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    let (connections, accepted) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, connections) = (acceptor.clone(), connections.clone());
            tokio::spawn(async move {
                if let Ok(tls) = acceptor.accept(tcp).await {
                    let _ = connections.send(tls).await;
                }
            });
        }
    });
    let incoming = tokio_stream::wrappers::ReceiverStream::new(accepted).map(Ok::<_, std::io::Error>);
    tokio::spawn(services::router(state).serve_with_incoming(incoming));
    address
}
