//! Bounds of HTTP/2 on every door: what a proved caller may still make this node spend.
//!
//! tonic passes "not set" on where hyper would have had a safe default, so each bound is set here, in one place.
//! Deadlines of streams are not here: a session lasts as long as both ends like.

use std::time::Duration;

use tonic::transport::Server;

/// Calls open at once on one connection. Without a bound 20,000 handlers run at once for one caller.
pub const STREAMS_MAX: u32 = 64;

/// Calls open at once on one connection of a peer: one session, and one more while the last one ends. Each may hold
/// a few messages that its peer does not read.
pub const PEER_STREAMS_MAX: u32 = 2;

/// Streams reset because of the caller's own errors before it is disconnected (RUSTSEC-2024-0003).
pub const LOCAL_ERROR_RESETS_MAX: usize = 256;

/// Streams opened and reset before they were looked at (CVE-2023-44487). h2's 20 cut off honest callers that
/// cancel many searches at once.
pub const PENDING_RESETS_MAX: usize = 100;

/// All headers of one call in bytes; ours are below 1 KiB.
pub const HEADERS_BYTES_MAX: u32 = 16 * 1_024;

/// Handlers at work at once on one connection; one more is told to come back. Above what one client needs, below
/// what would starve another on two cores.
pub const CONCURRENT_CALLS_MAX: usize = 32;

/// Idle time before the other end is asked whether it still lives.
pub const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// Time to answer that.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Time until a handler must have begun to answer. The largest batch is stored in well below a second.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Unread bytes a caller may have under way in one stream: a second of a 10 Mbit/s link.
pub const STREAM_WINDOW_BYTES: u32 = 1_024 * 1_024;

/// Unread bytes a caller may have under way in all: 64 sessions of it fit 128 MiB.
pub const CONNECTION_WINDOW_BYTES: u32 = 2 * 1_024 * 1_024;

/// Sets every bound above. HTTP/1 stays off.
///
/// `max_connection_age` stays unset: whether a long session may go on is asked at every roster change instead,
/// and with a grace period tonic 0.14 would cut it without a GOAWAY.
#[must_use]
pub fn harden(server: Server) -> Server {
    server
        .accept_http1(false)
        .max_concurrent_streams(STREAMS_MAX)
        .http2_max_local_error_reset_streams(Some(LOCAL_ERROR_RESETS_MAX))
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS_MAX))
        .http2_max_header_list_size(HEADERS_BYTES_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE_AFTER))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .concurrency_limit_per_connection(CONCURRENT_CALLS_MAX)
        .load_shed(true)
        .timeout(ANSWER_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, sync::Arc};

    use arc_swap::ArcSwap;
    use tokio::{net::TcpListener, task::JoinSet};
    use tonic::{Request, transport::Channel};
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use wego_proto::pin;

    use super::*;
    use crate::tls::{
        ListenLimits, incoming,
        tests::{client, identity},
    };

    const DEADLINE: Duration = Duration::from_secs(20);

    async fn serve() -> (SocketAddr, JoinSet<()>) {
        let config = pin::server_config(identity(0), Arc::new(|_| true)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(ArcSwap::from_pointee(config));
        let door = incoming(listener, config, ListenLimits::default(), Arc::default());
        let (_, health) = tonic_health::server::health_reporter();
        let mut task = JoinSet::new();
        task.spawn(async move {
            harden(Server::builder()).add_service(health).serve_with_incoming(door).await.unwrap();
        });
        (address, task)
    }

    async fn connect(address: SocketAddr) -> HealthClient<Channel> {
        let config = Arc::new(client(1));
        HealthClient::new(pin::connect(&address.to_string(), config, DEADLINE).await.unwrap())
    }

    fn whole_node() -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: String::new() })
    }

    #[tokio::test]
    async fn one_stream_more_than_the_bound_waits_for_another_to_end() {
        let (address, _server) = serve().await;
        let mut greedy = connect(address).await;
        let mut open = Vec::new();
        for _ in 0..STREAMS_MAX {
            open.push(greedy.watch(whole_node()).await.unwrap());
        }
        let mut one_more = Box::pin(greedy.watch(whole_node()));
        let mut other = connect(address).await;
        for _ in 0..5 {
            tokio::select! {
                biased;
                _ = &mut one_more => panic!("stream {} was opened", STREAMS_MAX + 1),
                answer = other.check(whole_node()) => drop(answer.unwrap()),
            }
        }
        open.pop();
        tokio::time::timeout(DEADLINE, one_more).await.expect("room again").unwrap();
    }

    #[tokio::test]
    async fn headers_above_the_bound_are_refused() {
        let (address, _server) = serve().await;
        let mut request = whole_node();
        let padding = "x".repeat(HEADERS_BYTES_MAX as usize);
        request.metadata_mut().insert("padding", padding.parse().unwrap());
        connect(address).await.check(request).await.unwrap_err();
        connect(address).await.check(whole_node()).await.unwrap();
    }
}
