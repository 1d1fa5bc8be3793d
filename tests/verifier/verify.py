#!/usr/bin/env python3
"""Checks what WeGO nodes export, without their code: written from the .proto files in proto/wego/v1 alone.

  verify.py roster ROSTER              a roster chain          wego roster show --out ROSTER
  verify.py backup BACKUP              whole logs              wego backup create --out BACKUP
  verify.py fork PROOF ROSTER          proof of two histories  wego fork export-proof HANDLE --out PROOF
  verify.py record PROOF ROSTER        proof of a record       wego record export ID --out PROOF
  verify.py vectors FOLDER             all that index.json lists, as it lists it

Prints what it found as JSON. Exit code 0: it holds; 7: it does not; 2: it could not be asked. That the roster itself is
the right one is not in any file: compare `federation` with what people tell you.

It needs Python 3.11 and requirements.txt. It must share nothing with the nodes but the specification.
"""

import json
import pathlib
import sys

import backup
from log import check_fork, check_signed, parse, read_epochs
from roster import open_chain
from wire import Refused, read, require, unarmour


def text(path):
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{path.name} is no text") from None


def chain_of(path):
    return open_chain(unarmour("WEGO ROSTER", text(path)))


def of_roster(path):
    versions = chain_of(path)
    newest = versions[-1]
    return {
        "federation": newest.federation.hex(), "versions": [version.hash.hex() for version in versions],
        "threshold": newest.governance.threshold, "keys": len(newest.governance.keys),
        "members": [{"origin": m.origin, "handle": m.handle, "active": m.active} for m in newest.members.values()],
    }


def of_backup(path):
    found = backup.check(path.read_bytes())
    return {
        "federation": found.roster.federation.hex(), "roster_version": found.roster.version,
        "logs": found.logs, "forks": found.forks,
    }


def of_fork(path, roster_path):
    roster = chain_of(roster_path)[-1]
    file = read("ForkProofFile", unarmour("WEGO FORK PROOF", text(path)))
    require(file.federation_id == roster.federation, "the proof is of another federation")
    left, right, epochs = check_fork(file.proof, roster)
    return told(left, epochs) | {"entries": [left.hash.hex(), right.hash.hex()]}


def of_record(path, roster_path):
    roster = chain_of(roster_path)[-1]
    proof = read("RecordProof", unarmour("WEGO RECORD PROOF", text(path)))
    require(proof.federation_id == roster.federation, "the proof is of another federation")
    entry = parse(proof.entry)
    epochs = read_epochs(proof.epochs, entry.origin, roster)
    check_signed(entry, epochs)
    require(epochs.counts(entry.at), f"a later epoch made {entry.at[0]}.{entry.at[1]} void")
    if entry.header.kind == 1:
        require(entry.raw.payload is not None, "there is no payload in it")
        read("Record", entry.raw.payload.content)
    return told(entry, epochs) | {"entry": entry.hash.hex(), "record": entry.header.record_id.hex()}


def told(entry, epochs):
    return {
        "federation": epochs.federation.hex(), "member": epochs.member.handle,
        "at": f"{entry.at[0]}.{entry.at[1]}", "key_no": entry.key_no,
    }


KINDS = {"roster": (of_roster, 1), "backup": (of_backup, 1), "fork": (of_fork, 2), "record": (of_record, 2)}


def judge(kind, *paths):
    try:
        return {"holds": True} | KINDS[kind][0](*paths)
    except Refused as why:
        return {"holds": False, "why": str(why)}


def of_vectors(folder):
    """Every verdict by name, and whether all are as the index says."""
    verdicts = {}
    index = json.loads(text(folder / "index.json"))
    for vector in index:
        files = [vector["file"]] + ([vector["roster"]] if "roster" in vector else [])
        verdicts[vector["name"]] = judge(vector["kind"], *(folder / file for file in files))
    return verdicts, all(verdicts[vector["name"]]["holds"] == vector["holds"] for vector in index)


def main(kind="", *args):
    paths = [pathlib.Path(arg) for arg in args]
    try:
        if kind == "vectors" and len(paths) == 1:
            found, holds = of_vectors(paths[0])
        elif kind in KINDS and len(paths) == KINDS[kind][1]:
            found = judge(kind, *paths)
            holds = found["holds"]
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except OSError as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    json.dump(found, sys.stdout, indent=2, ensure_ascii=False)
    print()
    return 0 if holds else 7


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
