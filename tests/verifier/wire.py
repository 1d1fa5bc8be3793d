"""Protocol buffers and armour, read as the .proto files in proto/wego/v1 say.

It reads only what verify.py needs; fields that are not listed here are passed over, as a later version's would be.
It must never write a message: what is hashed and signed is always the bytes as they were received.
"""

import base64
import re
from types import SimpleNamespace


class Refused(Exception):
    """What was given does not hold; the text says why."""


def require(condition, why):
    if not condition:
        raise Refused(why)


# message: {field number: (name, type)}; "*" before a type is "repeated"; a type with a capital letter is a message.
MESSAGES = {
    "Position": {1: ("epoch", "u32"), 2: ("seq", "u64")},
    "Entry": {1: ("header", "bytes"), 2: ("signature", "bytes"), 3: ("payload", "Payload")},
    "Payload": {1: ("nonce", "bytes"), 2: ("content", "bytes")},
    "EntryHeader": {
        1: ("format", "u32"), 2: ("origin", "u32"), 3: ("epoch", "u32"), 4: ("seq", "u64"), 5: ("prev", "bytes"),
        6: ("key_no", "u32"), 7: ("roster_version", "u64"), 8: ("hlc_ms", "u64"), 9: ("kind", "enum"),
        10: ("record_id", "bytes"), 11: ("base", "bytes"), 12: ("payload_len", "u32"), 13: ("payload_hash", "bytes"),
        14: ("attachments", "*Attachment"), 15: ("record_kind", "u32"), 16: ("request_id", "bytes"),
        17: ("epoch_start", "EpochStart"), 18: ("recovery_key", "bytes"), 19: ("extensions", "*Extension"),
        20: ("endpoint_change", "EndpointChange"), 21: ("erase", "Erase"),
    },
    "Attachment": {1: ("hash", "bytes"), 2: ("size", "u64"), 3: ("class", "u32")},
    "Extension": {1: ("id", "u32"), 2: ("critical", "bool"), 3: ("value", "bytes")},
    "EndpointChange": {
        1: ("endpoints", "*string"), 2: ("transport_keys", "*bytes"), 3: ("number", "u32"), 4: ("proofs", "*TransportProof"),
    },
    "TransportProof": {1: ("key", "bytes"), 2: ("signature", "bytes")},
    "Erase": {1: ("reason", "u32")},
    "EpochStart": {
        1: ("base", "Position"), 2: ("base_hash", "bytes"), 3: ("proof_hash", "bytes"), 4: ("store_id", "bytes"),
        5: ("log_key", "bytes"), 6: ("next_log_key_digest", "bytes"), 7: ("base_opening", "bytes"),
    },
    "Head": {1: ("origin", "u32"), 2: ("epoch", "u32"), 3: ("seq", "u64"), 4: ("hash", "bytes")},
    "ForkProof": {1: ("left", "Entry"), 2: ("right", "Entry"), 3: ("epochs", "*Entry")},
    "ForkProofFile": {1: ("proof", "ForkProof"), 2: ("federation_id", "bytes"), 3: ("origin_handle", "string")},
    "RecordProof": {
        1: ("entry", "Entry"), 2: ("federation_id", "bytes"), 3: ("origin_handle", "string"), 4: ("epochs", "*Entry"),
    },
    # A record's contents are for catalogues to judge: here it need only be a message.
    "Record": {},
    "RosterChain": {1: ("versions", "*SignedRoster")},
    "SignedRoster": {1: ("roster", "bytes"), 2: ("signatures", "*RosterSignature")},
    "RosterSignature": {1: ("key", "bytes"), 2: ("signature", "bytes")},
    "Roster": {
        1: ("format", "u32"), 2: ("version", "u64"), 3: ("prev_hash", "bytes"), 4: ("federation_id", "bytes"),
        5: ("federation_name", "string"), 6: ("issued_at_ms", "u64"), 7: ("soft_expires_at_ms", "u64"),
        8: ("governance", "Governance"), 9: ("witnesses", "Witnesses"), 10: ("limits", "RosterLimits"),
        11: ("wire_min", "u32"), 12: ("wire_max", "u32"), 13: ("entry_format", "u32"), 14: ("members", "*Member"),
        15: ("takedowns", "*Takedown"), 16: ("resolves", "*bytes"),
    },
    "Governance": {1: ("keys", "*bytes"), 2: ("threshold", "u32"), 3: ("holders", "*u32")},
    "Witnesses": {1: ("members", "*u32"), 2: ("required", "u32")},
    "RosterLimits": {1: ("payload_bytes_max", "u32"), 2: ("entries_per_day_soft", "u32"), 3: ("origin_quota_bytes", "u64")},
    "Member": {
        1: ("idx", "u32"), 2: ("city_id", "bytes"), 3: ("handle", "string"), 4: ("names", "*MemberName"),
        5: ("country", "string"), 6: ("place", "string"), 7: ("endpoints", "*string"), 8: ("transport_keys", "*bytes"),
        9: ("log_keys", "*LogKey"), 10: ("next_log_key_digest", "bytes"), 11: ("recovery_digest", "bytes"),
        12: ("status", "enum"), 13: ("role", "enum"), 14: ("cut", "Cut"), 15: ("term_from_ms", "u64"),
        16: ("term_until_ms", "u64"), 17: ("portal_url", "string"),
    },
    "MemberName": {1: ("lang", "string"), 2: ("text", "string")},
    "LogKey": {
        1: ("key_no", "u32"), 2: ("key", "bytes"), 3: ("from_", "Position"), 4: ("until", "Position"),
        5: ("next_log_key_digest", "bytes"), 6: ("recovery_digest", "bytes"),
    },
    "Cut": {1: ("at", "Position"), 2: ("hash", "bytes")},
    "Takedown": {1: ("origin", "u32"), 2: ("at", "Position"), 3: ("reason", "u32")},
    "SignedBackupManifest": {1: ("manifest", "bytes"), 2: ("signature", "bytes")},
    "BackupManifest": {
        1: ("format", "u32"), 2: ("federation_id", "bytes"), 3: ("federation_name", "string"), 4: ("origin", "u32"),
        5: ("handle", "string"), 6: ("log_key", "bytes"), 7: ("taken_at_ms", "u64"), 8: ("software", "string"),
        9: ("roster_version", "u64"), 10: ("store_id", "bytes"), 11: ("heads", "*Head"), 12: ("entries", "u64"),
        13: ("forks", "u32"), 14: ("secrets", "bool"),
    },
    "BackupFile": {1: ("name", "string"), 2: ("content", "bytes")},
    "SignedBackupTrailer": {1: ("trailer", "bytes"), 2: ("signature", "bytes")},
    "BackupTrailer": {1: ("frames", "u64"), 2: ("bytes", "u64"), 3: ("link", "bytes")},
}

VARINT, FIXED64, LENGTH, GROUP, GROUP_END, FIXED32 = range(6)
NESTED_MAX = 100


def read(name, data):
    """The message of this name that `data` encodes."""
    return _merge(name, data, _empty(name))


def _empty(name):
    zero = {"bytes": b"", "string": "", "bool": False}
    fields = MESSAGES[name].values()
    return SimpleNamespace(**{
        field: [] if kind[0] == "*" else None if kind[0].isupper() else zero.get(kind, 0) for field, kind in fields
    })


def _merge(name, data, message):
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        require(key < 1 << 32 and number > 0 and wire <= FIXED32, f"{name} cannot be decoded")
        if number not in MESSAGES[name]:
            at = _skip(name, number, wire, data, at, 0)
            continue
        field, kind = MESSAGES[name][number]
        repeated, kind = kind[0] == "*", kind.lstrip("*")
        numeric = kind in ("u32", "u64", "enum", "bool")
        packed = repeated and numeric and wire == LENGTH
        require(packed or wire == (VARINT if numeric else LENGTH), f"{name}.{field} cannot be decoded")
        if numeric and not packed:
            raw, at = _varint(data, at)
            values = [_number(kind, raw)]
        else:
            raw, at = _bytes(data, at)
            values = _packed(kind, raw) if packed else [_value(name, field, kind, raw, message, repeated)]
        if repeated:
            getattr(message, field).extend(values)
        else:
            setattr(message, field, values[-1])
    return message


def _value(name, field, kind, raw, message, repeated):
    if kind == "bytes":
        return raw
    if kind == "string":
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(f"{name}.{field} is no UTF-8") from None
    # A message that comes twice where there can be one is one message in two parts.
    into = None if repeated else getattr(message, field)
    return _merge(kind, raw, into or _empty(kind))


def _number(kind, value):
    return value != 0 if kind == "bool" else value if kind == "u64" else value & 0xFFFF_FFFF


def _packed(kind, raw):
    values, at = [], 0
    while at < len(raw):
        value, at = _varint(raw, at)
        values.append(_number(kind, value))
    return values


def _varint(data, at):
    value = 0
    for shift in range(0, 70, 7):
        require(at < len(data), "a message is cut short")
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            require(value < 1 << 64, "a number is too large")
            return value, at
    raise Refused("a number is too large")


def _bytes(data, at):
    length, at = _varint(data, at)
    require(at + length <= len(data), "a message is cut short")
    return data[at:at + length], at + length


def _skip(name, number, wire, data, at, depth):
    require(wire != GROUP_END and depth < NESTED_MAX, f"{name} cannot be decoded")
    if wire == VARINT:
        return _varint(data, at)[1]
    if wire == LENGTH:
        return _bytes(data, at)[1]
    if wire in (FIXED32, FIXED64):
        at += 4 if wire == FIXED32 else 8
        require(at <= len(data), "a message is cut short")
        return at
    while True:
        key, at = _varint(data, at)
        if key & 7 == GROUP_END:
            require(key >> 3 == number, f"{name} cannot be decoded")
            return at
        at = _skip(name, key >> 3, key & 7, data, at, depth + 1)


def unarmour(label, text):
    """The bytes in the first block of an armoured file, which must have this label."""
    at = text.find("-----BEGIN ")
    block = at >= 0 and re.match(
        r"-----BEGIN ([^-\n]+)-----\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)-----END \1-----", text[at:]
    )
    require(block, f"there is no undamaged {label} in it")
    require(block[1] == label, f"it is a {block[1]}, not a {label}")
    try:
        return base64.b64decode("".join(block[2].split()), validate=True)
    except ValueError:
        raise Refused(f"the {label} in it is damaged") from None
