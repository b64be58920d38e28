"""How the business stands, on one page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from license_server.console.charts import bars
from license_server.console.visits import Answer, Visit
from license_server.web.pages import Page
from license_server.web.rendering import day

_MOST_CLIENTS: Final = 8
SOON: Final = timedelta(days=30)
"""What counts as ending soon, as in the API's figures."""


async def _show(visit: Visit) -> Answer:
    products = (await visit.api.get("stats"))["products"]
    decisions = await visit.api.get("stats/decisions")
    return visit.render(
        "dashboard.html",
        products=products,
        totals=_totals(products),
        activations=_activations(products),
        clients=_clients(products),
        decisions=decisions,
        soon=(visit.now + SOON).strftime("%Y-%m-%d"),
        today=visit.now.strftime("%Y-%m-%d"),
    )


async def _alerts(visit: Visit) -> Answer:
    """Show what `doctor` finds: it asks the mail server and others, so it may take seconds."""
    findings = (await visit.api.get("doctor"))["items"]
    return visit.render("alerts.html", findings=[f for f in findings if f["level"] != "PASS"])


def _totals(products: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
    by_status: Counter[str] = Counter()
    for product in products:
        for statuses in product["licenses"].values():
            by_status.update(statuses)
    return {
        **by_status,
        "expiring": sum(product["expiring_in_30_days"] for product in products),
        "deployments": sum(product["deployments"]["live"] for product in products),
        "seen": sum(product["deployments"]["seen_in_7_days"] for product in products),
    }


def _activations(products: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401 - markup
    by_day: Counter[str] = Counter()
    for product in products:
        by_day.update({one["day"]: one["activations"] for one in product["activations"]})
    columns = [(day(name), number) for name, number in sorted(by_day.items())]
    return bars("New deployments a day, last 30 days", columns) if columns else None


def _clients(products: Sequence[Mapping[str, Any]]) -> Sequence[tuple[str, int]]:
    by_version: Counter[str] = Counter()
    for product in products:
        for one in product["clients"]:
            by_version[f"{one['name']} {one['version']}"] += one["deployments"]
    return by_version.most_common(_MOST_CLIENTS)


PAGES: Final = (Page("/", _show), Page("/alerts", _alerts))
