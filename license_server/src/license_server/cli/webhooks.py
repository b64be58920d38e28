"""`license-server webhook …`."""

from typing import Final

import click

from license_server.cli.output import as_json, print_json, print_record, say, show, show_all
from license_server.cli.session import Record, call, listed
from license_server.cli.target import Target

_EPILOG: Final = """\b
Examples:
  license-server webhook create https://example.com/licenses --event license.issued
  license-server webhook test whe_…
  license-server webhook deliveries whe_…
  license-server webhook replay whe_… out_…
  license-server webhook change whe_… --disable

Events are signed after the Standard Webhooks specification, and tried ten times in three days."""

_id = click.argument("endpoint_id", metavar="ENDPOINT")
_events = click.option(
    "--event", "events", multiple=True, metavar="NAME", help="Only these; all if none is given."
)


@click.group(epilog=_EPILOG)
def webhook() -> None:
    """Tell other programs of licenses."""


@webhook.command(epilog=_EPILOG)
@click.argument("url")
@_events
@as_json
@click.pass_obj
def create(target: Target, url: str, events: tuple[str, ...], *, is_json: bool) -> None:
    """Add an endpoint and show its secret, this once."""
    _show_secret(
        call(target, "POST", "webhooks", body={"url": url, "events": list(events)}), is_json=is_json
    )


@webhook.command("list", epilog=_EPILOG)
@as_json
@click.pass_obj
def list_(target: Target, *, is_json: bool) -> None:
    """List all endpoints."""
    records = call(target, "GET", "webhooks")["items"]
    columns = ("id", "url", "events", "enabled", "disabled_reason")
    show_all(records, columns, is_json=is_json, nothing="There is no endpoint.")


@webhook.command(epilog=_EPILOG)
@_id
@click.option("--url")
@_events
@click.option("--enable/--disable", "is_enabled", default=None, help="Switch it on or off.")
@as_json
@click.pass_obj
def change(
    target: Target,
    endpoint_id: str,
    url: str | None,
    events: tuple[str, ...],
    *,
    is_enabled: bool | None,
    is_json: bool,
) -> None:
    """Change an endpoint."""
    body = {"url": url, "events": list(events) or None, "enabled": is_enabled}
    show(call(target, "PATCH", f"webhooks/{endpoint_id}", body=body), is_json=is_json)


@webhook.command(epilog=_EPILOG)
@_id
@click.pass_obj
def remove(target: Target, endpoint_id: str) -> None:
    """Forget an endpoint."""
    call(target, "DELETE", f"webhooks/{endpoint_id}")
    say("The endpoint is forgotten.")


@webhook.command("rotate-secret", epilog=_EPILOG)
@_id
@as_json
@click.pass_obj
def rotate_secret(target: Target, endpoint_id: str, *, is_json: bool) -> None:
    """Replace the secret; the old one signs too for a day."""
    path = f"webhooks/{endpoint_id}/rotate-secret"
    _show_secret(call(target, "POST", path), is_json=is_json)


@webhook.command(epilog=_EPILOG)
@_id
@click.pass_obj
def test(target: Target, endpoint_id: str) -> None:
    """Send an event that means nothing."""
    call(target, "POST", f"webhooks/{endpoint_id}/test")
    say("The event is on its way: see `webhook deliveries`.")


@webhook.command(epilog=_EPILOG)
@_id
@click.option("--limit", default=100, show_default=True, help="At most so many.")
@as_json
@click.pass_obj
def deliveries(target: Target, endpoint_id: str, limit: int, *, is_json: bool) -> None:
    """List what was sent to an endpoint, oldest first."""
    records = listed(target, f"webhooks/{endpoint_id}/deliveries", {}, limit)
    columns = ("id", "event", "state", "attempts", "created_at", "error")
    show_all(records, columns, is_json=is_json, nothing="Nothing was sent.")


@webhook.command(epilog=_EPILOG)
@_id
@click.argument("delivery_id", metavar="DELIVERY")
@as_json
@click.pass_obj
def replay(target: Target, endpoint_id: str, delivery_id: str, *, is_json: bool) -> None:
    """Send an event again, under the same id."""
    path = f"webhooks/{endpoint_id}/deliveries/{delivery_id}/replay"
    show(call(target, "POST", path), is_json=is_json)


def _show_secret(made: Record, *, is_json: bool) -> None:
    if is_json:
        print_json(made)
        return
    print_record({name: made[name] for name in ("id", "url", "events", "secret")})
    say("The secret is shown this once: keep it where the events are received.")
