//! Claims about connections: how many there are, and how each of them ends.

use axum::{body::Body, response::Response};
use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::portal::tests::nine_cities;

const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(20);
const DEADLINE: Duration = Duration::from_secs(30);

const PATIENT: Patience = Patience { header: LONG, age: LONG, grace: LONG, shutdown_grace: LONG };

/// A connection to a portal of its own, and its token.
async fn connected(router: Router, patience: Patience) -> (TcpStream, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let closing = CancellationToken::new();
    tokio::spawn(converse(stream, router, closing.clone(), patience));
    (client, closing)
}

fn pages() -> Router {
    router(Arc::new(nine_cities()))
}

/// Answers that never end.
fn endless() -> Router {
    let body =
        || Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, io::Error>(vec![b'x'; 1 << 16])));
    Router::new().fallback(move || std::future::ready(Response::new(body())))
}

async fn ends(client: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end as well.
    let _ = timeout(DEADLINE, client.read_to_end(&mut text)).await.expect("the connection ends");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn headers_that_do_not_come_end_the_connection() {
    for begun in ["", "GET / HTTP/1.1\r\nHo"] {
        let (mut client, _closing) = connected(pages(), Patience { header: SHORT, ..PATIENT }).await;
        client.write_all(begun.as_bytes()).await.unwrap();
        assert!(!ends(&mut client).await.contains("200 OK"), "{begun:?}");
    }
}

#[tokio::test]
async fn an_old_connection_ends_after_its_answer() {
    let (mut client, _closing) = connected(pages(), Patience { age: SHORT, ..PATIENT }).await;
    client.write_all(b"GET /about HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = ends(&mut client).await;
    assert!(answer.is_empty() || answer.contains("</html>"), "{answer}");
}

#[tokio::test]
async fn a_reader_who_does_not_read_is_cut_after_the_grace() {
    let impatient = [
        Patience { age: SHORT, grace: SHORT, ..PATIENT },
        Patience { age: SHORT, shutdown_grace: SHORT, ..PATIENT },
    ];
    for patience in impatient {
        let (mut client, closing) = connected(endless(), patience).await;
        closing.cancel();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        ends(&mut client).await;
    }
}

#[tokio::test]
async fn so_many_connections_are_taken_and_the_next_waits() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let hall = Hall::new(pages());
    let others = u32::try_from(limits::CONNECTIONS_MAX - 1).unwrap();
    let _others = Arc::clone(&hall.places).acquire_many_owned(others).await.unwrap();
    let _clients = [TcpStream::connect(at).await.unwrap(), TcpStream::connect(at).await.unwrap()];
    let last = hall.next(&listener).await.unwrap();
    assert!(hall.next(&listener).now_or_never().is_none(), "it waits although a client does");
    drop(last);
    timeout(DEADLINE, hall.next(&listener)).await.expect("the place is free again").map(drop).unwrap();
}

#[test]
fn one_address_gets_so_many_connections_and_gets_them_again() {
    let guests = Arc::new(Guests::default());
    let from: IpAddr = "203.0.113.7".parse().unwrap();
    let mut held: Vec<Guest> =
        (0..limits::CONNECTIONS_PER_ADDRESS_MAX).map(|_| Guests::admit(&guests, from).unwrap()).collect();
    assert!(Guests::admit(&guests, from).is_none());
    assert!(Guests::admit(&guests, "203.0.113.8".parse().unwrap()).is_some());
    held.pop();
    assert!(Guests::admit(&guests, from).is_some());
    held.clear();
    assert!(guests.0.lock().unwrap().is_empty());
}

#[test]
fn a_subscriber_is_one_address_and_the_proxy_here_is_exempt() {
    let guests = Arc::new(Guests::default());
    let one = |n: usize| format!("2001:db8:0:1::{n:x}").parse().unwrap();
    let held: Vec<_> =
        (1..=limits::CONNECTIONS_PER_ADDRESS_MAX).map(|n| Guests::admit(&guests, one(n))).collect();
    assert!(held.iter().all(Option::is_some));
    assert!(Guests::admit(&guests, one(9_999)).is_none());
    for proxy in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        let many: Vec<_> = (0..100).map(|_| Guests::admit(&guests, proxy.parse().unwrap())).collect();
        assert!(many.iter().all(Option::is_some), "{proxy}");
    }
}
