//! Claims about headers, methods and bounds.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use super::{Answer, ask, cities::federation, every_page, fixture::Trouble, get, record, request};
use crate::portal::{limits, serve};

#[track_caller]
fn assert_guarded(answer: &Answer, what: &str) {
    assert_eq!(
        answer.header("content-security-policy"),
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "{what}"
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
    for absent in ["set-cookie", "server", "x-powered-by"] {
        assert!(!answer.headers.contains_key(absent), "{absent} on {what}");
    }
}

#[tokio::test]
async fn every_response_carries_the_security_headers() {
    let mut targets = every_page();
    targets.extend(
        [
            "/assets/style.css",
            "/assets/icon.svg",
            "/favicon.ico",
            "/robots.txt",
            "/roster.pem",
            "/assets/none",
            "/%ff",
        ]
        .map(str::to_owned),
    );
    targets.push(format!("{}/proof.pem", record(1)));
    for target in targets {
        assert_guarded(&get(&target).await, &target);
    }
}

#[tokio::test]
async fn only_reading_is_answered() {
    for method in [
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ] {
        let answer = ask(federation(), request(method.clone(), "/about")).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "GET, HEAD");
        assert_guarded(&answer, method.as_str());
    }
    let head = ask(federation(), request(Method::HEAD, "/about")).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_guarded(&head, "HEAD");
}

#[tokio::test]
async fn a_request_with_a_body_is_refused() {
    for (name, value) in [("content-length", "1"), ("transfer-encoding", "chunked")] {
        let request = Request::get("/").header(name, value).body(Body::from("x")).unwrap();
        let answer = ask(federation(), request).await;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.header("connection"), "close");
        assert_guarded(&answer, name);
    }
    let empty = Request::get("/").header("content-length", "0").body(Body::empty()).unwrap();
    assert_eq!(ask(federation(), empty).await.status, 200);
}

#[tokio::test]
async fn a_query_may_have_a_thousand_characters_and_no_more() {
    let longest = crate::portal::reader::encoded(&"물".repeat(limits::QUERY_CHARS_MAX));
    assert_eq!(get(&format!("/?q={longest}")).await.status, 200);
    let answer = get(&format!("/?q={longest}%EB%AC%BC")).await;
    assert_eq!(answer.status, 400);
    answer.says("at most 1000 characters");
}

#[tokio::test]
async fn a_target_beyond_the_bound_is_refused() {
    let target = |len: usize| format!("/?x={}", "a".repeat(len - 4));
    assert_eq!(get(&target(limits::TARGET_BYTES_MAX)).await.status, 200);
    let answer = get(&target(limits::TARGET_BYTES_MAX + 1)).await;
    assert_eq!(answer.status, 414);
    assert_guarded(&answer, "a long target");
}

#[tokio::test]
async fn what_is_nowhere_is_not_found() {
    for target in [
        "/nowhere",
        "/record",
        "/record/",
        "/record/zz",
        "/record/..%2f..%2fetc%2fpasswd",
        "/member/NOBODY",
        "/member/%ff",
        "/member/kr-seoul?kind=alert",
        "/assets/",
        "/assets/../style.css",
        "/assets/..%2fCargo.toml",
        "/index.html",
        "//",
        "/record/ffffffffffffffffffffffffffffffff",
        "/%00",
    ] {
        let answer = get(target).await;
        assert_eq!(answer.status, 404, "{target}");
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.says("Page not found");
    }
}

#[tokio::test]
async fn trouble_in_the_library_is_told_without_detail() {
    for (trouble, status, words) in
        [(Trouble::Unavailable, 503, "Back in a moment"), (Trouble::Panics, 500, "Something went wrong here")]
    {
        for target in ["/".to_owned(), "/?q=a".to_owned(), record(1), "/member/kr-seoul".to_owned()] {
            let mut library = federation();
            library.trouble = Some(trouble);
            let answer = ask(library, request(Method::GET, &target)).await;
            assert_eq!(answer.status, status, "{target}");
            answer.says(words).says_nothing_of("a bug in the library");
            assert_guarded(&answer, &target);
        }
    }
}

#[tokio::test]
async fn assets_are_kept_for_a_year_under_their_hash_only() {
    let page = get("/").await;
    for name in ["style.css", "icon.svg"] {
        let start = page.text.find(&format!("/assets/{name}?v=")).unwrap();
        let target = page.text[start..].split('"').next().unwrap();
        assert_eq!(get(target).await.header("cache-control"), "public, max-age=31536000, immutable");
        for other in [format!("/assets/{name}"), format!("/assets/{name}?v=0000000000000000")] {
            assert_eq!(get(&other).await.header("cache-control"), "public, max-age=3600");
        }
    }
    assert_eq!(get("/assets/style.css").await.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(get("/favicon.ico").await.header("content-type"), "image/svg+xml");
}

#[tokio::test]
async fn a_page_names_nothing_outside_of_the_portal_to_be_loaded() {
    for page in every_page() {
        let answer = get(&page).await;
        for tag in answer.text.split('<').filter(|tag| tag.starts_with("link ") || tag.contains(" src=")) {
            assert!(tag.contains("href=\"/assets/"), "<{tag} on {page}");
        }
        answer.says_nothing_of(" style=\"");
    }
}

/// A portal on a port of its own.
struct Open {
    at: SocketAddr,
    close: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

async fn open() -> Open {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (close, closed) = oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, Arc::new(federation()), async {
        let _ = closed.await;
    }));
    Open { at, close, served }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset after the answer is an end as well.
    let _ = timeout(Duration::from_secs(30), stream.read_to_end(&mut text))
        .await
        .expect("the portal ends the connection");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_portal_answers_over_tcp_and_closes_when_told() {
    let open = open().await;
    let mut stream = TcpStream::connect(open.at).await.unwrap();
    stream.write_all(b"GET /about HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(!answer.to_lowercase().contains("\r\nserver:"));
    let mut idle = TcpStream::connect(open.at).await.unwrap();
    open.close.send(()).unwrap();
    assert_eq!(read_all(&mut idle).await, "", "an idle connection is ended");
    timeout(Duration::from_secs(30), open.served).await.expect("it closes").unwrap().unwrap();
    assert!(TcpStream::connect(open.at).await.is_err());
}

#[tokio::test]
async fn a_head_beyond_the_bounds_ends_the_connection() {
    let open = open().await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(limits::HEAD_BYTES_MAX));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(limits::HEADERS_MAX + 1));
    for head in [long, many] {
        let mut stream = TcpStream::connect(open.at).await.unwrap();
        let _ = stream.write_all(head.as_bytes()).await;
        let answer = read_all(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}
