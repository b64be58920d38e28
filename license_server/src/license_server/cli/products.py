"""`license-server product …`."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from license_server.cli.output import Record, as_json, print_json, print_record, print_table
from license_server.cli.parameters import days, hours, limit
from license_server.cli.session import administer
from license_server.clock import utc_now
from license_server.products import Policy, Product

EPILOG: Final = """\b
Examples:
  license-server product create db-api --name "Data API"
  license-server product create editor --name Editor --key-prefix EDIT --validity-days 365 \\
      --deployment-limit 5 --entitlement sso --limit seats=25"""

_DEFAULT: Final = Policy()
_Decorated = TypeVar("_Decorated", bound=Callable[..., object])


def _span(
    name: str, read: Callable[[str], timedelta], text: str
) -> Callable[[_Decorated], _Decorated]:
    """Return an option for a span of the policy, whose default is the policy's."""
    default = getattr(_DEFAULT, name) // read("1")
    option = f"--{name.replace('_', '-')}-{read.__name__}"
    return click.option(option, name, type=read, default=str(default), help=text)


@click.group()
def product() -> None:
    """Create and list products."""


@product.command(epilog=EPILOG, context_settings={"show_default": True})
@click.argument("code")
@click.option("--name", required=True, help="As people read it.")
@click.option("--key-prefix", default=_DEFAULT.key_prefix, help="Before the symbols of its keys.")
@click.option("--validity-days", "validity", type=days, help="Of a license; for life if missing.")
@_span("trial", days, "Length of a trial.")
@_span("renewal_grace", days, "A license works so long past its end.")
@_span("refresh", hours, "A client asks again so soon.")
@_span("lease", hours, "An answer counts as fresh so long.")
@_span("offline_grace", days, "A client works so long without any answer.")
@_span("expiring_notice", days, "A license warns so long before its end.")
@click.option("--deployment-limit", type=int, help="Of a license; unlimited if missing.")
@click.option("--entitlement", "entitlements", multiple=True, metavar="NAME", help="Repeatable.")
@click.option(
    "--limit", "limits", type=limit, multiple=True, metavar="NAME=NUMBER", help="Repeatable."
)
@click.option("--minimum-client-version", metavar="VERSION", help="Older clients are refused.")
@click.option("--recommended-client-version", metavar="VERSION", help="Older clients are warned.")
@as_json
@click.pass_obj
def create(folder: Path, /, code: str, name: str, *, is_json: bool, **policy: Any) -> None:  # noqa: ANN401 - the fields of `Policy`
    """Create a product; the policy holds for the licenses issued from then on."""
    policy["entitlements"] = tuple(sorted(set(policy["entitlements"])))
    policy["limits"] = dict(policy["limits"])
    made = Product(code, name, Policy(**policy))
    administer(folder, lambda admin: admin.create_product(made, utc_now()))
    if is_json:
        print_json(_record(made))
    else:
        print_record(_record(made))


@product.command("list")
@as_json
@click.pass_obj
def list_(folder: Path, *, is_json: bool) -> None:
    """List all products."""
    records = [_record(made) for made in administer(folder, lambda admin: admin.list_products())]
    if is_json:
        print_json(records)
    else:
        rows = [_row(record) for record in records]
        print_table(rows, nothing="There is no product: see `license-server product create`.")


def _record(made: Product) -> Record:
    policy = made.policy
    return {
        "code": made.code,
        "name": made.name,
        "key_prefix": policy.key_prefix,
        "validity_days": None if policy.validity is None else policy.validity.days,
        "trial_days": policy.trial.days,
        "renewal_grace_days": policy.renewal_grace.days,
        "refresh_hours": policy.refresh // hours("1"),
        "lease_hours": policy.lease // hours("1"),
        "offline_grace_days": policy.offline_grace.days,
        "expiring_notice_days": policy.expiring_notice.days,
        "deployment_limit": policy.deployment_limit,
        "entitlements": list(policy.entitlements),
        "limits": dict(policy.limits),
        "minimum_client_version": policy.minimum_client_version,
        "recommended_client_version": policy.recommended_client_version,
    }


def _row(record: Record) -> Record:
    names = ("code", "name", "key_prefix", "validity_days", "deployment_limit", "entitlements")
    return {name: record[name] for name in names}
