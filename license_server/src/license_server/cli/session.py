"""What the vendor's commands work with: the admin API, of the server's own folder or elsewhere.

On a folder the API is called in this process, as the operator; elsewhere over HTTPS, with an admin
token. Commands know no difference.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any, ClassVar, Final, TypeVar

import httpx

from license_server.cli.target import TOKEN_VARIABLE, Target
from license_server.errors import ConfigurationError, LicenseServerError, NotReady

_TIMEOUT_SECONDS: Final = 30.0
_MOST_ON_A_PAGE: Final = 500
_ERROR_STATUS: Final = 400

Record = Mapping[str, Any]
_Result = TypeVar("_Result")


class ApiRefused(LicenseServerError):  # noqa: N818 - says what happened
    """The server elsewhere answered with a problem.

    Attributes:
        code: of the problem.
    """

    code: ClassVar[str]

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.__dict__["code"] = code


def call(
    target: Target,
    method: str,
    path: str,
    *,
    query: Record | None = None,
    body: Record | None = None,
    keeps_null: bool = False,
) -> Any:  # noqa: ANN401 - a JSON document
    """Ask for one thing and return the document that is answered; None = it has no body.

    Members of query and body that are None are left out, of the body unless `keeps_null`.

    Raises:
        ConfigurationError: the folder or the address is unusable.
        LicenseServerError: the request was refused.
    """

    async def work(client: httpx.AsyncClient) -> Any:  # noqa: ANN401 - as above
        response = await client.request(
            method,
            f"/v1/admin/{path}",
            params=_given(query),
            json=body if keeps_null else _given(body),
        )
        return _document(response)

    return run(target, work)


def listed(target: Target, path: str, query: Record, limit: int) -> list[Record]:
    """Return up to `limit` items of a list, page after page."""

    async def work(client: httpx.AsyncClient) -> list[Record]:
        items: list[Record] = []
        cursor = None
        while len(items) < limit:
            size = min(limit - len(items), _MOST_ON_A_PAGE)
            members = _given({**query, "limit": size, "cursor": cursor})
            page = _document(await client.get(f"/v1/admin/{path}", params=members))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        return items

    return run(target, work)


def run(target: Target, work: Callable[[httpx.AsyncClient], Awaitable[_Result]]) -> _Result:
    """Do `work` with a client of the admin API.

    Raises:
        ConfigurationError: the folder, the address or the certificate is unusable.
        NotReady: the server elsewhere does not answer.
        LicenseServerError: whatever `work` raises.
    """

    async def opened() -> _Result:
        async with _client(target) as client:
            try:
                return await work(client)
            except httpx.HTTPError as error:
                raise _unreached(target, error) from error

    return asyncio.run(opened())


def require_accepted(response: httpx.Response) -> None:
    """Do nothing if a response whose body was read is a good one.

    Raises:
        ApiRefused: it is a problem.
    """
    if response.status_code < _ERROR_STATUS:
        return
    try:
        problem = response.json()
        fields = [f"{error['field']}: {error['message']}" for error in problem.get("errors", ())]
        raise ApiRefused(problem["code"], "; ".join(fields) or problem["detail"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"what answers at {response.url.host} is no license server: status "
            f"{response.status_code}"
        ) from error


@asynccontextmanager
async def _client(target: Target) -> AsyncIterator[httpx.AsyncClient]:
    if target.server is not None:
        async with _client_of(_checked(target.server), _token(target)) as client:
            yield client
        return
    from license_server.cli.in_process import InProcess  # noqa: PLC0415 - not needed for one elsewhere
    from license_server.cli.local import open_local_api  # noqa: PLC0415 - costs most of a start

    async with (
        open_local_api(target.folder) as app,
        httpx.AsyncClient(transport=InProcess(app), base_url="http://folder") as client,
    ):
        yield client


def _client_of(server: str, token: str) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            base_url=server,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT_SECONDS,
        )
    except OSError as error:  # httpx reads the authorities at once
        raise ConfigurationError(
            "SSL_CERT_FILE: a PEM file of certificate authorities is expected"
        ) from error


def _unreached(target: Target, error: httpx.HTTPError) -> LicenseServerError:
    """Return why a server elsewhere did not answer: to be mended here, or to be tried again."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return ConfigurationError(
            f"the certificate of {target.server} is not trusted: SSL_CERT_FILE may name the PEM "
            "file of its authority"
        )
    return NotReady(f"{target.server} does not answer: {type(error).__name__}")


def _checked(server: str) -> str:
    url = httpx.URL(server)
    if url.scheme == "https" and url.host:
        return server
    if url.scheme == "http" and _is_loopback(url.host):
        return server
    raise ConfigurationError("--server: https://… is expected, or http:// to this machine")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token(target: Target) -> str:
    if not target.token:
        raise ConfigurationError(f"{TOKEN_VARIABLE} is missing: an admin token is expected")
    return target.token


def _document(response: httpx.Response) -> Any:  # noqa: ANN401 - a JSON document
    require_accepted(response)
    return response.json() if response.content else None


def _given(members: Record | None) -> dict[str, Any] | None:
    if members is None:
        return None
    return {name: value for name, value in members.items() if value is not None}
