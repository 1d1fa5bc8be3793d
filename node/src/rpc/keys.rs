//! `wego.v1.Keys`: this member's keys, and how they change.

use tonic::{Request, Response, Status};
use wego_ledger::state::NewKeys;
use wego_proto::{
    entry::{Header, Unverified, Verified},
    epochs::{Epoch, FIRST_EPOCH, Rank},
    id::Position,
    key::{PublicKey, SecretKey},
    v1::{self, keys_server::Keys},
};
use zeroize::Zeroizing;

use super::{Deed, Doors, blocking, status};
use crate::{engine::view::View, transport::Standing};

#[tonic::async_trait]
impl Keys for Doors {
    async fn show(&self, _: Request<v1::ShowKeysRequest>) -> Result<Response<v1::KeysView>, Status> {
        let view = self.reader.view();
        let member =
            view.roster.member(view.me).ok_or_else(|| Status::internal("this member is in no roster"))?;
        let epochs = view.roster.epochs(view.me);
        let committed = view.roster.committed(view.me);
        let first = epochs.key_after(member, Position { epoch: FIRST_EPOCH, seq: 0 });
        let first = first.map(|(key_no, key)| v1::EpochView {
            number: FIRST_EPOCH,
            key_no,
            key: key.as_bytes().to_vec(),
            counts: true,
            ..Default::default()
        });
        let standing = epochs.iter().filter(|epoch| epochs.get(epoch.number) == Some(epoch));
        let above = standing.map(|epoch| epoch_view(&view, epoch));
        let standing = self.transport.standing().await.map_err(|error| status::transport(&error))?;
        let keys = self.keys.clone();
        let here =
            blocking(move || Ok(committed.next_log_key.is_some_and(|digest| keys.holds_next(&digest))))
                .await?;
        let digest = |digest: Option<wego_proto::id::Hash>| digest.map(|hash| hash.as_bytes().to_vec());
        Ok(Response::new(v1::KeysView {
            epochs: first.into_iter().chain(above).collect(),
            transport_keys: view
                .roster
                .transport_keys(view.me)
                .iter()
                .map(|key| key.as_bytes().to_vec())
                .collect(),
            next_log_key_digest: digest(committed.next_log_key).unwrap_or_default(),
            recovery_digest: digest(committed.recovery).unwrap_or_default(),
            key_no: view.key_no,
            log_key: view.log_key.as_bytes().to_vec(),
            next_log_key_here: here,
            transport: Some(transport_view(&view, &standing)),
        }))
    }

    async fn rotate(&self, request: Request<v1::RotateRequest>) -> Result<Response<v1::OpenedEpoch>, Status> {
        Deed::perform(request, async |_, deed| self.rotate_log_key(&deed).await).await
    }

    async fn rotate_transport(
        &self,
        request: Request<v1::RotateTransportRequest>,
    ) -> Result<Response<v1::TransportView>, Status> {
        Deed::perform(request, async |message, deed| self.change_transport(&message, &deed).await).await
    }

    async fn prepare_recovery(
        &self,
        request: Request<v1::PrepareRecoveryRequest>,
    ) -> Result<Response<v1::PreparedRecovery>, Status> {
        Deed::perform(request, async |message, deed| self.prepare(message, &deed).await).await
    }

    async fn commit_recovery(
        &self,
        request: Request<v1::CommitRecoveryRequest>,
    ) -> Result<Response<v1::OpenedEpoch>, Status> {
        Deed::perform(request, async |message, deed| self.commit(message, &deed).await).await
    }
}

impl Doors {
    async fn rotate_log_key(&self, deed: &Deed) -> Result<v1::OpenedEpoch, Status> {
        let _one = self.key_change.lock().await;
        let (seed, in_force) = (seed()?, self.reader.view().log_key);
        let keys = self.keys.clone();
        let pending =
            blocking(move || keys.prepare_rotation(&in_force, &seed).map_err(|error| status::keys(&error)))
                .await?;
        deed.about("log key", &pending.log.public().fingerprint());
        let new = NewKeys { log: pending.log.public(), next_digest: pending.next.digest(), recovery: None };
        let header = self.engine.prepare_opening(Rank::Rotation, new, None).await;
        let header = header.map_err(|error| status::order(&error))?;
        let federation = self.reader.view().roster.federation();
        let opening = Verified::sign(header, None, &federation, &pending.log);
        self.open(opening, pending.log).await
    }

    async fn change_transport(
        &self,
        message: &v1::RotateTransportRequest,
        deed: &Deed,
    ) -> Result<v1::TransportView, Status> {
        let changed = match message.finish {
            true => self.transport.finish().await,
            false => self.transport.begin().await,
        };
        let standing = changed.map_err(|error| status::transport(&error))?;
        let key = standing.next.as_ref().map_or(standing.key, |next| next.key);
        deed.about("transport key", &key.fingerprint());
        Ok(transport_view(&self.reader.view(), &standing))
    }

    async fn prepare(
        &self,
        request: v1::PrepareRecoveryRequest,
        deed: &Deed,
    ) -> Result<v1::PreparedRecovery, Status> {
        let recovery = PublicKey::from_bytes(&request.recovery_key)
            .map_err(|error| Status::invalid_argument(format!("recovery_key: {error}")))?;
        let base = request.base.map(Position::try_from).transpose();
        let base = base.map_err(|error| Status::invalid_argument(format!("base: {error}")))?;
        self.is_committed(&recovery)?;
        let _one = self.key_change.lock().await;
        let (seeds, keys, in_force) = ([seed()?, seed()?], self.keys.clone(), self.reader.view().log_key);
        let pending =
            blocking(move || keys.prepare_recovery(&in_force, &seeds).map_err(|error| status::keys(&error)))
                .await?;
        let key = pending.log.public();
        deed.about("log key", &key.fingerprint());
        let new = NewKeys { log: key, next_digest: pending.next.digest(), recovery: Some(recovery) };
        let header = self.engine.prepare_opening(Rank::Recovery, new, base).await;
        let header = header.map_err(|error| status::order(&error))?;
        self.keeps_transport_key(&header)?;
        Ok(v1::PreparedRecovery {
            base: header.epoch_start.map(|start| start.base.into()),
            header: Verified::to_be_signed(&header),
            federation_id: self.reader.view().roster.federation().as_bytes().to_vec(),
            key: key.as_bytes().to_vec(),
        })
    }

    async fn commit(
        &self,
        request: v1::CommitRecoveryRequest,
        deed: &Deed,
    ) -> Result<v1::OpenedEpoch, Status> {
        let v1::CommitRecoveryRequest { header, signature } = request;
        let opening = Unverified::parse(v1::Entry { header, signature, payload: None });
        let opening = opening.map_err(|error| Status::invalid_argument(format!("header: {error}")))?;
        let recovery = opening.header().recovery_key;
        let recovery =
            recovery.ok_or_else(|| Status::invalid_argument("header: it names no recovery key"))?;
        self.is_committed(&recovery)?;
        let _one = self.key_change.lock().await;
        let keys = self.keys.clone();
        let pending = blocking(move || keys.pending().map_err(|error| status::keys(&error))).await?;
        deed.about("log key", &pending.log.public().fingerprint());
        if opening.header().epoch_start.and_then(|start| start.log_key) != Some(pending.log.public()) {
            return Err(Status::failed_precondition(
                "other keys were prepared since; hint: prepare the recovery again",
            ));
        }
        let federation = self.reader.view().roster.federation();
        let opening = opening.verify(&federation, &recovery);
        let opening = opening.map_err(|error| {
            Status::invalid_argument(format!("{error}; hint: sign with the key that was named"))
        })?;
        self.open(opening, pending.log).await
    }

    /// Opens the epoch, then puts the keys in their places.
    async fn open(&self, opening: Verified, key: SecretKey) -> Result<v1::OpenedEpoch, Status> {
        let header: Header = opening.header().clone();
        let public = key.public();
        let at = self.engine.open_epoch(opening, key).await.map_err(|error| status::order(&error))?;
        let keys = self.keys.clone();
        let settled = blocking(move || keys.settle(&public).map_err(|error| status::keys(&error))).await;
        match settled {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!("the keys folder does not have the new log key: was it changed by hand?")
            }
            // The epoch is open, and the next start finishes this.
            Err(error) => tracing::error!(error = error.message(), "the new log key is not in its place yet"),
        }
        let rank = self.reader.view().roster.epochs(header.origin).get(at.epoch).map(|epoch| epoch.rank);
        Ok(v1::OpenedEpoch {
            at: Some(at.into()),
            rank: wire_rank(rank) as i32,
            base: header.epoch_start.map(|start| start.base.into()),
            key: public.as_bytes().to_vec(),
        })
    }

    /// Refuses an opening that makes void by what peers let this node in.
    fn keeps_transport_key(&self, opening: &Header) -> Result<(), Status> {
        let (view, key) = (self.reader.view(), self.transport.key());
        let announced = view.roster.announced(view.me);
        let named = announced.filter(|announced| announced.change.transport_keys.contains(&key));
        // A change of endpoints names the key again that the roster gives.
        let given = view.roster.member(view.me).is_some_and(|member| member.transport_keys.contains(&key));
        let base = opening.epoch_start.map(|start| start.base);
        match (named, base) {
            (Some(named), Some(base)) if named.at > base && !given => {
                Err(Status::failed_precondition(format!(
                    "entry {} named the transport key in use, and would be void: peers would refuse this node; hint: choose \
                 a base from there on, or let the committee name the key first",
                    named.at
                )))
            }
            _ => Ok(()),
        }
    }

    fn is_committed(&self, recovery: &PublicKey) -> Result<(), Status> {
        let view = self.reader.view();
        if view.roster.committed(view.me).recovery != Some(recovery.digest()) {
            return Err(Status::failed_precondition(
                "it is not this member's recovery key; hint: take recovery.pem as wego-node init made it",
            ));
        }
        Ok(())
    }
}

fn transport_view(view: &View, standing: &Standing) -> v1::TransportView {
    let Standing { key, listed, certificate, next } = standing;
    let next = next.as_ref().map(|next| v1::NextTransportKey {
        key: next.key.as_bytes().to_vec(),
        since_ms: next.since_ms,
        earliest_ms: next.earliest_ms,
        latest_ms: next.latest_ms,
        missing: next.waiting.iter().map(|origin| view.handle(*origin).to_owned()).collect(),
    });
    v1::TransportView {
        key: key.as_bytes().to_vec(),
        listed: *listed,
        certificate_from_ms: certificate.from_ms,
        certificate_until_ms: certificate.until_ms,
        renew_ms: if certificate.self_issued { certificate.renew_ms() } else { 0 },
        next,
    }
}

fn epoch_view(view: &View, epoch: &Epoch) -> v1::EpochView {
    v1::EpochView {
        number: epoch.number,
        rank: wire_rank(Some(epoch.rank)) as i32,
        base: Some(epoch.base.into()),
        key_no: epoch.key_no,
        key: epoch.key.as_bytes().to_vec(),
        counts: view.counts(view.me, Position { epoch: epoch.number, seq: 1 }),
    }
}

fn wire_rank(rank: Option<Rank>) -> v1::EpochRank {
    match rank {
        None => v1::EpochRank::Unspecified,
        Some(Rank::Continuation) => v1::EpochRank::Continuation,
        Some(Rank::Rotation) => v1::EpochRank::Rotation,
        Some(Rank::Recovery) => v1::EpochRank::Recovery,
        Some(Rank::Reinception) => v1::EpochRank::Reinception,
    }
}

fn seed() -> Result<Zeroizing<[u8; 32]>, Status> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice())
        .map_err(|error| Status::internal(format!("the system gives no randomness: {error}")))?;
    Ok(seed)
}
