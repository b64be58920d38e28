"""The files of `deploy/monitoring`, read and tried by Prometheus' own tool."""

import subprocess
from pathlib import Path

import pytest

from support.known_names import DEPLOY, ROOT

PROMTOOL = ROOT / ".cache" / "promtool"
MONITORING = DEPLOY / "monitoring"


def promtool(*line: str | Path) -> None:
    assert PROMTOOL.exists(), "there is no promtool: run `make test-system`"
    done = subprocess.run([PROMTOOL, *line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted(MONITORING.glob("*.rules.test.yaml")), ids=str)
def test_each_alert_fires_when_it_should(file: Path) -> None:
    promtool("test", "rules", file)


def test_prometheus_takes_the_files() -> None:
    rules = list(MONITORING.glob("*.rules.yaml"))
    assert len(rules) == 2
    promtool("check", "rules", *rules)
    promtool("check", "config", "--syntax-only", MONITORING / "prometheus.yaml")
