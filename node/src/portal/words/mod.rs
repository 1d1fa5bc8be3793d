//! The portal's own words in each of its languages, complete by construction: a table that lacks a word does not
//! compile. Never holds a word that came from a record.

mod de;
mod en;
mod es;
mod fr;
mod ko;
mod pt;
mod zh;

use super::language;

/// The languages of the pages, in the order in which they are offered. The first is what a reader gets who asks
/// for none of them.
pub(super) const ALL: [&Words; 7] =
    [&en::WORDS, &ko::WORDS, &fr::WORDS, &de::WORDS, &es::WORDS, &pt::WORDS, &zh::WORDS];

/// The words for the first of `wanted` that the pages speak.
pub(super) fn for_reader(wanted: &[String]) -> &'static Words {
    wanted
        .iter()
        .find_map(|tag| ALL.into_iter().find(|words| language::is_same(words.tag, tag)))
        .unwrap_or(ALL[0])
}

/// A phrase with its named gaps filled.
pub(super) fn filled(phrase: &str, gaps: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(phrase.len() + 16);
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = gaps.iter().find(|(gap, _)| *gap == name).map_or("", |(_, value)| value);
        out.push_str(before);
        out.push_str(value);
        rest = after;
    }
    out + rest
}

/// Every word and phrase. Gaps are written `{name}`; lists follow the numbers of the enumeration they name.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) tag: &'static str,
    pub(super) name: &'static str,
    pub(super) thousands: &'static str,
    pub(super) decimal: &'static str,

    pub(super) skip: &'static str,
    pub(super) search: &'static str,
    pub(super) federation: &'static str,
    pub(super) about: &'static str,
    pub(super) language: &'static str,
    pub(super) search_label: &'static str,
    pub(super) search_hint: &'static str,
    pub(super) served_by: &'static str,
    pub(super) served_how: &'static str,

    pub(super) now: &'static str,
    pub(super) minutes: [&'static str; 2],
    pub(super) hours: [&'static str; 2],
    pub(super) days: [&'static str; 2],
    pub(super) never: &'static str,
    pub(super) data_age: &'static str,
    pub(super) unknown: &'static str,

    pub(super) hero: &'static str,
    pub(super) hero_lead: &'static str,
    pub(super) members: &'static str,
    pub(super) countries: &'static str,
    pub(super) records: &'static str,
    pub(super) newest: &'static str,
    pub(super) no_newest: &'static str,
    pub(super) browse_topics: &'static str,
    pub(super) browse_members: &'static str,
    pub(super) all_members: &'static str,

    pub(super) results: &'static str,
    pub(super) results_for: &'static str,
    pub(super) none_found: &'static str,
    pub(super) none_found_hint: &'static str,
    pub(super) also_searched: &'static str,
    pub(super) corrected: &'static str,
    pub(super) behind: &'static str,
    pub(super) coverage: &'static str,
    pub(super) and_more: &'static str,
    pub(super) narrow: &'static str,
    pub(super) filters: &'static str,
    pub(super) remove_filter: &'static str,
    pub(super) facets: [&'static str; 7],
    pub(super) pages: &'static str,
    pub(super) page_of: &'static str,
    pub(super) previous: &'static str,
    pub(super) next: &'static str,

    pub(super) kinds: [&'static str; 3],
    pub(super) kinds_plural: [&'static str; 3],
    pub(super) stages: [&'static str; 5],
    pub(super) adoption_stages: [&'static str; 5],
    pub(super) publication_states: [&'static str; 4],
    pub(super) evidence_levels: [&'static str; 5],
    pub(super) levels: [&'static str; 5],
    pub(super) roles: [&'static str; 6],
    pub(super) statuses: [&'static str; 5],

    pub(super) withdrawn: &'static str,
    pub(super) withdrawn_reason: &'static str,
    pub(super) withdrawn_no_reason: &'static str,
    pub(super) erased_title: &'static str,
    pub(super) erased_by: &'static str,
    pub(super) taken_down: &'static str,
    pub(super) erase_reason: &'static str,
    pub(super) erase_reasons: [&'static str; 5],
    pub(super) clock_ahead: &'static str,
    pub(super) erased: &'static str,
    pub(super) not_verified: &'static str,
    pub(super) also_in: &'static str,
    pub(super) translated_by_person: &'static str,
    pub(super) translated_by_machine: &'static str,
    pub(super) translated_from: &'static str,
    pub(super) translated_for: &'static str,
    pub(super) translation_stale: &'static str,

    pub(super) problem: &'static str,
    pub(super) approach: &'static str,
    pub(super) practice_results: &'static str,
    pub(super) what_failed: &'static str,
    pub(super) conditions: &'static str,
    pub(super) lessons: &'static str,
    pub(super) headline: &'static str,
    pub(super) details: &'static str,
    pub(super) adopted_by: &'static str,
    pub(super) adopted_by_none: &'static str,
    pub(super) adopted_how: &'static str,
    pub(super) not_counted: &'static str,
    pub(super) own_adoption: &'static str,

    pub(super) facts: &'static str,
    pub(super) stage: &'static str,
    pub(super) started: &'static str,
    pub(super) cost_total: &'static str,
    pub(super) cost_per_year: &'static str,
    pub(super) prices_of: &'static str,
    pub(super) staff: &'static str,
    pub(super) months_to_live: &'static str,
    pub(super) population_served: &'static str,
    pub(super) evidence: &'static str,
    pub(super) owner: &'static str,
    pub(super) jurisdiction: &'static str,
    pub(super) place: &'static str,
    pub(super) topics: &'static str,
    pub(super) keywords: &'static str,
    pub(super) licence: &'static str,
    pub(super) contacts: &'static str,
    pub(super) links: &'static str,
    pub(super) relations: &'static str,
    pub(super) relation_types: [&'static str; 5],
    pub(super) other_ids: &'static str,
    pub(super) solutions: &'static str,
    pub(super) organisations: &'static str,
    pub(super) created: &'static str,
    pub(super) modified: &'static str,
    pub(super) valid_from: &'static str,
    pub(super) valid_to: &'static str,
    pub(super) assured_on: &'static str,

    pub(super) adopts: &'static str,
    pub(super) since: &'static str,
    pub(super) changed: &'static str,
    pub(super) reused: &'static str,
    pub(super) reason_withdrawn: &'static str,
    pub(super) cost: &'static str,
    pub(super) recommends: &'static str,
    pub(super) out_of_five: &'static str,
    pub(super) target_version: &'static str,

    pub(super) publisher: &'static str,
    pub(super) identifier: &'static str,
    pub(super) publication_state: &'static str,
    pub(super) access_level: &'static str,
    pub(super) dataset_licence: &'static str,
    pub(super) rights: &'static str,
    pub(super) frequency: &'static str,
    pub(super) temporal: &'static str,
    pub(super) spatial: &'static str,
    pub(super) languages: &'static str,
    pub(super) landing_page: &'static str,
    pub(super) themes: &'static str,
    pub(super) issued: &'static str,
    pub(super) described_by: &'static str,
    pub(super) distributions: &'static str,
    pub(super) untitled: &'static str,
    pub(super) download: &'static str,
    pub(super) access: &'static str,
    pub(super) conforms_to: &'static str,

    pub(super) provenance: &'static str,
    pub(super) verified: &'static str,
    pub(super) verified_short: &'static str,
    pub(super) unverified: &'static str,
    pub(super) signed_by: &'static str,
    pub(super) position: &'static str,
    pub(super) signed_at: &'static str,
    pub(super) received_at: &'static str,
    pub(super) key: &'static str,
    pub(super) fingerprint: &'static str,
    pub(super) entry_hash: &'static str,
    pub(super) record_id: &'static str,
    pub(super) imported: &'static str,
    pub(super) imported_from: &'static str,
    pub(super) original_publisher: &'static str,
    pub(super) importer: &'static str,
    pub(super) fetched_at: &'static str,
    pub(super) source_hash: &'static str,
    pub(super) check: &'static str,
    pub(super) check_how: &'static str,
    pub(super) check_roster: &'static str,
    pub(super) proof: &'static str,
    pub(super) roster_file: &'static str,
    pub(super) history: &'static str,
    pub(super) version: &'static str,
    pub(super) newest_version: &'static str,
    pub(super) entry_kinds: [&'static str; 3],
    pub(super) size: &'static str,
    pub(super) contents_gone: &'static str,
    pub(super) older_left_out: &'static str,

    pub(super) role: &'static str,
    pub(super) term: &'static str,
    pub(super) status: &'static str,
    pub(super) head: &'static str,
    pub(super) no_head: &'static str,
    pub(super) city_id: &'static str,
    pub(super) log_keys: &'static str,
    pub(super) transport_keys: &'static str,
    pub(super) key_from: &'static str,
    pub(super) key_until: &'static str,
    pub(super) website: &'static str,
    pub(super) fork_warning: &'static str,
    pub(super) fork_short: &'static str,
    pub(super) inactive_warning: &'static str,
    pub(super) show_all: &'static str,
    pub(super) no_records: &'static str,

    pub(super) roster: &'static str,
    pub(super) roster_version: &'static str,
    pub(super) federation_id: &'static str,
    pub(super) issued_at: &'static str,
    pub(super) soft_expiry: &'static str,
    pub(super) soft_expired: &'static str,
    pub(super) governance: &'static str,
    pub(super) of_keys: &'static str,
    pub(super) reach: &'static str,
    pub(super) reach_self: &'static str,
    pub(super) reach_connected: &'static str,
    pub(super) reach_away: &'static str,

    pub(super) about_title: &'static str,
    pub(super) about_sections: [(&'static str, &'static str); 6],

    pub(super) not_found: &'static str,
    pub(super) not_found_text: &'static str,
    pub(super) bad_request: &'static str,
    pub(super) bad_query_text: &'static str,
    pub(super) query_too_long: &'static str,
    pub(super) bad_page: &'static str,
    pub(super) not_allowed: &'static str,
    pub(super) not_allowed_text: &'static str,
    pub(super) too_long: &'static str,
    pub(super) too_long_text: &'static str,
    pub(super) unavailable: &'static str,
    pub(super) unavailable_text: &'static str,
    pub(super) failed: &'static str,
    pub(super) failed_text: &'static str,
    pub(super) to_start: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_filled_once_and_a_value_with_braces_stays_as_it_is() {
        assert_eq!(filled("{n} of {all}", &[("n", "{all}"), ("all", "9")]), "{all} of 9");
        assert_eq!(filled("no gap", &[("n", "1")]), "no gap");
    }

    #[test]
    fn every_language_fills_the_same_gaps() {
        let gaps = |words: &Words| {
            let text = format!("{words:?}");
            let mut found: Vec<String> = text
                .split('{')
                .skip(1)
                .filter_map(|part| part.split_once('}'))
                .map(|(name, _)| name.to_owned())
                .filter(|name| name.chars().all(|c| c.is_ascii_lowercase()))
                .collect();
            found.sort();
            found
        };
        for words in ALL {
            assert_eq!(gaps(words), gaps(ALL[0]), "{}", words.tag);
        }
    }

    #[test]
    fn the_languages_are_distinct_and_english_is_the_last_resort() {
        assert_eq!(for_reader(&["ja".to_owned()]).tag, "en");
        assert_eq!(for_reader(&["ja".to_owned(), "zh-Hant".to_owned()]).tag, "zh");
        let mut tags: Vec<&str> = ALL.iter().map(|words| words.tag).collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), ALL.len());
    }
}
