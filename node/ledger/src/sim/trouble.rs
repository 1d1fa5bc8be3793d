//! What goes wrong in a run: links that break, nodes that crash, and when they come back.

use super::{Happening, Link, Sim};

impl Sim {
    pub(super) fn plan_trouble(&mut self) {
        for (every_ms, what) in [
            (self.weather.link_failure_ms, Happening::LinkFails),
            (self.weather.crash_ms, Happening::NodeCrashes),
        ] {
            if every_ms > 0 {
                let at = self.clock.now_ms() + 1 + self.random.below(every_ms * 2);
                self.clock.at(at, what);
            }
        }
    }

    pub(super) fn fail_link(&mut self) {
        let nodes = self.nodes.len() as u64;
        let (one, other) = (self.random.below(nodes) as usize, self.random.below(nodes) as usize);
        if self.healing {
            return;
        }
        if one != other {
            *self.counts.entry("link failures").or_default() += 1;
            self.set_link(one, other, Link::Down);
            let up = self.clock.now_ms() + self.outage();
            self.clock.at(up, Happening::LinkHeals(one, other));
        }
        let next = self.clock.now_ms() + 1 + self.random.below(self.weather.link_failure_ms * 2);
        self.clock.at(next, Happening::LinkFails);
    }

    pub(super) fn fail_node(&mut self) {
        let node = self.random.below(self.nodes.len() as u64) as usize;
        if self.healing {
            return;
        }
        self.crash(node);
        let up = self.clock.now_ms() + self.outage();
        self.clock.at(up, Happening::NodeStarts(node));
        let next = self.clock.now_ms() + 1 + self.random.below(self.weather.crash_ms * 2);
        self.clock.at(next, Happening::NodeCrashes);
    }

    pub(super) fn outage(&mut self) -> u64 {
        let (least, most) = self.weather.outage_ms;
        least + self.random.below(most - least + 1)
    }
}
