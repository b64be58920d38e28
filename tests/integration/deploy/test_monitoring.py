"""The alert rules and dashboards ask for what the services tell."""

import json
import re
from collections.abc import Iterator

import pytest

from support.known_names import DEPLOY

MONITORING = DEPLOY / "monitoring"
SERVICES = ("db-api", "license-server")
METRIC = re.compile(r"\b((?:db_api|license_server)_\w+)(?:\{([^}]*)\})?")
OF_PROMETHEUS = {"instance", "job"}


def texts_of(service: str) -> Iterator[str]:
    """Yield the rules, their tests and the expressions of the dashboard of a service."""
    for kind in ("rules", "rules.test"):
        yield (MONITORING / f"{service}.{kind}.yaml").read_text(encoding="utf-8")
    yield from expressions_of(service)


def expressions_of(service: str) -> Iterator[str]:
    """Yield what the panels of a dashboard ask for."""
    board = json.loads((MONITORING / f"{service}.dashboard.json").read_bytes())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["query"]["query"] for one in board["templating"]["list"][1:])


@pytest.mark.parametrize("service", SERVICES)
def test_every_metric_is_one_that_a_running_service_exposes(
    service: str, exposed: dict[str, set[str]]
) -> None:
    asked = [found for text in texts_of(service) for found in METRIC.findall(text)]
    assert {name for name, _ in asked} - exposed.keys() == set()
    for name, matchers in asked:
        labels = set(re.findall(r"(\w+)=", matchers)) - OF_PROMETHEUS
        assert labels <= (exposed[name] or labels), name  # a counter at rest shows none


@pytest.mark.parametrize("service", SERVICES)
def test_every_metric_of_a_service_is_on_its_dashboard(
    service: str, exposed: dict[str, set[str]]
) -> None:
    shown = {name for text in expressions_of(service) for name, _ in METRIC.findall(text)}
    told = {name for name in exposed if name.startswith(f"{service.replace('-', '_')}_")}
    derived = ("_count", "_sum", "_bucket", "_created")
    bases = {name.removesuffix("_bucket") for name in shown}
    assert {name for name in told if not name.endswith(derived)} - bases == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_alert_is_tested_while_all_is_well_and_when_it_is_not(service: str) -> None:
    rules = (MONITORING / f"{service}.rules.yaml").read_text(encoding="utf-8")
    tests = (MONITORING / f"{service}.rules.test.yaml").read_text(encoding="utf-8")
    alerts = set(re.findall(r"- alert: (\w+)", rules))
    quiet = set(re.findall(r"\{eval_time: \w+, alertname: (\w+)\}", tests))
    firing = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n +- exp_labels", tests))
    assert alerts
    assert quiet == alerts
    assert firing == alerts


@pytest.mark.parametrize("service", SERVICES)
def test_every_alert_says_how_bad_it_is_and_what_to_do(service: str) -> None:
    rules = (MONITORING / f"{service}.rules.yaml").read_text(encoding="utf-8")
    for alert in rules.split("- alert: ")[1:]:
        assert re.search(r"severity: (critical|warning)", alert)
        assert "summary: " in alert
        assert "action: " in alert
