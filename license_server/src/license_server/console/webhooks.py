"""Webhook endpoints, and what was sent to them."""

from typing import Any, Final

from license_server.admin.events import EVENTS
from license_server.console.visits import Answer, Visit
from license_server.web.pages import Page

_PAGE: Final = 50
_ONE: Final = "/webhooks/{endpoint_id}"


async def _list(visit: Visit) -> Answer:
    endpoints = (await visit.api.get("webhooks"))["items"]
    return visit.render("webhooks.html", endpoints=endpoints)


async def _show_new(visit: Visit) -> Answer:
    return visit.render("webhook_new.html", events=EVENTS)


async def _create(visit: Visit) -> Answer:
    body = {"url": visit.form.get("url"), "events": visit.form.all("events")}
    made = await visit.api.send("POST", "webhooks", body, once=visit.once)
    return visit.render("webhook_secret.html", endpoint=made)


async def _show(visit: Visit) -> Answer:
    endpoint = await _endpoint(visit)
    deliveries = await visit.api.get(
        f"webhooks/{endpoint['id']}/deliveries",
        limit=_PAGE,
        cursor=visit.request.query.given("cursor"),
    )
    return visit.render("webhook.html", endpoint=endpoint, deliveries=deliveries, events=EVENTS)


async def _change(visit: Visit) -> Answer:
    body = {
        "url": visit.form.get("url"),
        "events": visit.form.all("events"),
        "enabled": visit.form.has("enabled"),
    }
    path = f"webhooks/{visit.path['endpoint_id']}"
    await visit.api.send("PATCH", path, body, version=visit.version)
    return visit.redirect(f"/{path}?done=saved")


async def _show_act(visit: Visit) -> Answer:
    return visit.redirect(f"/webhooks/{visit.path['endpoint_id']}")


async def _test(visit: Visit) -> Answer:
    path = f"webhooks/{visit.path['endpoint_id']}"
    await visit.api.send("POST", f"{path}/test")
    return visit.redirect(f"/{path}?done=webhook-test")


async def _replay(visit: Visit) -> Answer:
    path = f"webhooks/{visit.path['endpoint_id']}"
    await visit.api.send("POST", f"{path}/deliveries/{visit.path['delivery_id']}/replay")
    return visit.redirect(f"/{path}?done=webhook-replay")


async def _show_rotation(visit: Visit) -> Answer:
    return visit.render("webhook_rotate.html", endpoint=await _endpoint(visit))


async def _rotate(visit: Visit) -> Answer:
    path = f"webhooks/{visit.path['endpoint_id']}/rotate-secret"
    made = await visit.api.send("POST", path, once=visit.once)
    return visit.render("webhook_secret.html", endpoint=made)


async def _show_removal(visit: Visit) -> Answer:
    return visit.render("webhook_remove.html", endpoint=await _endpoint(visit))


async def _remove(visit: Visit) -> Answer:
    await visit.api.send("DELETE", f"webhooks/{visit.path['endpoint_id']}")
    return visit.redirect("/webhooks?done=webhook-removed")


async def _endpoint(visit: Visit) -> Any:  # noqa: ANN401 - a JSON document
    return await visit.api.get(f"webhooks/{visit.path['endpoint_id']}")


PAGES: Final = (
    Page("/webhooks", _list),
    Page("/webhooks/new", _show_new, _create),
    Page(_ONE, _show, _change),
    Page(f"{_ONE}/test", _show_act, _test),
    Page(f"{_ONE}/rotate-secret", _show_rotation, _rotate),
    Page(f"{_ONE}/remove", _show_removal, _remove),
    Page(f"{_ONE}/deliveries/{{delivery_id}}/replay", _show_act, _replay),
)
