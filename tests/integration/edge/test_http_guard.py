"""Raw sockets against the guarded protocol: whatever comes, the next client is served."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.http_attacks import ATTACKS, HOST, POST, Attack
from support.raw_http import connection, exchange, read_answer, read_to_end, status_of
from support.servers import RunningServer

HONEST = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
CROWD = 800
MEGABYTE = 1024 * 1024


def memory_of(pid: int) -> int:
    """Return the resident memory of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gets_its_refusal_and_the_next_client_its_answer(
    edge: RunningServer, attack: Attack
) -> None:
    answer = exchange(edge.port, attack.request)

    assert status_of(answer) == attack.status
    assert answer.count(b"content-length:") == 1
    assert status_of(exchange(edge.port, HONEST)) == 200


def test_a_refusal_is_a_problem_document_without_the_senders_words(edge: RunningServer) -> None:
    answer = exchange(edge.port, b"GET / HTTP/1.1\r\nHost: not a host\r\n\r\n")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert b"\r\nserver:" not in head
    assert json.loads(body)["status"] == 400
    assert b"not a host" not in answer


def test_a_refusal_after_an_answer_is_its_own_answer(edge: RunningServer) -> None:
    keep = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"

    with connection(edge.port) as connected:
        connected.sendall(keep)
        assert status_of(read_answer(connected)) == 200
        connected.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert status_of(read_to_end(connected)) == 400


def test_a_bad_request_behind_an_unanswered_one_gets_no_answer_of_its_own(
    edge: RunningServer,
) -> None:
    slow = b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n"

    assert exchange(edge.port, slow + b"GET / HTTP/1.1\r\n\r\n") == b""


def test_trailers_never_become_headers(edge: RunningServer) -> None:
    request = (
        b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\nAuthorization: Basic eDp5\r\n\r\n"
    )

    answer = exchange(edge.port, request)

    echo = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert echo["headers"] == ["connection", "host", "transfer-encoding"]
    assert echo["body_bytes"] == 3


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n", id="a line feed"),
        pytest.param(b"GET / HT", id="a piece of a request line"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"A: b", id="a piece of a header"),
        pytest.param(POST + b"Content-Length: 5\r\n\r\nab", id="a piece of a body"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na", id="a piece of a chunk"),
    ],
)
def test_what_does_not_arrive_in_time_is_ended_with_408(
    impatient: RunningServer, beginning: bytes
) -> None:
    assert status_of(exchange(impatient.port, beginning)) == 408


def test_a_second_request_on_a_connection_has_the_same_deadline(impatient: RunningServer) -> None:
    with connection(impatient.port) as connected:
        connected.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status_of(read_answer(connected)) == 200
        connected.sendall(b"GET / HTTP/1.1\r\nHo")

        assert status_of(read_to_end(connected)) == 408


def test_a_client_that_waits_for_a_slow_answer_is_not_hurried(impatient: RunningServer) -> None:
    request = POST.replace(b"POST / ", b"POST /slow ") + b"Content-Length: 2\r\n\r\nab\r\n"
    with connection(impatient.port) as connected:
        connected.sendall(request)  # old clients end a body with a line feed too many

        assert status_of(read_answer(connected)) == 200


def test_an_idle_connection_is_closed_without_a_word(edge: RunningServer) -> None:
    with connection(edge.port) as connected:
        connected.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status_of(read_answer(connected)) == 200

        assert read_to_end(connected) == b""


def test_a_connection_that_idles_after_an_early_refusal_is_ended(impatient: RunningServer) -> None:
    with connection(impatient.port) as connected:
        connected.sendall(POST + b"Content-Length: 17000\r\n\r\n")
        assert status_of(read_answer(connected)) == 413
        connected.sendall(b"a" * 17_000)

        assert status_of(read_to_end(connected)) == 408


def test_a_client_that_stops_reading_its_answer_is_cut_off(impatient: RunningServer) -> None:
    with connection(impatient.port) as connected:
        connected.sendall(b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n")

        ended = impatient.wait_for_event("http.access", path="/endless")

    assert ended["status"] == 200


def test_a_crowd_of_slow_connections_is_ended_and_honest_clients_are_served(
    impatient: RunningServer,
) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(connection(impatient.port)) for _ in range(CROWD)]
        for slow in crowd:
            slow.sendall(b"GET / HTTP/1.1\r\nA: b")
        honest = [status_of(exchange(impatient.port, HONEST)) for _ in range(100)]
        statuses = [status_of(read_to_end(slow)) for slow in crowd]

    assert honest == [200] * 100
    assert statuses == [408] * CROWD


@pytest.mark.parametrize(
    "framing",
    [
        pytest.param(b"Content-Length: 300000000\r\n\r\n", id="declared"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n11e1a300\r\n", id="in one chunk"),
    ],
)
def test_a_body_of_300_megabytes_gets_413_and_no_memory(
    edge: RunningServer, framing: bytes
) -> None:
    before = memory_of(edge.pid)

    with connection(edge.port) as connected:
        connected.sendall(POST + framing)
        for _ in range(50):
            connected.sendall(b"a" * MEGABYTE)
        answer = read_answer(connected)

    assert status_of(answer) == 413
    assert memory_of(edge.pid) - before < 20 * MEGABYTE
