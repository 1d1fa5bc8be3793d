//! Every bound on what a record may hold. Characters are Unicode scalar values.
//!
//! The payload limit of an entry (262,144 bytes) bounds the whole; these keep one field from taking all of it,
//! and pages, indexes and answers readable. No bound is written anywhere else.

/// Languages of one text: more than any city publishes in.
pub const LANGS_MAX: usize = 40;
/// Characters of a title: what a list can show.
pub const TITLE_CHARS_MAX: usize = 300;
/// Characters of a summary, and of the reason for a withdrawal, which stand in lists.
pub const SUMMARY_CHARS_MAX: usize = 1_000;
/// Characters of a summary beyond which lists cut it off; the limit of publiccode.yml's short description.
pub const SUMMARY_CHARS_ADVISED: usize = 150;
/// Characters of any longer text: the longest description met in a real catalogue has 57,249.
pub const TEXT_CHARS_MAX: usize = 65_536;
/// Characters of a name, a role, a unit, a heading.
pub const LINE_CHARS_MAX: usize = 500;
/// Characters of what is kept as it was published: identifiers, licences, intervals.
pub const PUBLISHED_CHARS_MAX: usize = 4_000;
/// Characters of a URL: beyond this browsers and servers disagree.
pub const URL_CHARS_MAX: usize = 4_096;
/// Characters of a keyword.
pub const KEYWORD_CHARS_MAX: usize = 200;
/// Characters of a decimal number: enough for any budget in any currency.
pub const DECIMAL_CHARS_MAX: usize = 24;
/// Topics of a record: with more it is about nothing.
pub const TOPICS_MAX: usize = 20;
/// Keywords of a record.
pub const KEYWORDS_MAX: usize = 50;
/// Contacts, links, relations, other ids, related organisations, figures: each is read by a person.
pub const ITEMS_MAX: usize = 50;
/// Files of a dataset: the largest real one has fewer than 300.
pub const DISTRIBUTIONS_MAX: usize = 500;
/// First and last year that anything here can have happened in.
pub const YEARS: std::ops::RangeInclusive<i32> = 1900..=2100;
/// Months from decision to live: a century.
pub const MONTHS_MAX: u32 = 1_200;
/// Persons served: more than there are.
pub const POPULATION_MAX: u64 = 10_000_000_000;
/// Problems, and warnings, reported of one record: more are not read, and the answer must fit a message.
pub const PROBLEMS_MAX: usize = 100;
