"""Licenses: found, issued, changed many at once, taken away as a file."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from starlette.types import Send

from license_server.console.reading import ending_of, instant_of, names_of, pairs_of
from license_server.console.searching import Search, read_search
from license_server.console.visits import Answer, Visit
from license_server.errors import FieldError, InvalidField, LicenseServerError
from license_server.web.answers import query as query_of
from license_server.web.pages import Page
from license_server.web.requests import Fields

_PAGE: Final = 50
_MOST_AT_ONCE: Final = 100
_FILTERS: Final = ("product", "status", "kind", "expires_after", "expires_before", "owner_id")
_DATES: Final = ("expires_after", "expires_before")
BULK_ACTIONS: Final = ("suspend", "reinstate", "revoke")


async def _list(visit: Visit) -> Answer:
    query = visit.request.query
    found = read_search(query.get("search"))
    if found.license_id is not None:
        return visit.redirect(f"/licenses/{found.license_id}")
    if found.key_hint is not None and found.key_hint != query.get("search"):
        kept = {name: value for name, value in query.pairs if name != "search"}
        return visit.redirect(f"/licenses?{query_of(**kept, search=found.key_hint)}")
    order = query.get("order", "newest")
    problem, listed, count = None, {"items": (), "next_cursor": None}, None
    try:
        members = _members(query, found)
        cursor = query.given("cursor")
        count, listed = await asyncio.gather(
            visit.api.get("licenses/count", **members),
            visit.api.get("licenses", **members, order=order, limit=_PAGE, cursor=cursor),
        )
    except InvalidField as error:
        problem = error
    return visit.render(
        "licenses.html",
        licenses=listed["items"],
        count=count,
        problem=problem,
        products=(await visit.api.get("products"))["items"],
        shown=query_of(**{name: query.given(name) for name in ("search", *_FILTERS)}),
        order=order,
        next_cursor=listed["next_cursor"],
    )


async def _export(visit: Visit) -> Answer:
    """Send the licenses that the list shows, all of them, as CSV."""
    query = visit.request.query
    members = {**_members(query, read_search(query.get("search"))), "format": "csv"}
    members = {name: value for name, value in members.items() if value is not None}
    name = f"licenses-{visit.now:%Y-%m-%d}.csv"

    async def answer(send: Send) -> None:
        disposition = f'attachment; filename="{name}"'.encode("ascii")
        header = (b"content-disposition", disposition)
        await visit.api.stream("licenses/export", members, send, header)

    return answer


async def _show_issue(visit: Visit) -> Answer:
    products = (await visit.api.get("products"))["items"]
    return visit.render("license_new.html", products=products)


async def _issue(visit: Visit) -> Answer:
    form = visit.form
    body: dict[str, Any] = {
        "product": form.get("product"),
        "email": form.get("email"),
        "kind": form.get("kind", "paid"),
        "entitlements": names_of(form, "entitlements"),
        "mail_key": form.has("mail_key"),
        "metadata": pairs_of(form, "metadata"),
        **ending_of(form),
    }
    made = await visit.api.send("POST", "licenses", body, once=visit.once)
    return visit.render("license_key.html", license=made, verb="issued")


async def _show_bulk(visit: Visit) -> Answer:
    """Say what will happen to the licenses that were ticked, before it does."""
    asked = visit.before.form or visit.request.query
    action, chosen = asked.get("action"), asked.all("license")[:_MOST_AT_ONCE]
    if action not in BULK_ACTIONS or not chosen:
        return visit.redirect("/licenses?done=none-ticked")
    licenses = [await visit.api.get(f"licenses/{license_id}") for license_id in chosen]
    return visit.render("licenses_bulk.html", action=action, licenses=licenses)


async def _bulk(visit: Visit) -> Answer:
    """Do it to one after the other: what one refuses does not undo the others."""
    action = visit.form.get("action")
    if action not in BULK_ACTIONS:
        raise InvalidField(FieldError("action", f"one of {', '.join(BULK_ACTIONS)} is expected"))
    outcomes: list[tuple[str, Any, str | None]] = []
    for license_id in visit.form.all("license")[:_MOST_AT_ONCE]:
        try:
            changed = await visit.api.send("POST", f"licenses/{license_id}/{action}")
            outcomes.append((license_id, changed, None))
        except LicenseServerError as problem:
            outcomes.append((license_id, None, str(problem)))
    return visit.render("licenses_done.html", action=action, outcomes=outcomes)


async def _trials(visit: Visit) -> Answer:
    """Show the trials, those that end first before all others."""
    return visit.redirect("/licenses?kind=trial&order=ends_first")


def _members(query: Fields, found: Search) -> Mapping[str, str | None]:
    """Return which licenses are asked for, as the API's query spells it."""
    members: dict[str, str | None] = {name: query.given(name) for name in _FILTERS}
    for name in _DATES:
        members[name] = None if members[name] is None else instant_of(name, str(members[name]))
    members |= {"email": found.email, "domain": found.domain, "key_hint": found.key_hint}
    return members


PAGES: Final = (
    Page("/licenses", _list),
    Page("/licenses/export", _export),
    Page("/licenses/new", _show_issue, _issue),
    Page("/licenses/bulk", _show_bulk, _bulk),
    Page("/trials", _trials),
)
