"""`license-server stats`."""

from typing import Any, Final

import click

from license_server.cli.output import as_json, print_json, print_record, print_table
from license_server.cli.session import Record, call
from license_server.cli.target import Target

_EPILOG: Final = """\b
Examples:
  license-server stats
  license-server stats --product db-api --json"""

_WEEK: Final = 7


@click.command(epilog=_EPILOG)
@click.option("--product", metavar="CODE", help="Only of this product.")
@as_json
@click.pass_obj
def stats(target: Target, product: str | None, *, is_json: bool) -> None:
    """Count licenses, deployments, activations and client versions of each product."""
    told = call(target, "GET", "stats", query={"product": product})
    if is_json:
        print_json(told)
        return
    for number, figures in enumerate(told["products"]):
        if number:
            click.echo()
        _print(figures)


def _print(figures: dict[str, Any]) -> None:
    days = figures["activations"]
    print_record(
        {
            "product": figures["product"],
            "expiring in 30 days": figures["expiring_in_30_days"],
            **{f"deployments {name}": count for name, count in figures["deployments"].items()},
            "activations today": days[-1]["activations"],
            "activations in 7 days": sum(day["activations"] for day in days[-_WEEK:]),
            "activations in 30 days": sum(day["activations"] for day in days),
        }
    )
    click.echo()
    licenses = figures["licenses"].items()
    print_table([{"licenses": kind, **numbers} for kind, numbers in licenses], nothing="")
    if figures["clients"]:
        click.echo()
        clients: list[Record] = figures["clients"]
        print_table(clients, nothing="")
