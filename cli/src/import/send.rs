//! Carrying out a plan: publishing over one stream, then withdrawing what vanished.
//!
//! Interrupted anywhere it can be run again: what arrived is unchanged then.

use tokio_stream::wrappers::ReceiverStream;
use wego_proto::v1::{self, Outcome, publish_many_reply::Result as Answer};

use super::{
    Finding,
    plan::{Gone, Step, gone_from},
};
use crate::{
    args::Mode,
    client::Node,
    context::Context,
    error::{Failure, as_in_forms},
    records::write::random_request_id,
};

/// Requests on their way at a time: as many as a node takes in.
const IN_FLIGHT_MAX: usize = 64;

/// What became of the records that were sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) created: usize,
    pub(crate) revised: usize,
    pub(crate) unchanged: usize,
    pub(crate) retracted: usize,
    pub(crate) refused: Vec<Finding>,
}

/// Publishes all steps, in order, at most [`IN_FLIGHT_MAX`] unanswered at a time.
pub(crate) async fn publish(
    steps: Vec<Step>,
    mode: Mode,
    node: &Node,
    cx: &Context,
) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    if steps.is_empty() {
        return Ok(sent);
    }
    let bar = cx.progress("publishing");
    bar.set_length(steps.len() as u64);
    let places: Vec<String> = steps.iter().map(|step| step.item.place.clone()).collect();
    let (requests, stream) = tokio::sync::mpsc::channel(IN_FLIGHT_MAX);
    let mut steps = steps.into_iter();
    // Before the call, whose answer a node may hold back until it has seen something.
    for step in steps.by_ref().take(IN_FLIGHT_MAX) {
        offer(&requests, step, mode).await?;
    }
    // Dropped with the last step, so that the node sees the end.
    let mut requests = (steps.len() > 0).then_some(requests);
    let mut client = node.catalogue();
    let call = client.publish_many(ReceiverStream::new(stream));
    let mut answers = node.ask("publish the records", call).await.map_err(again)?;
    for (at, place) in places.iter().enumerate() {
        let answer = node.next("publish the records", &mut answers).await.map_err(again)?;
        let Some(answer) = answer else {
            let what = format!("the node ended the import with {} records unanswered", places.len() - at);
            return Err(again(Failure::failed(what, "the node's log says more")));
        };
        sent.count(answer, place);
        bar.inc(1);
        if let Some((open, step)) = requests.as_ref().zip(steps.next()) {
            offer(open, step, mode).await?;
        }
        if steps.len() == 0 {
            requests = None;
        }
    }
    bar.finish_and_clear();
    Ok(sent)
}

/// Withdraws what is gone from the source.
pub(crate) async fn withdraw(
    gone: &[Gone],
    source: &str,
    sent: &mut Sent,
    mode: Mode,
    node: &Node,
    cx: &Context,
) -> Result<(), Failure> {
    let bar = cx.progress("withdrawing");
    bar.set_length(gone.len() as u64);
    let mut client = node.catalogue();
    for gone in gone {
        let request = v1::RetractRequest {
            request_id: random_request_id()?.as_bytes().to_vec(),
            record_id: gone.record_id.as_bytes().to_vec(),
            reason: gone_from(source),
            dry_run: mode == Mode::DryRun,
        };
        node.ask("withdraw a record", client.retract(request)).await.map_err(again)?;
        sent.retracted += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

impl Sent {
    fn count(&mut self, reply: v1::PublishManyReply, place: &str) {
        match reply.result {
            Some(Answer::Done(done)) => match done.outcome() {
                Outcome::Created => self.created += 1,
                Outcome::Revised => self.revised += 1,
                Outcome::Unchanged | Outcome::Retracted | Outcome::Erased | Outcome::Unspecified => {
                    self.unchanged += 1;
                }
            },
            Some(Answer::Refused(refusal)) => {
                self.refused.push(Finding::new(place, as_in_forms(&refusal.message)))
            }
            None => self.refused.push(Finding::new(place, "the node gave no answer for it")),
        }
    }
}

async fn offer(
    requests: &tokio::sync::mpsc::Sender<v1::PublishRequest>,
    step: Step,
    mode: Mode,
) -> Result<(), Failure> {
    let request = v1::PublishRequest {
        request_id: random_request_id()?.as_bytes().to_vec(),
        record_id: step.record_id.as_bytes().to_vec(),
        record: Some(v1::Record { kind: Some(v1::record::Kind::Dataset(step.item.dataset)) }),
        dry_run: mode == Mode::DryRun,
        ..Default::default()
    };
    // A closed stream is told by its answers, which say why.
    let _ = requests.send(request).await;
    Ok(())
}

/// Whatever happened, the same command goes on where it stopped.
fn again(mut failure: Failure) -> Failure {
    failure.hint += "; run the same import again: what has arrived is left alone";
    failure
}
