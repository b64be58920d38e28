"""License files for machines that never go online."""

from datetime import timedelta

from license_server.admin.licenses import Licenses
from license_server.admin.products import Products
from license_server.desk import Desk
from license_server.errors import (
    ConfigurationError,
    FieldError,
    InvalidField,
    SigningUnavailable,
    StateConflict,
)
from license_server.evaluation import Found, Seat
from license_server.license_files import FileOrder, LicenseFileIssuer, LoadIssuer
from license_server.license_keys import LicenseKey


async def issue_file(
    desk: Desk,
    load_issuer: LoadIssuer,
    license_id: str,
    key: LicenseKey,
    instance_id: str | None,
    lasts: timedelta,
) -> str:
    """Return an armored license file.

    Args:
        desk: where the work is done.
        load_issuer: reads the signing key.
        license_id: whose file it is.
        key: one of the license; the server keeps none, so one has to be presented.
        instance_id: the one deployment that it is for; None = any.
        lasts: how long.

    Raises:
        NotFound: there is no such license.
        InvalidField: the key is none of the license, or the file would last too long.
        StateConflict: the license is not usable now, or its owner erased.
        SigningUnavailable: the signing key cannot be used.
    """
    view = await Licenses(desk).get(license_id)
    opened = await desk.transaction.keys.license_of(desk.vault.peppers.key_macs(key), desk.now)
    if opened != license_id:
        raise InvalidField(FieldError("license_key", "a key of this license is expected"))
    if view.email is None:
        raise StateConflict("the owner of this license is erased")
    product = (await Products(desk).get(view.license.product)).product
    found = Found(view.license, product.policy, True, None, Seat.TAKEN)  # noqa: FBT003 - the email is the owner's
    file = _loaded(load_issuer).issue(
        found, FileOrder(key, view.email, instance_id, lasts), desk.now
    )
    after = {"lasts_seconds": int(lasts.total_seconds()), "is_bound": instance_id is not None}
    await desk.record("license.issue_file", license_id, None, after)
    return file


def _loaded(load_issuer: LoadIssuer) -> LicenseFileIssuer:
    try:
        return load_issuer()
    except ConfigurationError as error:
        raise SigningUnavailable(str(error)) from error
