//! One function for each decoder that meets bytes of strangers: it must return, whatever it is given, and what it
//! accepts must keep its promise. `tests/fuzz` drives them with libFuzzer, the ordinary tests with every corpus.
//!
//! They must never touch the network, and no file but those of the test.

mod files;
mod session;
mod words;

/// A decoder and what it must hold.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name; its corpus is `tests/fuzz/corpus/<name>`.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "entry", run: files::entry },
    Target { name: "roster", run: files::roster },
    Target { name: "card", run: files::card },
    Target { name: "record_proof", run: files::record_proof },
    Target { name: "fork_proof", run: files::fork_proof },
    Target { name: "backup", run: files::backup },
    Target { name: "audit_log", run: files::audit_log },
    Target { name: "secret_key", run: files::secret_key },
    Target { name: "session", run: session::session },
    Target { name: "record", run: words::record },
    Target { name: "query", run: words::query },
    Target { name: "markdown", run: words::markdown },
    Target { name: "invite", run: words::invite },
    Target { name: "config", run: words::config },
    Target { name: "operators", run: words::operators },
    Target { name: "form", run: words::form },
    Target { name: "data_json", run: words::data_json },
];

/// Runs the target of this name, for the fuzzer.
///
/// # Panics
/// When there is none, or something does not hold.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a known target").run)(bytes);
}
