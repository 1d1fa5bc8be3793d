//! Every bound on what a peer can make grow, with its reason.

/// Entries in one `Entries` message: a signature check amortised over 256 is below the cost of their hashes.
pub const ENTRIES_PER_MESSAGE_MAX: usize = 512;
/// Entries a sender puts into one message.
pub const ENTRIES_PER_MESSAGE: usize = 256;
/// Largest encoded session message in bytes, and what `Hello` announces.
pub const MESSAGE_BYTES_MAX: usize = 1_024 * 1_024;
/// Bytes of entries a sender puts into one message: room for framing and for one largest entry on top.
pub const ENTRIES_BYTES: usize = 512 * 1_024;
/// Entries asked for by one `Pull`: on a long link the next request costs one round trip for so many.
pub const PULL_ENTRIES: u64 = 16_384;
/// Pulls under way at once: enough to keep every link busy, few enough to forget nothing.
pub const PULLS_MAX: usize = 64;
/// Pulls under way at once with one peer: it answers one after the other, so more would only wait there, and no
/// peer holds more than its share.
pub const PULLS_PER_PEER_MAX: usize = 2;
/// Requests of one peer served at once; above it the peer is told to wait.
pub const SERVED_PER_PEER_MAX: usize = 16;
/// A pull without an answer for so long, in ms, goes to another source.
pub const PULL_STALL_MS: u64 = 10_000;
/// Time between two comparisons of heads with one peer, in ms, before jitter of a quarter.
pub const ANTI_ENTROPY_MS: u64 = 60_000;
/// A peer is asked for its heads at most so often, in ms.
pub const HEADS_REQUEST_MS: u64 = 2_000;
/// Heads, notes or fork proofs in one message: 10,000 heads are 480 KB.
pub const HEADS_PER_MESSAGE_MAX: usize = 10_000;
/// Fork proofs in one message: each holds two headers.
pub const FORK_PROOFS_PER_MESSAGE_MAX: usize = 256;
/// Roster versions sent or taken in one step (The Update Framework bounds its root rotations alike).
pub const ROSTER_STEPS_MAX: usize = 1_024;
/// Roster proposals kept: a committee works on a few at once, and each may be a megabyte. Above it there is one for each
/// governance key that has signed none of these.
pub const PROPOSALS_MAX: usize = 8;
/// Of those, how many one key may sign alone or with others that have had their share: all follow one version, and at
/// most one of them is adopted.
pub const PROPOSALS_PER_KEY_MAX: usize = 2;
/// Numbers for which more than one fully signed version is kept. Each took a committee that decided twice.
pub const CONFLICTS_MAX: usize = 16;
/// Changes of endpoints looked at in a log, all again when one is added: 64 rotations of a transport key take two each.
pub const ENDPOINT_CHANGES_MAX: usize = 128;
/// Sessions open at once.
pub const SESSIONS_MAX: usize = 64;
/// Time a new session has to say hello, in ms.
pub const HELLO_MS: u64 = 10_000;
/// Members this node keeps a session with when there are more than it could: the overlay's degree.
pub const DEGREE: usize = 16;
/// Own entries of one group commit.
pub const APPEND_BATCH_MAX: usize = 512;
/// Characters of a reject's text that are kept for the log.
pub const REJECT_TEXT_MAX: usize = 300;
/// Notes go to one peer at most so often, in ms: a burst of writes becomes one note.
pub const NOTES_WINDOW_MS: u64 = 20;
/// After the store refused entries, none are fetched for so long, in ms.
pub const INTAKE_PAUSE_MS: u64 = 5_000;
/// Logs that a receipt names. A federation of more members needs receipts that say what changed since the last one.
pub const RECEIPT_LOGS_MAX: usize = 1_000;
/// Largest encoded receipt in bytes: a thousand logs of 23 bytes, with room for the rest.
pub const RECEIPT_BYTES_MAX: usize = 24 * 1_024;
/// Receipts in one message: it stays small, and a peer's flood costs so many signature checks at a time.
pub const RECEIPTS_PER_MESSAGE_MAX: usize = 256;
/// A member makes a receipt at most so often, in ms, unless an erasure was carried out.
pub const RECEIPTS_MS: u64 = 60_000;
/// And at most so often because an erasure was carried out: a member that orders one after the other must not make every
/// node sign and pass on a receipt for each.
pub const URGENT_RECEIPTS_MS: u64 = 5_000;
/// Buckets that a request for heads may name: an origin's is its index modulo this.
pub const HEAD_BUCKETS: usize = 128;
/// Members that must have confirmed the own log before a start writes, at most: half of the overlay's degree, for
/// more than its peers a node cannot ask.
pub const RECOVERY_QUORUM_MAX: usize = 8;
/// How often a member may name entries of the own log that it does not show, before a start goes on as if it could not be
/// reached.
pub const OWN_CLAIMS_MAX: u32 = 3;
/// One member hands out the own log to a start for so long, in ms, while another one has it too.
pub const OWN_PULL_MS: u64 = 30_000;
/// While not all other members have confirmed the own log, a start waits so long, in ms, for those that answer later:
/// a peer that is there is dialled and greeted well within it.
pub const RECOVERY_GRACE_MS: u64 = 3_000;
/// When another start of this member may be alive, so long, in ms, nothing is written: its peers tell it of this one
/// at once, and a lost link is dialled anew within a second.
pub const TWIN_SETTLE_MS: u64 = 5_000;
/// Epochs of one member, of which nothing counts here, that are remembered of a peer: it can name as many as it likes.
pub const UNKNOWN_EPOCHS_MAX: usize = 8;
/// Largest encoded fork proof in bytes: two headers, and the openings of a few hundred epochs.
pub const FORK_PROOF_BYTES_MAX: usize = 256 * 1_024;
/// Bytes of fork proofs a sender puts into one message.
pub const FORK_PROOFS_BYTES: usize = 512 * 1_024;
/// Bytes of openings a sender puts before the one that was asked for. Whoever lacks more asks for the lower epochs first.
pub const OPENINGS_BYTES: usize = 256 * 1_024;
/// Openings taken with the one that was asked for: so many fit into what is sent, if they say next to nothing.
pub const OPENINGS_MAX: usize = 1_024;
