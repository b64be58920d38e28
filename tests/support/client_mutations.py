"""Decisions that somebody tampered with: as many as are asked for, the same for a seed.

The benchmark runs a hundred thousand of them through the verifier, the tests some.
"""

import json
import random
from collections.abc import Iterator

from license_client.testing.vendor import Pair, Vendor, b64, compact, unb64

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_VALUES: tuple[object, ...] = (None, True, False, 0, 1, -1, 2**53, 1.0, "", "VALID", [], {})


def mutated(token: str, vendor: Vendor, count: int, seed: int = 1) -> Iterator[str]:
    """Yield `count` texts that are not `token`; none of them was signed as it stands."""
    chance = random.Random(seed)
    ways = (_flipped, _cut, _grown, _swapped, _respelled, _reclaimed, _resigned, _retyped)
    made = 0
    while made < count:
        changed = ways[made % len(ways)](token, vendor, chance)
        if changed != token:
            made += 1
            yield changed


def _flipped(token: str, _: Vendor, chance: random.Random) -> str:
    at = chance.randrange(len(token))
    return token[:at] + chr(ord(token[at]) ^ 1 << chance.randrange(8)) + token[at + 1 :]


def _cut(token: str, _: Vendor, chance: random.Random) -> str:
    start, end = sorted(chance.sample(range(len(token) + 1), 2))
    return token[:start] + token[end:]


def _grown(token: str, _: Vendor, chance: random.Random) -> str:
    at = chance.randrange(len(token) + 1)
    return token[:at] + chance.choice((".", "=", " ", "\n", "A", "%", "é")) + token[at:]


def _swapped(token: str, _: Vendor, chance: random.Random) -> str:
    segments = token.split(".")
    chance.shuffle(segments)
    return ".".join(segments)


def _respelled(token: str, _: Vendor, chance: random.Random) -> str:
    """Spell the spare bits of a last character in another way."""
    segments = token.split(".")
    at = chance.randrange(3)
    last = _ALPHABET.index(segments[at][-1])
    segments[at] = segments[at][:-1] + _ALPHABET[last ^ chance.randrange(1, 16)]
    return ".".join(segments)


def _claims(token: str, chance: random.Random) -> bytes:
    claims = json.loads(unb64(token.split(".")[1]))
    name = chance.choice(sorted(claims))
    if chance.random() < 0.3:
        del claims[name]
    else:
        claims[name] = chance.choice(_VALUES)
    return compact(claims)


def _reclaimed(token: str, _: Vendor, chance: random.Random) -> str:
    """Change a claim and keep the signature."""
    header, _payload, signature = token.split(".")
    return ".".join((header, b64(_claims(token, chance)), signature))


def _resigned(token: str, vendor: Vendor, chance: random.Random) -> str:
    """Sign anew by a key of one's own, under the vendor's kid."""
    pair = Pair(f"thief {chance.randrange(10)}")
    pair.kid = vendor.signer.kid
    return pair.compact("license-decision+jwt", unb64(token.split(".")[1]))


def _retyped(token: str, vendor: Vendor, chance: random.Random) -> str:
    """Take what the vendor signed as something else."""
    kind = chance.choice(("license-file+jwt", "license-keyset+jwt", "JWT", "license-decision"))
    return vendor.signer.compact(kind, unb64(token.split(".")[1]))
