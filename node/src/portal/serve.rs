//! Connections of the portal: how many, how long, how slow.
//!
//! Plain HTTP/1.1; a proxy in front adds TLS where the portal faces the internet. No client may hold a connection
//! for longer than it needs one, whatever it sends or fails to read.

use std::{
    collections::BTreeMap,
    future::Future,
    io,
    net::{IpAddr, Ipv6Addr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Library, limits, router};

/// Pause after an error of `accept`, which mostly means that file descriptors ran out: some will be closed soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the portal on `listener` until `shutdown` resolves and open answers were given their grace.
///
/// # Errors
/// When the listener has no local address, that is, is no listener any more.
pub async fn serve(
    listener: TcpListener,
    library: Arc<dyn Library>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let at = listener.local_addr()?;
    tracing::info!(%at, "portal open");
    let hall = Hall::new(router(library));
    let mut shutdown = pin!(shutdown);
    loop {
        // Cancel-safe: a connection is either accepted and handed over, or still in the kernel's queue.
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = hall.next(&listener) => hall.seat(accepted).await,
        }
    }
    drop(listener);
    hall.close().await;
    tracing::info!(%at, "portal closed");
    Ok(())
}

type Accepted = io::Result<(tokio::sync::OwnedSemaphorePermit, TcpStream, IpAddr)>;

struct Hall {
    router: Router,
    places: Arc<Semaphore>,
    guests: Arc<Guests>,
    connections: TaskTracker,
    closing: CancellationToken,
}

impl Hall {
    fn new(router: Router) -> Self {
        Self {
            router,
            places: Arc::new(Semaphore::new(limits::CONNECTIONS_MAX)),
            guests: Arc::default(),
            connections: TaskTracker::new(),
            closing: CancellationToken::new(),
        }
    }

    /// A place first, then a connection: while all are taken, new ones wait in the kernel's bounded queue.
    async fn next(&self, listener: &TcpListener) -> Accepted {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, from) = listener.accept().await?;
        Ok((place, stream, from.ip()))
    }

    async fn seat(&self, accepted: Accepted) {
        let (place, stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the portal cannot accept connections");
                return sleep(ACCEPT_PAUSE).await;
            }
        };
        let Some(guest) = Guests::admit(&self.guests, from) else {
            tracing::debug!(%from, "too many connections from one address");
            return;
        };
        let (router, closing) = (self.router.clone(), self.closing.clone());
        self.connections.spawn(async move {
            converse(stream, router, closing, Patience::DEFAULT).await;
            drop((guest, place));
        });
    }

    async fn close(self) {
        self.closing.cancel();
        self.connections.close();
        if timeout(limits::SHUTDOWN_GRACE * 2, self.connections.wait()).await.is_err() {
            tracing::warn!("portal connections outlived their grace");
        }
    }
}

/// How long a connection is waited for.
#[derive(Debug, Clone, Copy)]
struct Patience {
    header: Duration,
    age: Duration,
    grace: Duration,
    shutdown_grace: Duration,
}

impl Patience {
    const DEFAULT: Self = Self {
        header: limits::HEADER_TIMEOUT,
        age: limits::CONNECTION_AGE_MAX,
        grace: limits::CONNECTION_GRACE,
        shutdown_grace: limits::SHUTDOWN_GRACE,
    };
}

/// One connection from its first byte to its end.
async fn converse(stream: TcpStream, router: Router, closing: CancellationToken, patience: Patience) {
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.header)
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .max_headers(limits::HEADERS_MAX)
        .half_close(false);
    let mut connection =
        pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    // Cancel-safe: the connection is polled again below, the two others hold nothing.
    tokio::select! {
        ended = connection.as_mut() => return told(ended),
        () = closing.cancelled() => {}
        () = sleep(patience.age) => {}
    }
    connection.as_mut().graceful_shutdown();
    let shut_down = async {
        closing.cancelled().await;
        sleep(patience.shutdown_grace).await;
    };
    tokio::select! {
        ended = connection.as_mut() => told(ended),
        () = sleep(patience.grace) => tracing::debug!("a slow portal connection was cut"),
        () = shut_down => tracing::debug!("a portal connection was cut at shutdown"),
    }
}

/// Strangers break off connections all the time; that is worth a line only when somebody looks for it.
fn told<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a portal connection ended early");
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Guests(Mutex<BTreeMap<IpAddr, usize>>);

struct Guest {
    guests: Arc<Guests>,
    from: IpAddr,
}

impl Guests {
    /// Counts a connection in, until the guest is dropped; `None` when its address has enough.
    fn admit(guests: &Arc<Self>, from: IpAddr) -> Option<Guest> {
        let from = network(from);
        let mut counts = guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(from).or_default();
        if *count >= limits::CONNECTIONS_PER_ADDRESS_MAX && !from.is_loopback() {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Guest { guests: Arc::clone(guests), from })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.from);
            }
        }
    }
}

/// What counts as one address: of IPv6 the /64 that a single subscriber gets.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
