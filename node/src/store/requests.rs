//! Which request ids have led to an entry: a bounded memory that forgets the oldest first.
//!
//! It must never answer with another position than the first one remembered for a request.

use std::collections::{BTreeMap, VecDeque};

use wego_proto::{
    entry::Header,
    id::{Position, RequestId},
};

use crate::store::REQUESTS_REMEMBERED;

/// The newest [`REQUESTS_REMEMBERED`] request ids of the own log.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests {
    positions: BTreeMap<RequestId, Position>,
    oldest_first: VecDeque<RequestId>,
}

impl Requests {
    pub(super) fn remember(&mut self, header: &Header) {
        let Some(request) = header.request_id else { return };
        if self.positions.contains_key(&request) {
            return;
        }
        if self.oldest_first.len() == REQUESTS_REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.positions.remove(&oldest);
        }
        self.positions.insert(request, header.at);
        self.oldest_first.push_back(request);
    }

    pub(super) fn position_of(&self, request: &RequestId) -> Option<Position> {
        self.positions.get(request).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::Author;

    fn request(number: usize) -> RequestId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
        RequestId::new(bytes)
    }

    #[test]
    fn one_request_too_many_makes_the_oldest_forgotten() {
        let mut header = Author::new(1).next(1).header().clone();
        let mut requests = Requests::default();
        for number in 0..=REQUESTS_REMEMBERED {
            header.request_id = Some(request(number));
            header.at.seq = number as u64 + 1;
            requests.remember(&header);
        }
        assert_eq!(requests.position_of(&request(0)), None);
        assert_eq!(requests.position_of(&request(1)).map(|at| at.seq), Some(2));
        assert_eq!(requests.positions.len(), REQUESTS_REMEMBERED);
    }

    #[test]
    fn a_request_keeps_its_first_position() {
        let mut header = Author::new(1).next(1).header().clone();
        let mut requests = Requests::default();
        for seq in [1, 2] {
            header.request_id = Some(request(7));
            header.at.seq = seq;
            requests.remember(&header);
        }
        assert_eq!(requests.position_of(&request(7)).map(|at| at.seq), Some(1));
    }
}
