//! `wego invite`: one string for one city that wants to become a member. It never makes a member; the committee does.

use std::{path::PathBuf, time::Duration};

use clap::{Subcommand, builder::NonEmptyStringValueParser};
use serde::Serialize;
use wego_proto::{
    armour::{self, Label},
    card::MemberCard,
    id::InviteId,
    v1,
};

use super::replace_file;
use crate::{
    args::{DryRun, Mode, Yes, duration},
    client::Node,
    context::{Assent, Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::{self, Table, one_line},
    words::Word as _,
};

/// Invite a city to become a member, and see what became of it
///
/// The city runs `wego-node join` with the string. Six words then stand here and on its screen: compare them by
/// telephone. After that the committee admits the city's card by signing a roster; the invite alone admits nobody.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego invite create --city Leiden --handle nl-leiden      hand the string over where only the city reads it
  wego invite list                                         compare the words by telephone
  wego invite card 0123456789abcdef --out leiden.pem       the city's card, for the roster
  wego invite revoke 0123456789abcdef --yes")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an invite for one city and one use; prints the string, which is shown only once
    Create(Create),
    /// List the invites, newest first
    List,
    /// Write the member card of the city that used an invite
    Card(Card),
    /// Take an invite back, also one that was used and waits for the committee
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The city, for people
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    city: String,
    /// The handle that the city must take, as nl-leiden [default: its own choice]
    #[arg(long)]
    handle: Option<String>,
    /// How long it is good, as 24h or 7d; 30 days at most
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = days)]
    ttl: Duration,
    /// Where the city reaches this node [default: this member's first endpoint]
    #[arg(long, value_name = "HOST:PORT")]
    endpoint: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Debug, clap::Args)]
struct Card {
    /// The invite, as `wego invite list` shows it
    id: InviteId,
    /// File to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The invite, as `wego invite list` shows it
    id: InviteId,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Serialize)]
struct Created {
    dry_run: bool,
    string: Option<String>,
    invite: Invite,
}

#[derive(Serialize)]
struct Listing {
    invites: Vec<Invite>,
}

#[derive(Serialize)]
struct One {
    dry_run: bool,
    invite: Invite,
}

#[derive(Serialize)]
struct Invite {
    id: Option<String>,
    state: &'static str,
    city: String,
    /// Of the card when it was used, else the one that was asked for.
    handle: Option<String>,
    endpoint: String,
    created_at: Option<String>,
    expires_at: Option<String>,
    used_at: Option<String>,
    words: Option<String>,
    fingerprint: Option<String>,
    signatures: u32,
    needed: u32,
    #[serde(skip)]
    expires_ms: u64,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::Create(args) => create(args, cx).await,
        Command::List => list(cx).await,
        Command::Card(args) => card(&args, cx).await,
        Command::Revoke(args) => revoke(&args, cx).await,
    }
}

async fn create(args: Create, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let dry_run = args.dry_run.mode() == Mode::DryRun;
    let request = v1::CreateInviteRequest {
        city: args.city,
        handle: args.handle.unwrap_or_default(),
        ttl_s: args.ttl.as_secs(),
        endpoint: args.endpoint.unwrap_or_default(),
        dry_run,
    };
    let mut client = node.invites();
    let reply = node.ask("make an invite", client.create(request)).await?;
    let invite = Invite::told(&reply.view.unwrap_or_default());
    let until = invite.expires_at.as_deref().unwrap_or("never");
    if dry_run {
        cx.say(&format!(
            "would make an invite for {} to {}, good until {until}",
            invite.city, invite.endpoint
        ));
    } else {
        cx.say(&format!(
            "an invite for {}, for one use until {until}; hand it over where only {} reads it, it is not shown again",
            invite.city, invite.city
        ));
    }
    let string = Some(reply.invite).filter(|string| !string.is_empty());
    match (cx.format, string) {
        (Format::Json, string) => cx.print_json(&Created { dry_run, string, invite })?,
        (Format::Human, Some(string)) => cx.print(&format!("{}\n", one_line(&string)))?,
        (Format::Human, None) => {}
    }
    Ok(ExitCode::Ok)
}

async fn list(cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let invites: Vec<_> = all(&node).await?.iter().map(Invite::told).collect();
    match cx.format {
        Format::Json => cx.print_json(&Listing { invites })?,
        Format::Human if invites.is_empty() => {
            cx.say("no invites: `wego invite create` makes one");
        }
        Format::Human => {
            let now_ms = cx.now_ms();
            let mut table = Table::new(&["ID", "STATE", "CITY", "HANDLE", "EXPIRES", "WORDS", "FINGERPRINT"]);
            for invite in &invites {
                table.row([
                    invite.id.as_deref().unwrap_or_default(),
                    &invite.state_in_words(),
                    &invite.city,
                    invite.handle.as_deref().unwrap_or_default(),
                    &output::ago(now_ms, invite.expires_ms),
                    invite.words.as_deref().unwrap_or_default(),
                    invite.fingerprint.as_deref().unwrap_or_default(),
                ]);
            }
            cx.print_table(table)?;
        }
    }
    Ok(ExitCode::Ok)
}

async fn card(args: &Card, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let view = one(&node, &args.id).await?;
    let Some(card) = &view.card else {
        return Err(Failure::conflict(
            format!("invite {} was not used: it has no card", args.id),
            "the city runs `wego-node join` with the string; then the card is here",
        ));
    };
    let opened = MemberCard::open(card).map_err(|error| {
        let hint = "do not use this node before its administrator has looked at it";
        Failure::integrity("the card that the node holds is not signed by its own key", hint).because(error)
    })?;
    let mut preamble = vec![
        "WeGO member card. No secret in it.".to_owned(),
        format!("handle:      {}", one_line(&opened.inception.handle)),
        format!("words:       {}", one_line(&view.words)),
        "Compare the words over the telephone before you believe this card, and these before you sign a roster with it:"
            .to_owned(),
    ];
    preamble.extend(opened.fingerprints().iter().map(|(what, print)| format!("{what}: {print}")));
    replace_file(&args.out, armour::write(Label::MemberCard, &preamble, card).as_bytes())?;
    cx.say(&format!("card of {} written to {}", one_line(&opened.inception.handle), args.out.display()));
    cx.say(&format!("compare by telephone before anybody signs: {}", view.words));
    if cx.format == Format::Json {
        cx.print_json(&One { dry_run: false, invite: Invite::told(&view) })?;
    }
    Ok(ExitCode::Ok)
}

async fn revoke(args: &Revoke, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let view = one(&node, &args.id).await?;
    let plan = format!("Invite {} for {} will be void, for ever.", args.id, view.city);
    if args.dry_run.mode() == Mode::DryRun {
        cx.say(&plan);
        return answer(&One { dry_run: true, invite: Invite::told(&view) }, cx);
    }
    cx.confirm(&plan, Assent::from_flag(args.yes.yes)).await?;
    let mut client = node.invites();
    let request = v1::RevokeInviteRequest { id: args.id.as_bytes().to_vec() };
    let view = node.ask(&format!("revoke invite {}", args.id), client.revoke(request)).await?;
    cx.say("revoked");
    answer(&One { dry_run: false, invite: Invite::told(&view) }, cx)
}

fn answer(one: &One, cx: &mut Context) -> Outcome {
    if cx.format == Format::Json {
        cx.print_json(one)?;
    }
    Ok(ExitCode::Ok)
}

async fn all(node: &Node) -> Result<Vec<v1::InviteView>, Failure> {
    let mut client = node.invites();
    Ok(node.ask("list the invites", client.list(v1::ListInvitesRequest {})).await?.invites)
}

async fn one(node: &Node, id: &InviteId) -> Result<v1::InviteView, Failure> {
    let found = all(node).await?.into_iter().find(|view| view.id == id.as_bytes());
    found.ok_or_else(|| {
        Failure::not_found(format!("the node has no invite {id}"), "`wego invite list` shows the invites")
    })
}

impl Invite {
    fn told(view: &v1::InviteView) -> Self {
        let card = view.card.as_ref().and_then(|card| MemberCard::open(card).ok());
        let told = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let handle = card.as_ref().map(|card| card.inception.handle.clone());
        Self {
            id: InviteId::try_from(view.id.as_slice()).ok().map(|id| id.to_string()),
            state: view.state().word(),
            city: view.city.clone(),
            handle: handle.or_else(|| told(&view.handle)),
            endpoint: view.endpoint.clone(),
            created_at: output::rfc3339(view.created_ms),
            expires_at: output::rfc3339(view.expires_ms),
            used_at: output::rfc3339(view.used_ms),
            words: told(&view.words),
            fingerprint: card.map(|card| card.log_key.fingerprint()),
            signatures: view.signatures,
            needed: view.needed,
            expires_ms: view.expires_ms,
        }
    }

    /// `used, 1 of 2 signatures`.
    fn state_in_words(&self) -> String {
        if self.state == v1::InviteState::Used.word() {
            return format!("{}, {} of {} signatures", self.state, self.signatures, self.needed);
        }
        self.state.to_owned()
    }
}

/// As [`duration`], and whole days too.
fn days(text: &str) -> Result<Duration, String> {
    match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) if days > 0 => Ok(Duration::from_secs(u64::from(days) * 86_400)),
        _ => match duration(text) {
            Ok(time) if time.as_secs() == 0 => Err("must be a second or more".to_owned()),
            parsed => parsed.map_err(|error| error.replace("30s, 500ms or 2m", "24h or 7d")),
        },
    }
}
