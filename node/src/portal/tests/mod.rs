//! Claims about the portal, made through its router as a browser would meet it.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use tower::ServiceExt as _;

use super::{Library, router};

mod bounds;
mod cities;
mod downloads;
mod escaping;
mod fixture;
mod gone;
mod library;
mod limits;
mod look;
mod pages;
mod records;
mod richest;
mod style;

/// The library of the tests, for those beside what they test.
pub(super) fn nine_cities() -> impl Library {
    cities::federation()
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn says(&self, expected: &str) -> &Self {
        assert!(self.text.contains(expected), "no {expected:?} in\n{}", self.text);
        self
    }

    #[track_caller]
    fn says_nothing_of(&self, unexpected: &str) -> &Self {
        assert!(!self.text.contains(unexpected), "{unexpected:?} in\n{}", self.text);
        self
    }
}

async fn ask(library: impl Into<Arc<fixture::Fixture>>, request: Request<Body>) -> Answer {
    let library: Arc<dyn Library> = library.into();
    let response = router(library).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(body.to_vec()).unwrap() }
}

fn request(method: Method, target: &str) -> Request<Body> {
    Request::builder().method(method).uri(target).body(Body::empty()).unwrap()
}

/// A page of the nine cities.
async fn get(target: &str) -> Answer {
    ask(cities::federation(), request(Method::GET, target)).await
}

async fn get_in(language: &str, target: &str) -> Answer {
    let mut request = request(Method::GET, target);
    request.headers_mut().insert("accept-language", language.parse().unwrap());
    ask(cities::federation(), request).await
}

fn record(number: u8) -> String {
    format!("/record/{}", fixture::record_id(number))
}

/// An address for every kind of page, refusals included.
fn every_page() -> Vec<String> {
    let mut pages: Vec<String> = [
        "/",
        "/?q=open",
        "/?q=kind:practice+city:kr-seoul",
        "/?q=nothing-like-this",
        "/?q=%22",
        "/?q=a&page=0",
        "/federation",
        "/about",
        "/member/kr-seoul",
        "/member/fr-paris",
        "/member/us-san-francisco",
        "/member/kr-seoul?kind=practice",
        "/member/nobody",
        "/record/00",
        "/nowhere",
    ]
    .map(str::to_owned)
    .to_vec();
    pages.extend([1, 2, 4, 20, 22, 30, 31, 40].map(record));
    pages
}
