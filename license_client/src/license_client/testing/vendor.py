"""A vendor's keys and signatures, written from the contract and not from the client's code."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from license_client.testing.clock import DAY, NOON

Json = dict[str, object]


def b64(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Return what `b64` was given."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value: object) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Pair:
    """A key pair made from its name, so that every run has the same."""

    def __init__(self, name: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        self.public = self._private.public_key().public_bytes_raw()
        self.kid = hashlib.sha256(self.public).hexdigest()[:16]

    def sign(self, kind: str, payload: bytes) -> tuple[str, str, str]:
        """Return header, payload and signature, each in base64url."""
        header = b64(b'{"alg":"EdDSA","kid":"%s","typ":"%s"}' % (self.kid.encode(), kind.encode()))
        message = f"{header}.{b64(payload)}"
        return header, b64(payload), b64(self._private.sign(message.encode()))

    def compact(self, kind: str, payload: bytes) -> str:
        """Return a compact JWS."""
        return ".".join(self.sign(kind, payload))


@dataclass
class Vendor:
    """Roots, online keys and the key sets that they made, newest last."""

    issuer: str = "ls_0123456789abcdef"
    roots: list[Pair] = field(default_factory=lambda: [Pair("root 1")])
    threshold: int = 1
    signer: Pair = field(default_factory=lambda: Pair("online 1"))
    others: dict[str, str] = field(default_factory=dict)  # public key in base64url -> status
    now: int = NOON
    expires: int = 0
    key_sets: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.expires = self.expires or self.now + 400 * DAY
        self.publish()

    @property
    def epoch(self) -> int:
        """Of the newest key set."""
        return len(self.key_sets)

    @property
    def trust(self) -> bytes:
        """What an application ships: the newest key set."""
        return compact(self.key_sets[-1])

    def publish(self, *also: Pair) -> Json:
        """Sign a key set of the next epoch by the roots, and by those in `also`."""
        payload = compact(
            {
                "v": 1,
                "iss": self.issuer,
                "epoch": self.epoch + 1,
                "issued": self.now,
                "expires": self.expires,
                "threshold": self.threshold,
                "roots": [{"kid": root.kid, "pub": b64(root.public)} for root in self.roots],
                "keys": [
                    self._listed(b64(self.signer.public), "active"),
                    *(self._listed(public, status) for public, status in self.others.items()),
                ],
            }
        )
        self.key_sets.append(sign_key_set(payload, [*self.roots, *also]))
        return self.key_sets[-1]

    def _listed(self, public: str, status: str) -> Json:
        return {
            "kid": hashlib.sha256(unb64(public)).hexdigest()[:16],
            "pub": public,
            "use": ["license-decision", "license-file"],
            "not_before": self.now - 1_000 * DAY,
            "not_after": self.now + 1_000 * DAY,
            "status": status,
        }

    def rotate_signer(self, old_status: str = "verify_only") -> None:
        """Sign with a new online key from now on."""
        self.others[b64(self.signer.public)] = old_status
        self.signer = Pair(f"online {self.epoch + 1}")
        self.publish()

    def rotate_roots(self) -> None:
        """Hand over to a new root, signed by the old one and the new one."""
        old, self.roots = self.roots, [Pair(f"root {self.epoch + 1}")]
        self.publish(*old)

    def sign(self, claims: Json) -> str:
        """Return a decision."""
        return self.signer.compact("license-decision+jwt", compact(claims))


def sign_key_set(payload: bytes, roots: list[Pair]) -> Json:
    """Return a key set, signed by all of `roots`."""
    entries = []
    for root in roots:
        header, _, signature = root.sign("license-keyset+jwt", payload)
        entries.append({"protected": header, "signature": signature})
    return {"payload": b64(payload), "signatures": entries}


def armored(content: bytes) -> bytes:
    """Return a license file: base64 between two marks."""
    packed = base64.encodebytes(content)
    return b"-----BEGIN LICENSE FILE-----\n" + packed + b"-----END LICENSE FILE-----\n"


def request_hash(operation: str, body: bytes) -> str:
    """Return the claim `req` of a request."""
    return b64(hashlib.sha256(f"req1.{operation}\n".encode() + body).digest())


def bindings(key: str, email: str, license_id: str) -> tuple[str, str]:
    """Return `kb` and `own`."""
    kb, own = (
        hmac.digest(key.encode(), text.encode(), "sha256")
        for text in (f"kb1.{license_id}", f"own1.{email}")
    )
    return b64(kb), b64(own)


def make_key(seed: int) -> str:
    """Return the 30 symbols of a license key."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = int.from_bytes(hashlib.sha256(b"key %d" % seed).digest())
    body = "".join(alphabet[number >> 5 * at & 31] for at in range(26))
    digest = hashlib.sha256(b"license-key-v1" + body.encode()).digest()
    bits = int.from_bytes(digest[:3]) >> 4
    return body + "".join(alphabet[bits >> shift & 31] for shift in (15, 10, 5, 0))
