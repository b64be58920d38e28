"""The published schemas judge the published vectors, and the description of the endpoints holds."""

import base64
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

WIRE = Path(__file__).parents[2] / "license_server" / "wire"
SCHEMAS = {path.name: json.loads(path.read_text()) for path in (WIRE / "schemas").iterdir()}
OPENAPI = json.loads((WIRE / "openapi.json").read_text())
Document = dict[str, Any]


def _registry() -> Registry[Any]:
    # Under both names: as the schemas call each other, and as openapi.json calls them.
    resources = {
        f"{folder}{name}": Resource.from_contents(schema, default_specification=DRAFT202012)
        for name, schema in SCHEMAS.items()
        for folder in ("", "schemas/")
    }
    return Registry().with_resources(resources.items())


REGISTRY = _registry()


def judge(schema: Document) -> Draft202012Validator:
    """Make the validator of a schema; references are resolved among our files alone."""
    return Draft202012Validator(schema, registry=REGISTRY)


def _vectors(name: str) -> Document:
    document: Document = json.loads((WIRE / "vectors" / name).read_text())
    return document


def _refused(name: str, *details: str) -> list[Document]:
    return [case for case in _vectors(name)["refused"] if case["detail"] in details]


def _payload(encoded: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(encoded + "=="))


def _by_name(case: Document) -> str:
    return str(case["name"])


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_one_and_allows_members_that_it_does_not_know(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert '"additionalProperties": false' not in json.dumps(SCHEMAS[name])
    assert "unevaluatedProperties" not in json.dumps(SCHEMAS[name])


@pytest.mark.parametrize("case", _vectors("request.json")["accepted"], ids=_by_name)
def test_an_accepted_request_fits_its_schema(case: Document) -> None:
    judge(SCHEMAS["license-request.json"]).validate(json.loads(case["body"]))


# The form of an email, and which signs are printable, are more than a schema can say.
BEYOND_SCHEMAS = ("email", "deployment_name")


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in _vectors("request.json")["refused"]
        if case["reason"] == "INVALID_FIELD" and case["detail"] not in BEYOND_SCHEMAS
    ],
    ids=_by_name,
)
def test_a_request_with_an_invalid_field_does_not_fit(case: Document) -> None:
    assert not judge(SCHEMAS["license-request.json"]).is_valid(json.loads(case["body"]))


@pytest.mark.parametrize(
    "case", [*_vectors("decision.json")["accepted"], *_vectors("issue.json")["accepted"]]
)
def test_accepted_claims_fit_their_schema(case: Document) -> None:
    judge(SCHEMAS["decision-claims.json"]).validate(case["claims"])


@pytest.mark.parametrize("case", _refused("decision.json", "claims", "code", "version"))
def test_claims_refused_for_their_form_do_not_fit(case: Document) -> None:
    claims = _payload(case["token"].split(".")[1])
    assert not judge(SCHEMAS["decision-claims.json"]).is_valid(claims)


def _documents(case: Document) -> Iterator[Document]:
    yield from (case["trust"], *case["stored"], *case["offered"])


@pytest.mark.parametrize("case", _vectors("keyset.json")["accepted"], ids=_by_name)
def test_accepted_key_sets_fit_their_schemas(case: Document) -> None:
    for document in _documents(case):
        judge(SCHEMAS["keyset-document.json"]).validate(document)
        judge(SCHEMAS["keyset-payload.json"]).validate(_payload(document["payload"]))
    judge(SCHEMAS["keyset-answer.json"]).validate({"keyset": case["offered"]})


@pytest.mark.parametrize("case", _refused("keyset.json", "structure", "version"), ids=_by_name)
def test_key_sets_refused_for_their_form_do_not_fit(case: Document) -> None:
    fits = [
        judge(SCHEMAS["keyset-document.json"]).is_valid(document)
        and judge(SCHEMAS["keyset-payload.json"]).is_valid(_payload(document["payload"]))
        for document in _documents(case)
    ]
    assert not all(fits)


@pytest.mark.parametrize("case", _vectors("cache.json")["accepted"], ids=_by_name)
def test_an_accepted_cache_file_fits_its_schema(case: Document) -> None:
    judge(SCHEMAS["cache-file.json"]).validate(json.loads(case["file"]))
    judge(SCHEMAS["cache-file.json"]).validate({"v": 1, "enc": "none", "doc": case["document"]})


@pytest.mark.parametrize(
    "case", _refused("cache.json", "structure", "version", "encryption"), ids=_by_name
)
def test_a_cache_file_refused_for_its_form_does_not_fit(case: Document) -> None:
    assert not judge(SCHEMAS["cache-file.json"]).is_valid(json.loads(case["file"]))


@pytest.mark.parametrize(
    "case",
    [case for case in _refused("cache.json", "plaintext") if "document" in case],
    ids=_by_name,
)
def test_a_plaintext_refused_for_its_form_does_not_fit(case: Document) -> None:
    clear = {"v": 1, "enc": "none", "doc": case["document"]}
    assert not judge(SCHEMAS["cache-file.json"]).is_valid(clear)


def _packed(case: Document) -> Any:
    """Return what is between the marks of a license file."""
    return json.loads(base64.b64decode(case["text"].partition("E-----")[2].partition("-----")[0]))


FILES = _vectors("license-file.json")
FILE_CLAIMS = ("claims", "code", "version")


@pytest.mark.parametrize("case", [*FILES["accepted"], *FILES["issued"]], ids=_by_name)
def test_a_license_file_fits_its_schemas(case: Document) -> None:
    content = _packed(case)
    judge(SCHEMAS["license-file.json"]).validate(content)
    for document in content["keyset"]:
        judge(SCHEMAS["keyset-document.json"]).validate(document)
    judge(SCHEMAS["license-file-claims.json"]).validate(case["claims"])


@pytest.mark.parametrize(
    "case",
    [case for case in FILES["refused"] if case["detail"] in (*FILE_CLAIMS, "structure")],
    ids=_by_name,
)
def test_a_license_file_refused_for_its_form_does_not_fit(case: Document) -> None:
    content = _packed(case)
    assert not (
        judge(SCHEMAS["license-file.json"]).is_valid(content)
        and all(map(judge(SCHEMAS["keyset-document.json"]).is_valid, content["keyset"]))
        and judge(SCHEMAS["license-file-claims.json"]).is_valid(
            _payload(content["file"].split(".")[1])
        )
    )


def _claims(case: Document) -> Any:
    return _payload(case["token"].split(".")[1])


DOCUMENTS: dict[str, tuple[str, Callable[[Document], Any]]] = {
    "checkpoint-claims.json": ("checkpoint.json", _claims),
    "self-service-request.json": ("self-service.json", lambda case: json.loads(case["body"])),
    "file-request.json": ("file-request.json", lambda case: json.loads(case["text"])),
}


def _cases(section: str) -> list[tuple[str, Document]]:
    return [
        (schema, case)
        for schema, (name, _) in DOCUMENTS.items()
        for case in _vectors(name)[section]
    ]


def _is_of_form(case: Document) -> bool:
    """Ask whether the form of a member is wrong; that of an email is beyond schemas."""
    is_email = case["detail"] == "email" and 'email is "' in case["name"]
    return (case["reason"] == "INVALID_FIELD" and not is_email) or case["detail"] in FILE_CLAIMS


@pytest.mark.parametrize(("schema", "case"), _cases("accepted"))
def test_what_is_accepted_fits_its_schema(schema: str, case: Document) -> None:
    judge(SCHEMAS[schema]).validate(DOCUMENTS[schema][1](case))


@pytest.mark.parametrize(
    ("schema", "case"), [pair for pair in _cases("refused") if _is_of_form(pair[1])]
)
def test_what_is_refused_for_its_form_does_not_fit(schema: str, case: Document) -> None:
    assert not judge(SCHEMAS[schema]).is_valid(DOCUMENTS[schema][1](case))


def test_the_one_answer_to_customers_fits_its_schema() -> None:
    answer = _vectors("self-service.json")["answer"]["document"]
    judge(SCHEMAS["self-service-answer.json"]).validate(answer)


@pytest.mark.parametrize("case", _vectors("problem.json")["accepted"], ids=_by_name)
def test_a_problem_fits_its_schema_and_says_its_code_thrice(case: Document) -> None:
    judge(SCHEMAS["problem.json"]).validate(case["document"])
    assert case["document"]["code"] == case["code"]
    assert case["document"]["status"] == case["status"]
    assert (
        case["document"]["type"].removeprefix("/problems/").upper().replace("-", "_")
        == (case["code"])
    )


def test_an_answer_fits_its_schema() -> None:
    judge(SCHEMAS["license-answer.json"]).validate(_vectors("problem.json")["answer"]["document"])


def test_the_description_of_the_endpoints_is_valid_with_all_that_it_refers_to() -> None:
    OpenAPIV31SpecValidator(OPENAPI, base_uri=(WIRE / "openapi.json").as_uri()).validate()


def _contents(node: object) -> Iterator[Document]:
    """Find everything that has a schema and examples."""
    if isinstance(node, dict):
        if {"schema", "examples"} <= node.keys():
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _contents(child)


def test_every_example_fits_the_schema_beside_it() -> None:
    contents = list(_contents(OPENAPI))
    for content in contents:
        schema = _resolved(content["schema"])
        for example in content["examples"].values():
            judge(schema).validate(_resolved(example)["value"])
    assert contents


def _resolved(node: Document) -> Document:
    """Follow a reference within openapi.json; references to files are the registry's."""
    reference = node.get("$ref", "")
    if not reference.startswith("#/"):
        return node
    names = reference.removeprefix("#/").split("/")
    return functools.reduce(lambda found, name: found[name], names, OPENAPI)


def test_the_readme_names_every_schema() -> None:
    readme = (WIRE / "README.md").read_text()
    assert [name for name in SCHEMAS if f"`schemas/{name}`" not in readme] == []
