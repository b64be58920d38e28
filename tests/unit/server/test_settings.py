from pathlib import Path

import pytest

from license_server import setup
from license_server.errors import ConfigurationError
from license_server.settings import FILE_NAME, Settings, load_settings

NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, "DATABASE_URL_FILE"):
        monkeypatch.delenv(name, raising=False)


def refusal(folder: Path) -> str:
    """Return the text that refuses the settings of `folder`."""
    with pytest.raises(ConfigurationError) as refused:
        load_settings(folder)
    return str(refused.value)


def test_every_mistake_is_named_at_once_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistakes = {
        "PORT": "hunter2",
        "LOG_LEVEL": "hunter2",
        "HOST": "0.0.0.0",
        "TLS_KEY_FILE": "hunter2",
        "TRUSTED_PROXIES": "hunter2",
        "REQUESTS_PER_MINUTE": "0",
        "DATABASE_URL_FILE": "/hunter2",
    }
    for name, value in mistakes.items():
        monkeypatch.setenv(name, value)

    lines = refusal(tmp_path).splitlines()

    expected = {*mistakes, "DATABASE_URL"} - {"DATABASE_URL_FILE"}
    assert {line.partition(":")[0] for line in lines} == expected
    assert [line for line in lines if "hunter2" in line and "DATABASE_URL" not in line] == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "localhost.evil.com", ""])
def test_plain_http_for_other_machines_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    (tmp_path / FILE_NAME).write_text("TRUSTED_PROXIES=10.0.0.0/8\n")
    monkeypatch.setenv("HOST", host or "example.com")

    assert "TLS_CERT_FILE" in refusal(tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_plain_http_for_this_machine_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HOST", host)

    assert load_settings(tmp_path).host == host


def test_half_of_tls_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TLS_CERT_FILE", "cert.pem")

    assert "TLS_KEY_FILE" in refusal(tmp_path)


def test_a_secret_and_its_file_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/d")
    monkeypatch.setenv("DATABASE_URL_FILE", "url")

    text = refusal(tmp_path)

    assert "DATABASE_URL_FILE" in text
    assert "hunter2" not in text


def test_a_secret_may_come_from_a_file_and_goes_before_the_folders_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE_NAME).write_text("DATABASE_URL=sqlite:///other.db\n")
    (tmp_path / "url").write_text("postgresql://u:hunter2@h/d\n")
    monkeypatch.setenv("DATABASE_URL_FILE", "url")

    settings = load_settings(tmp_path)

    assert settings.database_url.get_secret_value() == "postgresql://u:hunter2@h/d"
    assert "hunter2" not in repr(settings)


def test_the_environment_goes_before_the_folders_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE_NAME).write_text("PORT=4001\nLOG_LEVEL=error\n")
    monkeypatch.setenv("PORT", "4002")
    monkeypatch.setenv("LOG_LEVEL", "")

    settings = load_settings(tmp_path)

    assert (settings.port, settings.log_level) == (4002, "error")


def test_relative_paths_start_at_the_folder(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(
        "DATABASE_URL=sqlite:///data/x.db\nSIGNING_KEY_FILE=keys/a.key\nPEPPERS_FILE=/etc/p\n"
    )

    settings = load_settings(tmp_path)

    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/data/x.db"
    assert settings.signing_key_file == tmp_path / "keys/a.key"
    assert settings.peppers_file == Path("/etc/p")


def test_the_defaults_are_the_files_that_init_makes(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)

    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path / setup.DATABASE}"
    assert settings.signing_key_file == tmp_path / setup.SIGNING_KEY
    assert settings.peppers_file == tmp_path / setup.PEPPERS
    assert settings.sealing_key_file == tmp_path / setup.SEALING_KEY
    assert settings.keyset_file == tmp_path / setup.KEYSET


@pytest.mark.parametrize("folder", ["x" * 300, "vendor"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, folder: str) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / FILE_NAME).write_bytes(b"HOST=\xff\n")

    assert f"cannot read {tmp_path / folder / FILE_NAME}" in refusal(tmp_path / folder)


def test_proxies_are_networks_or_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1,::1")

    networks = [str(network) for network in load_settings(tmp_path).trusted_proxies]

    assert networks == ["10.0.0.0/8", "192.0.2.1/32", "::1/128"]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name: str) -> None:
    assert f"        {name}: " in (Settings.__doc__ or "")


@pytest.mark.parametrize(
    "uri",
    [
        "database://",
        "redis://:hunter2@cache.example:6380/2",
        "rediss://user:hunter2@cache.example",
        "valkey://[::1]:6379",
    ],
)
def test_rate_limits_are_counted_where_a_uri_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/d")
    (tmp_path / "uri").write_text(f"{uri}\n")
    monkeypatch.setenv("RATE_LIMIT_STORAGE_URI_FILE", "uri")

    settings = load_settings(tmp_path)

    assert settings.rate_limit_storage_uri is not None
    assert settings.rate_limit_storage_uri.get_secret_value() == uri
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    "uri",
    [
        "database",
        "database://hunter2",
        "memory://hunter2",
        "redis://",
        "redis:///hunter2",
        "redis://:hunter2@",
        "redis://hunter2:0",
        "redis://hunter2:port",
        "redis://hunter2:99999",
        "redis://[hunter2",
        "postgresql://hunter2/d",
    ],
)
def test_a_storage_that_is_none_is_refused_without_its_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("RATE_LIMIT_STORAGE_URI", uri)

    text = refusal(tmp_path)

    assert text.startswith("RATE_LIMIT_STORAGE_URI: ")
    assert "rediss://" in text
    assert "hunter2" not in text


def test_rate_limits_are_not_shared_through_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_STORAGE_URI", "database://")

    text = refusal(tmp_path)

    assert "PostgreSQL" in text
    assert "SQLite is for one server" in text
