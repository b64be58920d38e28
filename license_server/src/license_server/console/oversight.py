"""The server itself: its log, its keys, its health, its settings."""

from typing import Final

from license_server.console.reading import instant_of
from license_server.console.visits import Answer, Visit
from license_server.errors import InvalidField
from license_server.web.pages import Page

_PAGE: Final = 50


async def _audit(visit: Visit) -> Answer:
    query = visit.request.query
    members: dict[str, object] = {
        name: query.given(name) for name in ("action", "actor", "subject", "before")
    }
    problem, entries = None, []
    try:
        for name in ("since", "until"):
            text = query.given(name)
            members[name] = None if text is None else instant_of(name, text)
        entries = (await visit.api.get("audit", **members, limit=_PAGE))["items"]
    except InvalidField as error:
        problem = error
    return visit.render("audit.html", entries=entries[::-1], problem=problem, page_size=_PAGE)


async def _verify(visit: Visit) -> Answer:
    return visit.render("audit_verify.html", outcome=None)


async def _do_verify(visit: Visit) -> Answer:
    outcome = await visit.api.send("POST", "audit/verify")
    return visit.render("audit_verify.html", outcome=outcome)


async def _checkpoint(visit: Visit) -> Answer:
    return visit.render("audit_checkpoint.html", made=None)


async def _do_checkpoint(visit: Visit) -> Answer:
    made = await visit.api.send("POST", "audit/checkpoint")
    return visit.render("audit_checkpoint.html", made=made)


async def _keys(visit: Visit) -> Answer:
    return visit.render("keys.html", keyset=await visit.api.get("keyset"))


async def _health(visit: Visit) -> Answer:
    return visit.render("health.html", findings=(await visit.api.get("doctor"))["items"])


async def _settings(visit: Visit) -> Answer:
    return visit.render("settings.html", settings=(await visit.api.get("settings"))["items"])


PAGES: Final = (
    Page("/audit", _audit),
    Page("/audit/verify", _verify, _do_verify),
    Page("/audit/checkpoint", _checkpoint, _do_checkpoint),
    Page("/keys", _keys),
    Page("/health", _health),
    Page("/settings", _settings),
)
