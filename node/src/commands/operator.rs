//! `wego-node operator`: who may call this node. Works on the files, whether the node runs or not.

use std::{fs, io::Write, path::PathBuf};

use serde::Serialize;
use wego_proto::key::SecretKey;
use zeroize::Zeroizing;

use super::{
    ConfigFile, Exit, Failure,
    assent::Assent,
    audited::{Audited, Why},
};
use crate::{
    config::Config,
    init::{self, NewProfile},
    keys,
    operators::{self, Editing, Operator, Operators, Role},
};

/// Add, list and remove the people and programs that may call this node
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a client certificate for somebody and admit it
    ///
    /// Writes a profile for the command `wego` into DIR: hand the whole folder over and delete it here. The node
    /// admits it after a reload.
    Add(Add),
    /// List who may call this node: role, key, name
    List(List),
    /// Remove somebody: refused from the next reload on
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Name, for the log and the audit
    #[arg(long)]
    name: String,
    /// reader (search, read), editor (publish too) or admin (administer too)
    #[arg(long)]
    role: Role,
    /// Folder to make for the profile
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where the client reaches this node [default: listen.clients]
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    #[command(flatten)]
    assent: Assent,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// As a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// Whom
    #[arg(long)]
    name: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    config: ConfigFile,
}

const RELOAD: &str = "reload the node for it to take effect: systemctl reload wego-node";

pub(super) fn run(command: Command, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    match command {
        Command::Add(args) => add(args, out, err),
        Command::List(args) => list(&args, out),
        Command::Remove(args) => remove(args, err),
    }
}

fn add(mut args: Add, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let config = args.config.load()?;
    let why = std::mem::take(&mut args.why);
    let target = format!("operator {} as {}", args.name, args.role);
    let plan =
        format!("{}: {} with the new key may call the node as {}", config.node.handle, args.name, args.role);
    args.assent.ask(&plan, err)?;
    let audited = Audited::open(&config, "operator add", &target, why)?;
    let (name, role, out_dir) = (args.name.clone(), args.role, args.out.clone());
    audited.perform(|| admit(args, &config))?;
    writeln!(out, "{}", out_dir.display())?;
    writeln!(err, "{name} may call this node as {role}\n{RELOAD}")?;
    Ok(())
}

fn admit(args: Add, config: &Config) -> Result<(), Failure> {
    let (_, server_key) = keys::load_transport(&config.node.keys_dir).map_err(Failure::of_keys)?;
    let key = new_key()?;
    let operator = Operator { name: args.name, key: key.public(), role: args.role };
    let file = Editing::begin(&config.node.operators).map_err(Failure::of_operators)?;
    // Refused names are refused before anything was made.
    let text = operators::added(file.text(), &operator).map_err(Failure::of_operators)?;
    let profile = NewProfile {
        address: args.address.unwrap_or_else(|| init::reachable(config.listen.clients).to_string()),
        server_key,
        handle: config.node.handle.clone(),
        operator: operator.name,
    };
    profile.create(&args.out, &key).map_err(Failure::of_init)?;
    if let Err(error) = file.replace(&text) {
        // A profile that is not admitted would only confuse. It was made two lines above, by us.
        let _ = fs::remove_dir_all(&args.out);
        return Err(Failure::of_operators(error));
    }
    Ok(())
}

fn list(args: &List, out: &mut dyn Write) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Row {
        name: String,
        role: &'static str,
        key: String,
        fingerprint: String,
    }
    let config = args.config.load()?;
    let operators = Operators::load(&config.node.operators).map_err(Failure::of_operators)?;
    let row = |o: &Operator| Row {
        name: o.name.clone(),
        role: o.role.as_str(),
        key: o.key.to_string(),
        fingerprint: o.key.fingerprint(),
    };
    let mut rows: Vec<_> = operators.iter().map(row).collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    if args.json {
        let text = serde_json::to_string_pretty(&rows);
        writeln!(out, "{}", text.map_err(std::io::Error::other)?)?;
        return Ok(());
    }
    for Row { name, role, fingerprint, .. } in rows {
        writeln!(out, "{role:<6}  {fingerprint}  {name}")?;
    }
    Ok(())
}

fn remove(args: Remove, err: &mut dyn Write) -> Result<(), Failure> {
    let config = args.config.load()?;
    let target = format!("operator {}", args.name);
    Audited::open(&config, "operator remove", &target, args.why)?.perform(|| {
        let file = Editing::begin(&config.node.operators).map_err(Failure::of_operators)?;
        let text = operators::removed(file.text(), &args.name).map_err(Failure::of_operators)?;
        file.replace(&text).map_err(Failure::of_operators)
    })?;
    writeln!(err, "{} may no longer call this node\n{RELOAD}", args.name)?;
    Ok(())
}

fn new_key() -> Result<SecretKey, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice())
        .map_err(|error| Failure::new(Exit::Failed, error, "the system gives no random numbers"))?;
    Ok(SecretKey::from_seed(&seed))
}
