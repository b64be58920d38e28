"""One license: how it stands and why, what happened to it, and all that can be done with it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from license_server.console.reading import days_of, ending_of, names_of, pairs_of
from license_server.console.visits import Answer, Visit
from license_server.web.answers import attachment
from license_server.web.pages import Page

_HISTORY: Final = 50
_DEPLOYMENTS: Final = 500
_ARMORED: Final = "application/octet-stream"
_ONE: Final = "/licenses/{license_id}"
_DEPLOYMENT: Final = f"{_ONE}/deployments/{{instance_id}}"

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done with a license, with a page that says what will happen.

    Attributes:
        name: of its address, and of the API's.
        endpoint: of the API, which names its roles.
        label: on the button.
        body: reads the form.
        makes_key: it answers a new key, shown once.
        is_grave: it cannot be taken back.
    """

    name: str
    endpoint: str
    label: str
    body: Callable[[Visit], Body]
    makes_key: bool = False
    is_grave: bool = False

    def fits(self, license_: Mapping[str, Any]) -> bool:
        """Tell whether a license is in a state for it."""
        return _FITS[self.name](license_)


def _no_body(_visit: Visit) -> Body:
    return {}


def _renewal(visit: Visit) -> Body:
    return {**ending_of(visit.form), "from_now": visit.form.has("from_now")}


def _conversion(visit: Visit) -> Body:
    return ending_of(visit.form)


def _transfer(visit: Visit) -> Body:
    return {"email": visit.form.get("email"), "mail_key": visit.form.has("mail_key")}


def _rotation(visit: Visit) -> Body:
    seconds = days_of("overlap_days", visit.form.get("overlap_days"))
    return {"overlap_seconds": seconds, "mail_key": visit.form.has("mail_key")}


def _is_standing(license_: Mapping[str, Any]) -> bool:
    return license_["status"] not in {"suspended", "revoked"}


def _is_not_revoked(license_: Mapping[str, Any]) -> bool:
    return bool(license_["status"] != "revoked")


_FITS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "renew": lambda one: _is_not_revoked(one) and one["kind"] == "paid",
    "convert": lambda one: _is_not_revoked(one) and one["kind"] == "trial",
    "rotate-key": lambda one: _is_not_revoked(one) and one["email"] is not None,
    "transfer": _is_not_revoked,
    "suspend": _is_standing,
    "reinstate": lambda one: one["status"] == "suspended",
    "revoke": _is_not_revoked,
}

ACTIONS: Final = (
    Action("renew", "license.renew", "Renew", _renewal),
    Action("convert", "license.convert", "Make it a paid license", _conversion),
    Action("rotate-key", "license.rotate_key", "New key", _rotation, makes_key=True),
    Action("transfer", "license.transfer", "Transfer", _transfer, makes_key=True, is_grave=True),
    Action("suspend", "license.suspend", "Suspend", _no_body),
    Action("reinstate", "license.reinstate", "Reinstate", _no_body),
    Action("revoke", "license.revoke", "Revoke", _no_body, is_grave=True),
)


async def _show(visit: Visit) -> Answer:
    license_ = await _license(visit)
    path = f"licenses/{license_['id']}"
    before = visit.request.query.given("before")
    product, deployments, history, mails = await asyncio.gather(
        visit.api.get(f"products/{license_['product']}"),
        visit.api.get(f"{path}/deployments", archived=True, limit=_DEPLOYMENTS),
        visit.api.get(f"{path}/history", limit=_HISTORY, before=before),
        visit.api.get("mails", subject=license_["id"]),
    )
    return visit.render(
        "license.html",
        license=license_,
        product=product,
        deployments=deployments["items"],
        history=history,
        mails=mails["items"],
        actions=[one for one in ACTIONS if one.fits(license_) and visit.may(one.endpoint)],
    )


async def _show_edit(visit: Visit) -> Answer:
    return visit.render("license_edit.html", license=await _license(visit))


async def _edit(visit: Visit) -> Answer:
    form = visit.form
    body = {
        "entitlements": names_of(form, "entitlements"),
        "metadata": pairs_of(form, "metadata"),
        "notes": form.exactly("notes"),
    }
    path = f"licenses/{visit.path['license_id']}"
    await visit.api.send("PATCH", path, body, version=visit.version)
    return visit.redirect(f"/{path}?done=saved")


async def _show_action(action: Action, visit: Visit) -> Answer:
    license_ = await _license(visit)
    product = await visit.api.get(f"products/{license_['product']}")
    return visit.render("license_action.html", license=license_, action=action, product=product)


async def _act(action: Action, visit: Visit) -> Answer:
    path = f"licenses/{visit.path['license_id']}"
    done = await visit.api.send(
        "POST", f"{path}/{action.name}", action.body(visit), once=visit.once
    )
    if action.makes_key:
        return visit.render("license_key.html", license=done, verb=action.name)
    return visit.redirect(f"/{path}?done={action.name}")


async def _show_file(visit: Visit) -> Answer:
    return visit.render("license_file.html", license=await _license(visit))


async def _file(visit: Visit) -> Answer:
    form, license_id = visit.form, visit.path["license_id"]
    body = {
        "license_key": form.get("license_key"),
        "lasts_seconds": days_of("lasts_days", form.get("lasts_days")),
        "instance_id": form.given("instance_id"),
    }
    made = await visit.api.send("POST", f"licenses/{license_id}/file", body)
    return attachment(made["file"].encode("ascii"), _ARMORED, f"{license_id}.license")


async def _show_deployment(visit: Visit) -> Answer:
    license_ = await _license(visit)
    path = f"licenses/{license_['id']}/deployments"
    listed = (await visit.api.get(path, archived=True, limit=_DEPLOYMENTS))["items"]
    meant = [one for one in listed if one["instance_id"] == visit.path["instance_id"]]
    if not meant:
        return visit.redirect(f"/licenses/{license_['id']}?done=deployment-gone")
    return visit.render("deployment.html", license=license_, deployment=meant[0])


async def _change_deployment(visit: Visit) -> Answer:
    license_id, instance_id = visit.path["license_id"], visit.path["instance_id"]
    path, action = f"licenses/{license_id}/deployments/{instance_id}", visit.form.get("action")
    if action == "remove":
        await visit.api.send("DELETE", path)
    else:
        await visit.api.send("POST", f"{path}/{'unblock' if action == 'unblock' else 'block'}")
    return visit.redirect(f"/licenses/{license_id}?done=deployment-changed")


async def _license(visit: Visit) -> Any:  # noqa: ANN401 - a JSON document
    return await visit.api.get(f"licenses/{visit.path['license_id']}")


def _page_of(action: Action) -> Page[Visit]:
    act: Callable[[Visit], Awaitable[Answer]] = partial(_act, action)
    return Page(f"{_ONE}/{action.name}", partial(_show_action, action), act)


PAGES: Final = (
    Page(_ONE, _show),
    Page(f"{_ONE}/edit", _show_edit, _edit),
    Page(f"{_ONE}/file", _show_file, _file),
    *map(_page_of, ACTIONS),
    Page(_DEPLOYMENT, _show_deployment, _change_deployment),
)
