"""What a payment provider can tell, in the words of this server."""

from dataclasses import dataclass, field
from datetime import datetime

from license_server.emails import Email


@dataclass(frozen=True, slots=True)
class Item:
    """One license that was bought.

    Attributes:
        item_id: unique at its provider, and the same in every event about it.
        product: code of our product.
    """

    item_id: str
    product: str


@dataclass(frozen=True, slots=True)
class Purchase:
    """Licenses were paid for.

    Attributes:
        email: of the buyer.
        items: a license each.
        order_ref: what a refund or dispute will name.
        subscription_ref: what a renewal will name; None = bought once.
        until: end of the period that was paid; None = as the product's policy says.
    """

    email: Email = field(repr=False)
    items: tuple[Item, ...]
    order_ref: str
    subscription_ref: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A further period was paid for.

    Attributes:
        until: its end.
        subscription_ref: names the purchase.
        order_ref: names it instead.
    """

    until: datetime
    subscription_ref: str | None = None
    order_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The whole payment went back: a refund or a chargeback.

    Attributes:
        order_ref: names the purchase.
    """

    order_ref: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Which order a payment was for: a refund may name the payment alone.

    Attributes:
        payment_ref: what the refund or dispute will name.
        order_ref: names the purchase.
    """

    payment_ref: str
    order_ref: str


Content = Purchase | Renewal | Withdrawal | Reference


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something else, or not about a license."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message of a provider.

    Attributes:
        provider: such as `stripe`.
        event_id: the same if the message comes again.
        type: the provider's name of what happened.
        content: what that means here.
    """

    provider: str
    event_id: str
    type: str
    content: Content | Ignored
