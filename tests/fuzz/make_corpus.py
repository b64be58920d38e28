"""Write what the fuzzers of the client start from: some of the golden vectors, for our own keys.

    python -m fuzz.make_corpus      # writes tests/fuzz/corpus/, and removes nothing

A seed is small and there are few of each kind: a fuzzer makes its own from them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzz.client_parsers import CREDENTIALS, VENDOR
from license_client._json import from_base64url
from license_client.testing.vendor import bindings, compact, make_key, unb64

VECTORS = Path(__file__).parents[2] / "license_server" / "wire" / "vectors"
CORPUS = Path(__file__).parent / "corpus"
MOST = 6  # of each kind
ALL_SETTINGS = f"""KEY={make_key(1)}
EMAIL=ada@example.com
SERVER_URL=https://h
ENCRYPTION_KEY={"0f" * 32}
START_WAIT=1.5
INSTANCE_ID=a:b
ALLOW_INSECURE_HTTP=1
CACHE_DIR=cache"""
FILES = """KEY_FILE=key
EMAIL_FILE=email
ENCRYPTION_KEY_PREVIOUS_FILE=old
CA_FILE=ca.pem
CLIENT_CERT=cert.pem
TRUST_FILE=trust.json"""
Case = dict[str, Any]


def main() -> None:
    """Write all seeds."""
    for parser, name, data in seeds():
        folder = CORPUS / parser
        folder.mkdir(parents=True, exist_ok=True)
        (folder / re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]).write_bytes(data)


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """Yield parser, name and bytes of each seed."""
    for parser, vector in (("license-key", "key"), ("email", "email")):
        for case in some(vector, "accepted") + some(vector, "refused"):
            yield parser, case["name"], case["input"].encode("utf-8", "surrogatepass")
    for case in some("cache", "accepted"):
        yield "cache-file", case["name"], case["file"].encode()
        yield "cache-document", case["name"], compact(case["document"])
    for case in some("keyset", "accepted"):
        yield "trust-file", case["name"], compact(case["trust"])
        yield "key-set-payload", case["name"], our_key_set(case["trust"])
        yield "answer", case["name"], compact({"decision": "x.y.z", "keyset": case["offered"][:2]})
    for case in some("decision", "accepted") + some("decision", "refused"):
        yield "decision", case["name"], case["token"].encode()
        yield "answer", case["name"], compact({"decision": case["token"]})
    yield "decision", "of another key", VENDOR.sign(ours(next(claims()), make_key(2))).encode()
    for number, each in enumerate(claims()):
        own = ours(each, CREDENTIALS.key.reveal())
        yield "decision-claims", f"{number} {each['code']}", compact(own)
    yield from license_files()
    for case in some("problem", "accepted"):
        yield "problem", case["name"], compact(case["document"])
    for case in some("problem", "offline"):
        yield "json", case["name"], from_base64url(case["body_base64url"])
    for number, header in enumerate((b"7", b"999999999", b"Wed, 21 Oct 2015 07:28:00 GMT", b"-1")):
        yield "retry-after", str(number), header
    yield from plain_seeds()


def license_files() -> Iterator[tuple[str, str, bytes]]:
    """Yield seeds for what is between the marks of a license file, and for the marks."""
    for case in some("license-file", "accepted"):
        own = ours(case["claims"], CREDENTIALS.key.reveal()) | {"ins": None}
        signed = VENDOR.signer.compact("license-file+jwt", compact(own))
        yield "license-file", case["name"], case["text"].encode()
        yield "license-file-claims", case["name"], compact(own)
        yield "license-file-content", case["name"], compact({"v": 1, "keyset": [], "file": signed})


def plain_seeds() -> Iterator[tuple[str, str, bytes]]:
    """Yield what no vector has: addresses of servers, and environments."""
    for number, url in enumerate(
        ("https://license.example", "http://127.0.0.1:3002/base/", "https://[::1]:8443", "http://h")
    ):
        yield "server-url", str(number), url.encode()
    yield "settings", "all", ALL_SETTINGS.encode()
    yield "settings", "files", FILES.encode()


def some(vector: str, section: str) -> list[Case]:
    """Return a few cases that are far apart, and short."""
    document: Case = json.loads((VECTORS / f"{vector}.json").read_text())
    short = [case for case in document[section] if len(compact(case)) < 6_000]
    return short[:: max(1, len(short) // MOST)][:MOST]


def claims() -> Iterator[Case]:
    """Yield the claims of golden decisions, one of each code."""
    document: Case = json.loads((VECTORS / "decision.json").read_text())
    by_code = {case["claims"]["code"]: case["claims"] for case in document["accepted"]}
    yield from by_code.values()


def ours(claims: Case, key: str) -> Case:
    """Return claims as our own vendor would make them for a key and our email."""
    kb, own = bindings(key, CREDENTIALS.email, claims["sub"])
    return {**claims, "iss": VENDOR.issuer, "aud": "demo-product", "kb": kb, "own": own}


def our_key_set(document: Case) -> bytes:
    """Return the payload of a golden key set, with our vendor's name and root."""
    listed: Case = json.loads(unb64(str(VENDOR.key_sets[0]["payload"])))
    golden: Case = json.loads(unb64(document["payload"]))
    return compact({**golden, "iss": VENDOR.issuer, "roots": listed["roots"], "threshold": 1})


if __name__ == "__main__":
    main()
