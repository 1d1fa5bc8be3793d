//! How a roster looks.

use serde::Serialize;
use wego_proto::{key::PublicKey, v1};

use super::file::{Sheet, time};
use crate::{
    commands::roster::{digest_fingerprint, fingerprint, holder},
    context::{Context, Format},
    error::Failure,
    output::{self, Style, Table, one_line},
    words::Word as _,
};

#[derive(Serialize)]
struct View {
    federation_name: String,
    federation_id: String,
    version: u64,
    complete: bool,
    threshold: usize,
    signatures: usize,
    /// Whether names, addresses and keys of the members are as their logs have them now, or as the roster gave them.
    keys_from: &'static str,
    issued_at: Option<String>,
    soft_expires_at: Option<String>,
    governance_keys: Vec<Signer>,
    members: Vec<Member>,
}

#[derive(Serialize)]
struct Signer {
    key: String,
    fingerprint: String,
    handle: Option<String>,
    signed: bool,
}

#[derive(Serialize)]
struct Member {
    idx: u32,
    handle: String,
    name: String,
    country: String,
    place: String,
    role: &'static str,
    status: &'static str,
    endpoints: Vec<String>,
    city_id: String,
    log_key_fingerprint: String,
    transport_key_fingerprints: Vec<String>,
    next_log_key_digest_fingerprint: String,
    recovery_digest_fingerprint: String,
}

/// Where the members' names, addresses and keys are from. A log goes on to other keys by itself; the roster alone only
/// knows those that it gave.
#[derive(Clone, Copy)]
pub(crate) enum Told<'a> {
    /// The roster.
    ByRoster,
    /// A node, which knows the logs.
    ByNode(&'a [v1::MemberView]),
}

impl<'a> Told<'a> {
    fn of(self, given: &'a v1::Member) -> &'a v1::Member {
        let Self::ByNode(members) = self else { return given };
        let mut members = members.iter().filter_map(|view| view.member.as_ref());
        members.find(|member| member.idx == given.idx).unwrap_or(given)
    }

    const fn source(self) -> &'static str {
        match self {
            Self::ByRoster => "roster",
            Self::ByNode(_) => "logs",
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Self::ByRoster => "LOG KEY GIVEN",
            Self::ByNode(_) => "LOG KEY NOW",
        }
    }
}

/// Prints a roster, and whether enough have signed.
pub(crate) fn print(sheet: &Sheet, told: Told<'_>, cx: &mut Context) -> Result<(), Failure> {
    let view = view(sheet, told);
    if cx.format == Format::Json {
        return cx.print_json(&view);
    }
    let state = if view.complete {
        cx.styled(Style::Good, "complete")
    } else {
        cx.styled(Style::Warning, "not complete yet")
    };
    cx.print(&format!("{}: {}, {state}\n\n", one_line(&view.federation_name), sheet.count()))?;
    let mut facts = Table::pairs();
    facts.row(["federation id", &view.federation_id]);
    facts.row(["version", &view.version.to_string()]);
    facts.row(["issued", &time(sheet.draft().content.issued_at_ms)]);
    facts.row(["admits members until", &time(sheet.draft().content.soft_expires_at_ms)]);
    for signer in &view.governance_keys {
        let signed = if signer.signed { "signed" } else { "not signed" };
        let of = signer.handle.as_deref().map(|handle| format!(" of {handle}")).unwrap_or_default();
        facts.row(["governance key", &format!("{}{of}  {signed}", signer.fingerprint)]);
    }
    cx.print_table(facts)?;
    let mut members = Table::new(&["", "HANDLE", "NAME", "ROLE", "STATUS", told.heading()]);
    for member in &view.members {
        members.row([
            member.idx.to_string().as_str(),
            &member.handle,
            &member.name,
            member.role,
            member.status,
            &member.log_key_fingerprint,
        ]);
    }
    cx.print("\n")?;
    cx.print_table(members)
}

fn view(sheet: &Sheet, told: Told<'_>) -> View {
    let content = &sheet.draft().content;
    let signers = sheet.signers();
    let governance = &sheet.draft().governance;
    // In the roster's order, which is that of the cities; who has signed first.
    let listed = content.governance.iter().flat_map(|governance| &governance.keys);
    let mut keys: Vec<_> = listed.filter_map(|key| PublicKey::from_bytes(key).ok()).collect();
    keys.sort_by_key(|key| !signers.contains(key));
    View {
        federation_name: content.federation_name.clone(),
        federation_id: sheet.draft().federation.to_string(),
        version: content.version,
        complete: sheet.is_complete(),
        threshold: governance.threshold,
        signatures: signers.len(),
        keys_from: told.source(),
        issued_at: output::rfc3339(content.issued_at_ms),
        soft_expires_at: output::rfc3339(content.soft_expires_at_ms),
        governance_keys: keys
            .into_iter()
            .map(|key| Signer {
                key: key.to_string(),
                fingerprint: key.fingerprint(),
                handle: holder(content, key.as_bytes()).map(str::to_owned),
                signed: signers.contains(&key),
            })
            .collect(),
        members: content.members.iter().map(|given| member(told.of(given))).collect(),
    }
}

fn member(member: &v1::Member) -> Member {
    Member {
        idx: member.idx,
        handle: member.handle.clone(),
        name: member.names.first().map(|name| name.text.clone()).unwrap_or_default(),
        country: member.country.clone(),
        place: member.place.clone(),
        role: member.role().word(),
        status: member.status().word(),
        endpoints: member.endpoints.clone(),
        city_id: data_encoding::HEXLOWER.encode(&member.city_id),
        log_key_fingerprint: member.log_keys.last().map(|key| fingerprint(&key.key)).unwrap_or_default(),
        transport_key_fingerprints: member.transport_keys.iter().map(|key| fingerprint(key)).collect(),
        next_log_key_digest_fingerprint: digest_fingerprint(&member.next_log_key_digest),
        recovery_digest_fingerprint: digest_fingerprint(&member.recovery_digest),
    }
}
