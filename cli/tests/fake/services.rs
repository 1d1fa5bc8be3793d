//! The services over the fake's maps, as far as the command can tell the difference.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{Code, Request, Response, Status, Streaming, transport::server::Router};
use wego_proto::{
    id::Hash,
    record::v1::{LangText, RecordKind},
    v1::{
        self, Outcome,
        admin_server::{Admin, AdminServer},
        backups_server::{Backups, BackupsServer},
        catalogue_server::{Catalogue, CatalogueServer},
        members_server::{Members, MembersServer},
        publish_many_reply::Result as Answer,
        record::Kind,
        search_server::{Search, SearchServer},
    },
};

use super::{BackupEnd, State, Stored};

type Reply<T> = Result<Response<T>, Status>;

/// Requests a node takes in before it answers.
const IN_FLIGHT: usize = 64;

#[derive(Clone)]
struct Services(Arc<Mutex<State>>);

pub(crate) fn router(state: Arc<Mutex<State>>) -> Router {
    let services = Services(state);
    tonic::transport::Server::builder()
        .add_service(CatalogueServer::new(services.clone()))
        .add_service(SearchServer::new(services.clone()))
        .add_service(MembersServer::new(services.clone()))
        .add_service(BackupsServer::new(services.clone()))
        .add_service(AdminServer::new(services))
}

#[tonic::async_trait]
impl Backups for Services {
    type CreateStream = Pin<Box<dyn Stream<Item = Result<v1::BackupPiece, Status>> + Send>>;

    async fn create(&self, _: Request<v1::CreateBackupRequest>) -> Reply<Self::CreateStream> {
        let (data, end) = self.state().backup.clone();
        let piece = tokio_stream::once(Ok(v1::BackupPiece { data, ..Default::default() }));
        Ok(Response::new(match end {
            BackupEnd::End => Box::pin(piece),
            BackupEnd::Error => Box::pin(piece.chain(tokio_stream::once(Err(Status::data_loss("broken"))))),
            BackupEnd::Silence => Box::pin(piece.chain(tokio_stream::pending())),
        }))
    }
}

impl Services {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("state")
    }

    fn find(&self, id: &[u8]) -> Result<Stored, Status> {
        let state = self.state();
        state.records.get(id).cloned().ok_or_else(|| Status::not_found("no such record here"))
    }

    fn publish_one(&self, request: v1::PublishRequest) -> Result<v1::PublishReply, Status> {
        let mut state = self.state();
        if state.deny {
            return Err(Status::permission_denied("your role is reader; ask for editor"));
        }
        if let Some(answered) = state.answered.get(&request.request_id) {
            return Ok(answered.clone());
        }
        let record = request.record.ok_or_else(|| Status::invalid_argument("record: is missing"))?;
        if title(&record) == "refuse me" {
            return Err(Status::invalid_argument("core.title: is refused"));
        }
        let id = match request.record_id.as_slice() {
            [] => Hash::of(&[&request.request_id]).as_bytes()[..16].to_vec(),
            id => id.to_vec(),
        };
        let before = state.records.get(&id).cloned();
        let newest = before.as_ref().map(entry_hash).unwrap_or_default();
        if !request.expected_base.is_empty() && request.expected_base != newest {
            return Err(Status::failed_precondition("the newest version is another"));
        }
        let unchanged = before.as_ref().is_some_and(|stored| stored.record == record && !stored.retracted);
        let outcome = match (&before, unchanged) {
            (_, true) => Outcome::Unchanged,
            (None, _) => Outcome::Created,
            (Some(_), _) => Outcome::Revised,
        };
        let mut reply =
            v1::PublishReply { record_id: id.clone(), outcome: outcome as i32, ..Default::default() };
        if !unchanged && !request.dry_run {
            state.seq += 1;
            let at = v1::Position { epoch: 1, seq: state.seq };
            let mut stored = Stored { record, retracted: false, ..before.unwrap_or_default() };
            stored.versions.push(at);
            reply.at = Some(at);
            reply.entry_hash = entry_hash(&stored);
            state.records.insert(id, stored);
            state.answered.insert(request.request_id, reply.clone());
        }
        Ok(reply)
    }
}

#[tonic::async_trait]
impl Catalogue for Services {
    async fn publish(&self, request: Request<v1::PublishRequest>) -> Reply<v1::PublishReply> {
        let request = request.into_inner();
        let silent = self.state().silent && !request.dry_run;
        let reply = self.publish_one(request)?;
        if silent {
            // It was written, and the answer gets lost.
            std::future::pending::<()>().await;
        }
        Ok(Response::new(reply))
    }

    type PublishManyStream = Pin<Box<dyn Stream<Item = Result<v1::PublishManyReply, Status>> + Send>>;

    /// Answers only when it has taken in all it takes, or the stream has ended.
    async fn publish_many(
        &self,
        request: Request<Streaming<v1::PublishRequest>>,
    ) -> Reply<Self::PublishManyStream> {
        let (services, mut requests) = (self.clone(), request.into_inner());
        let (answers, stream) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            let mut ended = false;
            while !ended {
                let mut taken = Vec::new();
                while taken.len() < IN_FLIGHT {
                    match requests.next().await {
                        Some(Ok(request)) => taken.push(request),
                        _ => {
                            ended = true;
                            break;
                        }
                    }
                }
                for request in taken {
                    let result = match services.publish_one(request) {
                        Ok(done) => Answer::Done(done),
                        Err(status) => Answer::Refused(v1::Refusal {
                            code: status.code() as u32,
                            message: status.message().to_owned(),
                        }),
                    };
                    let _ = answers.send(Ok(v1::PublishManyReply { result: Some(result) })).await;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn retract(&self, request: Request<v1::RetractRequest>) -> Reply<v1::PublishReply> {
        let request = request.into_inner();
        self.find(&request.record_id)?;
        let mut state = self.state();
        if let Some(stored) = state.records.get_mut(&request.record_id).filter(|_| !request.dry_run) {
            (stored.retracted, stored.reason) = (true, request.reason);
        }
        let outcome = Outcome::Retracted as i32;
        Ok(Response::new(v1::PublishReply { record_id: request.record_id, outcome, ..Default::default() }))
    }

    async fn erase(&self, request: Request<v1::EraseRequest>) -> Reply<v1::PublishReply> {
        let record_id = request.into_inner().record_id;
        self.find(&record_id)?;
        Ok(Response::new(v1::PublishReply {
            record_id,
            outcome: Outcome::Erased as i32,
            ..Default::default()
        }))
    }

    async fn read(&self, request: Request<v1::ReadRequest>) -> Reply<v1::RecordView> {
        let id = request.into_inner().record_id;
        let stored = self.find(&id)?;
        let adoptions =
            self.state().records.iter().filter_map(|(key, other)| adoption_of(&id, key, other)).collect();
        Ok(Response::new(v1::RecordView {
            record_id: id,
            provenance: Some(provenance(&stored)),
            versions: stored.versions.len() as u32,
            retracted: stored.retracted,
            retract_reason: stored.reason.clone(),
            record: Some(stored.record),
            adoptions,
            ..Default::default()
        }))
    }

    async fn history(&self, request: Request<v1::ReadRequest>) -> Reply<v1::HistoryReply> {
        let stored = self.find(&request.into_inner().record_id)?;
        let version = v1::Version { provenance: Some(provenance(&stored)), kind: 1, ..Default::default() };
        Ok(Response::new(v1::HistoryReply { versions: vec![version; stored.versions.len()] }))
    }

    async fn list(&self, request: Request<v1::ListRequest>) -> Reply<v1::ListReply> {
        let request = request.into_inner();
        let state = self.state();
        let all = state.records.iter().filter(|(_, stored)| {
            (request.kind == 0 || request.kind == kind(&stored.record) as i32)
                && (request.source_id.is_empty() || source(&stored.record).0 == request.source_id)
                && (request.retracted || !stored.retracted)
        });
        let skipped: usize = request.page_token.parse().unwrap_or(0);
        let page = if request.page_size == 0 { 100 } else { request.page_size as usize };
        let records: Vec<_> = all.skip(skipped).take(page).map(|(id, stored)| summary(id, stored)).collect();
        let next_page_token = if records.len() < page { String::new() } else { (skipped + page).to_string() };
        Ok(Response::new(v1::ListReply { records, next_page_token }))
    }

    async fn export(&self, _: Request<v1::ReadRequest>) -> Reply<v1::RecordProof> {
        Ok(Response::new(v1::RecordProof { origin_handle: "kr-seoul".to_owned(), ..Default::default() }))
    }
}

#[tonic::async_trait]
impl Search for Services {
    async fn search(&self, _: Request<v1::SearchRequest>) -> Reply<v1::SearchReply> {
        let hits = self.state().hits.clone();
        Ok(Response::new(v1::SearchReply { total: hits.len() as u64, hits, ..Default::default() }))
    }
}

#[tonic::async_trait]
impl Members for Services {
    async fn list(&self, _: Request<v1::ListMembersRequest>) -> Reply<v1::ListMembersReply> {
        let member = v1::Member {
            idx: 1,
            city_id: vec![1; 32],
            handle: "kr-seoul".to_owned(),
            names: vec![v1::MemberName { lang: "en".to_owned(), text: "Seoul".to_owned() }],
            country: "KR".to_owned(),
            place: "KRSEL".to_owned(),
            status: 1,
            role: 2,
            ..Default::default()
        };
        let members = vec![v1::MemberView { member: Some(member), self_: true, ..Default::default() }];
        Ok(Response::new(v1::ListMembersReply {
            federation_name: "WeGO".to_owned(),
            members,
            ..Default::default()
        }))
    }

    async fn show(&self, _: Request<v1::ShowMemberRequest>) -> Reply<v1::MemberView> {
        Err(Status::not_found("no member has this handle"))
    }

    async fn roster(&self, _: Request<v1::RosterRequest>) -> Reply<v1::RosterChain> {
        Ok(Response::new(v1::RosterChain::default()))
    }

    async fn forks(&self, _: Request<v1::ForksRequest>) -> Reply<v1::ForksReply> {
        Ok(Response::new(v1::ForksReply::default()))
    }

    async fn set(&self, _: Request<v1::SetMemberRequest>) -> Reply<v1::SetMemberReply> {
        Ok(Response::new(v1::SetMemberReply::default()))
    }
}

#[tonic::async_trait]
impl Admin for Services {
    async fn status(&self, _: Request<v1::StatusRequest>) -> Reply<v1::StatusReply> {
        Ok(Response::new(self.state().status.clone()))
    }

    async fn list_peers(&self, _: Request<v1::ListPeersRequest>) -> Reply<v1::ListPeersReply> {
        Ok(Response::new(v1::ListPeersReply::default()))
    }

    async fn add_peer(&self, request: Request<v1::AddPeerRequest>) -> Reply<v1::PeerView> {
        Ok(Response::new(v1::PeerView { handle: request.into_inner().handle, ..Default::default() }))
    }

    async fn remove_peer(&self, _: Request<v1::RemovePeerRequest>) -> Reply<v1::RemovePeerReply> {
        Ok(Response::new(v1::RemovePeerReply {}))
    }

    async fn ping_peer(&self, _: Request<v1::PingPeerRequest>) -> Reply<v1::PingPeerReply> {
        let error = "connection refused".to_owned();
        Ok(Response::new(v1::PingPeerReply { error, ..Default::default() }))
    }
}

fn adoption_of(practice: &[u8], key: &[u8], stored: &Stored) -> Option<v1::AdoptionView> {
    let Some(Kind::Adoption(adoption)) = &stored.record.kind else { return None };
    let target: wego_proto::id::RecordId = adoption.target_id.parse().ok()?;
    (target.as_bytes() == practice).then(|| v1::AdoptionView {
        record_id: key.to_vec(),
        handle: "kr-seoul".to_owned(),
        stage: adoption.stage,
        since: adoption.since.clone(),
        reason_withdrawn: adoption.reason_withdrawn.clone(),
        ..Default::default()
    })
}

fn provenance(stored: &Stored) -> v1::Provenance {
    v1::Provenance {
        origin: 1,
        handle: "kr-seoul".to_owned(),
        city: vec![LangText { lang: "en".to_owned(), text: "Seoul".to_owned(), ..Default::default() }],
        at: stored.versions.last().copied(),
        entry_hash: entry_hash(stored),
        verified: true,
        ..Default::default()
    }
}

fn entry_hash(stored: &Stored) -> Vec<u8> {
    let seq = stored.versions.last().map_or(0, |at| at.seq);
    Hash::of(&[&seq.to_be_bytes()]).as_bytes().to_vec()
}

fn summary(id: &[u8], stored: &Stored) -> v1::RecordSummary {
    let (source_id, source_hash, identifier) = source(&stored.record);
    v1::RecordSummary {
        record_id: id.to_vec(),
        kind: kind(&stored.record) as i32,
        title: vec![LangText { lang: "en".to_owned(), text: title(&stored.record), ..Default::default() }],
        handle: "kr-seoul".to_owned(),
        retracted: stored.retracted,
        retract_reason: stored.reason.clone(),
        source_id,
        source_hash,
        identifier,
        ..Default::default()
    }
}

fn kind(record: &v1::Record) -> RecordKind {
    match record.kind {
        Some(Kind::Practice(_)) => RecordKind::Practice,
        Some(Kind::Adoption(_)) => RecordKind::Adoption,
        Some(Kind::Dataset(_)) => RecordKind::Dataset,
        None => RecordKind::Unspecified,
    }
}

fn title(record: &v1::Record) -> String {
    let core = match &record.kind {
        Some(Kind::Practice(practice)) => practice.core.as_ref(),
        Some(Kind::Dataset(dataset)) => dataset.core.as_ref(),
        _ => None,
    };
    core.and_then(|core| core.title.first()).map(|title| title.text.clone()).unwrap_or_default()
}

fn source(record: &v1::Record) -> (String, String, String) {
    let Some(Kind::Dataset(dataset)) = &record.kind else { return Default::default() };
    let from = dataset.core.as_ref().and_then(|core| core.provenance.clone()).unwrap_or_default();
    (from.source_id, from.source_hash, dataset.identifier.clone())
}

// The code travels as a number in a refusal.
const _: () = assert!(Code::InvalidArgument as u32 == 3);
