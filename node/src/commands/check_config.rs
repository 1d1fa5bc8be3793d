//! `wego-node check-config`: would the node start, and if not, why. Looks at everything, changes nothing.

use std::{
    fs,
    io::{self, Read as _, Write},
    net::TcpListener,
    path::Path,
};

use wego_proto::{
    armour::{self, Label},
    causes::with_causes,
    prost::Message as _,
    roster::{CHAIN_BYTES_MAX, Roster},
    v1,
};

use super::{ConfigFile, Exit, Failure};
use crate::{
    config::Config,
    keys::{GOVERNANCE_KEY, NEXT_LOG_KEY, NodeKeys, RECOVERY_KEY},
    operators::{Operators, Role},
    store::{Fence, fence::Stage},
};

/// Check the configuration and everything it names
///
/// Prints the effective configuration, environment included, on standard output; on standard error what was
/// found: keys and their modes, the certificate, operators, the roster and this member in it, disk space, and
/// whether the addresses are free. Nothing is changed. Exit code 1 when the node would not start.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// The node is running: do not look whether its addresses are free
    #[arg(long)]
    running: bool,
}

/// Largest roster file read, in bytes: what the node reads. A longer one is cut and refused.
const ROSTER_FILE_BYTES_MAX: u64 = armour::text_bytes_max(CHAIN_BYTES_MAX);

enum Finding {
    Good(String),
    /// The node starts, but somebody should look.
    Advice(String, String),
    /// The node would not start.
    Problem(String, String),
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let raw = args.config.raw()?;
    let config = args.config.checked(raw.clone())?;
    write!(out, "{}", raw.to_toml())?;
    let mut findings = Vec::new();
    let keys = keys(&config, &mut findings);
    findings.push(operators(&config));
    findings.push(roster(&config, keys.as_ref()));
    findings.push(disk(&config));
    findings.extend(fence(&config));
    if !args.running {
        findings.extend(listeners(&config));
    }
    let mut problems = 0;
    for finding in &findings {
        problems += usize::from(matches!(finding, Finding::Problem(..)));
        tell(finding, err)?;
    }
    if problems == 0 {
        return Ok(());
    }
    let text = format!("the node would not start: {problems} of {} checks failed", findings.len());
    Err(Failure::new(Exit::Failed, text, "solve the problems above, first things first"))
}

fn tell(finding: &Finding, err: &mut dyn Write) -> io::Result<()> {
    match finding {
        Finding::Good(what) => writeln!(err, "ok: {what}"),
        Finding::Advice(what, hint) => writeln!(err, "advice: {what}\n  hint: {hint}"),
        Finding::Problem(what, hint) => writeln!(err, "problem: {what}\n  hint: {hint}"),
    }
}

fn keys(config: &Config, findings: &mut Vec<Finding>) -> Option<NodeKeys> {
    let dir = &config.node.keys_dir;
    for name in [RECOVERY_KEY, NEXT_LOG_KEY, GOVERNANCE_KEY] {
        if dir.join(name).exists() {
            let what = format!("{} is on this machine", dir.join(name).display());
            findings.push(Finding::Advice(
                what,
                "move it to an offline medium; the node never needs it".to_owned(),
            ));
        }
    }
    match NodeKeys::load(dir) {
        Ok(keys) => {
            findings.push(Finding::Good(format!("keys in {}", dir.display())));
            Some(keys)
        }
        Err(error) => {
            findings.push(Finding::Problem(with_causes(&error), error.hint()));
            None
        }
    }
}

fn operators(config: &Config) -> Finding {
    match Operators::load(&config.node.operators) {
        Ok(operators) if operators.iter().any(|operator| operator.role == Role::Admin) => {
            Finding::Good(format!("operators in {}: {}", config.node.operators.display(), operators.len()))
        }
        Ok(_) => Finding::Advice(
            format!("no admin in {}", config.node.operators.display()),
            "`wego-node operator add --role admin` adds one".to_owned(),
        ),
        Err(error) => Finding::Problem(with_causes(&error), "`wego-node operator --help`".to_owned()),
    }
}

fn roster(config: &Config, keys: Option<&NodeKeys>) -> Finding {
    let path = config.node.roster.display();
    let problem = |what: String, hint: &str| Finding::Problem(what, hint.to_owned());
    let text = match read_roster(&config.node.roster) {
        Ok(text) => text,
        Err(error) => {
            let hint = "put the signed roster there; whoever founded the federation has it";
            return problem(format!("roster {path} cannot be read: {error}"), hint);
        }
    };
    let chain_of = armour::read::<v1::RosterChain>(Label::Roster, &text).map_err(|e| with_causes(&e));
    let versions = chain_of.and_then(|chain_of| match chain_of.encoded_len() {
        ..=CHAIN_BYTES_MAX => Roster::open_chain(chain_of).map_err(|e| with_causes(&e)),
        _ => Err("it is larger than any roster".to_owned()),
    });
    let newest = match versions.as_deref() {
        Ok([.., newest]) => newest,
        Ok([]) => return problem(format!("roster {path} is empty"), "ask for it again"),
        Err(error) => return problem(format!("roster {path} is refused: {error}"), "ask for it again"),
    };
    let handle = &config.node.handle;
    let Some(member) = newest.member_by_handle(handle) else {
        return problem(
            format!("roster {path} has no member {handle}"),
            "compare node.handle with the member card",
        );
    };
    // A key that took over since is named by the log alone.
    let known = |keys: &NodeKeys| {
        let mut former = keys.former.iter();
        member.transport_keys.contains(&keys.transport_key)
            || former.any(|key| member.transport_keys.contains(key))
    };
    if keys.is_some_and(|keys| !known(keys)) {
        let what = format!("roster {path} has another transport key for {handle}");
        return problem(what, "the roster must be made from this folder's member-card.pem");
    }
    Finding::Good(format!("roster {path}, version {}, has {handle} with this key", newest.version()))
}

fn read_roster(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(ROSTER_FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn disk(config: &Config) -> Finding {
    let dir = &config.node.data_dir;
    // The node makes the folder itself, in one that is there.
    let there = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("/"));
    if let Err(error) = tempfile::tempfile_in(there) {
        let hint = "give it to the node's user, or change node.data_dir".to_owned();
        return Finding::Problem(format!("{} cannot be written: {error}", there.display()), hint);
    }
    let free = match rustix::fs::statvfs(there) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => {
            return Finding::Problem(
                format!("{}: {error}", there.display()),
                "look at the file system".to_owned(),
            );
        }
    };
    let reserve = config.store.reserve_bytes;
    if free <= reserve {
        let what = format!("{} has {free} bytes free, {reserve} are reserved", there.display());
        return Finding::Problem(what, "make room, or lower store.reserve_mib".to_owned());
    }
    Finding::Good(format!("{} can be written, {} MiB free", there.display(), free >> 20))
}

/// Something to say only of a folder that came from a backup.
fn fence(config: &Config) -> Option<Finding> {
    match Fence::stage(&config.node.data_dir) {
        Ok(None) => None,
        Ok(Some(Stage::Done)) => {
            let what =
                format!("{} came from a backup: its own log may be behind", config.node.data_dir.display());
            let hint =
                "the node writes nothing before it has asked its peers; leave the fence to it".to_owned();
            Some(Finding::Advice(what, hint))
        }
        Ok(Some(Stage::Begun)) => {
            let what = format!("the restore into {} was not finished", config.node.data_dir.display());
            Some(Finding::Problem(what, "run the same wego-node restore again".to_owned()))
        }
        Err(error) => Some(Finding::Problem(
            with_causes(&error),
            "set the data folder aside and restore into an empty one".to_owned(),
        )),
    }
}

fn listeners(config: &Config) -> Vec<Finding> {
    let listen = &config.listen;
    let all = [
        ("listen.peers", Some(listen.peers)),
        ("listen.clients", Some(listen.clients)),
        ("listen.portal", listen.portal),
    ];
    let look = |(key, address): (&str, Option<std::net::SocketAddr>)| {
        let address = address?;
        Some(match TcpListener::bind(address) {
            Ok(_) => Finding::Good(format!("{key} {address} is free")),
            Err(error) => Finding::Problem(
                format!("{key} {address} cannot be listened on: {error}"),
                "stop what listens there (`ss -ltnp`), choose another port, or add --running".to_owned(),
            ),
        })
    };
    all.into_iter().filter_map(look).collect()
}
