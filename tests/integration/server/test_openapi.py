"""The document of the admin API."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from license_server.api.openapi import document
from support.admin_api import endpoints


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    return document(endpoints())


def test_it_is_openapi_3_1(api: dict[str, Any]) -> None:
    validate(api)


def test_it_names_every_endpoint_once(api: dict[str, Any]) -> None:
    names = [one["operationId"] for path in api["paths"].values() for one in path.values()]
    assert sorted(names) == sorted(endpoint.name for endpoint in endpoints())


def test_a_query_has_parameters_without_null(api: dict[str, Any]) -> None:
    parameters = api["paths"]["/v1/admin/licenses"]["get"]["parameters"]
    schemas = {one["name"]: one["schema"] for one in parameters}
    assert schemas["kind"]["enum"] == ["paid", "trial"]
    assert schemas["limit"] == {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}


def test_changes_may_insist_on_a_version_and_posts_on_once(api: dict[str, Any]) -> None:
    license_ = api["paths"]["/v1/admin/licenses/{license_id}"]
    assert "If-Match" in [one["name"] for one in license_["patch"]["parameters"]]
    assert "ETag" in license_["get"]["responses"]["200"]["headers"]
    issue = api["paths"]["/v1/admin/licenses"]["post"]
    assert "Idempotency-Key" in [one["name"] for one in issue["parameters"]]
    assert issue["requestBody"]["required"]


def test_every_code_of_a_problem_is_told(api: dict[str, Any]) -> None:
    answers = api["components"]["responses"]
    assert "STATE_CONFLICT" in answers["409"]["description"]
    told = {
        status
        for path in api["paths"].values()
        for operation in path.values()
        for status in operation["responses"]
    }
    assert answers.keys() <= told


def test_a_refusal_is_told_only_where_it_can_come(api: dict[str, Any]) -> None:
    listed = api["paths"]["/v1/admin/licenses"]["get"]["responses"]
    changed = api["paths"]["/v1/admin/licenses/{license_id}"]["patch"]["responses"]
    assert {"409", "412", "422"}.isdisjoint(listed)
    assert {"409", "412"} <= changed.keys()
