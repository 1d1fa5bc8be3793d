//! Members founded by the two programs, each with its folder and its process. Nothing here is done in another way than
//! the README tells a person to do it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use tempfile::TempDir;

use super::{Daemon, Done, Signal, call, free_address, look, wait_for};
use crate::DEADLINE;

/// One member: its folder, where it listens, and its process while it runs.
#[derive(Debug)]
pub struct Site {
    /// As in `kr-seoul`.
    pub handle: String,
    /// Its folder.
    pub dir: PathBuf,
    /// For other nodes.
    pub peers: SocketAddr,
    /// For operators.
    pub clients: SocketAddr,
    /// Its process.
    pub daemon: Option<Daemon>,
    /// Where its commands run.
    home: PathBuf,
}

impl Site {
    /// `wego` with this member's profile.
    #[must_use]
    pub fn wego(&self, args: &[&str]) -> Done {
        let profile = self.profile();
        let profile = ["--profile", profile.to_str().expect("UTF-8")];
        call(&self.home, "wego", &[&profile, args].concat())
    }

    /// The folder with the first operator's certificate.
    #[must_use]
    pub fn profile(&self) -> PathBuf {
        self.dir.join("profile")
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.dir.join("wego-node.toml")
    }

    /// Sets a key of its configuration, as `receipts_s = 1` in `peers`, for its next start.
    ///
    /// # Panics
    /// When the file cannot be changed.
    pub fn set(&self, section: &str, line: &str) {
        let config = fs::read_to_string(self.config()).expect("a configuration");
        let head = format!("[{section}]\n");
        assert!(config.contains(&head), "no section {section}");
        fs::write(self.config(), config.replace(&head, &format!("{head}{line}\n")))
            .expect("it can be written");
    }

    /// A copy of its whole folder, keys and all, that listens elsewhere: what must never be started beside it.
    ///
    /// # Panics
    /// When it cannot be copied.
    #[must_use]
    pub fn copied(&self, name: &str) -> Self {
        let dir = self.home.join(name);
        copy(&self.dir, &dir);
        let copied = Self {
            handle: self.handle.clone(),
            dir,
            peers: free_address(),
            clients: free_address(),
            daemon: None,
            home: self.home.clone(),
        };
        for file in [copied.config(), copied.profile().join("profile.toml")] {
            let text = fs::read_to_string(&file).expect("a file of the folder");
            let text = text.replace(&self.peers.to_string(), &copied.peers.to_string());
            let text = text.replace(&self.clients.to_string(), &copied.clients.to_string());
            fs::write(&file, text).expect("it can be written");
        }
        copied
    }

    /// `wego-node join` with an invite, which it does not wait for.
    #[must_use]
    pub fn join(&self, invite: &str) -> Done {
        let at = [self.peers, self.clients].map(|address| address.to_string());
        let name = format!("en={}", self.handle);
        let dir = self.dir.to_str().expect("UTF-8");
        let join = ["join", invite, "--dir", dir, "--handle", &self.handle, "--name", &name];
        let place = ["--country", "NL", "--portal", "off", "--no-wait", "--json"];
        let listen = ["--endpoint", &at[0], "--peers", &at[0], "--clients", &at[1]];
        call(&self.home, "wego-node", &[&join[..], &place, &listen].concat())
    }

    /// `wego-node` with a command that takes this member's configuration.
    #[must_use]
    pub fn wego_node(&self, args: &[&str]) -> Done {
        let config = self.config();
        call(&self.home, "wego-node", &[args, &["--config", config.to_str().expect("UTF-8")]].concat())
    }

    /// Starts its node; it need not be ready yet.
    pub fn start(&mut self) {
        let log = self.home.join(format!("{}.log", self.handle));
        self.daemon = Some(Daemon::start(&self.home, &self.config(), &log));
    }

    /// Waits until its node answers.
    ///
    /// # Panics
    /// When it ends, or does not answer within [`DEADLINE`].
    pub fn answers(&mut self) {
        let mut last = None;
        let answered = look(DEADLINE, || {
            let done = self.wego(&["status", "--json"]);
            let daemon = self.daemon();
            assert!(daemon.runs(), "the node ended: {}", daemon.log());
            let answered = matches!(done.code, Some(0 | 3)).then_some(());
            last = Some(done);
            answered
        });
        assert!(answered.is_some(), "{} does not answer: {last:?}", self.handle);
    }

    /// Waits until `wego status` says that all is well.
    ///
    /// # Panics
    /// After [`DEADLINE`], with what is wrong.
    pub fn is_well(&mut self) {
        let mut last = String::new();
        let well = look(DEADLINE, || {
            let done = self.wego(&["status"]);
            last = done.out + &done.err;
            (done.code == Some(0)).then_some(())
        });
        let log = self.daemon().log();
        assert!(well.is_some(), "{} is not well: {last}\n{log}", self.handle);
    }

    /// Its running process.
    ///
    /// # Panics
    /// When it was not started.
    pub fn daemon(&mut self) -> &mut Daemon {
        self.daemon.as_mut().expect("the node was started")
    }

    /// Ends its node with a signal and returns how it ended.
    ///
    /// # Panics
    /// When it does not run.
    pub fn end(&mut self, signal: Signal) -> ExitStatus {
        let mut daemon = self.daemon.take().expect("the node was started");
        daemon.signal(signal);
        daemon.ended()
    }
}

/// Members founded by the two programs in one folder.
#[derive(Debug)]
pub struct Federation {
    /// In the order of their cards.
    pub sites: Vec<Site>,
    /// Where everything is; removed at the end.
    pub dir: TempDir,
}

impl Federation {
    /// `init`, `roster found` and `roster sign` for cities with these handles; none runs.
    ///
    /// # Panics
    /// When a command fails.
    #[must_use]
    pub fn found(handles: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let sites: Vec<_> = handles.iter().map(|handle| init(dir.path(), handle)).collect();
        let roster = dir.path().join("roster.pem");
        let roster = roster.to_str().expect("UTF-8");
        let threshold = (sites.len() / 2 + 1).to_string();
        let cards: Vec<_> =
            sites.iter().map(|site| format!("--card={}/member-card.pem", site.handle)).collect();
        let mut found = vec!["roster", "found", "--name", "Test federation", "--threshold", &threshold];
        found.extend(["--president", handles[0], "--out", roster]);
        found.extend(cards.iter().map(String::as_str));
        let _ = call(dir.path(), "wego", &found).ok();
        for site in &sites {
            let key = format!("{}/keys/governance.pem", site.handle);
            let _ = call(dir.path(), "wego", &["roster", "sign", roster, "--yes", "--key", &key]).ok();
        }
        for site in &sites {
            fs::copy(roster, site.dir.join("roster.pem")).expect("the roster can be copied");
        }
        Self { sites, dir }
    }

    /// As [`Federation::found`], and all run and are well.
    #[must_use]
    pub fn start(handles: &[&str]) -> Self {
        let mut federation = Self::found(handles);
        for site in &mut federation.sites {
            site.start();
        }
        federation.is_well();
        federation
    }

    /// A city that is no member yet, and has nothing but addresses.
    #[must_use]
    pub fn newcomer(&self, handle: &str) -> Site {
        let home = self.dir.path();
        Site {
            handle: handle.to_owned(),
            dir: home.join(handle),
            peers: free_address(),
            clients: free_address(),
            daemon: None,
            home: home.to_owned(),
        }
    }

    /// Waits until every node says that all is well.
    pub fn is_well(&mut self) {
        for site in &mut self.sites {
            site.is_well();
        }
    }

    /// Waits until all nodes hold and have indexed the same entries, as many as node `n` or more.
    ///
    /// # Panics
    /// After [`DEADLINE`].
    pub fn converge(&self, n: usize) {
        wait_for("all nodes hold and show the same", || {
            let want = self.sites[n].wego(&["status", "--json"]).json()["entries"].as_u64();
            self.sites.iter().filter(|site| site.daemon.is_some()).all(|site| {
                let status = site.wego(&["status", "--json"]).json();
                status["entries"].as_u64() == want && status["indexed_behind"] == 0
            })
        });
    }
}

fn init(home: &Path, handle: &str) -> Site {
    let (peers, clients) = (free_address(), free_address());
    let at = [peers, clients].map(|address| address.to_string());
    let name = format!("en={handle}");
    let init =
        ["init", "--dir", handle, "--handle", handle, "--name", &name, "--country", "KR", "--place", "KRSEL"];
    let listen = ["--endpoint", &at[0], "--peers", &at[0], "--clients", &at[1], "--portal", "off"];
    let _ = call(home, "wego-node", &[&init[..], &listen[..]].concat()).ok();
    let (dir, home) = (home.join(handle), home.to_owned());
    Site { handle: handle.to_owned(), dir, peers, clients, daemon: None, home }
}

/// Copies a folder as people do; what is at `to` goes.
///
/// # Panics
/// When it cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("it can go");
    }
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp can be started");
    assert!(done.success(), "{} cannot be copied", from.display());
}
