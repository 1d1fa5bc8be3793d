//! Topics that a query names in any language, so that datos abiertos also finds what a Korean city called 열린데이터.
//!
//! It knows the labels that come with the software and nothing else: no model, no network.

use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use wego_catalogue::vocabulary;

use super::tokenizer::{parts, whole};

/// Words of the longest run that is compared with labels.
const LABEL_WORDS_MAX: usize = 8;
/// Topics that the beginning of a label may mean; of more, it means none.
const BEGUN_TOPICS_MAX: usize = 3;

/// A topic that was searched for beside the words of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    /// Scheme of the code.
    pub scheme: &'static str,
    /// Code; the catalogue's vocabulary has its labels.
    pub code: &'static str,
}

/// Neighbouring words of a query, with the topics that they name together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) words: Range<usize>,
    pub(super) topics: Vec<Topic>,
}

/// Divides the words of a query into runs, longest labels first. `None` is a phrase, which means only itself.
pub(super) fn runs(words: &[Option<&str>]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < words.len() {
        let longest = (start + 1..=words.len().min(start + LABEL_WORDS_MAX)).rev();
        let run = longest.filter_map(|end| named(words, start..end)).next();
        let run = run.unwrap_or(Run { words: start..start + 1, topics: Vec::new() });
        start = run.words.end;
        runs.push(run);
    }
    if runs.iter().all(|run| run.topics.is_empty()) {
        return begun(words).map_or(runs, |run| vec![run]);
    }
    runs
}

/// The run whose words are a label.
fn named(words: &[Option<&str>], range: Range<usize>) -> Option<Run> {
    let text = text(&words[range.clone()])?;
    let keys = whole(&parts(&text));
    let mut topics: Vec<Topic> = keys.iter().filter_map(|key| LABELS.get(key)).flatten().copied().collect();
    topics.sort_unstable();
    topics.dedup();
    (!topics.is_empty()).then_some(Run { words: range, topics })
}

/// The whole query, where labels of few topics begin with it.
fn begun(words: &[Option<&str>]) -> Option<Run> {
    let named = vocabulary::concepts_named(&text(words)?);
    let few = (1..=BEGUN_TOPICS_MAX).contains(&named.len());
    let topics = named.into_iter().map(|(scheme, code)| Topic { scheme, code }).collect();
    few.then_some(Run { words: 0..words.len(), topics })
}

fn text(words: &[Option<&str>]) -> Option<String> {
    words.iter().copied().collect::<Option<Vec<&str>>>().map(|words| words.join(" "))
}

/// Topics by their labels in all languages, as the tokenizer sees these.
static LABELS: LazyLock<BTreeMap<String, Vec<Topic>>> = LazyLock::new(|| {
    let mut labels: BTreeMap<String, Vec<Topic>> = BTreeMap::new();
    for scheme in vocabulary::SCHEMES {
        for concept in vocabulary::concepts(scheme) {
            for key in concept.labels.iter().flat_map(|label| whole(&parts(label))) {
                labels.entry(key).or_default().push(Topic { scheme, code: concept.code });
            }
        }
    }
    labels
});

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN_DATA: Topic = Topic { scheme: vocabulary::WEGO_TOPIC, code: "open-data" };

    #[test]
    fn a_label_in_any_language_names_its_topic() {
        for query in ["open data", "Datos Abiertos", "dades obertes", "dados abertos", "offene daten"] {
            let words: Vec<Option<&str>> = query.split(' ').map(Some).collect();
            assert_eq!(runs(&words), [Run { words: 0..2, topics: vec![OPEN_DATA] }], "{query}");
        }
    }

    #[test]
    fn a_label_is_found_among_other_words() {
        let words = ["sevilla", "datos", "abiertos", "2024"].map(Some);
        let runs = runs(&words);
        assert_eq!(runs.iter().map(|run| run.words.clone()).collect::<Vec<_>>(), [0..1, 1..3, 3..4]);
        assert_eq!(runs[1].topics, [OPEN_DATA]);
    }

    #[test]
    fn a_phrase_means_only_itself() {
        assert!(runs(&[None]).iter().all(|run| run.topics.is_empty()));
        assert!(runs(&[Some("datos"), None]).iter().all(|run| run.topics.is_empty()));
    }

    #[test]
    fn the_beginning_of_a_label_names_it_only_where_few_begin_so() {
        assert_eq!(runs(&["datos".into(), "abier".into()])[0].topics, [OPEN_DATA]);
        for run in runs(&["zzzz".into()]) {
            assert!(run.topics.is_empty());
        }
    }
}
