"""`license-server product …`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from license_server.cli.output import Record, as_json, print_json, print_record, print_table
from license_server.cli.parameters import limit, span, span_text
from license_server.cli.session import administer
from license_server.clock import utc_now
from license_server.products import Policy, Product

EPILOG: Final = """\b
Examples:
  license-server product create db-api --name "Data API"
  license-server product create editor --name Editor --key-prefix EDIT --validity 365d \\
      --deployment-limit 5 --entitlement sso --limit seats=25"""

_LIST_EPILOG: Final = """\b
Examples:
  license-server product list
  license-server product list --json"""

_DEFAULT: Final = Policy()
_SPANS: Final = ("trial", "renewal_grace", "refresh", "lease", "offline_grace", "expiring_notice")
_Decorated = TypeVar("_Decorated", bound=Callable[..., object])


def _span(name: str, text: str) -> Callable[[_Decorated], _Decorated]:
    """Return an option for a span of the policy, whose default is the policy's."""
    default = span_text(getattr(_DEFAULT, name))
    option = f"--{name.replace('_', '-')}"
    return click.option(option, name, type=span, metavar="SPAN", default=default, help=text)


@click.group(epilog=EPILOG)
def product() -> None:
    """Create and list products."""


@product.command(epilog=EPILOG, context_settings={"show_default": True})
@click.argument("code")
@click.option("--name", required=True, help="As people read it.")
@click.option("--key-prefix", default=_DEFAULT.key_prefix, help="Before the symbols of its keys.")
@click.option(
    "--validity", type=span, metavar="SPAN", help="Of a license; for life if missing. 365d, 12h …"
)
@_span("trial", "Length of a trial.")
@_span("renewal_grace", "A license works so long past its end.")
@_span("refresh", "A client asks again so soon.")
@_span("lease", "An answer counts as fresh so long.")
@_span("offline_grace", "A client works so long without any answer.")
@_span("expiring_notice", "A license warns so long before its end.")
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


@product.command("list", epilog=_LIST_EPILOG)
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
        "validity": None if policy.validity is None else span_text(policy.validity),
        **{name: span_text(getattr(policy, name)) for name in _SPANS},
        "deployment_limit": policy.deployment_limit,
        "entitlements": list(policy.entitlements),
        "limits": dict(policy.limits),
        "minimum_client_version": policy.minimum_client_version,
        "recommended_client_version": policy.recommended_client_version,
    }


def _row(record: Record) -> Record:
    names = ("code", "name", "key_prefix", "validity", "deployment_limit", "entitlements")
    return {name: record[name] for name in names}
