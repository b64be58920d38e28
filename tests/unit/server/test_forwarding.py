from ipaddress import ip_network

import pytest

from license_server.forwarding import TrustedProxies

PROXIES = TrustedProxies([ip_network("10.0.0.0/8"), ip_network("::1/128")])


@pytest.mark.parametrize(
    "address", ["11.0.0.1", "::2", "unix", "", "10.0.0.1.evil.com", "testclient"]
)
def test_a_stranger_is_not_believed(address: str) -> None:
    assert not PROXIES.includes(address)


@pytest.mark.parametrize("address", ["10.255.0.1", "::1", "0:0::1", "::ffff:10.1.2.3"])
def test_a_proxy_is_believed_however_its_address_is_written(address: str) -> None:
    assert PROXIES.includes(address)


def test_without_networks_nobody_is_believed() -> None:
    assert not TrustedProxies([]).includes("127.0.0.1")


@pytest.mark.parametrize(
    ("values", "client"),
    [
        ([], "10.0.0.1"),
        ([b""], "10.0.0.1"),
        ([b"203.0.113.9"], "203.0.113.9"),
        ([b"6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ([b"6.6.6.6", b"203.0.113.9, 10.9.9.9"], "203.0.113.9"),
        ([b"203.0.113.9, nonsense"], "10.0.0.1"),
        ([b"nonsense, 10.9.9.9"], "10.9.9.9"),
        ([b"10.8.8.8, 10.9.9.9"], "10.8.8.8"),
        ([b"2001:DB8:0::1"], "2001:db8::1"),
        ([b"::ffff:203.0.113.9"], "203.0.113.9"),
        ([b"203.0.113.9:4711"], "10.0.0.1"),
        ([b'2001:db8::1%"x":"'], "2001:db8::1"),
        ([b"203.0.113.9\xff"], "10.0.0.1"),
        ([b"6.6.6.6" + b",10.0.0.2" * 5_000], "10.0.0.2"),
    ],
)
def test_the_client_is_the_nearest_hop_that_is_not_a_proxy(
    values: list[bytes], client: str
) -> None:
    headers = [(b"x-forwarded-for", value) for value in values]

    assert PROXIES.client_of("10.0.0.1", [(b"host", b"x"), *headers]) == client
