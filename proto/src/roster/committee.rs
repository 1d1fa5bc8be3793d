//! Whose the governance keys are, as the roster says. People must know whom a key speaks for; it must never decide
//! anything: what counts is the key.

use crate::v1::Governance;

impl Governance {
    /// The idx of the member whose key this is, where the roster says it.
    #[must_use]
    pub fn holder(&self, key: &[u8]) -> Option<u32> {
        let at = self.keys.iter().position(|known| known == key)?;
        self.says_holders().then(|| self.holders[at]).filter(|idx| *idx != 0)
    }

    /// Whether it says of every key whose it is, or that it is of no member.
    #[must_use]
    pub fn says_holders(&self) -> bool {
        !self.holders.is_empty() && self.holders.len() == self.keys.len()
    }

    /// Adds a key of this member; 0 for none.
    pub fn add_key(&mut self, key: Vec<u8>, idx: u32) {
        if !self.says_holders() {
            self.holders = vec![0; self.keys.len()];
        }
        self.keys.push(key);
        self.holders.push(idx);
    }

    /// Takes a key away. Returns whether it was there.
    pub fn remove_key(&mut self, key: &[u8]) -> bool {
        let Some(at) = self.keys.iter().position(|known| known == key) else { return false };
        if self.says_holders() {
            self.holders.remove(at);
        }
        self.keys.remove(at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_holder_when_others_come_and_go() {
        let mut committee = Governance { keys: vec![vec![1], vec![2]], ..Governance::default() };
        assert_eq!(committee.holder(&[1]), None, "a roster that does not say");
        committee.add_key(vec![3], 7);
        committee.add_key(vec![4], 8);
        assert!(committee.remove_key(&[1]) && committee.remove_key(&[3]) && !committee.remove_key(&[3]));
        assert_eq!((committee.holder(&[2]), committee.holder(&[4])), (None, Some(8)));
        committee.holders.pop();
        assert_eq!(committee.holder(&[4]), None, "what does not fit says nothing");
    }
}
