//! `wego.v1.Audit`: who changed what on this node, and whether the log of it is whole.

use tonic::{Request, Response, Status};
use wego_proto::{
    audit::Break,
    id::Hash,
    key::PublicKey,
    v1::{self, audit_server},
};

use super::{Doors, blocking};
use crate::audit::{self, AuditError, Entry, Filter};

/// Events of one page.
const PAGE_MAX: u32 = 1_000;
const PAGE_DEFAULT: u32 = 100;

#[tonic::async_trait]
impl audit_server::Audit for Doors {
    async fn list(
        &self,
        request: Request<v1::ListAuditRequest>,
    ) -> Result<Response<v1::ListAuditReply>, Status> {
        let request = request.into_inner();
        let before = match request.page_token.as_str() {
            "" => None,
            token => Some(token.parse().map_err(|_| {
                Status::invalid_argument("page token is none of this node; hint: start from the first page")
            })?),
        };
        let size = match request.page_size {
            0 => PAGE_DEFAULT,
            size => size.min(PAGE_MAX),
        };
        let filter = Filter {
            since_ms: request.since_ms,
            until_ms: request.until_ms,
            actor: request.actor,
            action: request.action,
            refused: request.refused,
        };
        let dir = self.audit.dir().to_owned();
        let page = blocking(move || {
            audit::list(&dir, &filter, before, size as usize).map_err(|error| failed(&error))
        })
        .await?;
        Ok(Response::new(v1::ListAuditReply {
            events: page.events.into_iter().map(event).collect(),
            next_page_token: page.next.map(|n| n.to_string()).unwrap_or_default(),
        }))
    }

    async fn verify(
        &self,
        request: Request<v1::VerifyAuditRequest>,
    ) -> Result<Response<v1::VerifyAuditReply>, Status> {
        let request = request.into_inner();
        let noted = match request.noted_n {
            0 => None,
            n => Some((n, noted_hash(&request.noted_hash)?)),
        };
        // Before the files are read: what is written meanwhile is more, not less.
        let (written, hash) = self.audit.head();
        let (dir, keys) = (self.audit.dir().to_owned(), self.audit_keys());
        let mut checked =
            blocking(move || audit::verify(&dir, &keys, request.from, noted).map_err(|error| failed(&error)))
                .await?;
        let is_short = match checked.last {
            _ if checked.next.is_some() => false,
            Some((n, last)) => n < written || (n == written && last != hash),
            None => written > 0,
        };
        if is_short {
            checked.breaks.push(Break::Missing { n: written });
        }
        let (last, last_hash) =
            checked.last.map_or((0, Vec::new()), |(n, hash)| (n, hash.as_bytes().to_vec()));
        Ok(Response::new(v1::VerifyAuditReply {
            first: checked.first.unwrap_or(0),
            last,
            last_hash,
            breaks: checked.breaks.iter().map(ToString::to_string).collect(),
            next_from: checked.next.unwrap_or(0),
        }))
    }
}

impl Doors {
    /// The key that signs now, and this member's log keys in the roster and in its own log: older lines may be signed by
    /// those.
    fn audit_keys(&self) -> Vec<PublicKey> {
        let mut keys = self.reader.view().own_log_keys();
        keys.push(self.audit.public_key());
        keys
    }
}

fn noted_hash(bytes: &[u8]) -> Result<Hash, Status> {
    Hash::try_from(bytes)
        .map_err(|error| Status::invalid_argument(format!("noted_hash: {error}; hint: `verify` prints it")))
}

fn event(entry: Entry) -> v1::AuditEvent {
    v1::AuditEvent {
        n: entry.n,
        time: entry.time,
        actor: entry.actor,
        key: entry.key,
        role: entry.role,
        via: entry.via,
        action: entry.action,
        target: entry.target,
        reason: entry.reason,
        result: entry.result,
        code: entry.code,
        text: entry.text,
        request_id: entry.request_id,
        times: entry.times,
    }
}

fn failed(error: &AuditError) -> Status {
    Status::internal(format!("{error}; hint: {}", error.hint()))
}
