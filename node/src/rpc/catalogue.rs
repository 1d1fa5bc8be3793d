//! `wego.v1.Catalogue`: publish, withdraw, read, prove.

use std::pin::Pin;

use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use wego_catalogue::validate::Checked;
use wego_proto::{
    id::{Hash, RecordId, RequestId},
    prost::Message as _,
    v1::{self, catalogue_server::Catalogue, publish_many_reply},
};

use super::{Deed, Doors, READ_PATIENCE, blocking, change::mode, status};
use crate::engine::{Act, Existence, Write, Written};

/// Publishes of one stream under way at once: they are committed together.
const AHEAD_MAX: usize = 64;
/// Characters of the reason for a withdrawal.
const REASON_CHARS_MAX: usize = 1_000;

#[tonic::async_trait]
impl Catalogue for Doors {
    async fn publish(
        &self,
        request: Request<v1::PublishRequest>,
    ) -> Result<Response<v1::PublishReply>, Status> {
        Deed::perform(request, async |message, deed| self.put(message, &deed).await).await
    }

    type PublishManyStream = Pin<Box<dyn Stream<Item = Result<v1::PublishManyReply, Status>> + Send>>;

    async fn publish_many(
        &self,
        request: Request<Streaming<v1::PublishRequest>>,
    ) -> Result<Response<Self::PublishManyStream>, Status> {
        // An event for each record and not one for the stream: the log of entries says what was published, and only
        // this one by whom.
        let deed = Deed::of_stream(&request)?;
        let doors = self.clone();
        let started = request.into_inner().map(move |message| {
            let (doors, deed) = (doors.clone(), deed.clone());
            async move {
                let put = |message, deed| async move { doors.put(message, &deed).await };
                Ok(many_reply(deed.perform_message(message?, put).await))
            }
        });
        let answers = futures_util::StreamExt::buffered(started, AHEAD_MAX);
        Ok(Response::new(Box::pin(answers)))
    }

    async fn retract(
        &self,
        request: Request<v1::RetractRequest>,
    ) -> Result<Response<v1::PublishReply>, Status> {
        Deed::perform(request, async |message, deed| self.withdraw(message, &deed).await).await
    }

    async fn erase(&self, request: Request<v1::EraseRequest>) -> Result<Response<v1::PublishReply>, Status> {
        Deed::perform(request, async |message, deed| self.forget(message, &deed).await).await
    }

    async fn read(&self, request: Request<v1::ReadRequest>) -> Result<Response<v1::RecordView>, Status> {
        let id = record_id(&request.into_inner().record_id)?;
        self.reader.catch_up(READ_PATIENCE).await;
        let reader = self.reader.clone();
        let found = blocking(move || reader.record(&id).map_err(|error| status::read(&error))).await?;
        found.map(Response::new).ok_or_else(|| no_record(&id))
    }

    async fn history(&self, request: Request<v1::ReadRequest>) -> Result<Response<v1::HistoryReply>, Status> {
        let id = record_id(&request.into_inner().record_id)?;
        self.reader.catch_up(READ_PATIENCE).await;
        let reader = self.reader.clone();
        let found = blocking(move || reader.history(&id).map_err(|error| status::read(&error))).await?;
        found.map(Response::new).ok_or_else(|| no_record(&id))
    }

    async fn list(&self, request: Request<v1::ListRequest>) -> Result<Response<v1::ListReply>, Status> {
        let request = request.into_inner();
        self.reader.catch_up(READ_PATIENCE).await;
        let reader = self.reader.clone();
        blocking(move || reader.list(&request).map_err(|error| status::read(&error))).await.map(Response::new)
    }

    async fn export(&self, request: Request<v1::ReadRequest>) -> Result<Response<v1::RecordProof>, Status> {
        let id = record_id(&request.into_inner().record_id)?;
        self.reader.catch_up(READ_PATIENCE).await;
        let reader = self.reader.clone();
        let found = blocking(move || reader.export(&id).map_err(|error| status::read(&error))).await?;
        found.map(Response::new).ok_or_else(|| no_record(&id))
    }
}

impl Doors {
    async fn put(&self, request: v1::PublishRequest, deed: &Deed) -> Result<v1::PublishReply, Status> {
        let record = request.record.ok_or_else(|| missing("record"))?;
        let checked = Checked::parse(record).map_err(|problems| invalid(&problems))?;
        let expected_base =
            wego_proto::convert::optional::<Hash>(&request.expected_base).map_err(|error| {
                Status::invalid_argument(format!("expected_base: {error}; hint: take it from show"))
            })?;
        let (id, existence) = match request.record_id.as_slice() {
            [] if request.must_exist => return Err(missing("record_id")),
            [] => (new_record_id()?, Existence::Optional),
            bytes if request.must_exist => (record_id(bytes)?, Existence::Required),
            bytes => (record_id(bytes)?, Existence::Optional),
        };
        deed.about("record", &id.to_string());
        self.adopts_of_others(&checked).await?;
        let write = Write {
            request_id: request_id(&request.request_id)?,
            record_id: id,
            record_kind: checked.kind() as u32,
            act: Act::Put { content: checked.encode(), expected_base, existence },
            mode: mode(request.dry_run),
        };
        let warnings = checked.warnings().iter().map(ToString::to_string).collect();
        self.write(write, warnings, deed).await
    }

    /// Refuses an adoption of one of the member's own records.
    async fn adopts_of_others(&self, checked: &Checked) -> Result<(), Status> {
        let Some(v1::record::Kind::Adoption(adoption)) = &checked.record().kind else { return Ok(()) };
        let target = adoption.target_id.parse::<RecordId>();
        let target = target.map_err(|error| {
            Status::invalid_argument(format!("target_id: {error}; hint: copy the id from a list"))
        })?;
        self.reader.catch_up(READ_PATIENCE).await;
        let reader = self.reader.clone();
        let owner = blocking(move || reader.owner(&target).map_err(|error| status::read(&error))).await?;
        if owner != Some(self.reader.view().me) {
            return Ok(());
        }
        Err(Status::invalid_argument(
            "target_id: a city cannot adopt its own record; hint: say in the practice itself how far it is: wego practice \
             revise",
        ))
    }

    async fn withdraw(&self, request: v1::RetractRequest, deed: &Deed) -> Result<v1::PublishReply, Status> {
        let record_id = record_id(&request.record_id)?;
        if request.reason.chars().count() > REASON_CHARS_MAX || request.reason.chars().any(char::is_control) {
            return Err(Status::invalid_argument(
                "reason must have at most 1,000 characters and no control characters; hint: shorten it",
            ));
        }
        let content = v1::Retraction { reason: request.reason }.encode_to_vec();
        let write = Write {
            request_id: request_id(&request.request_id)?,
            record_id,
            record_kind: 0,
            act: Act::Retract { content },
            mode: mode(request.dry_run),
        };
        self.write(write, Vec::new(), deed).await
    }

    async fn forget(&self, request: v1::EraseRequest, deed: &Deed) -> Result<v1::PublishReply, Status> {
        let known = v1::EraseReason::try_from(request.reason).ok();
        let Some(reason) = known.filter(|reason| *reason != v1::EraseReason::Unspecified) else {
            return Err(Status::invalid_argument("reason is missing or none that is known; hint: give one"));
        };
        let write = Write {
            request_id: request_id(&request.request_id)?,
            record_id: record_id(&request.record_id)?,
            record_kind: 0,
            act: Act::Erase { reason: reason as u32 },
            mode: mode(request.dry_run),
        };
        self.write(write, Vec::new(), deed).await
    }

    async fn write(
        &self,
        write: Write,
        warnings: Vec<String>,
        deed: &Deed,
    ) -> Result<v1::PublishReply, Status> {
        let written = self.engine.write_after(write, deed.ahead()).await;
        let Written { record_id, outcome, entry } = written.map_err(|error| status::write(&error))?;
        Ok(v1::PublishReply {
            record_id: record_id.as_bytes().to_vec(),
            outcome: outcome as i32,
            at: entry.map(|(at, _)| at.into()),
            entry_hash: entry.map(|(_, hash)| hash.as_bytes().to_vec()).unwrap_or_default(),
            warnings,
        })
    }
}

fn many_reply(result: Result<v1::PublishReply, Status>) -> v1::PublishManyReply {
    let result = match result {
        Ok(done) => publish_many_reply::Result::Done(done),
        Err(status) => publish_many_reply::Result::Refused(v1::Refusal {
            code: status.code() as u32,
            message: status.message().to_owned(),
        }),
    };
    v1::PublishManyReply { result: Some(result) }
}

pub(super) fn record_id(bytes: &[u8]) -> Result<RecordId, Status> {
    RecordId::try_from(bytes)
        .map_err(|error| Status::invalid_argument(format!("{error}; hint: copy it from a list")))
}

fn request_id(bytes: &[u8]) -> Result<RequestId, Status> {
    RequestId::try_from(bytes).map_err(|error| {
        Status::invalid_argument(format!("{error}; hint: draw 16 random bytes for each intended write"))
    })
}

fn new_record_id() -> Result<RecordId, Status> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| Status::internal(format!("no randomness: {error}")))?;
    Ok(RecordId::new(id))
}

fn missing(field: &str) -> Status {
    Status::invalid_argument(format!("{field} is missing; hint: see wego practice template"))
}

fn invalid(problems: &[wego_catalogue::validate::FieldProblem]) -> Status {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Status::invalid_argument(format!("the record is not right yet:\n  {}", lines.join("\n  ")))
}

pub(super) fn no_record(id: &RecordId) -> Status {
    Status::not_found(format!("no record {id} here; it may still be on its way; hint: search for its title"))
}
