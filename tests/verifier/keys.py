"""Ed25519 as the federation verifies it: RFC 8032, and no points of small order.

What `cryptography` (OpenSSL) does by itself, and what is added here so that exactly the signatures hold that hold at
the nodes, which use `verify_strict` of ed25519-dalek:

  - S must be below the group's order. OpenSSL refuses others; checked here too. Vector: roster-noncanonical-s.
  - The equation is the one without the cofactor: OpenSSL computes R anew and compares its bytes. A node compares points,
    which differs only for an R that is not encoded in the one right way; nobody can sign with such an R, except with
    one of small order, and those are refused here and there.
  - A and R must not be of small order. OpenSSL takes them, and under such an A one signature holds for many messages.
    Vectors: roster-small-order-key, roster-small-order-r.
  - A must be a point of the curve, whether or not it ever signs. Vector: roster-key-off-curve. A y of 2^255 - 19 or more
    is reduced, as OpenSSL and the nodes do; RFC 8032 would refuse it. Vector: roster-key-noncanonical-y.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire import require

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def _point(encoded):
    """The point of the curve, or None."""
    number = int.from_bytes(encoded, "little")
    y, sign = (number & (1 << 255) - 1) % P, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return (P - x if x & 1 != sign else x) % P, y


def _is_small(point):
    """Whether eight times the point is the neutral one."""
    x, y = point
    for _ in range(3):
        both = D * x * x * y * y % P
        x, y = (2 * x * y * pow(1 + both, -1, P)) % P, ((y * y + x * x) * pow(1 - both, -1, P)) % P
    return (x, y) == (0, 1)


def check_key(key, what):
    require(len(key) == 32 and _point(key) is not None, f"{what} is not an Ed25519 public key")
    require(not _is_small(_point(key)), f"{what} is a weak Ed25519 public key")
    return key


def verifies(key, purpose, parts, signature):
    """Whether `signature` of `key` over "wego-PURPOSE-v1" and the parts holds."""
    if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    r = _point(signature[:32])
    if r is None or _is_small(r):
        return False
    message = b"".join([b"wego-" + purpose + b"-v1", *parts])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
