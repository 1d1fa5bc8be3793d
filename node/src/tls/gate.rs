//! Who may begin a handshake now: counts of open connections, and a ration of handshakes that fail.
//!
//! Nothing here waits for a peer, and a [`Permit`] always goes back when it is dropped.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Whether connections from this machine count like others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    /// They do.
    Counted,
    /// Only in the total: behind a local proxy, or many nodes on one machine.
    Exempt,
}

/// Counts of the open connections of one door.
#[derive(Debug)]
pub(super) struct Gate {
    total_max: usize,
    per_network_max: usize,
    loopback: Loopback,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    /// As many keys as there are open connections at most.
    by_network: BTreeMap<IpAddr, usize>,
}

impl Gate {
    pub(super) fn new(total_max: usize, per_network_max: usize, loopback: Loopback) -> Arc<Self> {
        Arc::new(Self { total_max, per_network_max, loopback, open: Mutex::default() })
    }

    /// Counts a connection from `ip`, or refuses it.
    pub(super) fn enter(self: &Arc<Self>, ip: IpAddr) -> Option<Permit> {
        let network = network_of(ip);
        let exempt = self.loopback == Loopback::Exempt && network.is_loopback();
        let mut open = self.open();
        let of_network = open.by_network.get(&network).copied().unwrap_or(0);
        if open.total >= self.total_max || (!exempt && of_network >= self.per_network_max) {
            return None;
        }
        open.total += 1;
        open.by_network.insert(network, of_network + 1);
        Some(Permit { gate: self.clone(), network })
    }

    fn leave(&self, network: IpAddr) {
        let mut open = self.open();
        open.total = open.total.saturating_sub(1);
        if let Some(count) = open.by_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                open.by_network.remove(&network);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Counts are whole after every statement, so a panic elsewhere cannot have torn them.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place; given back on drop.
#[derive(Debug)]
pub(super) struct Permit {
    gate: Arc<Gate>,
    network: IpAddr,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.leave(self.network);
    }
}

/// One customer's share of addresses: an IPv4 address, or an IPv6 /64, of which anybody has 2^64 addresses.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let prefix = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        other => other,
    }
}

/// A ration of handshakes: each takes one, a successful one gives it back. So members that all come back after an
/// outage are not held up, and strangers get no more signatures out of this node than the ration.
#[derive(Debug)]
pub(super) struct Ration {
    burst: u32,
    every: Duration,
    /// Held while waiting, so that those who wait are served in their order.
    turn: tokio::sync::Mutex<()>,
    left: Mutex<Left>,
}

#[derive(Debug)]
struct Left {
    handshakes: u32,
    since: Instant,
}

impl Ration {
    pub(super) fn new(per_s: u32, burst: u32, now: Instant) -> Self {
        let burst = burst.max(1);
        Self {
            burst,
            every: Duration::from_secs(1) / per_s.max(1),
            turn: tokio::sync::Mutex::const_new(()),
            left: Mutex::new(Left { handshakes: burst, since: now }),
        }
    }

    /// Waits until there is a handshake left and takes it. Cancel-safe: nothing was taken before it returns.
    pub(super) async fn take(&self) {
        let _turn = self.turn.lock().await;
        while let Some(until) = self.try_take(Instant::now()) {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Gives back what a successful handshake took.
    pub(super) fn give_back(&self) {
        let mut left = self.left();
        left.handshakes = self.burst.min(left.handshakes + 1);
    }

    /// `None` when one was taken, else when to try again.
    fn try_take(&self, now: Instant) -> Option<Instant> {
        let mut left = self.left();
        let passed = now.saturating_duration_since(left.since);
        let grown = u32::try_from(passed.as_nanos() / self.every.as_nanos()).unwrap_or(u32::MAX);
        left.handshakes = self.burst.min(left.handshakes.saturating_add(grown));
        left.since = if left.handshakes == self.burst { now } else { left.since + self.every * grown };
        if left.handshakes == 0 {
            return Some(left.since + self.every);
        }
        left.handshakes -= 1;
        None
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv6_network_is_one_customer_and_a_mapped_address_is_ipv4() {
        let gate = Gate::new(10, 1, Loopback::Counted);
        let first = gate.enter(ip("2001:db8:1:2::1"));
        assert!(first.is_some());
        assert!(gate.enter(ip("2001:db8:1:2:ffff::9")).is_none());
        let _other = gate.enter(ip("2001:db8:1:3::1")).expect("another network");
        let _v4 = gate.enter(ip("192.0.2.1")).expect("room");
        assert!(gate.enter(ip("::ffff:192.0.2.1")).is_none());
        drop(first);
        assert!(gate.enter(ip("2001:db8:1:2::1")).is_some());
    }

    #[test]
    fn a_place_given_back_leaves_no_trace() {
        let gate = Gate::new(2, 2, Loopback::Counted);
        let both = [gate.enter(ip("192.0.2.1")), gate.enter(ip("192.0.2.1"))];
        assert!(gate.enter(ip("192.0.2.2")).is_none(), "the total holds for everybody");
        drop(both);
        assert_eq!(gate.open().total, 0);
        assert!(gate.open().by_network.is_empty());
    }

    #[test]
    fn loopback_can_be_exempt_from_the_share_but_not_from_the_total() {
        let gate = Gate::new(2, 1, Loopback::Exempt);
        let _both = [gate.enter(ip("127.0.0.1")).unwrap(), gate.enter(ip("127.0.0.1")).unwrap()];
        assert!(gate.enter(ip("127.0.0.1")).is_none());
    }

    /// When `count` handshakes have been taken, if the first is asked for at `now`.
    fn taken(ration: &Ration, count: u32, mut now: Instant) -> Instant {
        for _ in 0..count {
            while let Some(until) = ration.try_take(now) {
                now = until;
            }
        }
        now
    }

    #[test]
    fn failed_handshakes_are_rationed_and_successful_ones_are_free() {
        let start = Instant::now();
        let ration = Ration::new(20, 3, start);
        for _ in 0..100 {
            assert_eq!(taken(&ration, 1, start), start, "successful handshakes never wait");
            ration.give_back();
        }
        assert_eq!(taken(&ration, 23, start), start + Duration::from_secs(1), "3 at once, then 20 a second");
    }

    #[test]
    fn an_idle_hour_saves_up_no_more_than_the_burst() {
        let start = Instant::now();
        let ration = Ration::new(20, 3, start);
        let later = start + Duration::from_secs(3_600);
        assert_eq!(taken(&ration, 4, later), later + Duration::from_millis(50));
    }
}
