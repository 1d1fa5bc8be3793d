//! `wego.v1.Delivery`: who has applied what.

use tonic::{Request, Response, Status};
use wego_proto::{
    id::{Position, RecordId},
    v1::{self, delivery_server::Delivery},
};

use super::{Doors, READ_PATIENCE, blocking, catalogue, status};
use crate::engine::read::Sought;

#[tonic::async_trait]
impl Delivery for Doors {
    async fn erasures(
        &self,
        request: Request<v1::ErasuresRequest>,
    ) -> Result<Response<v1::ErasuresReply>, Status> {
        let record_id = request.into_inner().record_id;
        let id = wego_proto::convert::optional::<RecordId>(&record_id)
            .map_err(|error| Status::invalid_argument(format!("{error}; hint: copy it from a list")))?;
        self.reader.catch_up(READ_PATIENCE).await;
        let reader = self.reader.clone();
        let Some(id) = id else {
            let own = blocking(move || reader.own_erasures().map_err(|error| status::read(&error)));
            return own.await.map(Response::new);
        };
        let found = blocking(move || reader.erasures_of(&id).map_err(|error| status::read(&error))).await?;
        found.map(Response::new).ok_or_else(|| catalogue::no_record(&id))
    }

    async fn seen(&self, request: Request<v1::SeenRequest>) -> Result<Response<v1::SeenReply>, Status> {
        let sought = sought(request.into_inner())?;
        self.reader.catch_up(READ_PATIENCE).await;
        let reader = self.reader.clone();
        let asked = sought.clone();
        let found = blocking(move || reader.seen(&sought).map_err(|error| status::read(&error))).await?;
        found.map(Response::new).ok_or_else(|| match asked {
            Sought::Record(id) => catalogue::no_record(&id),
            Sought::Entry(handle, at) => Status::not_found(format!(
                "nothing of {handle} is held at {at}; it may still be on its way; hint: see wego member show"
            )),
        })
    }
}

fn sought(request: v1::SeenRequest) -> Result<Sought, Status> {
    if !request.record_id.is_empty() {
        return catalogue::record_id(&request.record_id).map(Sought::Record);
    }
    let at = request.at.ok_or_else(|| {
        Status::invalid_argument("record_id or handle and at are missing; hint: name a record or a position")
    })?;
    let at = Position::try_from(at)
        .map_err(|problem| Status::invalid_argument(format!("at {problem}; hint: as 1.5")))?;
    Ok(Sought::Entry(request.handle, at))
}
