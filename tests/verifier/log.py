"""Entries, epochs and proofs, by the rules at the head of proto/wego/v1/entry.proto."""

from types import SimpleNamespace

from keys import check_key, sha256, verifies
from roster import position, sized
from wire import read, require

# Rank of an opening: where its part of the epoch's number begins, from the highest down.
RANKS = (("reinception", 29, 3), ("recovery", 24, 5), ("rotation", 16, 8), ("continuation", 0, 16))


def parse(raw):
    """A well-formed entry; who wrote it is not known yet."""
    require(raw is not None, "an entry is missing")
    require(len(raw.header) <= 1_024, "a header is too long")
    header = read("EntryHeader", raw.header)
    require(header.format == 1, "an entry has another format")
    require(len(header.attachments) <= 8 and len(header.extensions) <= 8, "an entry has too many attachments or extensions")
    require(not any(extension.critical for extension in header.extensions), "an entry has an unknown critical extension")
    opens = header.epoch > 1 and header.seq == 1
    require(opens == (header.epoch_start is not None), "an epoch begins without an opening, or an opening stands elsewhere")
    entry = SimpleNamespace(
        raw=raw, header=header, origin=header.origin, at=position(header, "an entry's place"),
        prev=sized(header.prev, 32, "prev"), key_no=header.key_no, start=header.epoch_start,
        hash=sha256(b"\0", raw.header, sized(raw.signature, 64, "a signature")),
    )
    for field, size in (("record_id", 16), ("base", 32), ("payload_hash", 32), ("request_id", 16)):
        sized(getattr(header, field), size, field, optional=True)
    if header.recovery_key:
        check_key(header.recovery_key, "a recovery key")
    _check_payload(header, raw.payload)
    _check_opening(header.epoch_start)
    _check_endpoints(header.endpoint_change)
    return entry


def _check_payload(header, payload):
    require(header.payload_len <= 262_144, "a payload is too long")
    require(header.payload_hash or not header.payload_len, "payload_hash is missing")
    if payload is not None:
        sized(payload.nonce, 16, "a nonce")
        fits = len(payload.content) == header.payload_len and header.payload_hash
        require(fits and sha256(payload.nonce, payload.content) == header.payload_hash, "a payload is not its header's")


def _check_opening(start):
    if start is None:
        return
    require(start.base is not None, "an opening has no base")
    if (start.base.epoch, start.base.seq) != (1, 0):
        position(start.base, "an opening's base")
    sized(start.base_hash, 32, "base_hash")
    for field, size in (("proof_hash", 32), ("store_id", 16), ("next_log_key_digest", 32)):
        sized(getattr(start, field), size, field, optional=True)
    if start.log_key:
        check_key(start.log_key, "an epoch's log key")
    sized(start.base_opening, 32, "base_opening", optional=True)
    require(bool(start.base_opening) == (start.base.epoch > 1), "an opening pins no opening, or one of the first epoch")


def _check_endpoints(change):
    if change is None:
        return
    require(len(change.endpoints) <= 4 and 1 <= len(change.transport_keys) <= 3, "too many endpoints or transport keys")
    require(change.number > 0, "a change of endpoints has no number")
    plain = all(1 <= len(endpoint) <= 100 and endpoint.isascii() for endpoint in change.endpoints)
    require(plain, "an endpoint is empty, too long or not ASCII")
    for key in change.transport_keys:
        check_key(key, "a transport key")
    require(len(change.proofs) <= 3, "too many proofs of transport keys")
    for proof in change.proofs:
        check_key(proof.key, "a transport key")
        sized(proof.signature, 64, "a transport key's proof")


def is_signed(entry, federation, key):
    return verifies(key, b"entry", [federation, entry.raw.header], entry.raw.signature)


def rank_between(base, number):
    """By which rank an epoch with this number can follow an epoch `base`."""
    for rank, shift, width in RANKS:
        was, is_ = ((epoch >> shift) & (1 << width) - 1 for epoch in (base, number))
        if was != is_:
            below = number & (1 << shift) - 1
            return rank if is_ > was and below >> 16 == 0 else None
    return None


class Epochs:
    """The epochs known of one member's log: those above the first, by number and hash of their openings."""

    def __init__(self, member, federation):
        self.member, self.federation, self.known = member, federation, {}

    def get(self, number):
        """An epoch above the first, as a later one continues it; else the opening with the smallest hash."""
        for epoch in self._chain():
            if epoch.number == number:
                return epoch
        return self._least(number)

    def _least(self, number):
        return min((epoch for epoch in self.known.values() if epoch.number == number), key=lambda epoch: epoch.hash, default=None)

    def _chain(self):
        """From the highest epoch down."""
        epoch = self._least(max((number for number, _ in self.known), default=1))
        while epoch is not None:
            yield epoch
            epoch = self.known.get((epoch.base[0], epoch.below))

    def log_key(self, key_no, at):
        """The key with this number, if it may sign there."""
        if at[0] == 1:
            for key in self.member.log_keys:
                if key.key_no == key_no and key.from_ <= at and (key.until is None or at < key.until):
                    return key.key
            return None
        epoch = self.get(at[0])
        return epoch.key if epoch and epoch.key_no == key_no else None

    def judge(self, opening):
        """The epoch that an opening opens, its signature checked."""
        start, number = opening.start, opening.at[0]
        require(start is not None, "an entry opens no epoch")
        base = (start.base.epoch, start.base.seq)
        below = self.known.get((base[0], start.base_opening))
        require(base[0] == 1 or below, f"the opening of epoch {base[0]}, from which {number} continues, is not known")
        require(base[1] > 0 or start.base_hash == self.member.city_id, "an opening does not begin at the log's root")
        require(opening.prev == start.base_hash, "an opening does not follow its base")
        rank = rank_between(base[0], number)
        require(rank, f"an epoch {number} cannot follow epoch {base[0]}")
        signer, signer_no, key_no, next_ = self._keys(rank, opening, base, below)
        require(opening.key_no == signer_no, f"key {opening.key_no} may not open epoch {number}")
        carries = rank in ("rotation", "recovery")
        require(bool(start.log_key) == carries, f"epoch {number} has a log key where it may not, or none where it must")
        require(is_signed(opening, self.federation, signer), f"the signature that opens epoch {number} does not verify")
        return SimpleNamespace(
            number=number, rank=rank, base=base, key=start.log_key or signer, key_no=key_no, next=next_, hash=opening.hash,
            below=start.base_opening,
        )

    def admit(self, epoch):
        self.known[epoch.number, epoch.hash] = epoch

    def _keys(self, rank, opening, base, below):
        """Who must sign an opening: key and number; the epoch's key number, and what is committed to for the next."""
        start, number = opening.start, opening.at[0]
        before = (below.key_no, below.key) if below else self._first_key_after(base)
        committed = below.next if below else self._committed(base[0])[0]
        no_before = before[0] if before else 0
        wrong = f"its key may not open epoch {number} as a {rank}"
        if rank == "continuation":
            require(before, wrong)
            return before[1], before[0], before[0], committed
        if rank == "rotation":
            require(start.log_key and committed == sha256(start.log_key), wrong)
            return start.log_key, no_before + 1, no_before + 1, start.next_log_key_digest
        if rank == "recovery":
            recovery = opening.header.recovery_key
            require(recovery and self._committed(number)[1] == sha256(recovery), wrong)
            return recovery, 0, no_before + 1, start.next_log_key_digest
        given = [key for key in self.member.log_keys if key.from_ == opening.at]
        require(given, wrong)
        return given[0].key, given[0].key_no, given[0].key_no, self._committed(number)[0]

    def _first_key_after(self, at):
        """Number and key that sign right after a position of the first epoch."""
        next_ = (1, at[1] + 1)
        for key in reversed(self.member.log_keys):
            if key.from_ <= next_ and (key.until is None or next_ < key.until):
                return key.key_no, key.key
        return None

    def _committed(self, epoch):
        """What the member had committed to before the reinception that comes next after `epoch`."""
        later = [key.from_[0] for key in self.member.log_keys if key.from_[0] > max(epoch, 1)]
        if not later:
            return self.member.commits
        before = [key for key in self.member.log_keys if key.from_[0] < later[0]]
        return before[-1].committed if before else (b"", b"")

    def path(self):
        """What counts, oldest first: epoch, rank of its opening, seq of the last entry that counts (None: all)."""
        last, path = None, []
        for epoch in self._chain():
            path.insert(0, (epoch.number, epoch.rank, last))
            last = epoch.base[1]
        return [(1, "first", last)] + path

    def counts(self, at):
        """Whether nothing later made the position void."""
        return any(at[0] == number and (last is None or at[1] <= last) for number, _, last in self.path())


def read_epochs(raw_openings, origin, roster):
    """The openings that come with a proof, lowest number first."""
    require(len(raw_openings) <= 1_024, "too many epochs come with the proof")
    require(origin in roster.members, f"the roster has no member {origin}")
    epochs = Epochs(roster.members[origin], roster.federation)
    for raw in raw_openings:
        opening = parse(raw)
        require(opening.origin == origin, "an epoch in the proof is another member's")
        epochs.admit(epochs.judge(opening))
    return epochs


def check_signed(entry, epochs):
    """An entry's own signature, and that its author was not cut off before."""
    member = epochs.member
    at = f"{entry.at[0]}.{entry.at[1]}"
    require(entry.origin == member.origin, f"an entry is not {member.handle}'s")
    require(member.cut is None or entry.at <= member.cut.at, f"{member.handle} was cut off before {at}")
    if entry.start is not None:
        epochs.judge(entry)
        return
    key = epochs.log_key(entry.key_no, entry.at)
    require(key, f"{member.handle} had no log key {entry.key_no} at {at}")
    require(is_signed(entry, epochs.federation, key), f"the signature of {member.handle} {at} does not verify")


def contradict(left, right):
    """Whether two entries, whoever signed them, contradict each other."""
    follows = left.prev == right.prev or (left.start is not None and right.start is not None)
    return left.origin == right.origin and left.at == right.at and follows and left.hash != right.hash


def check_fork(proof, roster):
    """The two entries of a proof, and the epochs that come with it."""
    require(proof is not None, "there is no proof in it")
    left, right = parse(proof.left), parse(proof.right)
    epochs = read_epochs(proof.epochs, left.origin, roster)
    for entry in (left, right):
        check_signed(entry, epochs)
    require(contradict(left, right) and left.hash < right.hash, "the entries do not contradict each other")
    return left, right, epochs
