//! Tells callers who pin this node's key which one is to take over, with every answer: a client that only calls now and
//! then would otherwise find a stranger.

use std::sync::Arc;

use http::{HeaderValue, Response};

use crate::tls::Shown;

/// Name of the metadata: 64 hexadecimal digits, there while a change is under way. See keys.proto.
const NEXT_KEY: &str = "wego-next-key";

/// What is to be done to every answer.
pub fn tell_next_key<B>(shown: Arc<Shown>) -> impl Fn(Response<B>) -> Response<B> + Clone {
    move |mut answer| {
        let next = shown.next().and_then(|key| HeaderValue::try_from(key.to_string()).ok());
        if let Some(next) = next {
            answer.headers_mut().insert(NEXT_KEY, next);
        }
        answer
    }
}
