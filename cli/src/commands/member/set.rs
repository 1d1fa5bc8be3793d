//! `wego member set`: what this member says of itself in its log. Which of it is acceptable is for `wego-proto` to say.

use serde::Serialize;
use wego_proto::{
    presence::{check_endpoint, check_name, check_portal_url},
    v1,
};

use super::{Member, member, print};
use crate::{
    args::{DryRun, Mode},
    context::{Context, Format},
    error::{ExitCode, Outcome},
    records::write::random_request_id,
};

/// Say in this member's log how it is called, where its node is reached and where its pages are
///
/// Every node goes by it as soon as the entry reaches it; the committee has to sign nothing. The log's last word holds
/// until a later roster version says something new of the same. The node itself listens where its wego-node.toml says.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("said").args(["endpoints", "no_endpoint", "names", "portal_url"])
    .required(true).multiple(true)))]
pub(crate) struct Set {
    /// Where peers reach the node: host:port, up to four times, in place of all that were named before
    #[arg(long = "endpoint", value_name = "HOST:PORT", value_parser = endpoint, conflicts_with = "no_endpoint")]
    endpoints: Vec<String>,
    /// The node cannot be reached: it only dials others
    #[arg(long)]
    no_endpoint: bool,
    /// What the city is called in a language, as ko=서울; LANG= takes the name in that language away
    #[arg(long = "name", value_name = "LANG=TEXT", value_parser = name)]
    names: Vec<v1::MemberName>,
    /// Where the public pages of the node are, as citizens reach them; '' for nowhere
    #[arg(long, value_name = "URL", value_parser = portal_url)]
    portal_url: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Serialize)]
struct Said {
    dry_run: bool,
    changes: bool,
    written: Vec<String>,
    member: Member,
}

pub(super) async fn run(args: Set, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let endpoints = (args.no_endpoint || !args.endpoints.is_empty()).then_some(args.endpoints);
    let mode = args.dry_run.mode();
    let request = v1::SetMemberRequest {
        request_id: random_request_id()?.as_bytes().to_vec(),
        dry_run: mode == Mode::DryRun,
        endpoints: endpoints.map(|endpoints| v1::Endpoints { endpoints }),
        names: args.names,
        portal_url: args.portal_url,
    };
    let reply = node.ask("say it in the log", node.members().set(request)).await?;
    let position = |at: v1::Position| format!("{}.{}", at.epoch, at.seq);
    let said = Said {
        dry_run: mode == Mode::DryRun,
        changes: reply.changes,
        written: reply.written.into_iter().map(position).collect(),
        member: member(reply.member.unwrap_or_default()),
    };
    match cx.format {
        Format::Json => cx.print_json(&said)?,
        Format::Human => print(&said.member, cx)?,
    }
    tell(&said, cx);
    Ok(ExitCode::Ok)
}

fn tell(said: &Said, cx: &mut Context) {
    match (said.changes, said.dry_run) {
        (false, _) => cx.say("the federation knows all of it already: nothing was written"),
        (true, true) => cx.say("this is how it would be; nothing was written"),
        (true, false) => cx.say(&format!("said in entry {} of the log", said.written.join(" and "))),
    }
}

fn endpoint(text: &str) -> Result<String, String> {
    check_endpoint(text).map_err(|problem| problem.to_string())?;
    Ok(text.to_owned())
}

fn name(text: &str) -> Result<v1::MemberName, String> {
    let (lang, text) = text.split_once('=').ok_or("must be LANG=TEXT, as ko=서울")?;
    let name = v1::MemberName { lang: lang.to_owned(), text: text.to_owned() };
    if !name.text.is_empty() {
        check_name(&name).map_err(|problem| problem.to_string())?;
    }
    Ok(name)
}

fn portal_url(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        check_portal_url(text).map_err(|problem| problem.to_string())?;
    }
    Ok(text.to_owned())
}
