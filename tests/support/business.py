"""A busy day of a vendor: everything that a license server is told in secret, told to a real one.

What was secret is noted by name, so that a test can look for it where it must not be.
"""

import base64
import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from support.leaks import secrets_of_key
from support.payment_events import packed, stripe_event, stripe_headers, stripe_session
from support.servers import RunningServer
from support.vendor import PRODUCT, Vendor

PAYMENT_SECRET: Final = "whsec_" + secrets.token_hex(16)
SETTINGS: Final = {"TRUSTED_PROXIES": "127.0.0.1/32", "STRIPE_WEBHOOK_SECRET": PAYMENT_SECRET}
NO_MAIL_SERVER: Final = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "9", "SMTP_SECURITY": "none"}
IMPORTED, MAILED, TRIALS, BOUGHT, UNSENT = 50, 15, 20, 5, 10  # licenses: 100
_MAIL_SECONDS: Final = 60
_KEY: Final = re.compile(r"LIC(?:-[0-9A-Z]{5}){6}")
_LINK: Final = re.compile(r"/v1/recovery/([0-9a-z]{32})")


@dataclass
class Secrets:
    """What must not be found, by name."""

    values: dict[str, str | bytes] = field(default_factory=dict)

    def add(self, kind: str, value: str | bytes) -> None:
        """Note a secret."""
        self.values.setdefault(f"{kind} {value!r}", value)

    def new_email(self) -> str:
        """Make up an address; its domain is a secret of its own."""
        domain = f"shop-{secrets.token_hex(6)}.example"
        email = f"buyer+{secrets.token_hex(6)}@{domain}"
        self.add("email", email)
        self.add("domain", domain)
        return email

    def add_key(self, key: str) -> None:
        """Note a license key."""
        for kind, text in secrets_of_key(key).items():
            self.add(kind, text)

    def add_files_of(self, vendor: Vendor) -> None:
        """Note what the files of a server hold, as bytes."""
        folder = vendor.folder
        signing = load_pem_private_key((folder / "signing.key").read_bytes(), None)
        assert isinstance(signing, Ed25519PrivateKey)
        self.add("signing key", signing.private_bytes_raw())
        self.add("sealing key", bytes.fromhex((folder / "sealing.key").read_text()))
        for pepper in json.loads((folder / "peppers.json").read_text())["peppers"]:
            self.add("pepper", base64.urlsafe_b64decode(f"{pepper['secret']}="))

    def counted(self, kind: str) -> int:
        """Return how many of a kind are noted."""
        return sum(name.startswith(f"{kind} ") for name in self.values)


class Business:
    """A vendor, its people and its customers.

    Attributes:
        secrets: all that was told.
        license_ids: of what was sold at the counter.
    """

    def __init__(self, vendor: Vendor) -> None:
        vendor.create_product()
        self.secrets, self.license_ids = Secrets(), list[str]()
        self._vendor = vendor
        self._customers = 0
        self.secrets.add_files_of(vendor)
        made = vendor.command("token", "create", "--name", "till", "--role", "owner", "--json")
        self._token = str(json.loads(made)["token"])
        self.secrets.add("token", self._token)

    def do_it_all(self, running: RunningServer) -> None:
        """Sell by every way there is while mails are delivered, and lose some keys."""
        with self._counter(running) as counter:
            self._sell_imported(counter)
            sold = [self._sell_mailed(counter) for _ in range(MAILED)]
            self._keep_programs(counter)
            self._rotate(counter, self.license_ids[0])
        for _ in range(TRIALS):
            self._ask(running, "trials", self.secrets.new_email())
        for number in range(BOUGHT):
            self._buy(running, number)
        self._wait_for_mails(MAILED + TRIALS + BOUGHT)
        for email in sold[:5]:
            self._ask(running, "recovery", email)
        self._wait_for_mails(MAILED + TRIALS + BOUGHT + 5)
        self._note_mails()
        links = [name for name in self.secrets.values if name.startswith("recovery token")]
        for name in links[:2]:  # the others stay open
            token = self.secrets.values[name]
            page = httpx.post(f"{running.url}/v1/recovery/{token!s}")
            for key in _KEY.findall(page.text):
                self.secrets.add_key(key)

    def sell_unsent(self, running: RunningServer) -> None:
        """Sell while no mail server answers, and wait until each mail was tried."""
        with self._counter(running) as counter:
            for _ in range(UNSENT):
                self._sell_mailed(counter)
        deadline = time.monotonic() + _MAIL_SECONDS
        while len(running.events("outbox.retry", kind="mail")) < UNSENT:
            assert time.monotonic() < deadline, running.log
            time.sleep(0.1)

    def be_refused(self, running: RunningServer) -> str:
        """Ask for what cannot be done, with secrets everywhere; return all answers."""
        known = self.secrets.values
        key = next(f"LIC-{known[name]!s}" for name in known if name.startswith("key "))
        email = next(str(known[name]) for name in known if name.startswith("email "))
        asking = {"license_key": key, "email": email, "product": PRODUCT, "nonce": key}
        whole = {**asking, "instance_id": "i-1", "nonce": "A" * 22, "keyset_epoch": 1,
                 "client": {"name": "test", "version": "1.0"}}  # fmt: skip
        admin = running.wait_for_event("server.listening", listener="admin")["url"]
        good = {"Authorization": f"Bearer {self._token}"}
        answers = [
            *(httpx.post(f"{running.url}/v1/licenses/validate", json=body)
              for body in (whole, asking, [key], {"license_key": key * 9})),
            *(httpx.post(f"{running.url}/v1/{path}", json={"email": email, "product": PRODUCT})
              for path in ("trials", "recovery", f"recovery/{key}", f"{email}/{key}")),
            httpx.post(f"{running.url}/v1/payments/stripe", content=email,
                       headers={"Stripe-Signature": f"t=1,v1={PAYMENT_SECRET}"}),
            httpx.get(f"{running.url}/v1/keyset?since={key}"),
            httpx.get(f"{admin}/v1/admin/licenses?email=@{email}", headers=good),
            httpx.get(f"{admin}/v1/admin/licenses?email={email}", headers=good),
            httpx.get(f"{admin}/v1/admin/{self._token}", headers=good),
            httpx.get(f"{admin}/v1/admin/tokens?token={self._token}"),
            httpx.get(f"{admin}/metrics", headers={"Authorization": f"Bearer {self._token}0"}),
        ]  # fmt: skip
        return "\n".join(f"{answer.headers} {answer.text}" for answer in answers)

    def metrics(self, running: RunningServer) -> str:
        """Return what Prometheus gets."""
        admin = running.wait_for_event("server.listening", listener="admin")["url"]
        answer = httpx.get(f"{admin}/metrics", headers={"Authorization": f"Bearer {self._token}"})
        assert answer.is_success, answer.text
        return answer.text

    @contextmanager
    def _counter(self, running: RunningServer) -> Iterator["Counter"]:
        url = running.wait_for_event("server.listening", listener="admin")["url"]
        headers = {"Authorization": f"Bearer {self._token}"}
        with httpx.Client(base_url=f"{url}/v1/admin/", headers=headers) as http:
            yield Counter(http)

    def _sell_imported(self, counter: "Counter") -> None:
        order = {"product": PRODUCT, "metadata": {"order": "1"}}
        emails = [self.secrets.new_email() for _ in range(IMPORTED)]
        lines = [json.dumps({**order, "email": email}) for email in emails]
        for made in counter.send_lines("licenses/import", lines)[:-1]:
            self.secrets.add_key(made["key"])
            self.license_ids.append(made["id"])

    def _sell_mailed(self, counter: "Counter") -> str:
        email = self.secrets.new_email()
        order = {"product": PRODUCT, "email": email, "mail_key": True}
        name = secrets.token_hex(16)
        issued = counter.post("licenses", order, idempotency_key=name)
        again = counter.post("licenses", order, idempotency_key=name)
        assert issued == again  # the whole answer is kept, with the key
        self.secrets.add_key(issued["key"])
        self.license_ids.append(issued["id"])
        note = f"They pay late, says {secrets.token_hex(8)}."
        self.secrets.add("note", note)
        counter.patch(f"licenses/{issued['id']}", {"notes": note})
        return email

    def _keep_programs(self, counter: "Counter") -> None:
        for role in ("issuer", "support"):
            made = counter.post("tokens", {"name": role, "role": role, "lasts_seconds": 86_400})
            self.secrets.add("token", made["token"])
        for number in range(2):
            url = f"https://hooks-{number}.vendor.example/licenses"
            hook = counter.post("webhooks", {"url": url, "events": ["license.issued"]})
            turned = counter.post(f"webhooks/{hook['id']}/rotate-secret", {})
            for made in (hook, turned):
                secret = made["secret"].removeprefix("whsec_")
                self.secrets.add("webhook secret", secret)
                self.secrets.add("webhook secret", base64.b64decode(secret))
        self.secrets.add("payment secret", PAYMENT_SECRET)

    def _rotate(self, counter: "Counter", license_id: str) -> None:
        self.secrets.add_key(counter.post(f"licenses/{license_id}/rotate-key", {})["key"])

    def _ask(self, running: RunningServer, what: str, email: str) -> None:
        self._customers += 1
        answer = httpx.post(
            f"{running.url}/v1/{what}",
            json={"email": email, "product": PRODUCT},
            headers={"X-Forwarded-For": f"192.0.2.{self._customers}"},
        )
        assert answer.status_code == 202, answer.text

    def _buy(self, running: RunningServer, number: int) -> None:
        session = stripe_session(
            id=f"cs_{number}",
            payment_intent=f"pi_{number}",
            customer_details={"email": self.secrets.new_email(), "name": "Somebody"},
            metadata={"license_product": PRODUCT},
        )
        event = stripe_event("checkout.session.completed", session, f"evt_{number}")
        body = packed(event)
        headers = stripe_headers(body, datetime.now(UTC), PAYMENT_SECRET)
        answer = httpx.post(f"{running.url}/v1/payments/stripe", content=body, headers=headers)
        assert answer.is_success, answer.text

    def _mails(self) -> list[str]:
        return [path.read_text() for path in self._vendor.folder.glob("mail/*.eml")]

    def _wait_for_mails(self, number: int) -> None:
        deadline = time.monotonic() + _MAIL_SECONDS
        while len(self._mails()) < number:
            assert time.monotonic() < deadline, len(self._mails())
            time.sleep(0.1)

    def _note_mails(self) -> None:
        for mail in self._mails():
            for key in _KEY.findall(mail):
                self.secrets.add_key(key)
            for token in _LINK.findall(mail):
                self.secrets.add("recovery token", token)


@dataclass(frozen=True)
class Counter:
    """Where the vendor's people work: the admin API."""

    http: httpx.Client

    def post(self, path: str, body: object, idempotency_key: str | None = None) -> dict[str, Any]:
        """Return what is answered to a POST that succeeds."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        answer = self.http.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def patch(self, path: str, body: object) -> None:
        """Change something."""
        answer = self.http.patch(path, json=body)
        assert answer.is_success, answer.text

    def send_lines(self, path: str, lines: list[str]) -> list[dict[str, Any]]:
        """Send lines of JSON and return those that are answered."""
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": secrets.token_hex(16)}
        answer = self.http.post(path, content="\n".join(lines).encode(), headers=headers)
        assert answer.is_success, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]
