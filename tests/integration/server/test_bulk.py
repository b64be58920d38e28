"""Many licenses at once over HTTP, on either database."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from license_server.license_keys import LicenseKey
from license_server.tokens import Role
from support.admin_api import AdminClient
from support.licensed_vendor import Vendor

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(vendor: Vendor) -> AsyncIterator[AdminClient]:
    async with AdminClient.opened(vendor) as client:
        yield client


def line(**members: Any) -> str:
    return json.dumps({"product": "db-api", "email": "ada@example.com", **members})


async def send(
    admin: AdminClient, text: str, kind: str = "application/x-ndjson", **options: Any
) -> httpx.Response:
    headers = {"Content-Type": kind, "Idempotency-Key": "one"}
    return await admin.ask(
        "POST", "licenses/import", headers=headers, content=text.encode(), **options
    )


def lines_of(response: httpx.Response) -> list[Any]:
    assert response.status_code == 200, response.text
    return [json.loads(text) for text in response.text.splitlines()]


async def test_bad_lines_are_named_and_nothing_is_done(admin: AdminClient) -> None:
    bad = [line(), line(email="ada"), "{", line(product="other"), line(mail_key=True)]
    response = await send(admin, "\n".join(bad))
    assert response.status_code == 400
    named = [error["field"] for error in response.json()["errors"]]
    assert named == ["line 2.email", "line 3", "line 4.product", "line 5.mail_key"]
    assert (await admin.get("licenses"))["items"] == []


async def test_a_bad_line_behind_many_good_ones_undoes_them(admin: AdminClient) -> None:
    good = [line(email=f"buyer{number}@example.com") for number in range(1_500)]
    response = await send(admin, "\n".join([*good, line(product="other"), *good]))
    assert [error["field"] for error in response.json()["errors"]] == ["line 1501.product"]
    assert (await admin.get("licenses"))["items"] == []
    assert lines_of(await send(admin, line()))[-1] == {"imported": 1}


async def test_a_second_trial_undoes_the_whole_import(admin: AdminClient) -> None:
    response = await send(admin, f"{line()}\n{line(kind='trial')}\n{line(kind='trial')}\n")
    assert response.status_code == 409
    assert "line 3" in response.json()["detail"]
    assert (await admin.get("licenses"))["items"] == []


async def test_no_more_than_a_hundred_bad_lines_are_named(admin: AdminClient) -> None:
    response = await send(admin, "{}\n" * 300)
    assert len(response.json()["errors"]) == 100


async def test_csv_that_does_not_fit_its_first_line_is_refused(admin: AdminClient) -> None:
    response = await send(admin, "product,email\ndb-api\n", "text/csv; charset=utf-8")
    assert [error["field"] for error in response.json()["errors"]] == ["line 2.body"]


async def test_csv_with_a_column_that_is_none_is_refused_even_without_lines(
    admin: AdminClient,
) -> None:
    response = await send(admin, "product,mail\n", "text/csv")
    assert [error["field"] for error in response.json()["errors"]] == ["line 1"]


async def test_an_import_needs_a_type_and_a_role(admin: AdminClient) -> None:
    assert (await send(admin, line(), "application/json")).status_code == 415
    assert (await send(admin, line(), role=Role.SUPPORT)).status_code == 403


async def test_an_import_is_done_once_and_answered_alike_when_it_is_asked_for_again(
    admin: AdminClient,
) -> None:
    first, second = [await send(admin, f"{line()}\n{line(kind='trial')}") for _ in range(2)]
    assert lines_of(first) == lines_of(second)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert len((await admin.get("licenses"))["items"]) == 2


async def test_other_lines_are_refused_under_the_key_of_an_import(admin: AdminClient) -> None:
    await send(admin, line())
    response = await send(admin, line(email="bob@example.com"))
    assert (response.status_code, response.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert len((await admin.get("licenses"))["items"]) == 1


async def test_an_import_that_could_not_be_asked_for_again_is_refused(admin: AdminClient) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    response = await admin.ask("POST", "licenses/import", headers=headers, content=line().encode())
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["Idempotency-Key"]


async def test_no_imported_key_stands_in_the_database(admin: AdminClient) -> None:
    made, _ = lines_of(await send(admin, line()))
    kept = await admin.vendor.rows("SELECT answer_sealed FROM idempotency_keys")
    assert made["key"].encode() not in b"".join(bytes(row[0] or b"") for row in kept)


async def test_a_dry_run_only_judges(admin: AdminClient) -> None:
    assert lines_of(await send(admin, line(), params={"dry_run": "true"})) == [{"valid": 1}]
    assert (await admin.get("licenses"))["items"] == []


async def test_imported_keys_work_and_one_email_is_one_owner(admin: AdminClient) -> None:
    text = f"{line(lasts_seconds=86400)}\n\n{line(email='ADA@example.com')}\n"
    first, second, last = lines_of(await send(admin, text))
    assert last == {"imported": 2}
    assert [first["line"], second["line"]] == [1, 3]
    items = (await admin.get("licenses"))["items"]
    assert {item["id"] for item in items} == {first["id"], second["id"]}
    assert len({item["owner_id"] for item in items}) == 1
    for made in (first, second):
        assert (await admin.vendor.ask(LicenseKey.parse(made["key"]))).valid
    entries = (await admin.get("audit"))["items"]
    assert [entry["action"] for entry in entries].count("license.issue") == 2


async def test_csv_is_read_with_all_its_members(admin: AdminClient) -> None:
    text = (
        "product,email,kind,expires_at,entitlements,metadata\n"
        'db-api,ada@example.com,paid,2030-01-01T00:00:00Z,sso;export,"{""order"": ""7""}"\n'
        "db-api,bob@example.com,,,,\n"
    )
    assert lines_of(await send(admin, text, "text/csv"))[-1] == {"imported": 2}
    first, second = (
        (await admin.get("licenses", email="ada@example.com"))["items"][0],
        (await admin.get("licenses", email="bob@example.com"))["items"][0],
    )
    assert first["entitlements"] == ["export", "sso"]
    assert first["metadata"] == {"order": "7"}
    assert first["expires_at"] == "2030-01-01T00:00:00Z"
    assert second["expires_at"] is None


async def test_an_export_holds_what_the_filter_lets_through(admin: AdminClient) -> None:
    texts = [line(email=f"buyer{number}@example.com") for number in range(1_001)]  # two batches
    assert lines_of(await send(admin, "\n".join(texts)))[-1] == {"imported": 1_001}
    everything = lines_of(await admin.ask("GET", "licenses/export"))
    assert len({one["id"] for one in everything}) == 1_001
    params = {"format": "csv", "email": "buyer7@example.com"}
    response = await admin.ask("GET", "licenses/export", params=params)
    assert response.headers["content-type"] == "text/csv"
    head, row = response.text.splitlines()
    assert head.startswith("id,product,owner_id,email,")
    assert "buyer7@example.com" in row


async def test_no_cell_of_a_csv_export_is_a_formula_and_each_comes_back_as_it_was(
    admin: AdminClient,
) -> None:
    emails = {f"{start}cmd@example.com" for start in ("=", "+", "-", "'=", "''+", "'", "a=")}
    await send(admin, "\n".join(line(email=email) for email in emails))
    response = await admin.ask("GET", "licenses/export", params={"format": "csv"})
    exported = list(csv.DictReader(io.StringIO(response.text)))
    assert not [cell for row in exported for cell in row.values() if cell[:1] in set("=+-@\t\r")]
    again = io.StringIO()
    writer = csv.DictWriter(again, ("product", "email", "metadata"), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(exported)
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "two"}
    content = again.getvalue().encode()
    made = lines_of(await admin.ask("POST", "licenses/import", headers=headers, content=content))
    assert {one["email"] for one in made[:-1]} == emails


async def test_an_export_refuses_a_format_that_it_does_not_know(admin: AdminClient) -> None:
    response = await admin.refused("GET", "licenses/export", params={"format": "xml"})
    assert response == (400, "INVALID_FIELD")


async def test_the_admin_api_answers_its_document(admin: AdminClient) -> None:
    document = await admin.get("openapi.json")
    assert {"/v1/admin/openapi.json", "/v1/admin/licenses/export"} <= document["paths"].keys()
