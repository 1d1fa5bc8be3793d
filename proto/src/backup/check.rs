//! What may stand where in a backup, and what each frame must say. Used by whoever reads and by whoever writes.
//!
//! It must never be asked about a frame out of the order of the file.

use std::collections::VecDeque;

use prost::Message;

use super::{Item, Kind, Manifest, Part, Problem, Wanted, Whole, frame::Place, logs::Logs};
use crate::{
    convert::{FieldError, InField as _, Problem as FieldProblem},
    entry::Unverified,
    id::Hash,
    roster::Roster,
    v1,
};

/// What the frames so far were.
#[derive(Debug, Default)]
pub(super) struct Check {
    manifest: Option<Manifest>,
    roster: Option<Roster>,
    logs: Option<Logs>,
    forks: u32,
    last: Option<Kind>,
    /// What the frames so far have yielded.
    pub(super) ready: VecDeque<Item>,
}

impl Check {
    /// Checks the frame that stands at `begin` and ends at `end`.
    pub(super) fn take(&mut self, kind: Kind, content: &[u8], begin: Place, end: u64) -> Result<(), Problem> {
        self.stands_in_order(kind)?;
        self.last = Some(kind);
        match kind {
            Kind::Manifest => self.manifest(decode(kind, content)?),
            Kind::Roster => self.roster(decode(kind, content)?),
            Kind::Fork => self.fork(decode(kind, content)?),
            Kind::Entry => self.entry(decode(kind, content)?),
            Kind::File => {
                self.ready.push_back(Item::File(decode(kind, content)?));
                Ok(())
            }
            Kind::Trailer => self.trailer(&decode(kind, content)?, begin, end),
        }
    }

    /// Whether the last frame was the trailer.
    pub(super) fn is_done(&self) -> bool {
        self.last == Some(Kind::Trailer)
    }

    /// What must be complete before this kind begins.
    fn stands_in_order(&mut self, kind: Kind) -> Result<(), Problem> {
        let out_of_order = || Problem::OutOfOrder(kind.word());
        match self.last {
            None if kind == Kind::Manifest => return Ok(()),
            None => return Err(out_of_order()),
            Some(Kind::Trailer) => return Err(Problem::Trailing),
            Some(Kind::Manifest) if kind != Kind::Roster => return Err(out_of_order()),
            Some(last) if kind < last || kind == Kind::Manifest => return Err(out_of_order()),
            Some(_) => {}
        }
        if kind > Kind::Roster && self.last == Some(Kind::Roster) {
            self.fits_roster()?;
        }
        if kind > Kind::Fork && self.last <= Some(Kind::Fork) {
            let announced = self.manifest.as_ref().map_or(0, |manifest| manifest.content.forks);
            if announced != self.forks {
                return Err(Problem::Count("fork proofs"));
            }
        }
        let missing = self.logs.as_ref().is_some_and(|logs| logs.wanted() != Wanted::Nothing);
        if kind > Kind::Entry && missing {
            return Err(Problem::Count("entries"));
        }
        Ok(())
    }

    fn manifest(&mut self, signed: v1::SignedBackupManifest) -> Result<(), Problem> {
        let manifest = Manifest::open(&signed)?;
        self.logs = Some(Logs::new(manifest.origin, &manifest.heads));
        self.manifest = Some(manifest.clone());
        self.ready.push_back(Item::Manifest(manifest));
        Ok(())
    }

    fn roster(&mut self, signed: v1::SignedRoster) -> Result<(), Problem> {
        let next = match &self.roster {
            None => Roster::open_genesis(signed)?,
            Some(last) => last.succeeded_by(signed)?,
        };
        if self.manifest.as_ref().is_none_or(|manifest| manifest.federation != next.federation()) {
            return Err(Problem::Manifest("it names another federation"));
        }
        self.roster = Some(next.clone());
        self.ready.push_back(Item::Roster(next));
        Ok(())
    }

    /// Holds the manifest against the newest roster version.
    fn fits_roster(&self) -> Result<(), Problem> {
        let (Some(manifest), Some(roster)) = (&self.manifest, &self.roster) else {
            return Err(Problem::OutOfOrder(Kind::Roster.word()));
        };
        if manifest.content.roster_version != roster.version() {
            return Err(Problem::Manifest("it names another roster version"));
        }
        let member = roster.members().get(&manifest.origin);
        let member = member.filter(|member| member.handle == manifest.content.handle);
        member.map(|_| ()).ok_or(Problem::Manifest("there is no such member"))
    }

    /// Whether the key that signed is one of the member's: the roster's, or one that its log has changed to.
    fn is_own_key(&self) -> Result<Option<Hash>, Problem> {
        let not_own = Problem::Manifest("its log key is not that member's");
        let (Some(manifest), Some(roster), Some(logs)) = (&self.manifest, &self.roster, &self.logs) else {
            return Err(not_own);
        };
        let Some(member) = roster.members().get(&manifest.origin) else { return Err(not_own) };
        let epochs = logs.own_epochs();
        let given = member.log_keys.iter().map(|known| known.key);
        let known = given.chain(epochs.iter().map(|epoch| epoch.key)).any(|key| key == manifest.log_key);
        if known { Ok(epochs.next_digest(member, epochs.tip())) } else { Err(not_own) }
    }

    fn fork(&mut self, proof: v1::ForkProof) -> Result<(), Problem> {
        let side = |entry: &Option<v1::Entry>| {
            let entry = entry.clone().ok_or(Problem::ForkProof)?;
            Unverified::parse(entry).map_err(|_| Problem::ForkProof)
        };
        let (left, right) = (side(&proof.left)?, side(&proof.right)?);
        let (one, other) = (left.header(), right.header());
        // Two openings of one epoch contradict each other whatever they follow.
        let openings = one.epoch_start.is_some() && other.epoch_start.is_some();
        let same_place = (one.origin, one.at) == (other.origin, other.at);
        if !same_place || (one.prev != other.prev && !openings) || left == right {
            return Err(Problem::ForkProof);
        }
        self.forks += 1;
        self.ready.push_back(Item::Fork(one.origin, one.at.epoch, proof));
        Ok(())
    }

    fn entry(&mut self, entry: v1::Entry) -> Result<(), Problem> {
        let (Some(logs), Some(roster)) = (&mut self.logs, &self.roster) else {
            return Err(Problem::OutOfOrder(Kind::Entry.word()));
        };
        let wanted = logs.wanted();
        let entry = Unverified::parse(entry).map_err(|error| match wanted {
            Wanted::Entry(origin, at) => Problem::Entry { origin, at, error },
            Wanted::Nothing => Problem::Count("entries"),
        })?;
        let runs = logs.take(entry, roster)?;
        self.ready.extend(runs.into_iter().map(Item::Entries));
        Ok(())
    }

    fn trailer(&mut self, signed: &v1::SignedBackupTrailer, begin: Place, end: u64) -> Result<(), Problem> {
        let manifest = self.manifest.as_ref().ok_or(Problem::OutOfOrder(Kind::Trailer.word()))?;
        manifest.check_signature(Part::Trailer, &signed.trailer, &signed.signature)?;
        let trailer: v1::BackupTrailer = decode(Kind::Trailer, &signed.trailer)?;
        if (trailer.frames, trailer.bytes) != (begin.frames, begin.bytes) {
            return Err(Problem::Count("frames or bytes"));
        }
        if trailer.link != begin.link.as_bytes() {
            return Err(Problem::Check);
        }
        let whole = Whole { digest: begin.link, bytes: end, next_log_key: self.is_own_key()? };
        self.ready.push_back(Item::End(whole));
        Ok(())
    }
}

fn decode<M: Message + Default>(kind: Kind, content: &[u8]) -> Result<M, FieldError> {
    M::decode(content).map_err(|_| FieldProblem::Undecodable).in_field(kind.word())
}
