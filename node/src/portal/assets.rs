//! The portal's own files, compiled in: there is no path from a request to a file system.
//!
//! A file's address carries the hash of its content, so that a browser may keep it for ever and still gets the new
//! one after an upgrade.

use std::{
    future::{Ready, ready},
    sync::LazyLock,
};

use axum::{
    http::{
        HeaderValue, Uri,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use wego_proto::id::Hash;

/// The one stylesheet.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("/assets/style.css", "text/css; charset=utf-8", include_str!("assets/style.css"))
});

/// The icon in the browser's tab.
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("/assets/icon.svg", "image/svg+xml", include_str!("assets/icon.svg")));

/// Search engines may read records, and have nothing to gain from an endless space of queries.
const ROBOTS: &str = "User-agent: *\nDisallow: /?\n";

/// With the right hash in the address: a year, the longest that HTTP caches promise.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Without: the file may change with the next upgrade.
const KEPT_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// A file that is part of the program.
#[derive(Debug)]
pub(super) struct Asset {
    url: String,
    content_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(path: &str, content_type: &'static str, content: &'static str) -> Self {
        let hash = Hash::of(&[content.as_bytes()]).to_string();
        Self { url: format!("{path}?v={}", &hash[..16]), content_type, content }
    }

    /// Its address, with the hash of its content.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn response(&self, asked: &Uri) -> Response {
        let exact = asked.path_and_query().is_some_and(|asked| asked.as_str() == self.url);
        let kept = if exact { KEPT } else { KEPT_AN_HOUR };
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(self.content_type)), (CACHE_CONTROL, kept)];
        (headers, self.content).into_response()
    }
}

pub(super) fn style(uri: Uri) -> Ready<Response> {
    ready(STYLE.response(&uri))
}

pub(super) fn icon(uri: Uri) -> Ready<Response> {
    ready(ICON.response(&uri))
}

pub(super) fn robots() -> Ready<Response> {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CACHE_CONTROL, KEPT_AN_HOUR),
    ];
    ready((headers, ROBOTS).into_response())
}
