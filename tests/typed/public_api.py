"""The public surface of the client as its README uses it, for mypy and pyright; it is never run.

Right uses have the type that is promised; wrong ones are marked, and a mark that is not needed any
more is an error of both checkers. So a name, an argument or a type that changes shows here.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, assert_type
from wsgiref.types import StartResponse, WSGIEnvironment

from license_client import (
    AsyncLicenseClient,
    AsyncLicenseWatch,
    CacheUnreadableError,
    ConfigurationError,
    DecisionRejectedError,
    EmailMalformedError,
    KeyMalformedError,
    KeySetRejectedError,
    LicenseClient,
    LicenseError,
    LicenseStatus,
    LicenseWatch,
    OfflineError,
    RejectedError,
    State,
    __version__,
    asgi,
    require_license,
    wsgi,
)
from license_client.testing import LicenseVendor

TRUST = b"{}"


def note(before: LicenseStatus, after: LicenseStatus) -> None:
    """Be told of a change."""
    assert_type(before.state, State)
    assert_type(after.state, State)


def a_program_that_needs_a_license() -> None:
    license_ = require_license(product="my-program", trust=TRUST)
    assert_type(license_, LicenseWatch)
    assert_type(license_.status, LicenseStatus)
    require_license(product="my-program")
    require_license(product="my-program", trust=Path("trust.json"), app_version="1.2.3")
    require_license()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    require_license("my-program")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    require_license(product="p", trust="trust.json")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def a_program_that_makes_the_parts_itself() -> None:
    client = LicenseClient.from_env(
        product="my-program", trust=TRUST, app_version="1", environ={"LICENSE_KEY": "…"}
    )
    assert_type(client, LicenseClient)
    assert_type(client.status(), LicenseStatus)
    assert_type(client.start(), LicenseStatus)
    assert_type(client.activate(), LicenseStatus)
    assert_type(client.validate(), LicenseStatus)
    assert_type(client.deactivate(), LicenseStatus)
    assert_type(client.refresh_if_due(), LicenseStatus)
    assert_type(client.check("LIC-…"), LicenseStatus)
    assert_type(client.check("LIC-…", "ada@example.com"), LicenseStatus)
    assert_type(client.install(b"-----BEGIN"), LicenseStatus)
    assert_type(client.install(Path("ada.license")), LicenseStatus)
    client.install("ada.license")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.check(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.refresh()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def a_program_that_watches(client: LicenseClient) -> None:
    watch = client.watch(on_change=note)
    assert_type(watch, LicenseWatch)
    assert_type(watch.look(), LicenseStatus)
    watch.stop()
    with client.watch(lambda old, new: note(new, old)) as watched:
        assert_type(watched, LicenseWatch)
    client.watch(lambda new: note(new, new))  # type: ignore[arg-type, misc]  # pyright: ignore[reportArgumentType]


def all_options() -> None:
    client = LicenseClient(
        product="my-program",
        trust=TRUST,
        server_url="https://license.example.com",
        license_key="LIC-…",
        email="ada@example.com",
        encryption_key="00" * 32,
        previous_encryption_key=None,
        cache_dir=Path("license-data"),
        instance_id="a",
        ca_file=Path("ca.pem"),
        client_cert=Path("client.pem"),
        app_version="1.2.3",
        deployment_name="Büro",
        start_wait=1.5,
        allow_insecure_http=False,
    )
    assert_type(client, LicenseClient)
    LicenseClient(product="my-program")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LicenseClient(product="p", trust=TRUST, cache_dir="data")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LicenseClient(product="p", trust=TRUST, server="https://h")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def an_asyncio_program() -> None:
    client = AsyncLicenseClient.from_env(product="my-program", trust=TRUST)
    assert_type(client, AsyncLicenseClient)
    assert_type(AsyncLicenseClient(product="my-program", trust=TRUST), AsyncLicenseClient)
    assert_type(await client.status(), LicenseStatus)
    assert_type(await client.start(), LicenseStatus)
    assert_type(await client.activate(), LicenseStatus)
    assert_type(await client.validate(), LicenseStatus)
    assert_type(await client.deactivate(), LicenseStatus)
    assert_type(await client.refresh_if_due(), LicenseStatus)
    assert_type(await client.check("LIC-…", "ada@example.com"), LicenseStatus)
    assert_type(await client.install(Path("ada.license")), LicenseStatus)
    watch = await client.watch(note)
    assert_type(watch, AsyncLicenseWatch)
    assert_type(await watch.look(), LicenseStatus)
    watch.stop()
    async with await client.watch() as watched:
        assert_type(watched, AsyncLicenseWatch)
        assert_type(watched.status, LicenseStatus)
    client.status().usable  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # noqa: B018 - it is not awaited, which is what is wrong


def what_a_status_says(status: LicenseStatus) -> None:
    assert_type(status.state, State)
    assert_type(status.usable, bool)
    assert_type(status.state.usable, bool)
    assert_type(status.code, str)
    assert_type(status.message, str)
    assert_type(status.kind, str | None)
    assert_type(status.license_id, str | None)
    assert_type(status.expires_at, datetime | None)
    assert_type(status.days_left, int | None)
    assert_type(status.fresh_until, datetime | None)
    assert_type(status.grace_until, datetime | None)
    assert_type(status.renewal_grace_until, datetime | None)
    assert_type(status.last_verified_at, datetime | None)
    assert_type(status.next_refresh_at, datetime | None)
    assert_type(status.warnings, tuple[str, ...])
    assert_type(status.notices, tuple[str, ...])
    assert_type(status.entitlements, tuple[str, ...])
    assert_type(status.limits, Mapping[str, int])
    assert_type(status.has_entitlement("sso"), bool)
    assert_type(status.limit("seats"), int | None)
    status.usable = True  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    status.limits["seats"] = 6  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    status.days_left + 1  # type: ignore[operator]  # pyright: ignore[reportOptionalOperand, reportUnusedExpression]


def what_is_raised(client: LicenseClient) -> None:
    try:
        client.activate()
    except OfflineError as error:
        assert_type(error.retry_after_seconds, int | None)
    except (DecisionRejectedError, KeySetRejectedError) as error:
        rejected: RejectedError = error
        assert_type(rejected.rule, str)
    except (KeyMalformedError, EmailMalformedError) as error:
        wrong: ConfigurationError = error
        assert_type(wrong.code, str)
    except CacheUnreadableError as error:
        assert_type(error.__traceback__, TracebackType | None)
    except LicenseError as error:
        assert_type(error.code, str)
    versions: list[str] = [__version__]
    assert_type(versions, list[str])


async def asgi_app(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    """Be what is gated."""
    assert_type(scope["type"], Any)
    await send(await receive())


def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Be what is gated."""
    start_response("200 OK", [("Content-Type", str(environ["CONTENT_TYPE"]))])
    return []


def web_applications(
    license_: LicenseWatch, async_license: AsyncLicenseWatch, client: LicenseClient
) -> None:
    application: asgi.App = asgi.LicenseGate(asgi_app, license_, always_open=("/health",))
    asgi.LicenseGate(application, async_license)
    wsgi.LicenseGate(wsgi.LicenseGate(wsgi_app, license_), license_, always_open=["/health"])
    asgi.LicenseGate(asgi_app, client)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    wsgi.LicenseGate(asgi_app, license_)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def tests_of_a_program(license_vendor: LicenseVendor) -> None:
    license_vendor.revoke()
    license_vendor.suspend()
    license_vendor.expire()
    license_vendor.deny("EMAIL_MISMATCH")
    license_vendor.renew(days=365)
    license_vendor.renew()
    license_vendor.start_trial(days=14)
    license_vendor.grant("sso", seats=5)
    license_vendor.go_offline()
    license_vendor.come_back()
    license_vendor.advance(days=2, hours=7)
    assert_type(license_vendor.trust_file, Path)
    license_vendor.grant(seats="five")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    license_vendor.advance(7)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
