//! The federation and this node, as they are shown.

use std::collections::BTreeMap;

use wego_proto::{fork, id::Origin, roster::Member, v1};

use super::{ReadError, ReadHandle};
use crate::clock::now_ms;
use crate::engine::{view::View, words::against_writing};

impl ReadHandle {
    /// All members, by handle.
    ///
    /// # Errors
    /// [`ReadError::Store`].
    pub fn members(&self) -> Result<v1::ListMembersReply, ReadError> {
        let view = self.view();
        let counts = self.record_counts()?;
        let current = view.roster.current();
        let mut members: Vec<_> =
            current.members().values().map(|member| member_view(&view, member, &counts)).collect();
        members.sort_by(|one, other| handle_of(one).cmp(handle_of(other)));
        Ok(v1::ListMembersReply {
            federation_name: current.content().federation_name.clone(),
            federation_id: current.federation().as_bytes().to_vec(),
            roster_version: current.version(),
            roster_expired: current.is_soft_expired(now_ms()),
            members,
        })
    }

    /// One member.
    ///
    /// # Errors
    /// [`ReadError::UnknownMember`] or [`ReadError::Store`].
    pub fn member(&self, handle: &str) -> Result<v1::MemberView, ReadError> {
        let view = self.view();
        let member = view.roster.current().member_by_handle(handle);
        let member = member.ok_or_else(|| ReadError::UnknownMember(handle.to_owned()))?;
        Ok(member_view(&view, member, &self.record_counts()?))
    }

    /// The proofs of two histories, of all members or of one, by handle and position.
    ///
    /// # Errors
    /// [`ReadError::UnknownMember`] or [`ReadError::Store`].
    pub fn forks(&self, handle: &str) -> Result<v1::ForksReply, ReadError> {
        let view = self.view();
        let current = view.roster.current();
        if !handle.is_empty() && current.member_by_handle(handle).is_none() {
            return Err(ReadError::UnknownMember(handle.to_owned()));
        }
        let mut forks = Vec::new();
        for ((origin, _), proof) in self.inner.store.forks()? {
            // A later roster may have ended the key, or cut the member off before.
            let proves = fork::verify(&proof, current).is_ok();
            let handle_here = view.handle(origin).to_owned();
            if proves && (handle.is_empty() || handle_here == handle) {
                forks.push(v1::ForkProofFile {
                    proof: Some(proof),
                    federation_id: current.federation().as_bytes().to_vec(),
                    origin_handle: handle_here,
                });
            }
        }
        // Those of one member come by epoch already.
        forks.sort_by(|one, other| one.origin_handle.cmp(&other.origin_handle));
        Ok(v1::ForksReply { forks })
    }

    /// The roster versions from 1 on.
    #[must_use]
    pub fn roster_chain(&self) -> v1::RosterChain {
        v1::RosterChain { versions: self.view().roster.since(0, usize::MAX) }
    }

    /// How the node is, problems first.
    #[must_use]
    pub fn status(&self) -> v1::StatusReply {
        let view = self.view();
        let current = view.roster.current();
        let problems = self.problems(&view);
        let health = problems.iter().map(v1::Problem::health).max().unwrap_or(v1::Health::Ok);
        let against = against_writing(&view, now_ms()).into_iter().next();
        v1::StatusReply {
            health: health as i32,
            problems,
            handle: view.handle(view.me).to_owned(),
            federation_name: current.content().federation_name.clone(),
            federation_id: current.federation().as_bytes().to_vec(),
            roster_version: current.version(),
            roster_expired: current.is_soft_expired(now_ms()),
            software: format!("wego-node/{}", env!("CARGO_PKG_VERSION")),
            started_ms: view.started_ms,
            own_head: view.wire_head(view.me),
            entries: view.cursor.0,
            indexed_behind: self.behind(),
            sessions: view.sessions.len() as u32,
            members: current.members().len() as u32,
            writable: against.is_none(),
            not_writable_because: against.map(|against| against.to_string()).unwrap_or_default(),
            disk_free_bytes: view.disk.0,
            disk_reserve_bytes: view.disk.1,
            refused: self.refused(&view),
            store_id: view.store_id.as_bytes().to_vec(),
            // Those who dial know them.
            peers: Vec::new(),
        }
    }

    /// What was refused since the start: messages by the ledger, connections at the doors.
    fn refused(&self, view: &View) -> Vec<v1::RefusedInput> {
        let mut counts: BTreeMap<String, u64> =
            view.refused.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect();
        for (reason, count) in self.inner.doors.iter().flat_map(|door| door.refusals()) {
            if count > 0 {
                *counts.entry(format!("connection_{reason}")).or_default() += count;
            }
        }
        counts.into_iter().map(|(reason, count)| v1::RefusedInput { reason, count }).collect()
    }

    pub(super) fn behind(&self) -> u64 {
        let applied = self.inner.search_progress.cursor().min(self.inner.records_progress.cursor());
        self.inner.store.cursor().0.saturating_sub(applied.0)
    }

    fn record_counts(&self) -> Result<BTreeMap<Origin, u64>, ReadError> {
        let mut counts = BTreeMap::new();
        for ((origin, _), count) in self.inner.records.counts()? {
            *counts.entry(origin).or_default() += count;
        }
        Ok(counts)
    }
}

fn member_view(view: &View, member: &Member, counts: &BTreeMap<Origin, u64>) -> v1::MemberView {
    let own = member.origin == view.me;
    v1::MemberView {
        member: view.member_now(member.origin),
        head: view.wire_head(member.origin),
        seen_ms: view.seen_ms(member.origin, now_ms()),
        self_: own,
        connected: view.sessions.contains_key(&member.origin),
        records: counts.get(&member.origin).copied().unwrap_or(0),
        forked: view.frozen_at(member.origin).is_some(),
        fork_at: view.frozen_at(member.origin).map(Into::into),
    }
}

fn handle_of(view: &v1::MemberView) -> &str {
    view.member.as_ref().map_or("", |member| member.handle.as_str())
}
