"""Who may do what: admin tokens, operators, and one's own account."""

from typing import Any, Final

import segno
from markupsafe import Markup

from license_server.console.reading import days_of
from license_server.console.visits import BASE, Answer, Visit
from license_server.errors import NotFound
from license_server.tokens import Role
from license_server.web.answers import redirection
from license_server.web.pages import Page

ROLES: Final = (
    (Role.OWNER, "Owner: everything"),
    (Role.ISSUER, "Issuer: issues licenses and runs their life"),
    (Role.SUPPORT, "Support: looks, suspends, replaces keys; issues nothing"),
    (Role.AUDITOR, "Auditor: looks, and reads the audit log"),
)
OPERATOR_ACTIONS: Final = ("reset", "disable", "enable", "sign-out")
_OPERATOR: Final = "/operators/{operator_id}"


async def _tokens(visit: Visit) -> Answer:
    return visit.render("tokens.html", tokens=(await visit.api.get("tokens"))["items"])


async def _show_new_token(visit: Visit) -> Answer:
    return visit.render("token_new.html", roles=ROLES)


async def _create_token(visit: Visit) -> Answer:
    body = {
        "name": visit.form.get("name"),
        "role": visit.form.get("role"),
        "lasts_seconds": days_of("lasts_seconds", visit.form.get("lasts_seconds")),
    }
    made = await visit.api.send("POST", "tokens", body, once=visit.once)
    return visit.render("token_made.html", token=made)


async def _show_revocation(visit: Visit) -> Answer:
    tokens = (await visit.api.get("tokens"))["items"]
    return visit.render("token_revoke.html", token=_of_id(tokens, visit.path["token_id"]))


async def _revoke_token(visit: Visit) -> Answer:
    await visit.api.send("POST", f"tokens/{visit.path['token_id']}/revoke")
    return visit.redirect("/tokens?done=token-revoked")


async def _operators(visit: Visit) -> Answer:
    operators = (await visit.api.get("operators"))["items"]
    return visit.render("operators.html", operators=operators)


async def _show_new_operator(visit: Visit) -> Answer:
    return visit.render("operator_new.html", roles=ROLES)


async def _create_operator(visit: Visit) -> Answer:
    body = {"name": visit.form.get("name"), "role": visit.form.get("role")}
    made = await visit.api.send("POST", "operators", body, once=visit.once)
    return _enrolled(visit, made)


async def _show_operator(visit: Visit) -> Answer:
    operators = (await visit.api.get("operators"))["items"]
    operator = _of_id(operators, visit.path["operator_id"])
    return visit.render("operator.html", operator=operator, roles=ROLES)


async def _change_operator(visit: Visit) -> Answer:
    path, action = f"operators/{visit.path['operator_id']}", visit.form.get("action")
    if action not in OPERATOR_ACTIONS:
        await visit.api.send("PATCH", path, {"role": visit.form.get("role")})
        return visit.redirect(f"/{path}?done=saved")
    done = await visit.api.send("POST", f"{path}/{action}", once=visit.once)
    if action == "reset":
        return _enrolled(visit, done)
    return visit.redirect(f"/{path}?done=operator-{action}")


async def _account(visit: Visit) -> Answer:
    return visit.render("account.html")


async def _change_password(visit: Visit) -> Answer:
    body = {
        "present_password": visit.form.exactly("present_password"),
        "new_password": visit.form.exactly("new_password"),
        "code": visit.form.get("code"),
    }
    await visit.api.send("POST", "account/password", body)
    return redirection(f"{BASE}/sign-in?done=password")


def _enrolled(visit: Visit, made: Any) -> Answer:  # noqa: ANN401 - a JSON document
    code = segno.make_qr(made["totp_uri"])
    drawn = Markup(  # noqa: S704 - drawn here, of an address that nobody else writes
        code.svg_inline(svgclass="qr", lineclass=None, omitsize=True, border=2)
    )
    return visit.render("operator_made.html", operator=made, code=drawn)


def _of_id(items: list[Any], item_id: str) -> Any:  # noqa: ANN401 - a JSON document
    for item in items:
        if item["id"] == item_id:
            return item
    raise NotFound("there is none of this id")


PAGES: Final = (
    Page("/tokens", _tokens),
    Page("/tokens/new", _show_new_token, _create_token),
    Page("/tokens/{token_id}/revoke", _show_revocation, _revoke_token),
    Page("/operators", _operators),
    Page("/operators/new", _show_new_operator, _create_operator),
    Page(_OPERATOR, _show_operator, _change_operator),
    Page("/account", _account, _change_password),
)
