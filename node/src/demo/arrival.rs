//! From an acknowledgement to every reader: when a record can be read at each node, and whether it is what was sent.
//!
//! Nothing is believed because a node says it: each node's proof is checked against the roster that was signed here.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::time::sleep;
use wego_proto::{
    id::{Position, RecordId},
    proof, v1,
};

use super::{
    cities::Founder,
    client::Client,
    error::DemoError,
    federation::{Federation, GLANCE, patient},
};

/// A record that its owner's node acknowledged: it is on that node's disk.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) city: Founder,
    pub(super) record_id: RecordId,
    pub(super) at: Position,
    pub(super) record: v1::Record,
    entry_hash: Vec<u8>,
    acknowledged: Instant,
}

impl Sent {
    /// Publishes `record` at the city of `client`: as a new version of `record_id`, where one is given.
    pub(super) async fn publish(
        client: &Client,
        record: v1::Record,
        record_id: Option<&RecordId>,
    ) -> Result<Self, DemoError> {
        let reply = Box::pin(client.publish(record.clone(), record_id)).await?;
        let acknowledged = Instant::now();
        let city = client.city();
        let unclear = || DemoError::Untrue { at: city.handle(), claim: "a publication is acknowledged" };
        let expected = if record_id.is_some() { v1::Outcome::Revised } else { v1::Outcome::Created };
        if reply.outcome() != expected {
            return Err(unclear());
        }
        let at = reply.at.ok_or_else(unclear)?;
        Ok(Self {
            city,
            record_id: RecordId::try_from(reply.record_id.as_slice()).map_err(|_| unclear())?,
            at: Position { epoch: at.epoch, seq: at.seq },
            record,
            entry_hash: reply.entry_hash,
            acknowledged,
        })
    }

    /// Waits until `cities` can all read it, and checks it at each: how long the slowest took from the
    /// acknowledgement.
    pub(super) async fn readable_at(
        &self,
        federation: &Federation,
        cities: &[Founder],
    ) -> Result<Duration, DemoError> {
        let arriving = cities.iter().map(|city| self.arrive(federation, *city));
        let times = try_join_all(arriving).await?;
        for city in cities {
            self.prove(federation, *city).await?;
        }
        Ok(times.into_iter().max().unwrap_or_default())
    }

    async fn arrive(&self, federation: &Federation, city: Founder) -> Result<Duration, DemoError> {
        let begun = Instant::now();
        let node = federation.node(city)?;
        let origin = federation.origin(self.city)?;
        // A look into memory first: nine clerks that ask without pause would slow down what they wait for.
        let held = || node.reader().view().heads.get(&origin).is_some_and(|head| head.at >= self.at);
        while !held() {
            patient(begun, "a record arrives at every node")?;
            sleep(GLANCE).await;
        }
        let view = federation.client(city)?.read(&self.record_id).await?;
        let readable = self.acknowledged.elapsed();
        self.check(federation, city, &view)?;
        Ok(readable)
    }

    fn check(&self, federation: &Federation, city: Founder, view: &v1::RecordView) -> Result<(), DemoError> {
        let key = federation.seat(self.city).created.log_key;
        let same = view.provenance.as_ref().is_some_and(|from| {
            from.verified && from.entry_hash == self.entry_hash && from.key == key.as_bytes()
        });
        if same && view.record.as_ref() == Some(&self.record) {
            return Ok(());
        }
        Err(DemoError::Untrue {
            at: city.handle(),
            claim: "a record reads as it was sent, signed by its owner's key",
        })
    }

    /// Takes the proof from a node and checks it without that node.
    async fn prove(&self, federation: &Federation, city: Founder) -> Result<(), DemoError> {
        let proof = federation.client(city)?.export(&self.record_id).await?;
        let proven = proof::verify(&proof, federation.roster())
            .map_err(|source| DemoError::Proof { handle: city.handle(), source: Box::new(source) })?;
        let holds = proven.member.handle == self.city.handle()
            && proven.key == federation.seat(self.city).created.log_key
            && proven.record.as_ref() == Some(&self.record);
        let untrue =
            DemoError::Untrue { at: city.handle(), claim: "a proof says what was sent, and who did" };
        if holds { Ok(()) } else { Err(untrue) }
    }
}

/// Durations of which the middle and the end are told.
#[derive(Debug, Default)]
pub(super) struct Spread(Vec<Duration>);

impl Spread {
    pub(super) fn add(&mut self, duration: Duration) {
        self.0.push(duration);
        self.0.sort_unstable();
    }

    /// The duration that `percent` of all do not exceed, by nearest rank.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_durations_that_were_measured() {
        let mut spread = Spread::default();
        assert_eq!(spread.percentile(50), Duration::ZERO);
        for ms in (1..=200).rev() {
            spread.add(Duration::from_millis(ms));
        }
        assert_eq!(spread.percentile(50), Duration::from_millis(100));
        assert_eq!(spread.percentile(99), Duration::from_millis(198));
        assert_eq!(spread.percentile(100), Duration::from_millis(200));
    }
}
