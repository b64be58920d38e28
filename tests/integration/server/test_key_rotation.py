"""Replacing keys by the commands of the manual, as the clients of the contract see it."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from license_server import base64url
from license_server.cli import main
from license_server.key_files import load_issuer, load_keysets
from license_server.keyset_history import KeySetHistory
from license_server.keysets import KeySetRejected, KeyStatus, SignedKeySet


class Room:
    """A server's folder, and a safe with root keys that is not in it."""

    def __init__(self, path: Path) -> None:
        self.folder = path / "vendor"
        self.safe = path / "safe"
        self.safe.mkdir()
        self("init", str(self.folder))
        shutil.move(self.folder / "root.key", self.safe / "root.key")

    def __call__(self, *line: str, status: int = 0) -> str:
        """Run a command; return its stdout, or its stderr if it was to fail."""
        done = CliRunner().invoke(main, ["--dir", str(self.folder), *line])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == status, done.output
        return (done.stderr if status else done.stdout).strip()

    @property
    def history(self) -> KeySetHistory:
        return load_keysets(self.folder / "keyset.json")

    def sign(self, *roots: str, status: int = 0) -> Path:
        """Sign the draft in the safe, one root after the other."""
        signed = self.safe / "signed.json"
        shutil.copy(self.folder / "keyset-draft.json", signed)
        for root in roots:
            key = str(self.safe / root)
            self("keyset", "sign", str(signed), "--root", key, "-o", str(signed), status=status)
        return signed

    def signing_kid(self) -> str:
        issuer = load_issuer(self.folder / "signing.key", self.history)
        assert issuer is not None
        listed = json.loads(self("keys", "list", "--json"))
        return str(next(key["kid"] for key in listed if key["signs_here"]))


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def statuses(history: KeySetHistory) -> list[KeyStatus]:
    return [key.status for key in history.newest.content.keys]


def test_a_key_is_replaced_without_a_moment_without_one(room: Room) -> None:
    old = room.signing_kid()
    kid = room("keys", "new")
    assert room.signing_kid() == old
    assert "newest key set" in room("keys", "promote", kid, status=6)
    room("keyset", "install", str(room.sign("root.key")))
    assert statuses(room.history) == [KeyStatus.ACTIVE] * 2
    room("keys", "promote", kid)
    assert room.signing_kid() == kid
    room("keyset", "install", str(room.sign("root.key")))
    assert statuses(room.history) == [KeyStatus.VERIFY_ONLY, KeyStatus.ACTIVE]
    assert [signed.content.epoch for signed in room.history.sets] == [1, 2, 3]
    assert "sound" in room("audit", "verify")
    actions = [one["action"] for one in json.loads(room("audit", "tail", "--json"))]
    assert actions.count("keyset.publish") == 3
    assert actions.count("key.promote") == 1
    files = {path.name: path.stat().st_mode & 0o777 for path in room.folder.glob("*.key")}
    assert set(files) == {"signing.key", f"signing-{old}.key", "sealing.key"}
    assert set(files.values()) == {0o600}


def test_the_drill_after_a_theft_of_the_signing_key(room: Room) -> None:
    stolen = room.signing_kid()
    room("audit", "checkpoint")
    assert "keys new" in room("keys", "revoke", stolen, status=6)
    kid = room("keys", "new")
    room("keys", "revoke", stolen)
    room("keyset", "install", str(room.sign("root.key")))
    with pytest.raises(KeySetRejected, match="active"):
        load_issuer(room.folder / "signing.key", room.history)
    room("keys", "promote", kid)
    assert room.signing_kid() == kid
    assert statuses(room.history) == [KeyStatus.REVOKED, KeyStatus.ACTIVE]
    checkpoints = str(room.folder / "audit-checkpoints.jsonl")
    assert "believed" in room("audit", "verify", "--against", checkpoints, status=6)
    room("audit", "checkpoint")
    assert "sound" in room("audit", "verify", "--against", checkpoints)
    assert not (room.folder / "keyset-draft.json").exists()


def test_an_unsigned_or_wrongly_signed_key_set_is_not_installed(room: Room) -> None:
    room("keys", "new")
    room("keys", "new-root", str(room.safe / "foreign.key"))
    before = (room.folder / "keyset.json").read_bytes()
    for roots in ((), ("foreign.key",)):
        assert "good signatures" in room("keyset", "install", str(room.sign(*roots)), status=6)
    (room.safe / "garbage.json").write_text("[]")
    assert "draft" in room("keyset", "install", str(room.safe / "garbage.json"), status=6)
    assert (room.folder / "keyset.json").read_bytes() == before


def test_roots_change_only_with_the_old_and_the_new_threshold(room: Room) -> None:
    for name in ("two", "three"):
        room("keys", "new-root", str(room.safe / f"{name}.key"))
    added = [f"--add-root={room.safe / name}.pub.json" for name in ("two", "three")]
    room("keyset", "draft", *added, "--threshold", "2")
    for roots in (("root.key",), ("two.key", "three.key")):
        assert "good signatures" in room("keyset", "install", str(room.sign(*roots)), status=6)
    room("keyset", "install", str(room.sign("root.key", "two.key")))
    shown = json.loads(room("keyset", "show", "--json"))
    assert (shown["epoch"], shown["threshold"], len(shown["roots"])) == (2, 2, 3)
    room("keyset", "draft", "--remove-root", shown["roots"][0])
    room("keyset", "install", str(room.sign("two.key", "three.key")))
    assert [signed.content.epoch for signed in room.history.sets] == [1, 2, 3]
    needed = [
        json.loads(base64url.decode(str(document["payload"])))["epoch"]
        for document in room.history.above(1)
    ]
    assert needed == [2, 3]


def test_an_older_key_set_never_comes_back(room: Room) -> None:
    old = json.loads(room("keyset", "export-trust"))
    room("keyset", "draft")
    room("keyset", "install", str(room.sign("root.key")))
    path = room.safe / "old.json"
    path.write_text(json.dumps(SignedKeySet.read(old).document()))
    assert "older" in room("keyset", "install", str(path), status=6)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("keys", "revoke", "0000000000000000"), "keys list"),
        (("keys", "promote", "0000000000000000"), "newest key set"),
        (("keyset", "draft", "--remove-root", "x"), "--remove-root"),
        (("keyset", "draft", "--threshold", "2"), "threshold"),
        (("keyset", "draft", "--add-root", "/nothing"), "public file"),
        (("keyset", "sign", "/nothing", "--root", "/nothing", "-o", "x"), "JSON"),
    ],
)
def test_a_mistake_changes_nothing(room: Room, line: tuple[str, ...], said: str) -> None:
    before = sorted((path.name, path.read_bytes()) for path in room.folder.iterdir())
    assert said in room(*line, status=6)
    assert sorted((path.name, path.read_bytes()) for path in room.folder.iterdir()) == before


def test_two_servers_with_one_key_set_may_sign_with_different_keys(room: Room) -> None:
    kid = room("keys", "new")
    room("keyset", "install", str(room.sign("root.key")))
    replica = room.folder.with_name("replica")
    shutil.copytree(room.folder, replica)
    (replica / f"signing-{kid}.key").replace(replica / "signing.key")
    history = load_keysets(replica / "keyset.json")
    assert load_issuer(replica / "signing.key", history) is not None
    assert load_issuer(room.folder / "signing.key", room.history) is not None
    assert history.newest.payload == room.history.newest.payload
