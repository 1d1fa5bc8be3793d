"""Whole logs, as `wego backup create` exports them: proto/wego/v1/backup.proto says how.

Entries are in it from each log's first to the head that the manifest names. Nobody needs to trust who made the file:
its roster chain and its entries are checked as a stranger's. It reads all of the file into memory.
"""

from types import SimpleNamespace

from keys import check_key, sha256, verifies
from log import Epochs, check_fork, contradict, is_signed, parse
from roster import follow, position, sized
from wire import Refused, read, require

MAGIC = b"WEGOBKP1"
MANIFEST, ROSTER, FORK, ENTRY, FILE, TRAILER = range(1, 7)
BYTES_MAX = {MANIFEST: 8 << 20, ROSTER: 1 << 20, FORK: 4_096, ENTRY: 1_024 + 262_144 + 256, FILE: 1 << 20, TRAILER: 1_024}


def check(data):
    """All that a backup holds; refused when anything in it does not."""
    frames = list(_frames(data))
    kinds = [frame.kind for frame in frames]
    whole = kinds.count(MANIFEST) == kinds.count(TRAILER) == 1 and ROSTER in kinds
    require(whole and kinds == sorted(kinds), "the parts are not all there, or out of order")

    def of(kind):
        return [frame.content for frame in frames if frame.kind == kind]

    signed_manifest = read("SignedBackupManifest", of(MANIFEST)[0])
    manifest = _manifest(signed_manifest)
    roster = None
    for version in of(ROSTER):
        roster = follow(roster, read("SignedRoster", version))
    _check_manifest(manifest, roster, len(of(FORK)))
    proofs = [read("ForkProof", proof) for proof in of(FORK)]
    for proof in proofs:
        require(contradict(parse(proof.left), parse(proof.right)), "a fork proof is none")
    logs = Logs(manifest, roster)
    for entry in of(ENTRY):
        logs.take(parse(read("Entry", entry)))
    logs.finish()
    for file in of(FILE):
        read("BackupFile", file)
    _check_trailer(manifest, read("SignedBackupTrailer", of(TRAILER)[0]), frames)
    own = logs.epochs_of(manifest.origin)
    keys = [key.key for key in own.member.log_keys] + [epoch.key for epoch in own.known.values()]
    require(manifest.log_key in keys, "the key that signed the backup is not the member's")
    return SimpleNamespace(roster=roster, logs=logs.told(), forks=[_fork_told(proof, logs) for proof in proofs])


def _frames(data):
    require(data[:8] == MAGIC, "it is no backup")
    at, link = 8, sha256(MAGIC)
    while at < len(data):
        head = data[at:at + 5]
        require(len(head) == 5, "the file ends early")
        kind, length = head[0], int.from_bytes(head[1:], "big")
        require(kind in BYTES_MAX and length <= BYTES_MAX[kind], "a part of unknown kind, or too long")
        content, given = data[at + 5:at + 5 + length], data[at + 5 + length:at + 13 + length]
        require(len(given) == 8, "the file ends early")
        before, link = link, sha256(link, head, content)
        require(given == link[:8], f"what stands at byte {at} was changed, moved or left out")
        yield SimpleNamespace(kind=kind, content=content, at=at, before=before)
        at += 13 + length


def _manifest(signed):
    manifest = read("BackupManifest", signed.manifest)
    require(manifest.format == 1 and not manifest.secrets, "the backup has another format")
    sized(manifest.federation_id, 32, "federation_id")
    sized(manifest.store_id, 16, "store_id")
    check_key(manifest.log_key, "the backup's key")
    logs = [(head.origin, position(head, "a head")[0]) for head in manifest.heads]
    require(all(a < b for a, b in zip(logs, logs[1:])), "the heads are not sorted")
    for head in manifest.heads:
        sized(head.hash, 32, "a head's hash")
    require(sum(head.seq for head in manifest.heads) == manifest.entries, "the number of entries is wrong")
    _check_part(manifest, b"\1", signed.manifest, signed.signature)
    return manifest


def _check_part(manifest, part, data, signature):
    holds = verifies(manifest.log_key, b"backup", [part, manifest.federation_id, data], signature)
    require(holds, "the signature of the manifest or the trailer does not verify")


def _check_manifest(manifest, roster, forks):
    require(manifest.federation_id == roster.federation, "the manifest names another federation")
    require(manifest.roster_version == roster.version, "the manifest names another roster version")
    member = roster.members.get(manifest.origin)
    require(member and member.handle == manifest.handle, "the manifest names no member")
    require(manifest.forks == forks, "the number of fork proofs is wrong")


def _check_trailer(manifest, signed, frames):
    _check_part(manifest, b"\2", signed.trailer, signed.signature)
    trailer, last = read("BackupTrailer", signed.trailer), frames[-1]
    places = (trailer.frames, trailer.bytes, trailer.link)
    require(places == (len(frames) - 1, last.at, last.before), "the trailer closes another file")


def _fork_told(proof, logs):
    left = parse(proof.left)
    try:
        check_fork(proof, logs.roster)
        proves = True
    except Refused:
        proves = False
    return {"origin": left.origin, "at": f"{left.at[0]}.{left.at[1]}", "proves": proves}


class Logs:
    """The entries in the order of the file, each held against the one before and against the epochs so far."""

    def __init__(self, manifest, roster):
        self.roster, self.heads = roster, list(manifest.heads)
        self.epochs, self.counted = {}, {}
        self.seq, self.last, self.key_no, self.run = 0, None, None, []

    def epochs_of(self, origin):
        require(origin in self.roster.members, f"the roster has no member {origin}")
        return self.epochs.setdefault(origin, Epochs(self.roster.members[origin], self.roster.federation))

    def take(self, entry):
        require(self.heads, "there are more entries than heads")
        head = self.heads[0]
        wanted = (head.origin, (head.epoch, self.seq + 1))
        require((entry.origin, entry.at) == wanted, f"entry {wanted} is due, {(entry.origin, entry.at)} is there")
        epochs, key_no = self.epochs_of(entry.origin), entry.key_no
        if entry.start is not None:
            epoch = epochs.judge(entry)
            epochs.admit(epoch)
            # What follows has the epoch's key, whoever signed the opening.
            key_no = epoch.key_no
        else:
            before = epochs.member.city_id if entry.at == (1, 1) else self.last
            require(entry.prev == before, f"entry {entry.at} of {entry.origin} does not follow the one before")
            if self.run and self.key_no != key_no:
                self._vouch()
            self.run.append(entry)
        self.seq, self.last, self.key_no = entry.at[1], entry.hash, key_no
        self.counted.setdefault((entry.origin, entry.at[0]), []).append(entry.at)
        if self.seq == head.seq:
            require(entry.hash == head.hash, f"the log of {entry.origin} ends with another entry than the manifest says")
            self._vouch()
            self.heads.pop(0)
            self.seq, self.last, self.key_no = 0, None, None

    def _vouch(self):
        """Whoever signed the last entry of a run signed, by the hashes in it, all of the run."""
        run, self.run = self.run, []
        if run:
            last = run[-1]
            key = self.epochs_of(last.origin).log_key(last.key_no, last.at)
            where = f"of member {last.origin} at {last.at[0]}.{last.at[1]}"
            require(key, f"there is no log key {last.key_no} {where}")
            require(is_signed(last, self.roster.federation, key), f"the signature {where} does not verify")

    def finish(self):
        require(not self.heads, "entries are missing")

    def told(self):
        """By member, what its log has and what of it counts."""
        told = []
        for (origin, epoch), positions in self.counted.items():
            epochs = self.epochs[origin]
            cut = epochs.member.cut
            counts = [at for at in positions if epochs.counts(at) and (cut is None or at <= cut.at)]
            opened = epochs.get(epoch)
            rank = opened.rank if opened else "first"
            told.append({
                "origin": origin, "handle": epochs.member.handle, "epoch": epoch, "opened_by": rank,
                "entries": len(positions), "count": len(counts),
            })
        return told
