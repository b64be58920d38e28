"""`license-server product …`."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import click

from license_server.cli.output import as_json, show, show_all
from license_server.cli.parameters import limit, seconds, span
from license_server.cli.session import call
from license_server.cli.target import Target

_EPILOG: Final = """\b
Examples:
  license-server product create db-api --name "Data API"
  license-server product create editor --name Editor --key-prefix EDIT --validity 365d \\
      --deployment-limit 5 --entitlement sso --limit seats=25
  license-server product change editor --renewal-grace 14d
  license-server product change editor --clear validity
  license-server product list --json

Spans are 90s, 30m, 6h or 14d."""

_SPANS: Final = ("validity", "trial", "renewal_grace", "refresh", "lease", "offline_grace")
_CLEARABLE: Final = (
    "validity",
    "deployment-limit",
    "entitlements",
    "limits",
    "expiring-notices",
    "minimum-client-version",
    "recommended-client-version",
)
_Decorated = TypeVar("_Decorated", bound=Callable[..., object])


def _policy(command: _Decorated) -> _Decorated:
    """Add the options of a policy; what is left out stays, or is as a new product has it."""
    span_type: dict[str, Any] = {"type": span, "metavar": "SPAN"}
    options = [
        click.option("--key-prefix", metavar="TEXT", help="Before the symbols of its keys. [LIC]"),
        click.option("--validity", **span_type, help="Of a license from its start. [for life]"),
        click.option("--trial", **span_type, help="Length of a trial. [14d]"),
        click.option("--renewal-grace", **span_type, help="It works so long past its end. [7d]"),
        click.option("--refresh", **span_type, help="A client asks again so soon. [6h]"),
        click.option("--lease", **span_type, help="An answer counts as fresh so long. [24h]"),
        click.option(
            "--offline-grace", **span_type, help="A client works so long without answer. [14d]"
        ),
        click.option(
            "--expiring-notice",
            "expiring_notices",
            multiple=True,
            **span_type,
            help="Warn so long before the end; repeatable. [14d, 3d, 0d]",
        ),
        click.option("--deployment-limit", type=int, help="Of a license. [unlimited]"),
        click.option("--entitlement", "entitlements", multiple=True, metavar="NAME"),
        click.option("--limit", "limits", type=limit, multiple=True, metavar="NAME=NUMBER"),
        click.option("--minimum-client-version", metavar="VERSION", help="Older are refused."),
        click.option("--recommended-client-version", metavar="VERSION", help="Older are warned."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(epilog=_EPILOG)
def product() -> None:
    """Create, change and list products."""


@product.command(epilog=_EPILOG)
@click.argument("code")
@click.option("--name", required=True, help="As people read it.")
@_policy
@as_json
@click.pass_obj
def create(target: Target, /, code: str, name: str, *, is_json: bool, **policy: Any) -> None:  # noqa: ANN401 - the options of `_policy`
    """Create a product."""
    body = {"code": code, "name": name, **_members(policy)}
    show(call(target, "POST", "products", body=body), is_json=is_json)


@product.command(epilog=_EPILOG)
@click.argument("code")
@click.option("--name", help="As people read it.")
@_policy
@click.option(
    "--clear", "cleared", type=click.Choice(_CLEARABLE), multiple=True, help="Have none of it."
)
@as_json
@click.pass_obj
def change(
    target: Target,
    /,
    code: str,
    name: str | None,
    cleared: tuple[str, ...],
    *,
    is_json: bool,
    **policy: Any,  # noqa: ANN401 - the options of `_policy`
) -> None:
    """Change a product; no license's status depends on it."""
    body = {"name": name, **_members(policy)}
    body = {member: value for member, value in body.items() if value is not None}
    body |= {member: value for name in cleared for member, value in _EMPTY[name].items()}
    path = f"products/{code}"
    show(call(target, "PATCH", path, body=body, keeps_null=True), is_json=is_json)


@product.command("show", epilog=_EPILOG)
@click.argument("code")
@as_json
@click.pass_obj
def show_(target: Target, code: str, *, is_json: bool) -> None:
    """Show a product and its policy."""
    show(call(target, "GET", f"products/{code}"), is_json=is_json)


@product.command("list", epilog=_EPILOG)
@as_json
@click.pass_obj
def list_(target: Target, *, is_json: bool) -> None:
    """List all products."""
    columns = ("code", "name", "key_prefix", "validity_seconds", "deployment_limit", "entitlements")
    show_all(
        call(target, "GET", "products")["items"],
        columns,
        is_json=is_json,
        nothing="There is no product: see `license-server product create`.",
    )


_EMPTY: Final[dict[str, dict[str, object]]] = {
    "validity": {"validity_seconds": None},
    "deployment-limit": {"deployment_limit": None},
    "entitlements": {"entitlements": []},
    "limits": {"limits": {}},
    "expiring-notices": {"expiring_notices_seconds": []},
    "minimum-client-version": {"minimum_client_version": None},
    "recommended-client-version": {"recommended_client_version": None},
}


def _members(policy: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, as members of a request."""
    notices: tuple[timedelta, ...] = policy.pop("expiring_notices")
    spans = {f"{name}_seconds": seconds(policy.pop(name)) for name in _SPANS}
    return {
        **policy,
        **spans,
        "expiring_notices_seconds": [seconds(notice) for notice in notices] or None,
        "entitlements": list(policy["entitlements"]) or None,
        "limits": dict(policy["limits"]) or None,
    }
