"""The capacity page computes what it says it computes."""

import math
import re
from pathlib import Path

PAGE = (Path(__file__).parents[3] / "deploy/SCALING.md").read_text("utf-8")
HOURS = {"6 h": 6, "7 d": 7 * 24}


def rows(header: str) -> list[list[str]]:
    """Read the cells of a table, by how its header begins."""
    _, _, rest = PAGE.partition(f"| {header} |")
    lines = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def figure(name: str) -> float:
    (value,) = (value for what, value, _ in rows("figure") if what.startswith(name))
    return float(value.replace(",", ""))


def line(deployments: int, refresh: str) -> list[str]:
    asked = deployments / (HOURS[refresh] * 3600)
    cost = figure("cost of a signed validate") / 1e6
    cores = max(2, math.ceil(asked * cost / figure("share of a core")))
    license_, deployment = figure("rows of a license"), figure("row of a deployment")
    gigabytes = (deployments / 2 * license_ + deployments * deployment) / 1e9
    price = cores * figure("price of a core") + gigabytes * figure("price of storage")
    return [
        f"{deployments:,}",
        refresh,
        f"{asked:,.2f}",
        f"{cores:,}",
        f"{gigabytes:,.3f}",
        f"{price:,.0f}",
    ]


def test_every_line_follows_from_the_figures() -> None:
    table = rows("deployments")
    assert table == [line(int(one[0].replace(",", "")), one[1]) for one in table]
    assert {int(one[0].replace(",", "")) for one in table} == {10**n for n in range(3, 10)}
    assert {one[1] for one in table} == HOURS.keys()


def test_the_text_uses_the_figures_of_the_table() -> None:
    (storage,) = re.findall(r"storage = licenses \* ([\d,]+) \+ deployments \* ([\d,]+)", PAGE)
    assert [float(one.replace(",", "")) for one in storage] == [
        figure("rows of a license"),
        figure("row of a deployment"),
    ]
