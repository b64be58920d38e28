"""Which licenses: the options that `license list` and `license export` have alike."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final

import click

from license_server.cli import parameters
from license_server.licenses import Kind, Status

_DATES: Final = ("expires_after", "expires_before", "issued_after", "issued_before")

_OPTIONS: Final = (
    click.option("--product", metavar="CODE", help="Only of this product."),
    click.option("--email", help="Only of this owner."),
    click.option("--domain", help="Only of owners whose email is at this domain."),
    click.option("--owner", "owner_id", metavar="OWNER", help="Only of the owner of this id."),
    click.option("--key-hint", metavar="SYMBOLS", help="Only with a key that ends so (4 symbols)."),
    click.option("--kind", type=click.Choice([kind.value for kind in Kind])),
    click.option("--status", type=click.Choice([status.value for status in Status])),
    click.option(
        "--expires-after", type=parameters.date, metavar="DATE", help="Only with an end from then."
    ),
    click.option(
        "--expires-before", type=parameters.date, metavar="DATE", help="Only with an end before."
    ),
    click.option("--issued-after", type=parameters.date, metavar="DATE", help="Only from then on."),
    click.option("--issued-before", type=parameters.date, metavar="DATE", help="Only before then."),
)


def license_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command; they arrive as the members of a query, see `filters_of`."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)


def filters_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the members of the query that were given."""
    texts = {
        name: parameters.instant(value) if name in _DATES else value
        for name, value in options.items()
    }
    return {name: text for name, text in texts.items() if text is not None}
