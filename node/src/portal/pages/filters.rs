//! Filters as they stand in a query: reading them out, adding one, taking one away.
//!
//! Only for links: what a filter means is the search's business, and a query is never mended here.

use crate::portal::labels::FACETS;

/// A filter of a query, as it is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filter<'a> {
    /// As written, with quotation marks.
    pub(super) written: &'a str,
    /// "city"
    pub(super) field: &'a str,
    /// "kr-seoul"
    pub(super) value: &'a str,
}

/// The filters of a query, in order. Excluding ones stay with the words.
pub(super) fn filters(query: &str) -> Vec<Filter<'_>> {
    clauses(query).into_iter().filter_map(filter).collect()
}

/// The query with one more filter.
pub(super) fn with(query: &str, field: &str, value: &str) -> String {
    and(query, &written(field, value))
}

/// The query with one more clause, as it is written.
pub(super) fn and(query: &str, clause: &str) -> String {
    if query.is_empty() { clause.to_owned() } else { format!("{query} {clause}") }
}

/// The query without one of its filters, as it is written there.
pub(super) fn without(query: &str, filter: &str) -> String {
    let rest: Vec<&str> = clauses(query).into_iter().filter(|clause| *clause != filter).collect();
    rest.join(" ")
}

/// A filter as it is typed; a value with spaces needs quotation marks.
pub(super) fn written(field: &str, value: &str) -> String {
    if value.contains(char::is_whitespace) && !value.contains('"') {
        format!("{field}:\"{value}\"")
    } else {
        format!("{field}:{value}")
    }
}

fn filter(clause: &str) -> Option<Filter<'_>> {
    let (field, value) = clause.split_once(':')?;
    let field = FACETS.into_iter().find(|known| known.eq_ignore_ascii_case(field))?;
    let value = value.trim_matches('"');
    (!value.is_empty()).then_some(Filter { written: clause, field, value })
}

/// The query cut at spaces outside of quotation marks.
fn clauses(query: &str) -> Vec<&str> {
    let mut quoted = false;
    let parts = query.split(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    parts.filter(|clause| !clause.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_goes_in_and_comes_out_again() {
        let query = "open \"in the city\" -old";
        let narrowed = with(&with(query, "licence", "CC BY 4.0"), "city", "kr-seoul");
        assert_eq!(narrowed, "open \"in the city\" -old licence:\"CC BY 4.0\" city:kr-seoul");
        let found = filters(&narrowed);
        assert_eq!(
            found.iter().map(|f| (f.field, f.value)).collect::<Vec<_>>(),
            [("licence", "CC BY 4.0"), ("city", "kr-seoul")]
        );
        assert_eq!(without(&without(&narrowed, found[0].written), found[1].written), query);
    }

    #[test]
    fn what_only_looks_like_a_filter_is_a_word() {
        for query in ["https://a.example", "note: this", "-city:kr-seoul", "\"city:kr-seoul\"", "city:"] {
            assert_eq!(filters(query), [], "{query}");
        }
    }
}
