//! `wego-node init`: makes a new member's folder and says what to do with it.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
};

use wego_proto::{presence::check_name, v1::MemberName};

use super::{Exit, Failure};
use crate::{
    clock::now_ms,
    config::RawConfig,
    init::{self, Committee, Created, InitOptions, Seeds},
    keys::{GOVERNANCE_KEY, NEXT_LOG_KEY, RECOVERY_KEY},
};

/// Make the folder of a new member: keys, configuration, first operator, member card
///
/// Writes DIR/wego-node.toml, DIR/keys, DIR/operators.toml with you as the first admin, DIR/profile for the
/// command `wego`, and DIR/member-card.pem to hand to whoever founds or administers the federation. Nothing is
/// sent anywhere and nothing is overwritten; on an error nothing is left behind. Prints the card's path.
///
/// Run it as the user the node will run as: nobody else may read the keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  wego-node init --dir /var/lib/wego-node/node --handle kr-seoul --name en=Seoul --name ko=서울 \\
      --country KR --place KRSEL --endpoint wego.seoul.go.kr:7400")]
pub(super) struct Args {
    /// Folder to make; must not exist or be empty
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    more: More,
}

/// Who the member is.
#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// Short name in the federation, for ever: a-z, 0-9 and -, as in kr-seoul
    #[arg(long)]
    pub(super) handle: String,
    /// Name in a language, as in en=Seoul; repeat it for each language
    #[arg(long = "name", required = true, value_name = "LANG=NAME", value_parser = name)]
    pub(super) names: Vec<MemberName>,
    /// Country, ISO 3166-1, as in KR
    #[arg(long)]
    pub(super) country: String,
}

/// Everything about a member that can be left out.
#[derive(Debug, clap::Args)]
pub(super) struct More {
    /// Place, UN/LOCODE without a space, as in KRSEL
    #[arg(long, default_value = "")]
    place: String,
    /// Public address of this node for other nodes, as in wego.seoul.go.kr:7400; may be repeated. Without one
    /// the node only dials others
    #[arg(long = "endpoint", value_name = "HOST:PORT")]
    endpoints: Vec<String>,
    /// Address to listen on for other nodes [default: 0.0.0.0:7400]
    #[arg(long, value_name = "IP:PORT")]
    peers: Option<SocketAddr>,
    /// Address to listen on for operators [default: 127.0.0.1:7401]
    #[arg(long, value_name = "IP:PORT")]
    clients: Option<SocketAddr>,
    /// Address to listen on for web pages, or off [default: 127.0.0.1:7480]. This machine alone goes by it: see
    /// --portal-url
    #[arg(long, value_name = "IP:PORT|off", value_parser = portal)]
    portal: Option<Portal>,
    /// Where citizens read the web pages, as in https://wego.seoul.go.kr/: it stands in the card and the roster, and pages
    /// of other cities link to it. Without it they link to none; `wego member set --portal-url` says it later
    #[arg(long, default_value = "", value_name = "URL")]
    portal_url: String,
    /// The member does not sign rosters: no governance key
    #[arg(long)]
    no_committee: bool,
    /// Name of the first operator, an admin
    #[arg(long, default_value = "admin", value_name = "NAME")]
    operator: String,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Portal {
    Off,
    At(SocketAddr),
}

pub(super) fn run(args: Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let (created, options) = create(args.dir, args.who, args.more)?;
    writeln!(out, "{}", created.card_path.display())?;
    talk(&created, &options, err)?;
    Ok(())
}

/// Makes the folder.
pub(super) fn create(dir: PathBuf, who: Who, more: More) -> Result<(Created, InitOptions), Failure> {
    let options = options(dir, who, more)?;
    let seeds = Seeds::draw(getrandom::fill)
        .map_err(|error| Failure::new(Exit::Failed, error, "the system gives no random numbers"))?;
    let created = init::create(&options, &seeds).map_err(Failure::of_init)?;
    Ok((created, options))
}

fn options(dir: PathBuf, who: Who, args: More) -> Result<InitOptions, Failure> {
    let default = RawConfig::default().listen;
    let parsed = |text: &str| text.parse::<SocketAddr>();
    let defaults = parsed(&default.peers)
        .and_then(|peers| Ok((peers, parsed(&default.clients)?, parsed(&default.portal)?)))
        .map_err(|error| Failure::new(Exit::Failed, error, "name every address to listen on"))?;
    let portal = match args.portal {
        Some(Portal::Off) => None,
        Some(Portal::At(address)) => Some(address),
        None => Some(defaults.2),
    };
    Ok(InitOptions {
        dir,
        handle: who.handle,
        names: who.names,
        country: who.country,
        place: args.place,
        endpoints: args.endpoints,
        peers: args.peers.unwrap_or(defaults.0),
        clients: args.clients.unwrap_or(defaults.1),
        portal,
        portal_url: args.portal_url,
        committee: if args.no_committee { Committee::Abstains } else { Committee::Sits },
        operator: args.operator,
        issued_at_ms: now_ms(),
    })
}

fn talk(created: &Created, options: &InitOptions, err: &mut dyn Write) -> io::Result<()> {
    let keys = created.keys_dir.display();
    let governance = created.governance.as_ref().map(|_| format!("\n       {keys}/{GOVERNANCE_KEY}"));
    writeln!(
        err,
        "made {dir} for {handle}

fingerprints, to be read over the telephone to whoever gets the card and whoever signs a roster with it:
{fingerprints}

next:
  1. Move these to two offline media in two places, and delete them here:
       {keys}/{RECOVERY_KEY}
       {keys}/{NEXT_LOG_KEY}{governance}
     With recovery.pem a stolen or lost log is opened anew; who has it can be this member.
  2. Hand over {card} (no secret in it).
  3. Put the signed roster you get back at {dir}/{roster}
  4. wego-node check-config --config {config}
  5. Start the node; then `wego --profile {profile} status`.{portal}",
        dir = created.dir.display(),
        handle = options.handle,
        fingerprints = read_aloud(&created.fingerprints),
        governance = governance.unwrap_or_default(),
        card = created.card_path.display(),
        roster = RawConfig::default().node.roster,
        config = created.config.display(),
        profile = created.profile_dir.display(),
        portal = unlinked_portal(options),
    )
}

/// What is said where web pages are served that no other city will link to.
fn unlinked_portal(options: &InitOptions) -> String {
    let Some(listen) = options.portal.filter(|_| options.portal_url.is_empty()) else { return String::new() };
    format!(
        "

The card names no portal: web pages are served at {listen} on this machine, and where citizens reach them was not said.
Say it when they do: wego member set --portal-url https://...  (or begin again with --portal-url)"
    )
}

/// Fingerprints under one another, each after its name.
pub(super) fn read_aloud(fingerprints: &[(&str, String)]) -> String {
    let line = |(what, print): &(&str, String)| format!("  {what:<20}  {print}");
    fingerprints.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(super) fn name(text: &str) -> Result<MemberName, String> {
    let (lang, name) = text.split_once('=').ok_or("expected LANG=NAME, as in en=Seoul")?;
    let name = MemberName { lang: lang.to_owned(), text: name.to_owned() };
    check_name(&name).map_err(|problem| problem.to_string())?;
    Ok(name)
}

fn portal(text: &str) -> Result<Portal, &'static str> {
    if text == "off" {
        return Ok(Portal::Off);
    }
    text.parse().map(Portal::At).map_err(|_| "expected an IP address with a port, or off")
}
