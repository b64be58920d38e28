"""Changed bytes without a fuzzer: the same for a seed, on every machine."""

import random
from collections.abc import Iterator, Sequence

_BITS = 8
# What means something to one parser or another.
_WORDS = (
    *(b"\0", b"\xff", b"\xed\xa0\x80", "é\u200b\uff20".encode(), b"\\ud800", b"xn--"),
    *(b"{", b"[" * 20, b'"', b",", b".", b"@", b"=", b"\n"),
    *(b"-1", b"1.0", b"1e9", b"9" * 20, b"null", b"true", b"NaN"),
)


def mutated(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` inputs: one to four changes away from one of `seeds` each."""
    chance = random.Random(seed)
    ways = (_flipped, _cut, _worded, _crossed)
    for _ in range(count):
        data = chance.choice(seeds)
        for _ in range(chance.randint(1, 4)):
            data = chance.choice(ways)(data, seeds, chance)
        yield data


def _flipped(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(_BITS)]) + data[at + 1 :]


def _cut(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start = chance.randint(0, len(data))
    return data[:start] + data[start + chance.randint(0, 16) :]


def _worded(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(_WORDS) + data[at + chance.choice((0, 0, 1, 4)) :]


def _crossed(data: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(seeds)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]
