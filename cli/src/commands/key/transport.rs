//! `wego key rotate-transport`, and what `wego key show` says of the transport key.

use serde::Serialize;
use wego_proto::v1;

use super::{Key, key};
use crate::{
    args::Yes,
    context::{Assent, Context, Format},
    error::{ExitCode, Outcome},
    output::{Table, rfc3339},
};

/// Make a new transport key, which takes over when all members know it
///
/// Peers and operators accept both keys meanwhile; nothing is cut. The node shows the new key when every member has
/// confirmed that it knows it, but not before `peers.transport_overlap_s`, and after seven times that in any case.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Let the new key take over now, if a member knows it; the rest hear of it from others, and cannot be reached till then
    #[arg(long)]
    finish: bool,
    #[command(flatten)]
    yes: Yes,
}

/// What the node shows in TLS.
#[derive(Serialize)]
pub(super) struct Transport {
    in_use: Key,
    listed: bool,
    certificate_from: Option<String>,
    certificate_until: Option<String>,
    certificate_renewal: Option<String>,
    next: Option<Next>,
}

#[derive(Serialize)]
struct Next {
    #[serde(flatten)]
    key: Key,
    since: Option<String>,
    earliest: Option<String>,
    latest: Option<String>,
    missing: Vec<String>,
}

impl Transport {
    pub(super) fn of(view: v1::TransportView) -> Self {
        Self {
            in_use: key(&view.key),
            listed: view.listed,
            certificate_from: rfc3339(view.certificate_from_ms),
            certificate_until: rfc3339(view.certificate_until_ms),
            certificate_renewal: rfc3339(view.renew_ms),
            next: view.next.map(|next| Next {
                key: key(&next.key),
                since: rfc3339(next.since_ms),
                earliest: rfc3339(next.earliest_ms),
                latest: rfc3339(next.latest_ms),
                missing: next.missing,
            }),
        }
    }

    /// Whether this is the key in use or the next one.
    pub(super) fn is(&self, key: &Key) -> bool {
        key.key == self.in_use.key || self.next.as_ref().is_some_and(|next| next.key.key == key.key)
    }

    pub(super) fn tell(&self, facts: &mut Table) {
        let known = if self.listed { "in use" } else { "in use, and NOT known to the federation" };
        facts.row(["transport key", &format!("{} ({known})", self.in_use.fingerprint)]);
        if let Some(next) = &self.next {
            let moment = |at: &Option<String>| at.clone().unwrap_or_default();
            let missing = match next.missing.as_slice() {
                [] => "all members know it".to_owned(),
                missing => format!("not yet known to {}", missing.join(", ")),
            };
            let takes_over = format!("from {} to {}", moment(&next.earliest), moment(&next.latest));
            facts.row(["next transport key", &next.key.fingerprint]);
            facts.row(["takes over", &format!("{takes_over}; {missing}")]);
        }
        let until = self.certificate_until.clone().unwrap_or_default();
        let renewed = match &self.certificate_renewal {
            Some(at) => format!("until {until}; the node makes another at {at}"),
            None => format!("until {until}; it was put there by hand, and another has to be"),
        };
        facts.row(["certificate", &renewed]);
    }
}

pub(super) async fn run(args: Args, cx: &mut Context) -> Outcome {
    let node = cx.connect().await?;
    let federation = node.federation().await?;
    let what = match args.finish {
        false => "a new transport key is made, and takes over when all members know it",
        true => "the new transport key takes over now, and the one before it opens nothing any more",
    };
    let plan = format!("{} of {}: {what}", federation.own.handle, federation.name);
    cx.confirm(&plan, Assent::from_flag(args.yes.yes)).await?;
    let request = v1::RotateTransportRequest { finish: args.finish };
    let view = node.ask("change the transport key", node.keys().rotate_transport(request)).await?;
    let transport = Transport::of(view);
    match cx.format {
        Format::Json => cx.print_json(&transport)?,
        Format::Human => {
            let mut facts = Table::pairs();
            transport.tell(&mut facts);
            cx.print_table(facts)?;
        }
    }
    if transport.next.is_some() {
        cx.say(
            "copy the node's keys folder to where you keep its copy, and again when the new key has taken over: `wego key \
             show` and the audit log say when",
        );
    } else {
        cx.say("copy the node's keys folder to where you keep its copy: the old transport.pem opens nothing any more");
    }
    Ok(ExitCode::Ok)
}
