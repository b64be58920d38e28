"""What customers see and do of their own: licenses, deployments, keys, files, trials."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from license_server.admin.deployments import Deployments
from license_server.admin.license_files import issue_file
from license_server.admin.licenses import Licenses, LicenseView
from license_server.admin.owners import Owners
from license_server.admin.products import Products
from license_server.admin.recovery import OVERLAP
from license_server.desk import Desk
from license_server.errors import FieldError, InvalidField, NotFound, StateConflict
from license_server.license_keys import LicenseKey
from license_server.licenses import Kind
from license_server.orders import Order
from license_server.portal.visits import Answer, Visit
from license_server.products import Product, is_product_code
from license_server.stores import DeploymentRecord
from license_server.web.answers import attachment
from license_server.web.pages import Page

_MOST: Final = 500
_ONE: Final = "/licenses/{license_id}"
_ARMORED: Final = "application/octet-stream"

KEY_REASONS: Final[Mapping[str, timedelta]] = {"lost": OVERLAP, "leaked": timedelta()}
"""Why a key is replaced, and how long the old one goes on."""

DONE: Final[Mapping[str, str]] = {
    "removed": "The deployment is forgotten, and its seat is free.",
}


async def _list(visit: Visit) -> Answer:
    licenses = Licenses(visit.desk)
    owned = await Owners(visit.desk).licenses_of(visit.owner.owner_id)
    views = [await licenses.get(record.license.license_id) for record in owned[:_MOST]]
    names = {code: (await _product(visit.desk, code)).name for code in {_code(v) for v in views}}
    return visit.render("licenses.html", licenses=views, names=names)


async def _show(visit: Visit) -> Answer:
    view = await visit.license()
    return visit.render(
        "license.html",
        license=view,
        product=await _product(visit.desk, _code(view)),
        deployments=await _deployments(visit.desk, view),
    )


async def _show_key(visit: Visit) -> Answer:
    return visit.render("key.html", license=await visit.license(), overlap=OVERLAP)


async def _replace_key(visit: Visit) -> Answer:
    overlap = KEY_REASONS.get(visit.form.get("reason"))
    if overlap is None:
        expected = f"one of {', '.join(KEY_REASONS)} is expected"
        raise InvalidField(FieldError("reason", expected))
    view = await visit.license()
    made = await Licenses(visit.desk).rotate_key(view.license.license_id, overlap)
    return visit.render("new_key.html", license=made.view, key=made.key, overlap=overlap)


async def _show_file(visit: Visit) -> Answer:
    view = await visit.license()
    product = await _product(visit.desk, _code(view))
    return visit.render(
        "file.html",
        license=view,
        product=product,
        deployments=await _deployments(visit.desk, view),
    )


async def _file(visit: Visit) -> Answer:
    """Make a file that lasts as long as a deployment may work without this server anyway."""
    view, form = await visit.license(), visit.form
    product = await _product(visit.desk, _code(view))
    instance_id = form.get("instance_id")
    if not _may_be_filed(instance_id, product, await _deployments(visit.desk, view)):
        expected = "the id of a deployment that is registered is expected"
        raise InvalidField(FieldError("instance_id", expected))
    key = LicenseKey.parse(form.get("license_key"))
    license_id = view.license.license_id
    lasts = product.policy.offline_grace
    file = await issue_file(visit.desk, visit.load_issuer, license_id, key, instance_id, lasts)
    return attachment(file.encode("ascii"), _ARMORED, f"{license_id}.license")


async def _show_removal(visit: Visit) -> Answer:
    view = await visit.license()
    deployments = await _deployments(visit.desk, view)
    meant = [one for one in deployments if one.instance_id == visit.path["instance_id"]]
    if not meant:
        raise NotFound("there is no such deployment")
    return visit.render("remove.html", license=view, deployment=meant[0])


async def _remove(visit: Visit) -> Answer:
    """Forget a deployment; one that the vendor blocked stays blocked."""
    license_id, instance_id = (await visit.license()).license.license_id, visit.path["instance_id"]
    record = await visit.desk.transaction.deployments.get(license_id, instance_id)
    if record is not None and record.blocked_at is not None:
        raise StateConflict("this deployment was blocked: ask the vendor")
    await Deployments(visit.desk, license_id).remove(instance_id)
    return visit.redirect(f"/licenses/{license_id}?done=removed")


async def _show_trial(visit: Visit) -> Answer:
    return visit.render("trial.html", code=visit.request.query.get("product"))


async def _start_trial(visit: Visit) -> Answer:
    """Issue a trial at once: who signed in has proven the address."""
    code, email = visit.form.get("product"), visit.owner.email
    if not is_product_code(code) or email is None:
        raise InvalidField(FieldError("product", "the code of a product is expected"))
    try:
        made = await Licenses(visit.desk).issue(Order(code, email, Kind.TRIAL))
    except NotFound as error:
        raise InvalidField(FieldError("product", "there is no product of this code")) from error
    return visit.render("new_key.html", license=made.view, key=made.key, overlap=None)


async def _deployments(desk: Desk, view: LicenseView) -> list[DeploymentRecord]:
    deployments = Deployments(desk, view.license.license_id)
    return list(await deployments.page(archived=True, after=None, limit=_MOST))


def _may_be_filed(instance_id: str, product: Product, deployments: list[DeploymentRecord]) -> bool:
    """Tell whether a file may be made for a deployment: not past the limit, not a blocked one."""
    known = {one.instance_id: one for one in deployments if one.archived_at is None}
    if instance_id in known:
        return known[instance_id].blocked_at is None
    return bool(instance_id) and product.policy.deployment_limit is None


async def _product(desk: Desk, code: str) -> Product:
    return (await Products(desk).get(code)).product


def _code(view: LicenseView) -> str:
    return view.license.product


PAGES: Final = (
    Page("/licenses", _list),
    Page(_ONE, _show),
    Page(f"{_ONE}/key", _show_key, _replace_key),
    Page(f"{_ONE}/file", _show_file, _file),
    Page(f"{_ONE}/deployments/{{instance_id}}/remove", _show_removal, _remove),
    Page("/trial", _show_trial, _start_trial),
)
