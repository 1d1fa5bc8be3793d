//! Six words that two people compare by telephone, and the list they are from.
//!
//! They are the same at both ends only when both mean the same invite, the same two keys and the same connection.
//! They are no secret and open nothing: a person must compare them, no program may take them for a proof.

use crate::{
    id::{Hash, InviteId},
    invite::{Binding, KeyHash},
    key::PublicKey,
};

/// Words said. With 256 words in the list they are 48 bits: whoever stands in between would have to make that many
/// keys while a handshake waits.
const SPOKEN: usize = 6;

/// What both ends of an enrolment say: of the inviter's key, the newcomer's key, the invite and the connection.
#[must_use]
pub fn words(inviter: &KeyHash, newcomer: &PublicKey, invite: &InviteId, binding: &Binding) -> String {
    let parts: [&[u8]; 5] =
        [b"wego-words-v1", inviter, newcomer.as_bytes(), invite.as_bytes(), binding.as_bytes()];
    let hash = Hash::of(&parts);
    let said = hash.as_bytes().iter().take(SPOKEN).map(|byte| WORDS[usize::from(*byte)]);
    said.collect::<Vec<_>>().join("-")
}

/// Each of five letters, so that columns line up, and any two differ in two letters at least. Never to be changed:
/// the other end may run another version.
#[rustfmt::skip]
const WORDS: [&str; 256] = [
    "abbey", "actor", "agent", "alarm", "alley", "amber", "angle", "apple", "apron", "arena", "aspen",
    "badge", "baker", "baron", "basil", "batch", "beach", "berry", "bingo", "birch", "bison", "blade",
    "bloom", "booth", "bread", "brick", "brook", "brush", "bugle", "cabin", "cable", "camel", "canal",
    "candy", "canoe", "cargo", "carol", "cedar", "cello", "chalk", "charm", "chess", "chief", "chili",
    "civic", "cliff", "cloak", "cloud", "coach", "cocoa", "comet", "comic", "coral", "crane", "curry",
    "daisy", "dance", "delta", "depot", "disco", "dodge", "dough", "draft", "drama", "dream", "drill",
    "drone", "eagle", "earth", "easel", "ebony", "elbow", "elder", "elite", "enjoy", "epoch", "equal",
    "essay", "event", "extra", "fairy", "fancy", "field", "finch", "flame", "flask", "fleet", "flour",
    "flute", "focus", "forge", "fruit", "fudge", "fungi", "gauge", "gecko", "genie", "giant", "glass",
    "globe", "goose", "grape", "guava", "guide", "heart", "hedge", "heron", "hippo", "hobby", "hotel",
    "human", "humid", "husky", "icing", "igloo", "image", "inlet", "input", "ivory", "jelly", "jewel",
    "joker", "jumbo", "kayak", "kiosk", "kitty", "koala", "label", "laser", "lemon", "lever", "light",
    "lilac", "linen", "llama", "local", "logic", "lotus", "lucky", "lunch", "lyric", "mango", "manor",
    "maple", "medal", "melon", "mercy", "metro", "mixer", "model", "mound", "mouse", "movie", "mural",
    "music", "nacho", "navel", "noble", "north", "nurse", "nylon", "ocean", "onion", "orbit", "organ",
    "otter", "oxide", "ozone", "paint", "panel", "paper", "party", "pasta", "patio", "penny", "piano",
    "pilot", "pixel", "pizza", "plaza", "plume", "polar", "poppy", "porch", "prism", "proud", "pupil",
    "quail", "quart", "quest", "radar", "rally", "ranch", "raven", "ridge", "robot", "rodeo", "royal",
    "salad", "salsa", "satin", "sauna", "shark", "sheep", "shelf", "skate", "smile", "snack", "sonic",
    "spade", "spice", "spoon", "squid", "stamp", "stone", "stork", "sugar", "sunny", "sushi", "syrup",
    "talon", "teddy", "tempo", "tiger", "token", "topaz", "tower", "track", "trail", "tulip", "tunic",
    "turbo", "tutor", "twice", "uncle", "unity", "urban", "valve", "vault", "video", "vinyl", "visit",
    "vital", "vivid", "wagon", "whale", "wheat", "width", "windy", "world", "woven", "yacht", "yeast",
    "young", "zebra", "zesty",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use zeroize::Zeroizing;

    use super::*;
    use crate::key::SecretKey;

    fn key(seed: u8) -> PublicKey {
        SecretKey::from_seed(&Zeroizing::new([seed; 32])).public()
    }

    #[test]
    fn every_part_changes_the_words() {
        let say = |inviter, newcomer, invite, binding| {
            words(&[inviter; 16], &key(newcomer), &InviteId::new([invite; 8]), &Binding::new([binding; 32]))
        };
        let all = [say(1, 1, 1, 1), say(2, 1, 1, 1), say(1, 2, 1, 1), say(1, 1, 2, 1), say(1, 1, 1, 2)];
        assert_eq!(BTreeSet::from(all.clone()).len(), all.len(), "{all:?}");
        assert!(all.iter().all(|said| said.len() == SPOKEN * 6 - 1), "{all:?}");
    }

    #[test]
    fn no_two_words_can_be_taken_for_each_other() {
        for (at, word) in WORDS.iter().enumerate() {
            assert!(word.len() == 5 && word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
            let differs = |other: &str| word.bytes().zip(other.bytes()).filter(|(a, b)| a != b).count() >= 2;
            assert!(WORDS[..at].iter().all(|other| differs(other)), "{word} is too like another");
        }
    }
}
