import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_api.grammar.body import read_json_body
from db_api.grammar.media import read_accept, read_content_type
from db_api.grammar.preferences import read_preferences
from db_api.grammar.ranges import Page, content_range, intersect, read_range, status_of_page
from db_api.grammar.request import Request, read_request
from db_api.rest_errors import RestError

ARRAY = "application/json; charset=utf-8"
OBJECT = "application/vnd.pgrst.object+json; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/xml", "", ";", "text/html, image/*", "*/*;q=0", "a;q=x"])
def test_a_form_that_is_not_served_is_not_acceptable(accept: str) -> None:
    with pytest.raises(RestError) as refused:
        read_accept(accept)
    assert (refused.value.code, refused.value.status) == ("PGRST107", 406)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", ARRAY),
        ("application/json", ARRAY),
        ("text/xml, application/*;q=0.1", ARRAY),
        ("application/vnd.pgrst.array+json", ARRAY),
        ("application/vnd.pgrst.object+json", OBJECT),
        ("Application/Vnd.pgrst.object", OBJECT),
        ("application/json;q=0.5, application/vnd.pgrst.object+json", OBJECT),
        (
            "application/vnd.pgrst.array+json;nulls=stripped",
            "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
        ),
    ],
)
def test_the_form_the_client_likes_best_is_chosen(accept: str, content_type: str) -> None:
    assert read_accept(accept).content_type == content_type


@pytest.mark.parametrize("content_type", ["text/html", "", "json", "text/plain"])
def test_a_body_of_another_type_is_refused(content_type: str) -> None:
    with pytest.raises(RestError) as refused:
        read_content_type(content_type)
    assert refused.value.code == "PGRST102"


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        (None, "json"),
        ("application/json", "json"),
        ("Application/JSON; charset=x", "json"),
        ("text/csv", "csv"),
        ("application/x-ndjson", "ndjson"),
        ("application/x-www-form-urlencoded; charset=utf-8", "form"),
    ],
)
def test_a_body_is_read_as_what_it_is_said_to_be(content_type: str | None, form: str) -> None:
    assert read_content_type(content_type) == form


def test_an_unknown_preference_is_refused_only_when_strict() -> None:
    with pytest.raises(RestError) as refused:
        read_preferences(["handling=strict", "count=exact, count=none,x"])
    assert refused.value.code == "PGRST122"
    assert refused.value.details == "Invalid preferences: count=none, x"
    assert read_preferences(["count=none,x,count=exact"]).count == "exact"


def test_the_first_of_several_preferences_counts() -> None:
    preferences = read_preferences(["return=representation , count=planned", "return=minimal"])
    assert (preferences.returning, preferences.count) == ("representation", "planned")


def test_applied_preferences_come_in_one_order_and_only_of_the_kinds_asked_for() -> None:
    preferences = read_preferences(["count=exact,return=minimal,missing=default,tx=commit"])
    assert preferences.applied("return", "missing", "count") == (
        "missing=default, return=minimal, count=exact"
    )
    assert preferences.applied("handling") is None


@pytest.mark.parametrize("header", ["max-affected=", "max-affected=-1", "max-affected=1e3"])
def test_a_limit_of_rows_that_is_no_number_is_unknown(header: str) -> None:
    with pytest.raises(RestError) as refused:
        read_preferences(["handling=strict", header])
    assert refused.value.code == "PGRST122"


def test_rows_are_limited_only_when_strict() -> None:
    strict = read_preferences(["max-affected=3, handling=strict"])
    lenient = read_preferences(["max-affected=3, handling=lenient"])
    assert (strict.max_affected, lenient.max_affected) == (3, None)
    assert strict.applied("handling", "max-affected") == "handling=strict, max-affected=3"
    assert lenient.applied("handling", "max-affected") == "handling=lenient"


def test_the_end_of_a_transaction_can_be_taken_out_of_the_clients_hands() -> None:
    preferences = read_preferences(["tx=rollback, count=exact"])
    assert preferences.end == "rollback"
    assert preferences.without_end().end is None
    assert preferences.without_end().applied("count", "tx") == "count=exact"


@pytest.mark.parametrize("header", ["", "items=0-9", "bytes=0-9", "0", "-5", "0-9,20-29", "a-b"])
def test_a_range_of_another_form_is_ignored(header: str) -> None:
    assert read_range(header) is None


def test_a_range_that_ends_before_it_begins_is_not_satisfiable() -> None:
    with pytest.raises(RestError) as refused:
        read_range("1-0")
    assert refused.value.status == 416


@pytest.mark.parametrize(
    ("header", "page"), [("0-9", Page(0, 10)), ("5-", Page(5, None)), (" 3-3 ", Page(3, 1))]
)
def test_a_range_is_a_page(header: str, page: Page) -> None:
    assert read_range(header) == page


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Page(0, 3), Page(0, 2), Page(0, 2)),
        (Page(2, 3), Page(0, 4), Page(2, 2)),
        (Page(5, None), Page(0, None), Page(5, None)),
        (Page(5, None), Page(0, 8), Page(5, 3)),
        (Page(9, None), Page(0, 5), Page(9, 0)),
    ],
)
def test_two_pages_have_in_common_what_both_hold(one: Page, other: Page, both: Page) -> None:
    assert intersect(one, other) == both
    assert intersect(other, one) == both


@pytest.mark.parametrize(
    ("page", "rows", "total", "header", "status"),
    [
        (Page(0, None), 3, None, "0-2/*", 200),
        (Page(0, None), 3, 3, "0-2/3", 200),
        (Page(2, 2), 2, 9, "2-3/9", 206),
        (Page(0, None), 0, None, "*/*", 200),
        (Page(0, None), 0, 0, "*/0", 200),
        (Page(9, None), 0, 9, "*/9", 206),
        (Page(0, 0), 0, 9, "*/9", 206),
    ],
)
def test_a_page_is_named_with_its_status(
    page: Page, rows: int, total: int | None, header: str, status: int
) -> None:
    assert content_range(page, rows, total) == header
    assert status_of_page(page, rows, total) == status


def test_a_page_past_the_end_is_not_satisfiable() -> None:
    with pytest.raises(RestError) as refused:
        status_of_page(Page(10, None), 0, 9)
    assert refused.value.status == 416
    assert refused.value.headers == (("Content-Range", "*/9"),)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b" ", b"{", b"nul", b'{"a":1}x', b"\xff", b'{"a":"\xff"}', b"[" * 100_000),
        b'{"a":' + b"[" * 100_000,
        '[{"a":1}]'.encode("utf-16"),
    ],
)
def test_a_body_that_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(RestError) as refused:
        read_json_body(data, needs_keys=True)
    assert (refused.value.code, refused.value.message) == ("PGRST102", "Empty or invalid json")


@pytest.mark.parametrize("data", [b'[{"a":1},{"b":1}]', b'[{"a":1},{"a":1,"b":2}]', b'[{"a":1},2]'])
def test_rows_with_different_members_are_refused(data: bytes) -> None:
    with pytest.raises(RestError) as refused:
        read_json_body(data, needs_keys=True)
    assert (refused.value.code, refused.value.message) == ("PGRST102", "All object keys must match")


def test_a_body_names_its_columns_in_any_order() -> None:
    body = read_json_body(b' [{"a":1,"b":[1]},{"b":null,"a":{}}]', needs_keys=True)
    assert (body.is_object, body.keys) == (False, ("a", "b"))


def test_one_row_needs_no_array() -> None:
    body = read_json_body(b'\n{"a":1}', needs_keys=True)
    assert (body.is_object, body.keys) == (True, ("a",))


def test_a_body_whose_columns_are_named_elsewhere_is_not_read() -> None:
    assert read_json_body(b"[oops", needs_keys=False).keys == ()


def request(method: str, query: bytes = b"", /, **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return read_request(method, "items", query, pairs)


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "get"])
def test_a_method_that_is_not_served_is_refused(method: str) -> None:
    with pytest.raises(RestError) as refused:
        request(method)
    assert (refused.value.code, refused.value.status) == ("PGRST117", 405)


def test_a_range_header_narrows_a_get_alone() -> None:
    assert request("GET", b"limit=3", range="0-1").page == Page(0, 2)
    assert request("HEAD", b"limit=3", range="0-1").page == Page(0, 3)
    assert request("POST", b"limit=3", range="0-1").page == Page(0, 3)


def test_reads_and_writes_have_a_profile_header_each() -> None:
    assert request("GET", accept_profile="a", content_profile="b").profile == "a"
    assert request("HEAD", accept_profile="a", content_profile="b").profile == "a"
    assert request("POST", accept_profile="a", content_profile="b").profile == "b"


def status_of(method: str, name: str, value: bytes) -> int:
    try:
        read_request(method, "items", b"", [(name.encode(), value)])
    except RestError as refused:
        return refused.status
    return 200


@given(
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["accept", "prefer", "range", "content-type", "accept-profile"]),
    st.binary(),
)
def test_any_header_is_read_or_refused(method: str, name: str, value: bytes) -> None:
    assert status_of(method, name, value) in {200, 400, 406, 416}
