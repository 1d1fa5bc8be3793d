//! What becomes of disks in a run: copied, put back, lost.

use super::{Node, Sim, node};

/// A node's disk at some moment.
#[derive(Debug, Clone)]
pub struct Snapshot(node::Disk);

/// Whether a node that is put back to an earlier state can tell by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noticed {
    /// Its folder or machine is another one.
    Yes,
    /// Nothing shows it but what its peers hold.
    No,
}

impl Sim {
    /// Adds a second node that runs with the key of `of`, from nothing and as if the key had never signed: a thief of
    /// the key. Returns its number.
    pub fn add_twin(&mut self, of: usize) -> usize {
        let origin = self.nodes[of].origin;
        self.clones.insert(origin);
        self.nodes.push(Node::new(origin));
        let twin = self.nodes.len() - 1;
        self.start(twin);
        twin
    }

    /// Adds a copy of a node's disk as it is now, on another machine: a cloned virtual machine. Returns its number.
    pub fn add_copy(&mut self, of: usize) -> usize {
        let mut copy = Node::new(self.nodes[of].origin);
        copy.disk = self.nodes[of].disk.clone();
        copy.disk.anchored = false;
        self.nodes.push(copy);
        let number = self.nodes.len() - 1;
        self.start(number);
        number
    }

    /// Puts a stopped node's disk back to what it was at an earlier [`Sim::snapshot`].
    pub fn restore(&mut self, node: usize, snapshot: Snapshot, noticed: Noticed) {
        debug_assert!(self.nodes[node].state.is_none(), "a running node's disk is not put back");
        let Snapshot(mut disk) = snapshot;
        if noticed == Noticed::Yes {
            disk.anchored = false;
        }
        // A process that starts later has a later time, whatever its disk says.
        self.nodes[node].disk = disk;
    }

    /// A node's disk as it is now.
    #[must_use]
    pub fn snapshot(&self, node: usize) -> Snapshot {
        Snapshot(self.nodes[node].disk.clone())
    }

    /// Takes a stopped node's disk away; its keys are kept elsewhere.
    pub fn lose_disk(&mut self, node: usize) {
        self.restore(node, Snapshot(node::Disk::default()), Noticed::Yes);
    }
}
