"""A license server in memory: honest and complete, with a switch for whoever wants another one.

After python-tuf's RepositorySimulator. It is a transport of httpx, so that the client's own
request and its reading of the reply are at work; it shares no code with them.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx

from license_client.testing.clock import DAY, HOUR, FixedClock
from license_client.testing.vendor import (
    Json,
    Vendor,
    armored,
    bindings,
    compact,
    make_key,
    request_hash,
)

PRODUCT = "demo-product"
ANONYMOUS = ("LICENSE_NOT_FOUND", "EMAIL_MISMATCH", "PRODUCT_MISMATCH")


@dataclass(frozen=True)
class License:
    """What the vendor sold; `code` is what the server answers, VALID or a denial."""

    key: str
    email: str = "ada@example.com"
    product: str = PRODUCT
    kind: str = "paid"
    expires: int | None = None
    code: str = "VALID"
    warnings: tuple[str, ...] = ()
    entitlements: tuple[str, ...] = ("sso",)
    limits: tuple[tuple[str, int], ...] = (("seats", 5),)
    license_id: str = "lic_" + "0" * 26


def reply(status: int, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    """Return a response whose body is still to be read, as it is when it comes from a network."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


@dataclass
class Request:
    """One request as the server saw it."""

    operation: str
    body: bytes

    @property
    def members(self) -> Json:
        """What its body says."""
        members: Json = json.loads(self.body)
        return members

    def with_members(self, **changes: object) -> "Request":
        """Return a request that somebody changed on the way."""
        return Request(self.operation, compact({**self.members, **changes}))


Switch = Callable[["Simulator", Request], httpx.Response]


@dataclass
class Simulator(httpx.BaseTransport):
    """The server.

    Attributes:
        switch: what answers instead of the honest server, while it is set.
        clock_shift: seconds that the server's clock is ahead of the client's.
        requests: every request to a license endpoint, oldest first.
        trials: members of the requests for a trial, oldest first.
        deployments: instance ids that are registered.
    """

    clock: FixedClock
    vendor: Vendor = field(default_factory=Vendor)
    licenses: dict[str, License] = field(default_factory=dict)
    switch: Switch | None = None
    clock_shift: int = 0
    refresh_seconds: int = 6 * HOUR
    fresh_seconds: int = DAY
    grace_seconds: int = 14 * DAY
    requests: list[Request] = field(default_factory=list)
    trials: list[Json] = field(default_factory=list)
    answers: list[Json] = field(default_factory=list)
    deployments: set[str] = field(default_factory=set)
    offers_key_sets: bool = True

    def sell(self, number: int = 1, **terms: object) -> License:
        """Issue a license; the same number has the same key."""
        license_ = replace(License(make_key(number)), **terms)  # type: ignore[arg-type]  # terms are fields by name
        self.licenses[license_.key] = license_
        return license_

    def change(self, license_: License, **terms: object) -> License:
        """Change a license: revoke it, renew it, give it to somebody else."""
        changed = replace(license_, **terms)  # type: ignore[arg-type]  # terms are fields by name
        self.licenses[changed.key] = changed
        return changed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer for key sets honestly, for licenses as the switch has it."""
        body = request.read()
        if request.method == "GET":
            since = int(request.url.params["since"])
            return reply(200, compact({"keyset": self.newer_key_sets(since)}))
        received = Request(request.url.path.rpartition("/")[2], body)
        if received.operation != "trials":
            self.requests.append(received)
        return (self.switch or Simulator.answer)(self, received)

    def newer_key_sets(self, since: int) -> list[Json]:
        """Return the key sets above an epoch, oldest first."""
        return self.vendor.key_sets[since:]

    def answer(self, request: Request) -> httpx.Response:
        """Answer as an honest server does."""
        if request.operation == "trials":
            self.trials.append(request.members)
            return reply(202, compact({"message": "told to people"}))
        claims = self.decide(request)
        answer: Json = {
            "valid": claims["val"],
            "code": claims["code"],
            "message": "told to people",
            "server_time": claims["iat"],
            "decision": self.vendor.sign(claims),
        }
        epoch = int(str(request.members["keyset_epoch"]))
        if epoch < self.vendor.epoch and self.offers_key_sets:
            answer["keyset"] = self.newer_key_sets(epoch)
        self.answers.append(answer)
        return reply(200, compact(answer))

    def decide(self, request: Request) -> Json:
        """Return the claims of the decision for a request."""
        asked = request.members
        license_ = self.licenses.get(str(asked["license_key"]))
        code = self._code(request, license_)
        named = None if code in ANONYMOUS else license_
        now = self._now
        return {
            **self._claims(
                str(asked["product"]), str(asked["license_key"]), str(asked["email"]), named
            ),
            "ref": now + self.refresh_seconds,
            **(self._lease(named, now) if named and code == "VALID" else {}),
            "req": request_hash(request.operation, request.body),
            "ins": asked["instance_id"],
            "val": code == "VALID",
            "code": code,
            "wrn": list(named.warnings) if named and code == "VALID" else [],
        }

    def issue_file(self, license_: License, lasts: int, **changes: object) -> bytes:
        """Return a license file, its claims changed before they are signed."""
        claims = {
            **self._claims(license_.product, license_.key, license_.email, license_),
            **dict.fromkeys(("ref", "exp", "grc"), self._now + lasts),
            "ins": None,
            "val": True,
            "code": "VALID",
            "wrn": [],
            **changes,
        }
        signed = self.vendor.signer.compact("license-file+jwt", compact(claims))
        return armored(compact({"v": 1, "keyset": self.newer_key_sets(0), "file": signed}))

    @property
    def _now(self) -> int:
        return self.clock.wall + self.clock_shift

    def _claims(self, product: str, key: str, email: str, named: License | None) -> Json:
        """Return what everything says that is signed now, of the license only if it is named."""
        license_id = named.license_id if named else ""
        kb, own = bindings(key, email, license_id)
        return {
            "v": 1,
            "iss": self.vendor.issuer,
            "aud": product,
            "jti": secrets.token_urlsafe(16),
            "sub": license_id,
            "iat": self._now,
            "kb": kb,
            "own": own,
            **(self._terms(named) if named else {}),
            "kse": self.vendor.epoch,
        }

    def _code(self, request: Request, license_: License | None) -> str:
        asked = request.members
        if license_ is None:
            return "LICENSE_NOT_FOUND"
        if license_.email != asked["email"]:
            return "EMAIL_MISMATCH"
        if license_.product != asked["product"]:
            return "PRODUCT_MISMATCH"
        if request.operation == "deactivate":
            self.deployments.discard(str(asked["instance_id"]))
            return "DEACTIVATED"
        if license_.code == "VALID" and request.operation == "activate":
            self.deployments.add(str(asked["instance_id"]))
        return license_.code

    def _lease(self, license_: License, now: int) -> Json:
        grace_until = now + self.grace_seconds
        if license_.kind == "trial" and license_.expires is not None:
            grace_until = min(license_.expires, now + 3 * DAY)
        return {"exp": min(now + self.fresh_seconds, grace_until), "grc": grace_until}

    @staticmethod
    def _terms(license_: License) -> Json:
        return {
            "st": "trial" if license_.kind == "trial" else "active",
            "kind": license_.kind,
            "lex": license_.expires,
            "rgr": 7 * DAY,
            "ent": list(license_.entitlements),
            "lim": dict(license_.limits),
        }


def unreachable(_: Simulator, request: Request) -> httpx.Response:
    """Be a switch that nobody gets past."""
    raise httpx.ConnectError(f"nobody there to {request.operation}")
