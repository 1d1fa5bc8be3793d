//! The nine cities on a port, to be looked at in a browser. Proves nothing.

use std::{env, sync::Arc};

use super::cities::federation;
use crate::portal::serve;

#[tokio::test]
#[ignore = "serves the nine cities on PORTAL_LOOK (default 127.0.0.1:8480) until interrupted"]
async fn look() {
    let at = env::var("PORTAL_LOOK").unwrap_or_else(|_| "127.0.0.1:8480".to_owned());
    let listener = tokio::net::TcpListener::bind(&at).await.unwrap();
    println!("look at http://{at}/");
    serve(listener, Arc::new(federation()), std::future::pending()).await.unwrap();
}
