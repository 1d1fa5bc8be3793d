//! Claims about calls whose event cannot be written, and about callers that leave.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use futures_util::FutureExt as _;
use tower::ServiceExt as _;
use wego_proto::{key::SecretKey, v1};
use zeroize::Zeroizing;

use super::*;
use crate::{
    audit::{Entry, Filter, Log, Room, Writer, list},
    operators::{self, Operator, Role},
};

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32]))
}

/// A guard for one admin, before a service that counts the changes it makes and answers them if `answers`.
fn guarded(
    audit: &Audit,
    calls: &'static AtomicU32,
    answers: bool,
) -> tower::util::BoxCloneService<http::Request<()>, http::Response<Body>, Infallible> {
    let service = tower::service_fn(move |request: http::Request<()>| async move {
        let change = async |_, _| {
            calls.fetch_add(1, Ordering::Relaxed);
            if !answers {
                std::future::pending::<()>().await;
            }
            Ok(())
        };
        if request.uri().path() == READ {
            return Ok(http::Response::new(Body::empty()));
        }
        let message = v1::RemovePeerRequest { handle: "city-2".to_owned() };
        let done = Deed::perform(tonic::Request::from_http(request.map(|()| message)), change).await;
        let answer = done.map(|_| http::Response::new(Body::empty()));
        Ok::<_, Infallible>(answer.unwrap_or_else(|status| status.into_http()))
    });
    tower::util::BoxCloneService::new(layer(audit).layer(service))
}

fn layer(audit: &Audit) -> GuardLayer {
    let admin = Operator { name: "kim".to_owned(), key: key(1).public(), role: Role::Admin };
    let operators = Operators::parse(&operators::added("", &admin).unwrap()).unwrap();
    GuardLayer::new(Arc::new(ArcSwap::from_pointee(operators)), audit.clone())
}

fn request(path: &str) -> http::Request<()> {
    let remote_addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let mut request = http::Request::post(path).body(()).unwrap();
    request.extensions_mut().insert(ConnectInfo { key: key(1).public(), remote_addr, binding: None });
    request
}

fn writer(dir: &Path, room: Room) -> Writer {
    Writer::start(dir, Log::open(dir, key(2), room).unwrap(), || 1_284_076_800_000).unwrap()
}

fn events(dir: &Path) -> Vec<Entry> {
    list(dir, &Filter::default(), None, 100).unwrap().events
}

const CHANGE: &str = "/wego.v1.Admin/AddPeer";
const READ: &str = "/wego.v1.Admin/Status";

#[tokio::test]
async fn what_cannot_be_recorded_is_not_begun_and_reading_goes_on() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path(), Box::new(|_| false));
    let guard = guarded(&writer.audit(), &CALLS, true);
    let refused = guard.clone().oneshot(request(CHANGE)).await.unwrap();
    let status = Status::from_header_map(refused.headers()).unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert!(status.message().contains("nothing was done; hint: make space"), "{}", status.message());
    assert_eq!(CALLS.load(Ordering::Relaxed), 0);
    let read = guard.oneshot(request(READ)).await.unwrap();
    assert!(Status::from_header_map(read.headers()).is_none());
    tokio::task::spawn_blocking(|| writer.stop()).await.unwrap();
}

#[tokio::test]
async fn what_a_stranger_says_is_not_written() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path(), Box::new(|_| true));
    let guard = guarded(&writer.audit(), &CALLS, true);
    for seed in [1, 9] {
        let mut request = request(CHANGE);
        let reason = data_encoding::BASE64.encode(&[b'x'; 400]);
        request.headers_mut().insert("wego-reason-bin", reason.parse().unwrap());
        let info = request.extensions_mut().get_mut::<ConnectInfo>().unwrap();
        info.key = key(seed).public();
        guard.clone().oneshot(request).await.unwrap();
    }
    tokio::task::spawn_blocking(|| writer.stop()).await.unwrap();
    let written = events(dir.path());
    let reasons: Vec<_> = written.iter().map(|event| (event.actor.as_str(), event.reason.len())).collect();
    assert_eq!(reasons, [("", 0), ("kim", 400)], "newest first");
}

#[tokio::test]
async fn a_call_that_is_dropped_has_an_event_with_an_unknown_end() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path(), Box::new(|_| true));
    let mut call = Box::pin(guarded(&writer.audit(), &CALLS, false).oneshot(request(CHANGE)));
    assert!(call.as_mut().now_or_never().is_none());
    assert_eq!(CALLS.load(Ordering::Relaxed), 1, "it is under way");
    drop(call);
    tokio::task::spawn_blocking(|| writer.stop()).await.unwrap();
    let events = events(dir.path());
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].actor.as_str(), events[0].result.as_str()), ("kim", "unknown"));
}

#[tokio::test]
async fn an_answer_waits_for_its_event() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path(), Box::new(|_| true));
    guarded(&writer.audit(), &CALLS, true).oneshot(request(CHANGE)).await.unwrap();
    assert_eq!(events(dir.path())[0].result, "ok");
    tokio::task::spawn_blocking(|| writer.stop()).await.unwrap();
}

#[tokio::test]
async fn a_service_that_goes_past_the_audit_log_is_refused_and_seen() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path(), Box::new(|_| true));
    let past = tower::service_fn(|_: http::Request<()>| async {
        Ok::<_, Infallible>(http::Response::new(Body::empty()))
    });
    let answer = layer(&writer.audit()).layer(past).oneshot(request(CHANGE)).await.unwrap();
    assert_eq!(Status::from_header_map(answer.headers()).unwrap().code(), Code::Internal);
    tokio::task::spawn_blocking(|| writer.stop()).await.unwrap();
    assert_eq!(events(dir.path())[0].code, "INTERNAL");
}

#[tokio::test]
async fn an_event_that_was_handed_over_ahead_is_followed_by_what_became_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path(), Box::new(|_| true));
    let perform = async |fails: bool| {
        let service = tower::service_fn(move |request: http::Request<()>| async move {
            let change = async |_, deed: Deed| {
                deed.ahead()();
                if fails {
                    Err(Status::internal("the journal cannot be written; hint: see the log"))
                } else {
                    Ok(())
                }
            };
            let message = v1::RemovePeerRequest { handle: "city-2".to_owned() };
            let request = tonic::Request::from_http(request.map(|()| message));
            let done = Deed::perform(request, change).await;
            let answer = done.map(|_| http::Response::new(Body::empty()));
            Ok::<_, Infallible>(answer.unwrap_or_else(|status| status.into_http()))
        });
        layer(&writer.audit()).layer(service).oneshot(request(CHANGE)).await.unwrap();
    };
    perform(false).await;
    perform(true).await;
    tokio::task::spawn_blocking(|| writer.stop()).await.unwrap();
    let events = events(dir.path());
    let said: Vec<_> = events.iter().map(|event| (event.result.as_str(), event.target.as_str())).collect();
    let peer = "peer city-2";
    assert_eq!(said, [("refused", peer), ("ok", peer), ("ok", peer)], "newest first");
}
