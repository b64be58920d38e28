"""Orders: what a vendor asks to be issued, and the license that comes of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from license_server.emails import Email
from license_server.errors import FieldError, InvalidField
from license_server.licenses import LONGEST, Kind, License, Standing, new_license_id
from license_server.products import Policy, broken_entitlements


@dataclass(frozen=True, slots=True)
class Order:
    """What to issue.

    Attributes:
        product: code of the product.
        email: of the owner.
        kind: paid or trial.
        starts_at: first instant; None = now.
        lasts: length, of a paid license from its start, of a trial from its first use; None = as
            the product's policy says.
        expires_at: end of a paid license, instead of a length.
        entitlements: granted beside the product's.
    """

    product: str
    email: Email
    kind: Kind = Kind.PAID
    starts_at: datetime | None = None
    lasts: timedelta | None = None
    expires_at: datetime | None = None
    entitlements: tuple[str, ...] = ()


def new_license(order: Order, policy: Policy, now: datetime) -> License:
    """Return the license of an order; what the policy says of its life is fixed from now on.

    Raises:
        InvalidField: it would end before it starts, or last longer than a century.
    """
    starts = order.starts_at or now
    if starts > now + LONGEST:
        expected = f"an instant within {LONGEST.days} days is expected"
        raise InvalidField(FieldError("starts_at", expected))
    if order.lasts is not None and not timedelta() < order.lasts <= LONGEST:
        raise InvalidField(
            FieldError("lasts_seconds", f"a time up to {LONGEST.days} days is expected")
        )
    broken = broken_entitlements(order.entitlements)
    if broken is not None:
        raise InvalidField(broken)
    is_trial = order.kind is Kind.TRIAL
    expires = None if is_trial else _end(order, policy, starts)
    if expires is not None and not max(starts, now) < expires <= now + LONGEST:
        expected = f"an instant after now and the start, within {LONGEST.days} days, is expected"
        raise InvalidField(FieldError("expires_at", expected))
    return License(
        license_id=new_license_id(),
        product=order.product,
        kind=order.kind,
        standing=Standing.ACTIVE,
        issued_at=now,
        starts_at=starts,
        expires_at=expires,
        trial=(order.lasts or policy.trial) if is_trial else None,
        renewal_grace=timedelta() if is_trial else policy.renewal_grace,
        entitlements=tuple(sorted(set(order.entitlements))),
    )


def _end(order: Order, policy: Policy, starts: datetime) -> datetime | None:
    if order.expires_at is not None:
        return order.expires_at
    lasts = order.lasts or policy.validity
    return None if lasts is None else starts + lasts
