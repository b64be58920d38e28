"""`key.json`: what people type as a license key."""

from cases.actors import KEY, OTHER_KEY, octets
from cases.confirmed import FORMAT, Case, refusal, require_detail
from reference.encoding import JsonObject
from reference.license_key import (
    ALPHABET,
    CHECK_SYMBOLS,
    lookup_hash,
    printed,
    read_key,
    whole_key,
)

PRINTED = printed(KEY, "LIC")
# A key that holds 0 and 1, the symbols that people write as O, I and L.
ROUND = whole_key("0101" + KEY[4:-CHECK_SYMBOLS])


def _fullwidth(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


def _typed() -> dict[str, tuple[str, str]]:
    return {
        "as printed": (PRINTED, KEY),
        "without a prefix": (printed(KEY, "")[1:], KEY),
        "the 30 symbols alone": (KEY, KEY),
        "another key": (printed(OTHER_KEY, "ACME2"), OTHER_KEY),
        "lower case": (PRINTED.lower(), KEY),
        "a prefix of ten": (printed(KEY, "ABCDEFGH12"), KEY),
        "any text before the last 30 symbols is ignored": (f"key: {PRINTED}", KEY),
        "spaces around and between": (f"  {PRINTED.replace('-', ' ')}\t\r\n", KEY),
        "no-break, ideographic and thin spaces": (_between("\u00a0\u3000\u2009"), KEY),
        "en dash, minus sign and figure dash": (_between("\u2013\u2212\u2012"), KEY),
        "fullwidth hyphen and non-breaking hyphen": (_between("\uff0d\u2011"), KEY),
        "soft hyphens": (_between("\u00ad"), KEY),
        "zero-width space, joiners, word joiner and byte order mark": (
            _between("\u200b\u200c\u200d\u2060\ufeff"),
            KEY,
        ),
        "information separators and next line are white space": (_between("\x1c\x1f\x85"), KEY),
        "fullwidth letters and digits": (_fullwidth(KEY), KEY),
        "O for 0 and I for 1": (ROUND.replace("0", "O").replace("1", "I"), ROUND),
        "o for 0 and l for 1": (ROUND.lower().replace("0", "o").replace("1", "l"), ROUND),
        "dotless i has the upper case I": (ROUND.replace("1", "\u0131"), ROUND),
        "128 characters": (" " * (128 - len(PRINTED)) + PRINTED, KEY),
    }


def _between(separators: str) -> str:
    groups = PRINTED.split("-")
    joined = groups[0]
    for at, group in enumerate(groups[1:]):
        joined += separators[at % len(separators)] + group
    return joined


def _mistyped() -> dict[str, tuple[str, str]]:
    swapped = KEY[:3] + KEY[4] + KEY[3] + KEY[5:]
    return {
        "empty": ("", "too-short"),
        "spaces only": ("   ", "too-short"),
        "29 symbols": (KEY[1:], "too-short"),
        "a prefix makes up no missing symbol": (f"\u00e9{KEY[1:]}", "alphabet"),
        "129 characters": (" " * (129 - len(PRINTED)) + PRINTED, "too-long"),
        "129 characters of which NFKC leaves fewer": ("a\u0301" * 64 + "a", "too-long"),
        "the letter U": ("U" + KEY[1:], "alphabet"),
        "an underscore between groups": (PRINTED.replace("-", "_"), "alphabet"),
        "a slash, as in key/abc": (f"key/{KEY[:14]}/{KEY[14:]}", "alphabet"),
        "Arabic digits": (KEY[:-1] + "\u0661", "alphabet"),
        "a Greek capital that looks Latin": ("\u0391" + KEY[1:], "alphabet"),
        "a combining accent": (KEY + "\u0301", "alphabet"),
        "NUL at the end": (KEY + "\0", "alphabet"),
        "first symbol changed": (_other(KEY, 0), "checksum"),
        "last random symbol changed": (_other(KEY, 25), "checksum"),
        "first check symbol changed": (_other(KEY, 26), "checksum"),
        "last check symbol changed": (_other(KEY, 29), "checksum"),
        "two neighbors swapped": (swapped, "checksum"),
        "a symbol added at the end": (KEY + "0", "checksum"),
        "an eszett becomes two letters S": (KEY[:-2] + "\u00df", "checksum"),
        "30 zeros": ("0" * 30, "checksum"),
    }


def _other(key: str, at: int) -> str:
    symbol = ALPHABET[(ALPHABET.index(key[at]) + 1) % 32]
    return key[:at] + symbol + key[at + 1 :]


def _accepted(name: str, typed: str, key: str) -> Case:
    assert read_key(typed) == key, name
    return {"name": name, "input": typed, "canonical": key}


def _refused(name: str, typed: str, slug: str) -> Case:
    found = refusal(lambda: read_key(typed), "KEY_MALFORMED")
    return {"name": name, "input": typed, **require_detail(name, found, slug)}


def _made(label: str, key: str, prefix: str) -> Case:
    pepper = octets(f"pepper {label}", 32)
    return {
        "name": label,
        "random": key[:-CHECK_SYMBOLS],
        "check": key[-CHECK_SYMBOLS:],
        "prefix": prefix,
        "printed": printed(key, prefix),
        "pepper": pepper.hex(),
        "lookup": lookup_hash(key, pepper).hex(),
    }


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "made": [_made("default prefix", KEY, "LIC"), _made("own prefix", OTHER_KEY, "ACME2")],
        "accepted": [_accepted(name, *case) for name, case in _typed().items()],
        "refused": [_refused(name, *case) for name, case in _mistyped().items()],
    }
