//! The known word nearest to a mistyped one. It suggests and never decides.

/// The candidate that `typed` was probably meant to be, if any is near enough.
///
/// A key that is right but in the wrong section counts as one mistake.
pub(super) fn nearest(typed: &str, candidates: &[String]) -> Option<String> {
    let enough = 2.max(typed.len() / 3);
    candidates
        .iter()
        .map(|candidate| (distance(typed, candidate), candidate))
        .filter(|(distance, _)| *distance <= enough)
        .min()
        .map(|(_, candidate)| candidate.clone())
}

fn distance(typed: &str, candidate: &str) -> usize {
    let key = |dotted: &str| dotted.rsplit('.').next().map(str::to_owned);
    if key(typed) == key(candidate) {
        return 1;
    }
    edits(typed, candidate)
}

/// Levenshtein's distance in bytes.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, byte) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(byte != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<String> {
        ["store.cache_mib", "peers.sessions_max", "node.handle"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_slip_of_the_finger_finds_the_key() {
        assert_eq!(nearest("store.cashe_mib", &known()).as_deref(), Some("store.cache_mib"));
        assert_eq!(nearest("nod.handle", &known()).as_deref(), Some("node.handle"));
    }

    #[test]
    fn a_key_in_the_wrong_section_finds_its_own() {
        assert_eq!(nearest("limits.sessions_max", &known()).as_deref(), Some("peers.sessions_max"));
    }

    #[test]
    fn a_foreign_word_finds_nothing() {
        assert_eq!(nearest("telescope", &known()), None);
    }
}
