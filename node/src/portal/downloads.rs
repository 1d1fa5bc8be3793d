//! Files to check a record with, far from here: its proof, and the roster.
//!
//! They are what the library holds, armoured. Nothing in them is made here but the preamble, which nobody has to
//! believe.

use axum::{
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use wego_proto::{
    armour::{self, Label},
    id::{FederationId, RecordId},
};

use super::{Library, refusal::Refusal, text::tamed};

/// Name under which the roster is saved, also in the command that reads it.
pub(super) const ROSTER_NAME: &str = "wego-roster.pem";

/// Name under which a record's proof is saved.
pub(super) fn proof_name(id: &RecordId) -> String {
    format!("wego-{id}.pem")
}

/// The command that checks a record with both files.
pub(super) fn verify_command(id: &RecordId) -> String {
    format!("wego record verify {} --roster {ROSTER_NAME}", proof_name(id))
}

/// An armoured file.
#[derive(Debug)]
pub(super) struct File {
    name: String,
    text: String,
}

impl File {
    pub(super) fn into_response(self) -> Response {
        let disposition = format!("attachment; filename=\"{}\"", self.name);
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/x-pem-file")),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        let mut response = (headers, self.text).into_response();
        if let Ok(disposition) = HeaderValue::try_from(disposition) {
            response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
        }
        response
    }
}

/// The proof of a record.
///
/// # Errors
/// [`Refusal::NotFound`] when the record is not held, [`Refusal::Gone`] when its contents were erased.
pub(super) fn proof(library: &dyn Library, id: &str) -> Result<File, Refusal> {
    let id: RecordId = id.parse().map_err(|_| Refusal::NotFound)?;
    let Some(proof) = library.export(&id)? else {
        return Err(if library.record(&id)?.is_some() { Refusal::Gone } else { Refusal::NotFound });
    };
    let preamble = [
        format!("Proof of record {id}, signed by {}.", tamed(&proof.origin_handle)),
        format!("Check it: {}", verify_command(&id)),
    ];
    Ok(File { name: proof_name(&id), text: armour::write(Label::RecordProof, &preamble, &proof) })
}

/// The roster versions from 1 on.
pub(super) fn roster(library: &dyn Library) -> File {
    let federation = library.members();
    let id = FederationId::try_from(federation.federation_id.as_slice())
        .map_or_else(|_| String::new(), |id| id.to_string());
    let preamble = [
        format!(
            "Roster of {}, version {}.",
            tamed(&federation.federation_name).replace(['\r', '\n'], " "),
            federation.roster_version
        ),
        format!("Federation {id}: compare it with what another member publishes."),
    ];
    File {
        name: ROSTER_NAME.to_owned(),
        text: armour::write(Label::Roster, &preamble, &library.roster_chain()),
    }
}
