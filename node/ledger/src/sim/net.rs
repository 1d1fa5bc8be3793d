//! The simulated network: connections that keep the order of their messages, and links that lose connections.

use std::collections::BTreeSet;

use wego_proto::v1::session_message::Body;

use super::{DIAL_EVERY_MS, Happening, Sim};
use crate::{
    gossip::wanted_peers,
    limits::DEGREE,
    session::{ConnId, Side},
    state::Input,
};

/// Whether a link carries messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It does.
    Up,
    /// It does not, and what was under way is lost.
    Down,
}

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) ends: [usize; 2],
    /// When the last message of each end arrives: streams keep their order.
    pub(super) busy_until_ms: [u64; 2],
}

impl Conn {
    pub(super) fn joins(&self, one: usize, other: usize) -> bool {
        self.ends.contains(&one) && self.ends.contains(&other)
    }

    pub(super) fn other(&self, end: usize) -> usize {
        if self.ends[0] == end { self.ends[1] } else { self.ends[0] }
    }
}

impl Sim {
    pub(super) fn send(&mut self, from: usize, conn: ConnId, body: Body) -> Option<Input> {
        let link = self.conns.get_mut(&conn)?;
        let side = usize::from(link.ends[1] == from);
        let to = link.other(from);
        let (least, most) = self.weather.latency_ms;
        let arrives = self.clock.now_ms() + least + self.random.below(most - least + 1);
        let arrives = arrives.max(link.busy_until_ms[side]);
        link.busy_until_ms[side] = arrives;
        let boot = self.nodes[to].boots;
        self.clock.at(arrives, Happening::Deliver { conn, to, boot, body: Box::new(body) });
        None
    }

    pub(super) fn hang_up(&mut self, node: usize, conn: ConnId) -> Option<Input> {
        if let Some(link) = self.conns.remove(&conn) {
            self.input(link.other(node), Input::Closed { conn });
        }
        Some(Input::Closed { conn })
    }

    pub(super) fn cut_conns(&mut self, which: impl Fn(&Conn) -> bool) {
        let cut: Vec<_> = self.conns.iter().filter(|(_, conn)| which(conn)).map(|(id, _)| *id).collect();
        for id in cut {
            let Some(conn) = self.conns.remove(&id) else { continue };
            for node in conn.ends {
                self.input(node, Input::Closed { conn: id });
            }
        }
    }

    pub(super) fn dial(&mut self, node: usize) {
        let boot = self.nodes[node].boots;
        let origin = self.nodes[node].origin;
        let wanted = wanted_peers(origin, &BTreeSet::new(), &self.federation.roster, DEGREE);
        for other in 0..self.nodes.len() {
            let link = (node.min(other), node.max(other));
            let reachable = self.nodes[other].state.is_some() && !self.down.contains(&link);
            let lacks = !self.conns.values().any(|conn| conn.joins(node, other));
            if other != node && reachable && lacks && wanted.contains(&self.nodes[other].origin) {
                self.connect(node, other);
            }
        }
        let next = self.clock.now_ms() + DIAL_EVERY_MS / 2 + self.random.below(DIAL_EVERY_MS);
        self.clock.at(next, Happening::Dial { node, boot });
    }

    pub(super) fn connect(&mut self, from: usize, to: usize) {
        let conn = ConnId(self.next_conn);
        self.next_conn += 1;
        self.conns.insert(conn, Conn { ends: [from, to], busy_until_ms: [0, 0] });
        let (dialler, listener) = (self.nodes[from].origin, self.nodes[to].origin);
        let speakers = [dialler, listener].map(|member| self.federation.transport_key(member).public());
        self.input(
            from,
            Input::Connected { conn, member: listener, speaker: speakers[1], side: Side::Dialled },
        );
        self.input(
            to,
            Input::Connected { conn, member: dialler, speaker: speakers[0], side: Side::Accepted },
        );
    }
}
