"""The admin API over real databases: who may ask, what is refused, what is answered twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from license_server.api.endpoints import Endpoint, StreamEndpoint
from license_server.codes import Code
from license_server.evaluation import Operation
from license_server.license_keys import LicenseKey
from license_server.tokens import Role
from support.admin_api import AdminClient, endpoints
from support.licensed_vendor import Vendor
from support.licensing import DAY, EMAIL, NOW, OTHER_EMAIL, claims_in

pytestmark = pytest.mark.anyio

ALL = set(Role)
WORKERS = ALL - {Role.AUDITOR}
ISSUERS = {Role.OWNER, Role.ISSUER}
WATCHERS = {Role.OWNER, Role.AUDITOR}
OWNER = {Role.OWNER}

MATRIX = {
    "product.list": ALL, "product.create": OWNER, "product.get": ALL, "product.change": OWNER,
    "license.list": ALL, "license.issue": ISSUERS, "license.get": ALL, "license.change": WORKERS,
    "license.suspend": WORKERS, "license.reinstate": WORKERS, "license.revoke": ISSUERS,
    "license.renew": ISSUERS, "license.convert": ISSUERS, "license.transfer": ISSUERS,
    "license.rotate_key": WORKERS, "license.issue_file": ISSUERS,
    "deployment.list": ALL, "deployment.block": WORKERS, "deployment.unblock": WORKERS,
    "deployment.remove": WORKERS,
    "owner.find": ALL, "owner.get": ALL, "owner.export": OWNER, "owner.erase": OWNER,
    "token.list": OWNER, "token.create": OWNER, "token.revoke": OWNER,
    "operator.list": OWNER, "operator.create": OWNER, "operator.change": OWNER,
    "operator.reset": OWNER, "operator.disable": OWNER, "operator.enable": OWNER,
    "operator.sign_out": OWNER, "account.change_password": ALL,
    "mail.list": ALL, "mail.resend": WORKERS,
    "webhook.list": ALL, "webhook.create": OWNER, "webhook.get": ALL, "webhook.change": OWNER,
    "webhook.remove": OWNER, "webhook.rotate_secret": OWNER, "webhook.test": OWNER,
    "webhook.deliveries": ALL, "webhook.replay": OWNER,
    "license.count": ALL, "license.history": ALL, "mail.preview": WORKERS,
    "audit.verify": WATCHERS, "audit.checkpoint": OWNER, "keyset.show": ALL,
    "settings.show": OWNER, "doctor.show": ALL, "stats.decisions": ALL,
    "stats.show": ALL, "audit.list": WATCHERS, "audit.export": WATCHERS,
    "license.export": ALL, "license.import": ISSUERS, "document.get": ALL, "metrics.get": ALL,
}  # fmt: skip


@pytest.fixture
async def api(vendor: Vendor) -> AsyncIterator[AdminClient]:
    async with AdminClient.opened(vendor) as client:
        yield client


def path_of(endpoint: Endpoint[Any, Any] | StreamEndpoint[Any]) -> str:
    names = {"code": "x", "license_id": "lic_x", "instance_id": "i", "owner_id": "o"}
    more = {
        "token_id": "t",
        "operator_id": "p",
        "mail_id": "m",
        "endpoint_id": "e",
        "delivery_id": "d",
    }
    return (
        endpoint.path.replace("/metrics", "../../metrics")
        .removeprefix("/v1/admin/")
        .format(**names, **more)
    )


def test_every_endpoint_is_in_the_matrix_of_roles() -> None:
    assert {endpoint.name for endpoint in endpoints()} == set(MATRIX)


async def test_each_role_may_do_what_it_is_for_and_nothing_else(api: AdminClient) -> None:
    for endpoint in endpoints():
        for role in Role:
            response = await api.ask(endpoint.method, path_of(endpoint), role=role)
            is_refused = response.status_code == 403
            assert is_refused is (role not in MATRIX[endpoint.name]), (endpoint.name, role)


async def test_without_a_good_token_nothing_is_done(api: AdminClient) -> None:
    ended = await api.new_token(Role.OWNER, timedelta(seconds=1))
    revoked = await api.new_token(Role.OWNER)
    listed = {one["prefix"]: one["id"] for one in (await api.get("tokens"))["items"]}
    await api.post(f"tokens/{listed[revoked[:10]]}/revoke")
    api.clock.now += timedelta(seconds=1)
    for header in (None, "", "Basic YTpi", "Bearer", "Bearer lsk_nothing", f"Bearer {ended}",
                   f"Bearer {revoked}", f"Bearer {api.tokens[Role.OWNER][:-1]}"):  # fmt: skip
        headers = {} if header is None else {"Authorization": header}
        response = await api.http.post(
            "/v1/admin/products", headers=headers, json={"code": "two", "name": "Two"}
        )
        assert response.status_code == 401, header
        assert response.headers["www-authenticate"] == "Bearer"
    assert len((await api.get("products"))["items"]) == 1


async def test_every_endpoint_refuses_every_token_that_is_not_good(api: AdminClient) -> None:
    expired = await api.new_token(Role.OWNER, timedelta(seconds=1))
    revoked = await api.new_token(Role.OWNER)
    listed = {one["prefix"]: one["id"] for one in (await api.get("tokens"))["items"]}
    await api.post(f"tokens/{listed[revoked[:10]]}/revoke")
    api.clock.now += timedelta(seconds=1)
    bad: dict[str, dict[str, str]] = {"none": {}} | {
        name: {"Authorization": f"Bearer {token}"}
        for name, token in {"malformed": "lsk_x", "expired": expired, "revoked": revoked}.items()
    }
    for endpoint in endpoints():
        path = f"/v1/admin/{path_of(endpoint)}"
        for name, headers in bad.items():
            response = await api.http.request(endpoint.method, path, headers=headers)
            code = "CREDENTIAL_MISSING" if name == "none" else "CREDENTIAL_INVALID"
            answered = (response.status_code, response.json().get("code"))
            assert answered == (401, code), (endpoint.name, name)


async def test_a_token_is_listed_by_its_prefix_and_when_it_was_used(api: AdminClient) -> None:
    made = await api.post("tokens", name="web shop", role="issuer", lasts_seconds=3600)
    [listed] = [one for one in (await api.get("tokens"))["items"] if one["id"] == made["id"]]
    assert listed["prefix"] == made["token"][:10]
    assert listed["last_used_at"] is None
    assert made["token"] not in str(listed)
    api.tokens[Role.ISSUER] = made["token"]
    await api.ask("GET", "products", role=Role.ISSUER)
    again = {one["id"]: one for one in (await api.get("tokens"))["items"]}
    assert again[made["id"]]["last_used_at"] == "2026-11-23T12:00:00Z"


@pytest.mark.parametrize(
    ("method", "path", "options", "refusal"),
    [
        ("POST", "licenses", {"json": {"product": "db-api"}}, (400, "INVALID_FIELD")),
        ("POST", "licenses", {"json": {"product": "db-api", "email": "x", "kind": "paid"}},
         (400, "INVALID_FIELD")),
        ("POST", "licenses", {"json": {"product": "db-api", "email": "a@b.example", "more": 1}},
         (400, "INVALID_FIELD")),
        ("POST", "licenses", {"json": {"product": "none", "email": "a@b.example"}},
         (404, "NOT_FOUND")),
        ("POST", "licenses", {"json": {"product": "db-api", "email": "a@b.example",
         "lasts_seconds": True}}, (400, "INVALID_FIELD")),
        ("POST", "licenses", {"json": {"product": "db-api", "email": "a@b.example",
         "lasts_seconds": 1, "expires_at": "2030-01-01T00:00:00Z"}}, (400, "INVALID_FIELD")),
        ("POST", "licenses", {"json": {"product": "db-api", "email": "a@b.example",
         "expires_at": "2030-01-01T00:00:00"}}, (400, "INVALID_FIELD")),
        ("POST", "licenses", {"json": {"product": "db-api", "email": "a@b.example",
         "metadata": {"": "x"}}}, (400, "INVALID_FIELD")),
        ("POST", "licenses", {"content": b"{"}, (415, "UNSUPPORTED_MEDIA_TYPE")),
        ("POST", "licenses", {"content": b"{", "headers": {"Content-Type": "application/json"}},
         (400, "MALFORMED_JSON")),
        ("POST", "licenses", {"content": b" " * 300_000,
         "headers": {"Content-Type": "application/json"}}, (413, "BODY_TOO_LARGE")),
        ("GET", "licenses", {"params": {"limit": "0"}}, (400, "INVALID_FIELD")),
        ("GET", "licenses", {"params": {"cursor": "x"}}, (400, "INVALID_FIELD")),
        ("GET", "licenses", {"params": {"status": "good"}}, (400, "INVALID_FIELD")),
        ("GET", "licenses", {"params": [("limit", "1"), ("limit", "2")]}, (400, "INVALID_FIELD")),
        ("GET", "licenses", {"params": {"emial": "a@b.example"}}, (400, "INVALID_FIELD")),
        ("GET", "licenses", {"params": {"product": "\0"}}, (400, "INVALID_FIELD")),
        ("GET", "licenses", {"params": {"owner_id": "own\0"}}, (400, "INVALID_FIELD")),
        ("GET", "mails", {"params": {"subject": "\0"}}, (400, "INVALID_FIELD")),
        ("GET", "licenses", {"params": {"issued_after": "1700000000"}}, (400, "INVALID_FIELD")),
        *(
            ("POST", "licenses", {"json": {"product": "db-api", "email": "a@b.example",
             "starts_at": instant, "lasts_seconds": 86_400}}, (400, "INVALID_FIELD"))
            for instant in ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z",
                            "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z")
        ),
        ("PATCH", "products/db-api", {"json": {"expiring_notices_seconds": [0] * 9}},
         (400, "INVALID_FIELD")),
        ("GET", "licenses/lic_x", {}, (404, "NOT_FOUND")),
        ("GET", "licenses/%00", {}, (404, "NOT_FOUND")),
        ("PUT", "licenses", {}, (405, "NOT_FOUND")),
        ("GET", "nothing", {}, (404, "NOT_FOUND")),
        ("PATCH", "products/db-api", {"json": {"lease_seconds": 1}}, (400, "INVALID_FIELD")),
        ("PATCH", "products/db-api", {"json": {"name": None}}, (400, "INVALID_FIELD")),
        ("POST", "products", {"json": {"code": "db-api", "name": "x"}}, (409, "STATE_CONFLICT")),
        ("POST", "tokens", {"json": {"name": "", "role": "owner"}}, (400, "INVALID_FIELD")),
        ("POST", "tokens", {"json": {"name": "x", "role": "king"}}, (400, "INVALID_FIELD")),
    ],
)  # fmt: skip
async def test_bad_input_gets_a_clear_error_and_changes_nothing(
    api: AdminClient, method: str, path: str, options: dict[str, Any], refusal: tuple[int, str]
) -> None:
    before = (await api.get("audit"))["items"]
    assert await api.refused(method, path, **options) == refusal
    assert (await api.get("audit"))["items"] == before


async def test_a_wrong_method_is_told_the_right_ones_of_the_path(api: AdminClient) -> None:
    for path, allowed in (("licenses/import", "POST"), ("licenses/lic_x", "GET, PATCH")):
        refused = await api.ask("PUT", path)
        assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


async def test_a_request_sent_again_is_done_once_and_answered_alike(api: AdminClient) -> None:
    again = {"Idempotency-Key": "order-2041"}
    body = {"product": "db-api", "email": "ada@example.com"}
    first = await api.ask("POST", "licenses", json=body, headers=again)
    second = await api.ask("POST", "licenses", json=body, headers=again)
    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["idempotency-replayed"] == "true"
    other = {**body, "email": "eve@example.com"}
    assert await api.refused("POST", "licenses", json=other, headers=again) == (
        409, "IDEMPOTENCY_CONFLICT",
    )  # fmt: skip
    as_issuer = await api.ask("POST", "licenses", json=body, headers=again, role=Role.ISSUER)
    assert as_issuer.json()["id"] != first.json()["id"]
    assert await api.refused("POST", "licenses", json=body, headers={"Idempotency-Key": "a b"}) == (
        400, "INVALID_FIELD",
    )  # fmt: skip


async def test_a_refused_request_can_be_sent_again_under_its_key(api: AdminClient) -> None:
    again = {"Idempotency-Key": "k"}
    body = {"product": "later", "email": "ada@example.com"}
    assert (await api.refused("POST", "licenses", json=body, headers=again))[0] == 404
    await api.post("products", code="later", name="Later")
    assert (await api.ask("POST", "licenses", json=body, headers=again)).status_code == 201


async def test_the_same_request_twice_at_one_instant_issues_once(api: AdminClient) -> None:
    body = {"product": "db-api", "email": "ada@example.com"}
    answers = await asyncio.gather(
        *(
            api.ask("POST", "licenses", json=body, headers={"Idempotency-Key": "k"})
            for _ in range(4)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["key"] for answer in answers}) == 1
    assert len((await api.get("licenses"))["items"]) == 1


async def test_a_stale_change_is_refused(api: AdminClient) -> None:
    made = await api.issue()
    path = f"licenses/{made['id']}"
    tag = (await api.ask("GET", path)).headers["etag"]
    fresh = {"If-Match": tag}
    changed = await api.ask("PATCH", path, json={"notes": "called"}, headers=fresh)
    assert (changed.status_code, changed.json()["notes"]) == (200, "called")
    assert await api.refused("PATCH", path, json={"notes": "no"}, headers=fresh) == (
        412, "ETAG_MISMATCH",
    )  # fmt: skip
    assert changed.headers["etag"] != tag
    assert (await api.get(path))["notes"] == "called"


async def test_pages_show_every_license_once_while_others_are_issued(api: AdminClient) -> None:
    made = []
    for number in range(7):
        api.clock.now = NOW + timedelta(seconds=number // 2)
        made.append((await api.issue())["id"])
    seen, cursor = [], None
    while True:
        page = await api.get("licenses", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        if len(seen) == 4:
            api.clock.now += DAY
            made.append((await api.issue())["id"])
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(made)


async def test_filters_find_what_they_name(api: AdminClient) -> None:
    ada = await api.issue(lasts_seconds=86_400)
    eve = await api.issue(email="eve@other.example", kind="trial")

    async def ids(**query: str) -> list[str]:
        return [one["id"] for one in (await api.get("licenses", **query))["items"]]

    assert await ids(email="ADA@example.com") == [ada["id"]]
    assert await ids(domain="other.example") == [eve["id"]]
    assert await ids(key_hint=ada["key"][-4:].lower()) == [ada["id"]]
    assert await ids(kind="trial") == await ids(status="trial") == [eve["id"]]
    assert await ids(expires_before="2026-11-25T00:00:00Z") == [ada["id"]]
    assert await ids(expires_after="2026-11-25T00:00:00Z") == []
    assert await ids(owner_id=eve["owner_id"], product="db-api") == [eve["id"]]
    api.clock.now += 9 * DAY
    late = await api.issue(email="eve@other.example")
    assert await ids(issued_after="2026-12-01T00:00:00Z") == [late["id"]]
    early = await ids(issued_before="2026-12-01T00:00:00Z")
    assert sorted(early) == sorted([ada["id"], eve["id"]])
    exported = await api.ask("GET", "licenses/export?issued_after=2026-12-01T00:00:00Z")
    assert json.loads(exported.text)["id"] == late["id"]
    assert await ids(status="expired") == [ada["id"]]
    await api.post(f"licenses/{ada['id']}/suspend")
    assert await ids(status="suspended") == [ada["id"]]
    assert await ids(status="active") == [late["id"]]


async def test_a_rotated_key_warns_until_its_overlap_ends(api: AdminClient) -> None:
    made = await api.issue()
    old = LicenseKey.parse(made["key"])
    rotated = await api.post(f"licenses/{made['id']}/rotate-key", overlap_seconds=3600)
    new = LicenseKey.parse(rotated["key"])
    assert (await api.vendor.ask(old)).warnings == ("KEY_SUPERSEDED",)
    assert (await api.vendor.ask(new)).warnings == ()
    late = NOW + timedelta(hours=1)
    assert (await api.vendor.ask(old, now=late)).code is Code.KEY_ROTATED
    assert (await api.vendor.ask(new, now=late)).valid
    assert rotated["key_hint"] == new.hint


async def test_a_transfer_ends_the_old_key_and_the_old_owner_at_once(api: AdminClient) -> None:
    made = await api.issue()
    old = LicenseKey.parse(made["key"])
    await api.vendor.ask(old, Operation.ACTIVATE)
    moved = await api.post(f"licenses/{made['id']}/transfer", email=OTHER_EMAIL.address)
    new = LicenseKey.parse(moved["key"])
    assert (moved["email"], moved["deployments"]) == (OTHER_EMAIL.address, 0)
    assert (await api.vendor.ask(old)).code is Code.EMAIL_MISMATCH
    assert (await api.vendor.ask(old, email=OTHER_EMAIL)).code is Code.KEY_ROTATED
    assert (await api.vendor.ask(new, email=OTHER_EMAIL)).valid
    again = {"json": {"email": OTHER_EMAIL.address}}
    assert await api.refused("POST", f"licenses/{made['id']}/transfer", **again) == (
        409, "STATE_CONFLICT",
    )  # fmt: skip


async def test_a_converted_trial_keeps_its_key_and_cannot_be_had_again(api: AdminClient) -> None:
    made = await api.issue(kind="trial")
    key = LicenseKey.parse(made["key"])
    paid = await api.post(f"licenses/{made['id']}/convert", lasts_seconds=30 * 86_400)
    assert (paid["id"], paid["kind"], paid["status"]) == (made["id"], "paid", "active")
    assert (await api.vendor.ask(key, now=NOW + 29 * DAY)).valid
    trial = {"json": {"product": "db-api", "email": "ada@example.com", "kind": "trial"}}
    assert await api.refused("POST", "licenses", **trial) == (409, "STATE_CONFLICT")
    assert await api.refused("POST", f"licenses/{made['id']}/convert") == (409, "STATE_CONFLICT")


@pytest.mark.parametrize("state", ["active", "suspended", "revoked", "trial"])
async def test_changes_that_do_not_fit_a_state_are_refused(api: AdminClient, state: str) -> None:
    allowed = {
        "active": {"suspend", "revoke", "renew", "rotate-key"},
        "suspended": {"reinstate", "revoke", "renew", "rotate-key"},
        "revoked": set(),
        "trial": {"suspend", "revoke", "convert", "rotate-key"},
    }
    for verb in ("suspend", "reinstate", "revoke", "renew", "convert", "rotate-key"):
        email = f"{verb}@{state}.example"
        is_trial = state == "trial"
        kind = {"kind": "trial"} if is_trial else {"lasts_seconds": 86_400}
        made = await api.issue(email=email, **kind)
        if state in {"suspended", "revoked"}:
            await api.post(
                f"licenses/{made['id']}/{state.removesuffix('ed').replace('revok', 'revoke')}"
            )
        body = {"lasts_seconds": 7 * 86_400} if verb in {"renew", "convert"} else {}
        response = await api.ask("POST", f"licenses/{made['id']}/{verb}", json=body)
        expected = 200 if verb in allowed[state] else 409
        assert response.status_code == expected, (state, verb, response.text)


async def test_a_renewal_counts_from_the_end_or_from_now(api: AdminClient) -> None:
    made = await api.issue(lasts_seconds=10 * 86_400)
    path = f"licenses/{made['id']}/renew"
    assert (await api.post(path, lasts_seconds=86_400))["expires_at"] == "2026-12-04T12:00:00Z"
    from_now = await api.post(path, lasts_seconds=30 * 86_400, from_now=True)
    assert from_now["expires_at"] == "2026-12-23T12:00:00Z"


async def test_a_change_of_policy_changes_no_status(api: AdminClient) -> None:
    made = await api.issue(lasts_seconds=86_400)
    tag = {"If-Match": (await api.ask("GET", "products/db-api")).headers["etag"]}
    change = {"renewal_grace_seconds": 0, "validity_seconds": 86_400, "entitlements": ["sso"]}
    changed = await api.ask("PATCH", "products/db-api", json=change, headers=tag)
    assert changed.json()["validity_seconds"] == 86_400
    api.clock.now = NOW + 2 * DAY
    assert (await api.get(f"licenses/{made['id']}"))["status"] == "active"
    cleared = await api.ask("PATCH", "products/db-api", json={"validity_seconds": None})
    assert cleared.json()["validity_seconds"] is None


async def test_entitlements_of_a_license_add_to_its_products(api: AdminClient) -> None:
    await api.ask("PATCH", "products/db-api", json={"entitlements": ["core"]})
    made = await api.issue(entitlements=["sso", "audit"])
    answer = await api.vendor.ask(LicenseKey.parse(made["key"]))
    assert claims_in(answer.decision)["ent"] == ["audit", "core", "sso"]


async def test_a_blocked_deployment_is_refused_until_it_is_unblocked(api: AdminClient) -> None:
    made = await api.issue()
    key, path = LicenseKey.parse(made["key"]), f"licenses/{made['id']}/deployments"
    await api.vendor.ask(key, Operation.ACTIVATE)
    [seen] = (await api.get(path))["items"]
    assert (seen["instance_id"], seen["client_version"]) == ("instance-1", "1.0.0")
    await api.post(f"{path}/instance-1/block")
    assert (await api.vendor.ask(key)).code is Code.DEPLOYMENT_BLOCKED
    assert (await api.refused("POST", f"{path}/instance-1/block"))[0] == 409
    await api.post(f"{path}/instance-1/unblock")
    assert (await api.vendor.ask(key)).valid
    assert (await api.ask("DELETE", f"{path}/instance-1")).status_code == 204
    assert (await api.get(path))["items"] == []


async def test_an_archived_deployment_gives_its_seat_back_and_may_return(api: AdminClient) -> None:
    await api.post("products", code="small", name="Small", deployment_limit=1)
    made = await api.issue(product="small")
    key = LicenseKey.parse(made["key"])
    named: dict[str, Any] = {"product": "small"}
    assert (await api.vendor.ask(key, **named)).valid
    full = await api.vendor.ask(key, instance_id="two", now=NOW + DAY, **named)
    assert full.code is Code.DEPLOYMENT_LIMIT
    late = NOW + 100 * DAY
    async with api.vendor.desk(late) as desk:
        assert await desk.transaction.deployments.archive_unseen(late - 90 * DAY, late) == 1
    path = f"licenses/{made['id']}/deployments"
    assert (await api.get(path))["items"] == []
    assert len((await api.get(path, archived="true"))["items"]) == 1
    assert (await api.vendor.ask(key, instance_id="two", now=late, **named)).valid
    back = await api.vendor.ask(key, now=late, **named)
    assert back.code is Code.DEPLOYMENT_LIMIT
    await api.ask("DELETE", f"{path}/two")
    assert (await api.vendor.ask(key, now=late, **named)).valid
    assert [one["instance_id"] for one in (await api.get(path))["items"]] == ["instance-1"]


async def test_an_erased_person_is_gone_and_the_log_stays_sound(api: AdminClient) -> None:
    made = await api.issue(kind="trial", metadata={"crm": "ada lovelace"}, mail_key=True)
    key = LicenseKey.parse(made["key"])
    await api.vendor.ask(key, Operation.ACTIVATE, deployment_name="ada's laptop")
    owner = await api.get("owners", email=EMAIL.address)
    told = await api.get(f"owners/{owner['id']}/export")
    assert told["owner"]["email"] == EMAIL.address
    assert told["licenses"][0]["deployments"][0]["name"] == "ada's laptop"
    erased = await api.post(f"owners/{owner['id']}/erase")
    assert erased["email"] is None
    shown = await api.get(f"licenses/{made['id']}")
    assert (shown["email"], shown["status"], shown["metadata"]) == (None, "revoked", {})
    assert (await api.vendor.ask(key)).code is Code.EMAIL_MISMATCH
    assert (await api.refused("GET", "owners", params={"email": EMAIL.address}))[0] == 404
    trial = {"json": {"product": "db-api", "email": EMAIL.address, "kind": "trial"}}
    assert await api.refused("POST", "licenses", **trial) == (409, "STATE_CONFLICT")
    assert (await api.refused("POST", f"owners/{owner['id']}/erase"))[0] == 409
    for verb in ("rotate-key", "reinstate"):
        assert (await api.refused("POST", f"licenses/{made['id']}/{verb}"))[0] == 409
    rows = await api.vendor.rows("SELECT payload_sealed, state FROM outbox")
    assert [tuple(row) for row in rows] == [(None, "failed")]


async def test_a_license_file_is_issued_for_a_key_of_the_license(api: AdminClient) -> None:
    made, other = await api.issue(), await api.issue(email="eve@example.com")
    path = f"licenses/{made['id']}/file"
    file = (await api.post(path, license_key=made["key"], lasts_seconds=86_400))["file"]
    assert file.startswith("-----BEGIN LICENSE FILE-----\n")
    for body in (
        {"license_key": other["key"], "lasts_seconds": 86_400},
        {"license_key": made["key"], "lasts_seconds": 401 * 86_400},
        {"license_key": made["key"], "lasts_seconds": 0},
    ):
        assert (await api.refused("POST", path, json=body))[0] == 400
    await api.post(f"licenses/{made['id']}/suspend")
    body = {"license_key": made["key"], "lasts_seconds": 86_400}
    assert await api.refused("POST", path, json=body) == (409, "STATE_CONFLICT")


async def test_the_audit_log_names_the_token_and_the_request(api: AdminClient) -> None:
    await api.issue()
    tokens = {one["role"]: one["id"] for one in (await api.get("tokens"))["items"]}
    [entry] = [one for one in (await api.get("audit"))["items"] if one["action"] == "license.issue"]
    assert entry["actor"] == tokens["owner"]
    assert entry["request_id"]
    exported = await api.ask("GET", "audit/export")
    assert len(exported.text.splitlines()) == entry["seq"]
