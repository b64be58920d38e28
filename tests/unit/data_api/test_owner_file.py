import secrets
import stat
from pathlib import Path

import pytest

from db_api.owner_file import FILE_NAME, Owner, OwnerFile
from db_api.sealing import RootKeys

OWNER = Owner("LIC-AAAAA-BBBBB", "ada@example.com")
KEYS = RootKeys(secrets.token_bytes(32))


def test_where_nothing_was_activated_there_is_no_owner(tmp_path: Path) -> None:
    owners = OwnerFile(tmp_path / "nowhere", KEYS)

    assert owners.read() is None
    assert owners.stamp() is None


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"[]", b"\xff" * 64, b"x" * 100_000])
@pytest.mark.parametrize("keys", [None, KEYS])
def test_a_file_that_is_no_owner_counts_as_none(
    tmp_path: Path, content: bytes, keys: RootKeys | None
) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)

    assert OwnerFile(tmp_path, keys).read() is None


def test_another_secret_does_not_open_it(tmp_path: Path) -> None:
    OwnerFile(tmp_path, KEYS).write(OWNER)

    assert OwnerFile(tmp_path, RootKeys(secrets.token_bytes(32))).read() is None
    assert OwnerFile(tmp_path, None).read() is None


def test_an_earlier_secret_can_be_forgotten_once_it_is_renewed(tmp_path: Path) -> None:
    OwnerFile(tmp_path, KEYS).write(OWNER)
    new = secrets.token_bytes(32)

    OwnerFile(tmp_path, RootKeys(new, KEYS.current)).renew()

    assert OwnerFile(tmp_path, RootKeys(new)).read() == OWNER
    assert OwnerFile(tmp_path, KEYS).read() is None


@pytest.mark.parametrize("previous", [None, b"p" * 32])
def test_what_needs_no_renewal_or_cannot_have_it_is_left_alone(
    tmp_path: Path, previous: bytes | None
) -> None:
    owners = OwnerFile(tmp_path, RootKeys(KEYS.current, previous))
    owners.renew()
    assert owners.stamp() is None

    owners.write(OWNER)
    before = owners.stamp()
    owners.renew()
    OwnerFile(tmp_path, RootKeys(secrets.token_bytes(32), previous)).renew()
    OwnerFile(tmp_path, None).renew()

    assert owners.stamp() == before


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    owners = OwnerFile(tmp_path, KEYS)
    owners.write(OWNER)
    sealed = (tmp_path / FILE_NAME).read_bytes()
    for place in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[place] ^= 1
        (tmp_path / FILE_NAME).write_bytes(flipped)
        assert owners.read() is None, place


def test_a_sealed_owner_shows_neither_key_nor_email(tmp_path: Path) -> None:
    OwnerFile(tmp_path, KEYS).write(OWNER)

    content = (tmp_path / FILE_NAME).read_bytes()
    assert OWNER.license_key.encode() not in content
    assert OWNER.email.encode() not in content


def test_it_is_for_this_user_alone_and_leaves_no_draft(tmp_path: Path) -> None:
    OwnerFile(tmp_path / "new", KEYS).write(OWNER)

    (file,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    owners = OwnerFile(tmp_path, KEYS)
    owners.write(OWNER)
    before = owners.stamp()

    owners.write(Owner("LIC-CCCCC-DDDDD", "bob@example.com"))

    assert owners.read() == Owner("LIC-CCCCC-DDDDD", "bob@example.com")
    assert owners.stamp() != before


def test_a_rotated_secret_opens_what_the_one_before_has_sealed(tmp_path: Path) -> None:
    OwnerFile(tmp_path, KEYS).write(OWNER)

    assert OwnerFile(tmp_path, RootKeys(secrets.token_bytes(32), KEYS.current)).read() == OWNER
