"""The roster chain, by the rules at the head of proto/wego/v1/roster.proto."""

import re
import unicodedata
from types import SimpleNamespace

from keys import check_key, sha256, verifies
from wire import read, require

ACTIVE, FORKED = 1, 5
PRESIDENT = 2
SEQ_END = 1 << 53


def position(raw, what):
    """A position as a pair, which sorts as positions do."""
    require(raw is not None, f"{what} is missing")
    require(raw.epoch >= 1 and 1 <= raw.seq < SEQ_END, f"{what} is no position")
    return raw.epoch, raw.seq


def sized(data, size, what, optional=False):
    require(len(data) == size or (optional and not data), f"{what} must be {size} bytes")
    return data


def open_chain(data):
    """All versions from the first on, each checked against the one before."""
    versions = []
    for signed in read("RosterChain", data).versions:
        versions.append(follow(versions[-1] if versions else None, signed))
    require(versions, "there is no version in it")
    return versions


def follow(before, signed):
    """The version that `signed` is, after `before` or as the first."""
    next_ = _parse(signed.roster)
    if before is None:
        require(next_.version == 1, "it does not begin with version 1")
    else:
        require(next_.federation == before.federation, "a version belongs to another federation")
        require(next_.version == before.version + 1, f"version {next_.version} does not follow {before.version}")
        require(next_.raw.prev_hash == before.hash, f"version {next_.version} names another predecessor")
        _check_promises(before, next_)
        _require_threshold(before.governance, signed, f"version {next_.version}, the predecessor's keys")
    _require_threshold(next_.governance, signed, f"version {next_.version}, its own keys")
    return next_


def _require_threshold(governance, signed, whose):
    first = {}  # each key counts once, and of several signatures of one key only the first
    for one in signed.signatures[:128]:
        first.setdefault(bytes(one.key), one)
    counted = [one for key, one in first.items() if key in governance.keys]
    have = sum(verifies(one.key, b"roster", [signed.roster], one.signature) for one in counted)
    need = governance.threshold
    require(have >= need, f"{whose}: {have} of the {need} signatures are there")


def _parse(data):
    require(len(data) <= 983_040, "a version is too long")
    raw = read("Roster", data)
    require(raw.format == 1 and raw.version >= 1, "a version has another format or no number")
    require(len(raw.members) <= 20_000, "there are too many members")
    hash_ = sha256(data)
    if raw.version > 1:
        sized(raw.prev_hash, 32, "prev_hash")
        sized(raw.federation_id, 32, "federation_id")
    governance = raw.governance
    require(governance is not None and len(governance.keys) <= 64, "governance is missing or too large")
    for key in governance.keys:
        check_key(key, "a governance key")
    count = len(set(governance.keys))
    require(count == len(governance.keys), "a governance key comes twice")
    require(count // 2 < governance.threshold <= count, "the threshold is not more than half of the keys")
    members = [_member(member) for member in raw.members]
    for what, values in (
        ("idx", [member.origin for member in members]),
        ("city id", [member.city_id for member in members]),
        ("handle", [member.handle for member in members]),
        ("transport key", [key for member in members for key in member.transport_keys]),
    ):
        require(len(set(values)) == len(values), f"two members have one {what}")
    return SimpleNamespace(
        raw=raw, version=raw.version, hash=hash_, federation=hash_ if raw.version == 1 else raw.federation_id,
        governance=governance, members={member.origin: member for member in members},
    )


def _member(raw):
    require(raw.idx >= 1, "a member has no idx")
    require(re.fullmatch(r"[a-z0-9][a-z0-9-]{1,62}", raw.handle), "a handle is no handle")
    plain = [name.text for name in raw.names if not any(unicodedata.category(c) == "Cc" for c in name.text)]
    require(raw.names and len(plain) == len(raw.names), "a name is missing or has control characters")
    require(all(1 <= len(text) <= 200 for text in plain), "a name is empty or too long")
    require(len(raw.endpoints) <= 8 and len(raw.transport_keys) <= 8, "a member has too many endpoints or keys")
    for key in raw.transport_keys:
        check_key(key, "a transport key")
    require(ACTIVE <= raw.status <= FORKED, "a member has no status")
    member = SimpleNamespace(
        raw=raw, origin=raw.idx, city_id=sized(raw.city_id, 32, "city_id"), handle=raw.handle,
        transport_keys=raw.transport_keys, log_keys=[_log_key(key) for key in raw.log_keys],
        active=raw.status == ACTIVE, presides=raw.status == ACTIVE and raw.role == PRESIDENT,
        commits=_committed(raw), cut=None,
    )
    if raw.cut is not None:
        at, hash_ = raw.cut.at, sized(raw.cut.hash, 32, "cut.hash")
        before_all = at is not None and (at.epoch, at.seq) == (1, 0) and hash_ == raw.city_id
        member.cut = SimpleNamespace(at=(1, 0) if before_all else position(at, "cut.at"), hash=hash_)
    return member


def _log_key(raw):
    require(raw.key_no >= 1, "a log key has no number")
    return SimpleNamespace(
        key_no=raw.key_no, key=check_key(raw.key, "a log key"), from_=position(raw.from_, "log_key.from"),
        until=None if raw.until is None else position(raw.until, "log_key.until"), committed=_committed(raw),
    )


def _committed(raw):
    """Digests of the next log key and of the recovery key."""
    next_ = sized(raw.next_log_key_digest, 32, "next_log_key_digest", optional=True)
    return next_, sized(raw.recovery_digest, 32, "recovery_digest", optional=True)


def _check_promises(before, next_):
    for old in before.members.values():
        new = next_.members.get(old.origin)
        require(new is not None, f"{old.handle} is left out")
        _check_member(old, new)
    for new in next_.members.values():
        if new.origin in before.members:
            continue
        require(all(new.origin > known for known in before.members), f"the idx of {new.handle} is not above all others")
        require(new.active and new.cut is None, f"{new.handle} is admitted without being active")
        require(_in_order(new.log_keys), f"the log keys of {new.handle} are out of order")
    require(sum(member.presides for member in next_.members.values()) <= 1, "two members preside")
    for member in next_.members.values():
        begins, ends = member.raw.term_from_ms, member.raw.term_until_ms
        require(ends == 0 or ends >= begins, f"the term of {member.handle} ends before it begins")
    require(all(order in next_.raw.takedowns for order in before.raw.takedowns), "a takedown is taken back")
    resolves = next_.raw.resolves
    if resolves:
        pair = len(resolves) == 2 and resolves[0] < resolves[1] and len(resolves[0]) == len(resolves[1])
        require(pair and next_.raw.prev_hash in resolves, "it resolves a conflict that its predecessor is not part of")


def _check_member(old, new):
    who = old.handle
    require((old.city_id, old.handle) == (new.city_id, new.handle), f"{who} gets another city id or handle")
    kept = len(old.log_keys) <= len(new.log_keys)
    for a, b in zip(old.log_keys, new.log_keys):
        same = (a.key_no, a.key, a.from_) == (b.key_no, b.key, b.from_)
        kept = kept and same and (a.until is None or a.until == b.until)
    kept = kept and _in_order(new.log_keys[max(len(old.log_keys) - 1, 0):])
    require(kept, f"log keys of {who} change or are out of order")
    replaced = len(new.log_keys) > len(old.log_keys)
    promised = replaced or old.commits == new.commits
    for at, (a, b) in enumerate(zip(old.log_keys, new.log_keys)):
        moved = replaced and at == len(old.log_keys) - 1
        promised = promised and b.committed == (old.commits if moved else a.committed)
    require(promised, f"what {who} had committed to is lost")
    require(new.active == (new.cut is None), f"{who} is cut and active, or neither")
    if not old.active and not new.active and old.cut is not None:
        require(new.cut == old.cut, f"the cut of {who} moves")


def _in_order(keys):
    rising = all(a.key_no < b.key_no and a.from_ < b.from_ for a, b in zip(keys, keys[1:]))
    return rising and all(key.until is None or key.from_ <= key.until for key in keys)
