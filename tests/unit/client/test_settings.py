"""Settings: every mistake is named at once, and no secret is shown."""

from pathlib import Path
from typing import cast

import pytest

from license_client import ConfigurationError, KeyMalformedError, LicenseClient
from license_client._environment import read_settings
from license_client._settings import Options, build_settings
from license_client.testing.simulator import License
from license_client.testing.vendor import Vendor
from support.client_machine import ENCRYPTION_KEY, Machine

TRUST = Vendor().trust


def settings_for(url: str, *, insecure: bool = False) -> tuple[str, ...]:
    options: Options = {
        "product": "p",
        "trust": TRUST,
        "server_url": url,
        "encryption_key": ENCRYPTION_KEY,
        "allow_insecure_http": insecure,
    }
    return build_settings(options).notices


# threats.md N2
@pytest.mark.parametrize(
    "url",
    [
        "http://10.1.2.3",
        "http://license.example",
        "http://127.0.0.1.evil.com",
        "http://127.1@evil.example",
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://[::ffff:10.0.0.1]",
        "http://evil.example[::1]",
        "http://[::1]evil.example",
        "https://u:p@h",
        "https://:p@h",
        "file:///etc/passwd",
        "ftp://h",
        "//h",
        "h",
        "",
        "https://",
        "https://h:port",
        "https://h:99999",
        "https://h?a=b",
        "https://h?",
        "https://h#f",
        "https://h\\@evil.example",
        "https://h h",
        "https://h\n.evil.example",
        "https://h\t",
        "https://hé",
        "https://[::1",
        "https://" + "h" * 3_000,
    ],
)
def test_a_server_url_that_could_mislead_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match="server_url") as caught:
        settings_for(url)
    assert len(url) <= len("https://") or url not in str(caught.value)  # shorter ones are no secret


@pytest.mark.parametrize(
    "url",
    [
        "https://license.example",
        "https://license.example:8443/path/",
        "https://[2001:db8::1]",
        "http://127.0.0.1:3002",
        "http://127.8.9.10",
        "http://[::1]:3002",
        "http://localhost:3002",
        "HTTPS://LICENSE.EXAMPLE",
    ],
)
def test_https_and_this_machine_are_good(url: str) -> None:
    assert settings_for(url) == ()


def test_plain_http_elsewhere_can_be_allowed_and_is_told_at_every_start() -> None:
    assert "in the clear" in settings_for("http://10.1.2.3", insecure=True)[0]


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    secret = "0" * 29 + "SECRETSECRET"
    with pytest.raises(ConfigurationError) as caught:
        LicenseClient.from_env(
            product="Not A Product",
            environ={
                "LICENSE_KEY": secret,
                "LICENSE_EMAIL": "nobody",
                "LICENSE_SERVER_URL": "http://10.1.2.3",
                "LICENSE_ENCRYPTION_KEY": "short",
                "LICENSE_ENCRYPTION_KEY_PREVIOUS": "x" * 64,
                "LICENSE_INSTANCE_ID": "a b",
                "LICENSE_CA_FILE": str(tmp_path / "none.pem"),
                "LICENSE_TRUST_FILE": str(tmp_path / "none.json"),
                "LICENSE_ALLOW_INSECURE_HTTP": "maybe",
            },
        )
    text = str(caught.value)
    for name in (
        "LICENSE_PRODUCT",
        "LICENSE_KEY",
        "LICENSE_EMAIL",
        "LICENSE_SERVER_URL",
        "LICENSE_ENCRYPTION_KEY",
        "LICENSE_ENCRYPTION_KEY_PREVIOUS",
        "LICENSE_INSTANCE_ID",
        "LICENSE_CA_FILE",
        "LICENSE_TRUST_FILE",
        "LICENSE_ALLOW_INSECURE_HTTP",
    ):
        assert f"{name}:" in text
    assert secret not in text
    assert "nobody" not in text


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"LICENSE_PRODUCT: missing.*LICENSE_TRUST_FILE"):
        read_settings(None, None, {})
    trust = tmp_path / "trust.json"
    trust.write_bytes(TRUST)
    with pytest.raises(ConfigurationError, match="LICENSE_EMAIL: missing"):
        read_settings("p", trust, {"LICENSE_KEY": "x"})


def test_an_empty_variable_is_an_unset_one() -> None:
    settings = read_settings("p", TRUST, {"LICENSE_KEY": "", "LICENSE_INSTANCE_ID": ""})
    assert settings.credentials is None
    assert settings.cache_dir == Path("license-data")


def test_a_built_in_trust_cannot_be_replaced_by_the_environment(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="LICENSE_TRUST_FILE: refused"):
        read_settings("p", TRUST, {"LICENSE_TRUST_FILE": str(tmp_path / "other.json")})


def test_a_trust_file_that_is_none_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "trust.json"
    bad.write_bytes(b"{}")
    with pytest.raises(ConfigurationError, match=r"LICENSE_TRUST_FILE: is not the trust\.json"):
        read_settings("p", None, {"LICENSE_TRUST_FILE": str(bad)})


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5_000])
@pytest.mark.parametrize("option", ["trust", "ca_file", "client_cert"])
def test_a_path_that_no_system_call_takes_is_named(option: str, name: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        build_settings(cast("Options", {"product": "p", "trust": TRUST, option: Path(name)}))


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_folder_or_a_license_file_of_such_a_name_is_refused_too(
    machine: Machine, name: str
) -> None:
    with pytest.raises(ConfigurationError, match="cache_dir"):
        machine.start(cache_dir=Path(name))
    with pytest.raises(ConfigurationError, match="path"):
        machine.start().install(Path(name))


def test_a_secret_comes_from_a_file_or_a_variable_but_not_from_both(
    license_: License, tmp_path: Path
) -> None:
    secret = tmp_path / "key"
    secret.write_text(license_.key + "\n")
    environ = {"LICENSE_KEY_FILE": str(secret), "LICENSE_EMAIL": license_.email}
    credentials = read_settings("p", TRUST, environ).credentials
    assert credentials is not None
    assert credentials.key.reveal() == license_.key
    with pytest.raises(ConfigurationError, match="LICENSE_KEY_FILE; unset one"):
        read_settings("p", TRUST, {**environ, "LICENSE_KEY": license_.key})


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="LICENSE_ENCRYPTION_KEY: cannot read"):
        read_settings("p", TRUST, {"LICENSE_ENCRYPTION_KEY_FILE": str(tmp_path / "none")})


def test_a_call_without_key_or_server_says_what_to_set(machine: Machine) -> None:
    with pytest.raises(ConfigurationError, match="LICENSE_KEY and LICENSE_EMAIL"):
        machine.start(license_key=None, email=None).activate()
    with pytest.raises(ConfigurationError, match="LICENSE_SERVER_URL"):
        machine.start(server_url=None).activate()


def test_a_mistyped_key_is_told_without_a_call(machine: Machine) -> None:
    with pytest.raises(KeyMalformedError):
        machine.start().check("LIC-12345", "ada@example.com")
    assert machine.simulator.requests == []


def test_an_option_that_does_not_exist_is_named(machine: Machine) -> None:
    with pytest.raises(ConfigurationError, match="licence_key: no such option"):
        machine.start(licence_key="x")
