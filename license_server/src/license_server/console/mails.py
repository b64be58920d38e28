"""The outbox: how far each mail has come, what it says, and once more."""

from typing import Final

from license_server.console.visits import Answer, Visit
from license_server.web.pages import Page

_PAGE: Final = 50
STATES: Final = ("pending", "failed", "done")
_ONE: Final = "/mails/{mail_id}"


async def _list(visit: Visit) -> Answer:
    query = visit.request.query
    state = query.get("state")
    listed = await visit.api.get(
        "mails",
        state=state if state in STATES else None,
        limit=_PAGE,
        cursor=query.given("cursor"),
    )
    return visit.render("mails.html", mails=listed, states=STATES, state=state)


async def _show(visit: Visit) -> Answer:
    mail = await visit.api.get(f"mails/{visit.path['mail_id']}/preview")
    return visit.render("mail.html", mail=mail)


async def _resend(visit: Visit) -> Answer:
    path = f"mails/{visit.path['mail_id']}"
    await visit.api.send("POST", f"{path}/resend")
    return visit.redirect(f"/{path}?done=mail-resent")


PAGES: Final = (Page("/mails", _list), Page(_ONE, _show, _resend))
