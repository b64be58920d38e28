"""A log of a thousand entries in a real database, and whoever may write there as a superuser."""

import asyncio
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from license_server.audit import ACTOR_CLI, Change, Entry, Head, canonical_json, link
from license_server.cli import main
from license_server.clock import utc_now
from license_server.desk import Desk
from license_server.repository.database import Database
from license_server.repository.transaction import SqlRepository
from license_server.settings import load_settings
from license_server.working import load_vault
from support.log_attacks import unguarded
from support.postgres import SharedPostgres

ENTRIES, HIT, LATER = 1_000, 500, 10
INSERT = """INSERT INTO audit_log (seq, ts, actor, action, subject, before, after, previous, hash)
VALUES (:seq, :ts, :actor, :action, :subject, NULL, :after, :previous, :hash)"""


@dataclass(frozen=True)
class Ledger:
    """A server's log, in a database that a test may spoil.

    Attributes:
        folder: of the server, with its keys and checkpoints.
        url: of the database.
    """

    folder: Path
    url: str

    def run(self, *line: str) -> Result:
        """Run a command of the server."""
        env = {"DATABASE_URL": self.url}
        return CliRunner().invoke(main, ["--dir", str(self.folder), *line], env=env)

    def verify(self) -> Result:
        """Verify the log by itself."""
        return self.run("audit", "verify")

    def verify_against_checkpoint(self) -> Result:
        """Verify the log against what was signed when all was well."""
        checkpoints = str(self.folder / "audit-checkpoints.jsonl")
        return self.run("audit", "verify", "--against", checkpoints)

    def entries(self) -> list[Entry]:
        """Return the log as it is exported."""
        lines = self.run("audit", "export").stdout_bytes.splitlines()
        return [Entry.from_line(line) for line in lines]

    def attack(self, *statements: str, forged: Entry | None = None) -> None:
        """Write as somebody whom no trigger stops."""
        asyncio.run(self._attack(statements, forged))

    async def _attack(self, statements: tuple[str, ...], forged: Entry | None) -> None:
        async with unguarded(Database.from_url(self.url)) as connection:
            for statement in statements:
                await connection.execute(text(statement))
            if forged is not None:
                await connection.execute(text(INSERT), row_of(forged))


def row_of(entry: Entry) -> dict[str, object]:
    change = entry.change
    return {
        "seq": entry.seq,
        "ts": entry.ts,
        "actor": change.actor,
        "action": change.action,
        "subject": change.subject,
        "after": canonical_json(change.after or {}),
        "previous": entry.previous,
        "hash": entry.hash(),
    }


def a_forgery(ledger: Ledger, seq: int) -> Entry:
    """Return an entry that follows number `seq - 1` as it should."""
    before = ledger.entries()[seq - 2]
    change = Change("cli", "license.issue", "p1:forged", None, {"number": 0})
    return link(change, Head(before.seq, before.hash()), utc_now())


async def write_entries(ledger: Ledger, number: int) -> None:
    settings = load_settings(ledger.folder)
    vault, database = load_vault(settings), Database.from_url(ledger.url)
    async with SqlRepository(database).transaction() as transaction:
        desk = Desk(transaction, vault, ACTOR_CLI, utc_now())
        for count in range(number):
            await desk.record("license.change", f"lic_{count}", None, {"number": count})


class Stable:
    """Where fresh copies of one ledger come from."""

    def __init__(self, folder: Path, postgres: SharedPostgres | None) -> None:
        self._folder, self._postgres = folder, postgres
        self._names: list[str] = []
        url = f"sqlite:///{folder / 'vendor' / 'license-server.db'}"
        if postgres is not None:
            url = postgres.create(self._new_name())
        self.ledger = Ledger(folder / "vendor", url)
        made = CliRunner().invoke(
            main, ["init", str(self.ledger.folder)], env={"DATABASE_URL": url if postgres else ""}
        )
        assert made.exit_code == 0, made.output

    def copy(self) -> Ledger:
        """Copy the database as it stands now."""
        name = self._new_name()
        if self._postgres is not None:
            original = self._names[0]
            return replace(self.ledger, url=self._postgres.create(name, original))
        path = self._folder / f"{name}.db"
        shutil.copy(self.ledger.folder / "license-server.db", path)
        return replace(self.ledger, url=f"sqlite:///{path}")

    def close(self) -> None:
        """Drop what was made."""
        if self._postgres is not None:
            for name in self._names:
                self._postgres.drop(name)

    def _new_name(self) -> str:
        self._names.append(f"ledger_{secrets.token_hex(6)}")
        return self._names[-1]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stable(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: SharedPostgres,
) -> Iterator[Stable]:
    """Make a log of a thousand entries, the last of which a checkpoint has seen."""
    on_postgres = request.param == "postgresql"
    with closing(Stable(tmp_path_factory.mktemp("log"), postgres if on_postgres else None)) as made:
        before = len(made.ledger.entries())
        asyncio.run(write_entries(made.ledger, ENTRIES - before))
        assert made.ledger.run("audit", "checkpoint").exit_code == 0
        yield made


@pytest.fixture
def ledger(stable: Stable) -> Ledger:
    """Copy the log, to be attacked."""
    return stable.copy()


def require_broken(done: Result, said: str) -> None:
    assert (done.exit_code, done.stdout) == (1, f"BROKEN: {said}\n"), done.output


def change(ledger: Ledger) -> None:
    ledger.attack(f"UPDATE audit_log SET actor = 'nobody' WHERE seq = {HIT}")


def change_its_time(ledger: Ledger) -> None:
    ledger.attack(f"UPDATE audit_log SET ts = ts - 1 WHERE seq = {HIT}")


def replace_whole(ledger: Ledger) -> None:
    ledger.attack(f"DELETE FROM audit_log WHERE seq = {HIT}", forged=a_forgery(ledger, HIT))


def delete(ledger: Ledger) -> None:
    ledger.attack(f"DELETE FROM audit_log WHERE seq = {HIT}")


def delete_and_close_the_gap(ledger: Ledger) -> None:
    ledger.attack(
        f"DELETE FROM audit_log WHERE seq = {HIT}",
        f"UPDATE audit_log SET seq = -seq WHERE seq > {HIT}",
        "UPDATE audit_log SET seq = -seq - 1 WHERE seq < 0",
    )


def swap(ledger: Ledger) -> None:
    ledger.attack(
        f"UPDATE audit_log SET seq = -1 WHERE seq = {HIT}",
        f"UPDATE audit_log SET seq = {HIT} WHERE seq = {HIT + 1}",
        f"UPDATE audit_log SET seq = {HIT + 1} WHERE seq = -1",
    )


def insert(ledger: Ledger) -> None:
    ledger.attack(
        f"UPDATE audit_log SET seq = -seq WHERE seq >= {HIT}",
        "UPDATE audit_log SET seq = -seq + 1 WHERE seq < 0",
        forged=a_forgery(ledger, HIT),
    )


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (change, "entry 500 was changed"),
        (change_its_time, "entry 500 was changed"),
        (replace_whole, "entry 501 does not follow entry 500: one was replaced"),
        (delete, "entry 500 is missing: entry 501 stands in its place"),
        (delete_and_close_the_gap, "entry 500 does not follow entry 499: one was replaced"),
        (swap, "entry 500 does not follow entry 499: one was replaced"),
        (insert, "entry 501 does not follow entry 500: one was replaced"),
    ],
)
def test_of_a_thousand_entries_the_first_bad_one_is_named(
    ledger: Ledger, attack: Callable[[Ledger], None], said: str
) -> None:
    attack(ledger)
    require_broken(ledger.verify(), said)


def test_a_log_that_nobody_touched_is_sound(ledger: Ledger) -> None:
    for done in (ledger.verify(), ledger.verify_against_checkpoint()):
        assert (done.exit_code, f"sound: {ENTRIES} entries" in done.stdout) == (0, True), (
            done.output
        )


def test_a_tail_that_was_cut_off_is_missed_by_a_checkpoint_alone(ledger: Ledger) -> None:
    ledger.attack(f"DELETE FROM audit_log WHERE seq > {ENTRIES - LATER}")
    assert ledger.verify().exit_code == 0  # what is left is sound: hence checkpoints, elsewhere
    require_broken(
        ledger.verify_against_checkpoint(),
        f"entry {ENTRIES - LATER + 1} is missing: a checkpoint knows {ENTRIES} entries, so the "
        "database was restored from an old backup or cut off",
    )


def test_a_database_restored_from_an_old_backup_is_missed_by_a_later_checkpoint(
    stable: Stable, ledger: Ledger, tmp_path: Path
) -> None:
    later = replace(stable.copy(), folder=shutil.copytree(ledger.folder, tmp_path / "later"))
    ledger = replace(ledger, folder=later.folder)
    asyncio.run(write_entries(later, LATER))
    assert later.run("audit", "checkpoint").exit_code == 0
    assert later.verify_against_checkpoint().exit_code == 0
    require_broken(
        ledger.verify_against_checkpoint(),
        f"entry {ENTRIES + 1} is missing: a checkpoint knows {ENTRIES + LATER} entries, so the "
        "database was restored from an old backup or cut off",
    )
