"""Requests that are ambiguous, oversized or foreign, and the status that each one gets."""

from dataclasses import dataclass

HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST


@dataclass(frozen=True, slots=True)
class Attack:
    """One request that must end its connection."""

    name: str
    request: bytes
    status: int = 400


ATTACKS = (
    Attack("no Host", b"GET / HTTP/1.1\r\n\r\n"),
    Attack("two Hosts", b"GET / HTTP/1.1\r\n" + HOST + b"Host: evil\r\n\r\n"),
    Attack("a Host with user and path", b"GET / HTTP/1.1\r\nHost: a@b/c\r\n\r\n"),
    Attack("an empty Host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    Attack("HTTP/0.9", b"GET /\r\n\r\n"),
    Attack("HTTP/2.0 in clear", b"GET / HTTP/2.0\r\n" + HOST + b"\r\n"),
    Attack(
        "length and chunks",
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    Attack(
        "chunks and length",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    ),
    Attack("two lengths", POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    Attack("the same length twice", POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    Attack("a list of lengths", POST + b"Content-Length: 3, 3\r\n\r\nabc"),
    Attack("a signed length", POST + b"Content-Length: +3\r\n\r\nabc"),
    Attack("a bare line feed", b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n"),
    Attack("a bare carriage return", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\rA: b\r\n\r\n"),
    Attack("a folded header", b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n"),
    Attack("a space before the colon", b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n"),
    Attack("gzip before chunked", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    Attack("identity coding", POST + b"Transfer-Encoding: identity\r\n\r\n"),
    Attack("a coding like chunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    Attack(
        "two codings", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
    ),
    Attack(
        "chunks in HTTP/1.0",
        b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    Attack(
        "a chunk with a bare line feed",
        POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
    ),
    Attack("a negative chunk", POST + b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n"),
    Attack(
        "a chunk beyond 64 bits", POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na"
    ),
    Attack(
        "a length among the trailers",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
    ),
    Attack("another server's URL", b"GET http://evil/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    Attack("a tunnel", b"CONNECT evil:443 HTTP/1.1\r\n" + HOST + b"\r\n"),
    Attack(
        "an upgrade", b"GET / HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    ),
    Attack("a NUL in a header", b"GET / HTTP/1.1\r\n" + HOST + b"A: b\x00c\r\n\r\n"),
    Attack("raw bytes in the path", b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n"),
    Attack("a method of nobody's", b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n"),
    Attack("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    Attack("a URL over 16 KiB", b"GET /" + b"a" * 16_384 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    Attack(
        "headers over 16 KiB", b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 3_000 + b"\r\n", 431
    ),
    Attack("one header over 16 KiB", b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 2_000_000, 431),
    Attack("line feeds without end", b"\r\n" * 10_000, 431),
    Attack(
        "a chunk extension over 16 KiB",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 1_000_000,
        431,
    ),
)
