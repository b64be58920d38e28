"""Products and the policies that their licenses follow."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from license_server.api.products import PolicyMembers
from license_server.console.reading import names_of, number_of, pairs_of, seconds_of
from license_server.console.visits import Answer, Visit
from license_server.spans import span_text
from license_server.web.pages import Page
from license_server.web.requests import Fields

SPANS: Final[Sequence[tuple[str, str, str]]] = (
    ("trial_seconds", "Trial", "From its first use."),
    ("renewal_grace_seconds", "Grace after the end", "So long a paid license works past its end."),
    ("refresh_seconds", "Refresh", "How soon a client asks again."),
    ("lease_seconds", "Lease", "How long an answer counts as fresh."),
    ("offline_grace_seconds", "Offline grace", "How long a client works without any answer."),
)
"""Lengths of a policy: name, label, and what each means."""

VERSIONS: Final = ("minimum_client_version", "recommended_client_version")


async def _list(visit: Visit) -> Answer:
    products = (await visit.api.get("products"))["items"]
    return visit.render("products.html", products=products)


async def _show(visit: Visit) -> Answer:
    product = await visit.api.get(f"products/{visit.path['code']}")
    figures = await visit.api.get("stats", product=product["code"])
    return visit.render(
        "product.html",
        product=product,
        figures=figures["products"][0],
        stored=_typed(product),
        spans=SPANS,
        versions=VERSIONS,
        may_change=visit.may("product.change"),
    )


async def _change(visit: Visit) -> Answer:
    path = f"products/{visit.path['code']}"
    await visit.api.send("PATCH", path, _body(visit.form), version=visit.version)
    return visit.redirect(f"/{path}?done=saved")


async def _show_new(visit: Visit) -> Answer:
    return visit.render("product_new.html", stored=_DEFAULTS, spans=SPANS, versions=VERSIONS)


async def _create(visit: Visit) -> Answer:
    body = {"code": visit.form.get("code"), **_body(visit.form)}
    made = await visit.api.send("POST", "products", body, once=visit.once)
    return visit.redirect(f"/products/{made['code']}?done=product-created")


def _body(form: Fields) -> Mapping[str, object]:
    """Return the API's members of what was typed.

    Raises:
        InvalidField: a length, a number or a line is none.
    """
    validity, seats = form.given("validity_seconds"), form.given("deployment_limit")
    notices = names_of(form, "expiring_notices_seconds")
    return {
        "name": form.get("name"),
        "key_prefix": form.get("key_prefix"),
        "validity_seconds": None if validity is None else seconds_of("validity_seconds", validity),
        **{name: seconds_of(name, form.get(name)) for name, _, _ in SPANS},
        "expiring_notices_seconds": [
            seconds_of("expiring_notices_seconds", notice) for notice in notices
        ],
        "deployment_limit": None if seats is None else number_of("deployment_limit", seats),
        "entitlements": names_of(form, "entitlements"),
        "limits": {
            name: number_of("limits", text) for name, text in pairs_of(form, "limits").items()
        },
        **{name: form.given(name) for name in VERSIONS},
    }


def _typed(product: Mapping[str, Any]) -> Mapping[str, str]:
    """Return a product as people type one."""
    validity, seats = product["validity_seconds"], product["deployment_limit"]
    return {
        "name": product["name"],
        "key_prefix": product["key_prefix"],
        "validity_seconds": "" if validity is None else _span(validity),
        **{name: _span(product[name]) for name, _, _ in SPANS},
        "expiring_notices_seconds": " ".join(map(_span, product["expiring_notices_seconds"])),
        "deployment_limit": "" if seats is None else str(seats),
        "entitlements": "\n".join(product["entitlements"]),
        "limits": "\n".join(f"{name}: {value}" for name, value in product["limits"].items()),
        **{name: product[name] or "" for name in VERSIONS},
    }


def _span(seconds: int) -> str:
    return span_text(timedelta(seconds=seconds))


_DEFAULTS: Final = _typed({"name": "", **PolicyMembers().model_dump()})
"""What a new product is unless something else is typed."""

PAGES: Final = (
    Page("/products", _list),
    Page("/products/new", _show_new, _create),
    Page("/products/{code}", _show, _change),
)
