"""The two listeners of `serve`: what each answers, and to whom."""

from collections.abc import Iterator, Mapping

import httpx
import pytest

from license_server.api.endpoints import AnyEndpoint
from support.admin_api import endpoints
from support.vendor import Vendor


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The addresses of a running server, by the name of the listener."""
    vendor = Vendor(tmp_path_factory.mktemp("listeners") / "vendor", tls=None)
    with vendor.serving() as server:
        yield {
            name: server.wait_for_event("server.listening", listener=name)["url"]
            for name in ("public", "admin")
        }


@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda endpoint: endpoint.name)
def test_the_public_listener_knows_no_path_of_the_admin_api(
    urls: Mapping[str, str], endpoint: AnyEndpoint
) -> None:
    path = endpoint.path.replace("{", "").replace("}", "")
    headers = {"Authorization": "Bearer lsk_x"}
    answers = {
        listener: httpx.request(endpoint.method, url + path, headers=headers).status_code
        for listener, url in urls.items()
    }
    assert answers["public"] == 404
    assert answers["admin"] in {401, 429}  # it is there, and asks who we are


@pytest.mark.parametrize("listener", ["public", "admin"])
def test_the_documents_are_open_on_either_listener(urls: Mapping[str, str], listener: str) -> None:
    page = httpx.get(f"{urls[listener]}/docs")
    document = httpx.get(f"{urls[listener]}/openapi.json")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src")
    assert document.json()["info"]["title"] in page.text
    is_admin = "/v1/admin/licenses" in document.json()["paths"]
    assert is_admin is (listener == "admin")
    assert "/metrics" not in document.json()["paths"] or is_admin
