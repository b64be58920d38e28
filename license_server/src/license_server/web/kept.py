"""Forms whose session ended before they came: kept on the sign-in page, shown again behind it.

They are kept in fields of the page, by the browser itself; a form of another site is not kept, and
a password never is.
"""

import re
from typing import Final

from license_server.web.cookies import FORM_TOKEN
from license_server.web.requests import Fields

_PREFIX: Final = "kept."
_NEVER: Final = (FORM_TOKEN, "once", "password", "present_password", "new_password", "code")
_TARGET: Final = re.compile(r"/[A-Za-z0-9._~-][A-Za-z0-9/._~:?&=%+-]*")


def to_keep(form: Fields) -> Fields:
    """Return the fields that keep a form, for the sign-in page."""
    return Fields(tuple((f"{_PREFIX}{name}", value) for name, value in form.without(*_NEVER).pairs))


def still_kept(form: Fields) -> Fields:
    """Return the fields of a sign-in form that keep another one, as they are."""
    return Fields(tuple(pair for pair in form.pairs if pair[0].startswith(_PREFIX)))


def kept_form(form: Fields) -> Fields:
    """Return the form that a sign-in form kept."""
    pairs = still_kept(form).pairs
    return Fields(tuple((name.removeprefix(_PREFIX), value) for name, value in pairs))


def target_of(fields: Fields, base: str) -> str:
    """Return where to go after sign-in: a page under `base`, never another site."""
    target = fields.get("next")
    is_ours = _TARGET.fullmatch(target) and target.startswith(f"{base}/")
    return target if is_ours else f"{base}/"
