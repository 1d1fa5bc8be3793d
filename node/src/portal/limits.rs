//! Every bound of the portal, each with its reason.
//!
//! Nothing a stranger sends may make the node hold more than these add up to.

use std::time::Duration;

/// Longest request target in bytes. A query of [`QUERY_CHARS_MAX`] Korean characters takes 9,000 bytes once it is
/// percent-encoded; the rest is for filters of the page and its language.
pub(super) const TARGET_BYTES_MAX: usize = 12 * 1024;

/// Longest query in characters: the bound of the search itself, checked here so that the page can say so.
pub(super) const QUERY_CHARS_MAX: usize = 1_000;

/// Request line and headers together, in bytes: the target and as much again for what browsers add.
pub(super) const HEAD_BYTES_MAX: usize = 24 * 1024;

/// Longest target in bytes that every link of a page may repeat; of a longer one each page has a single copy or two. Some
/// forty Korean characters: what people type is shorter.
pub(super) const REPEATED_BYTES_MAX: usize = 400;

/// Longest path in bytes that links to other languages repeat: that of a record is 40, of a member at most 60.
pub(super) const PATH_BYTES_MAX: usize = 128;

/// Headers in one request: browsers send about twenty, proxies add ten.
pub(super) const HEADERS_MAX: usize = 64;

/// How long a client may take to send a request's headers, and to stay idle between two: a phone on a bad link
/// needs seconds, a slow-header attack needs minutes.
pub(super) const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take to make: a search takes milliseconds, so after this something is wrong and the
/// reader should be told rather than kept.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers made at once. They run on blocking threads and read from disk; more would only compete.
pub(super) const ANSWERS_AT_ONCE: usize = 16;

/// Connections open at once, within the usual limit of 1,024 file descriptors beside peers and store.
pub(super) const CONNECTIONS_MAX: usize = 256;

/// Connections from one address: a browser opens six, an office shares one address. A proxy on this machine is
/// exempt, for it speaks for everybody.
pub(super) const CONNECTIONS_PER_ADDRESS_MAX: usize = 32;

/// Age at which a connection is asked to end after its current answer.
pub(super) const CONNECTION_AGE_MAX: Duration = Duration::from_secs(120);

/// What a connection gets beyond its age to take the rest of an answer: a roster of 1 MB takes a 64 kbit/s link
/// 130 s. Then it is cut, so that slow readers cannot hold every connection.
pub(super) const CONNECTION_GRACE: Duration = Duration::from_secs(180);

/// What open connections get when the portal is shut down: within the node's drain.
pub(super) const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Results on one page.
pub(super) const RESULTS_PER_PAGE: u32 = 20;

/// Last result the search counts to; pages end there.
pub(super) const OFFSET_MAX: u32 = 10_000;

/// Values of one facet that are offered: more do not help to choose.
pub(super) const FACET_VALUES_SHOWN: usize = 8;

/// Practices on the start page.
pub(super) const NEWEST_SHOWN: u32 = 6;

/// Topics on the start page.
pub(super) const TOPICS_SHOWN: usize = 16;

/// Records of each kind on a member's page, before one kind is chosen.
pub(super) const MEMBER_RECORDS_SHOWN: u32 = 8;

/// Records of one kind on a page of a member's list.
pub(super) const MEMBER_RECORDS_PER_PAGE: u32 = 50;

/// Members named in the line on coverage, the oldest copies first.
pub(super) const STALE_MEMBERS_NAMED: usize = 3;

/// Versions listed on a record's page, newest first.
pub(super) const VERSIONS_SHOWN: usize = 50;

/// A copy confirmed current within this time counts as fresh.
pub(super) const FRESH_MS: u64 = 60 * 60 * 1_000;

/// Languages taken from one `Accept-Language` header: readers of more are rare, senders of thousands are not readers.
pub(super) const LANGUAGES_WANTED_MAX: usize = 8;
