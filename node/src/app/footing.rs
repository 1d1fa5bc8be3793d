//! Whether the folder a node starts on is the one its own log was written in last.

use data_encoding::HEXLOWER;
use wego_ledger::state::Footing;

use crate::store::{
    StoreError,
    anchor::{Anchor, Copy},
};

/// What the folder says of the own log's copy, and which start wrote it last.
pub(super) fn of(anchor: &Anchor, empty: bool) -> Result<(Footing, Option<Vec<u8>>), StoreError> {
    anchor.mend()?;
    Ok(match anchor.judge(empty)? {
        Copy::Sound(last) => {
            let run = last.and_then(|last| HEXLOWER.decode(last.run.as_bytes()).ok());
            (Footing::Sound, run)
        }
        Copy::Unsure(why) => {
            tracing::warn!(why, "the own log's copy may be old: its next entry opens a new epoch");
            (Footing::Unsure, None)
        }
        Copy::Alone => (Footing::Alone, None),
    })
}
