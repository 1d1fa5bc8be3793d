//! What stands before and behind every answer: which requests are let in, how long they may take, and the headers
//! without which nothing leaves.
//!
//! The headers are the third line behind escaping and the absence of scripts: were markup ever to slip in, the
//! browser would still not run it, send it anywhere, or let another site frame it.

use std::{future::Future, time::Duration};

use axum::{
    extract::Request,
    http::{
        HeaderName, HeaderValue, Method,
        header::{
            ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, TRANSFER_ENCODING, VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use maud::Markup;
use tokio::time::timeout;

use super::{frame::Page, limits, reader::Reader, refusal::Refusal, visit::Visit};

/// Nothing may be loaded but the stylesheet and the icon, no script runs, forms lead only here, nobody frames us.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// On every response, whatever it is.
const ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Long enough to take load off when a page becomes popular, short enough that data ages stay true to the minute.
const KEPT_BRIEFLY: HeaderValue = HeaderValue::from_static("public, max-age=30");

/// Lets a request in, or refuses it; gives up on an answer that takes too long; adds the headers.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let reader = Reader::of(request.uri(), request.headers());
    let mut response = match admitted(&request) {
        Err(refusal) => refused(&reader, &refusal, None),
        Ok(()) => in_time(&reader, limits::ANSWER_TIMEOUT, next.run(request)).await,
    };
    response.headers_mut().extend(ALWAYS);
    response
}

async fn in_time(reader: &Reader, limit: Duration, answer: impl Future<Output = Response>) -> Response {
    timeout(limit, answer).await.unwrap_or_else(|_| refused(reader, &Refusal::Unavailable, None))
}

fn admitted(request: &Request) -> Result<(), Refusal> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Refusal::Method);
    }
    if has_body(request) {
        return Err(Refusal::Body);
    }
    let target_bytes = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target_bytes > limits::TARGET_BYTES_MAX {
        return Err(Refusal::TargetTooLong);
    }
    Ok(())
}

/// Nothing here has a use for a body, and whoever sends one to a GET means to confuse somebody on the way.
fn has_body(request: &Request) -> bool {
    let headers = request.headers();
    headers.contains_key(TRANSFER_ENCODING)
        || headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
}

/// A page.
pub(super) fn shown(reader: &Reader, page: &Page, visit: &Visit<'_>) -> Response {
    let mut response = html(reader, page.document(reader, Some(visit)));
    *response.status_mut() = page.status();
    response.headers_mut().insert(CACHE_CONTROL, KEPT_BRIEFLY);
    response
}

/// The page of a refusal.
pub(super) fn refused(reader: &Reader, refusal: &Refusal, visit: Option<&Visit<'_>>) -> Response {
    let mut response = html(reader, refusal.page(reader).document(reader, visit));
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match refusal {
        Refusal::Method => _ = headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD")),
        Refusal::Unavailable => _ = headers.insert(RETRY_AFTER, HeaderValue::from_static("30")),
        // What follows on this connection would be read as the next request.
        Refusal::Body => _ = headers.insert(CONNECTION, HeaderValue::from_static("close")),
        _ => {}
    }
    response
}

fn html(reader: &Reader, document: Markup) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_LANGUAGE, HeaderValue::from_static(reader.words.tag)),
        (VARY, HeaderValue::from_static("accept-language")),
    ];
    (headers, document.into_string()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Uri};

    use super::*;

    #[tokio::test]
    async fn an_answer_that_takes_too_long_is_given_up() {
        let reader = Reader::of(&Uri::from_static("/"), &HeaderMap::new());
        let given_up = in_time(&reader, Duration::from_millis(1), std::future::pending()).await;
        assert_eq!(given_up.status(), 503);
        assert_eq!(given_up.headers()[RETRY_AFTER], "30");
        let answered =
            in_time(&reader, limits::ANSWER_TIMEOUT, std::future::ready("x".into_response())).await;
        assert_eq!(answered.status(), 200);
    }
}
