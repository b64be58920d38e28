"""`db-api import`, `export` and `sql`, on a real PostgreSQL."""

import asyncio
import csv
import io
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from support.commands import run_command
from support.management import execute
from support.servers import BIN

TABLES = r"""
CREATE SCHEMA shop;
CREATE TABLE shop.goods (id int PRIMARY KEY, name text, note text, price numeric, tags text[]);
INSERT INTO shop.goods VALUES
    (1, 'Anvil', '', 99.5, '{iron,heavy}'), (2, E'two\nlines, "quoted"', NULL, NULL, NULL),
    (3, 'NULL', '\N', 'NaN', '{}'), (4, '=1+1', '💩', 1, NULL);
CREATE TABLE shop.copies (LIKE shop.goods INCLUDING ALL);
CREATE TABLE shop."odd ""name; --" ("a b" int, "цена" text);
INSERT INTO shop."odd ""name; --" VALUES (1, 'x');
"""


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    asyncio.run(execute(database_url, TABLES))
    return {"DATABASE_URL": database_url}


def sql(env: dict[str, str], statement: str, *options: str) -> subprocess.CompletedProcess[str]:
    return run_command("db-api", "sql", statement, *options, env=env)


def value(env: dict[str, str], statement: str) -> object:
    """Ask for one value."""
    ((found,),) = (row.values() for row in json.loads(sql(env, statement, "--json").stdout)["data"])
    return found


DIFFERENCE = """
SELECT count(*) FROM (TABLE shop.goods EXCEPT TABLE shop.copies
    UNION ALL (TABLE shop.copies EXCEPT TABLE shop.goods)) AS different"""


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "jsonl"])
def test_what_is_exported_is_imported_unchanged(
    env: dict[str, str], tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"goods.{suffix}"
    exported = run_command("db-api", "export", "shop.goods", "-o", str(file), env=env)
    imported = run_command("db-api", "import", "shop.copies", str(file), env=env)

    assert (exported.returncode, exported.stdout) == (0, ""), exported.stderr
    assert (imported.returncode, imported.stdout) == (0, "4 rows are imported.\n"), imported.stderr
    assert value(env, DIFFERENCE) == 0
    assert sorted(tmp_path.iterdir()) == [file]


def test_tables_of_any_name_go_through_a_pipe(env: dict[str, str]) -> None:
    name = 'shop.odd "name; --'
    exported = run_command("db-api", "export", name, env=env)
    imported = run_command(
        "db-api", "import", name, "-", "--format", "csv", "--json", env=env, stdin=exported.stdout
    )

    assert exported.stdout == "a b,цена\n1,x\n"
    assert json.loads(imported.stdout) == {"rows": 1}


def test_a_query_chooses_rows_and_columns(env: dict[str, str]) -> None:
    query = "select=id,name&id=gt.2&order=id.desc"
    done = run_command(
        "db-api", "export", "shop.goods", "--format", "ndjson", "--query", query, env=env
    )
    assert done.stdout == '{"id":4,"name":"=1+1"}\n{"id":3,"name":"NULL"}\n'


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "id,name\n8,x\n1,x\n9\n", "line 4"),
        ("a.csv", "id,name\n8,x\nx,y\n", "line 3, column id"),
        ("a.csv", "id,nothing\n8,x\n", "nothing"),
        ("a.csv", "", "does not begin with a line of column names"),
        ("a.ndjson", '{"id":8}\n{"id":1}\n{"id":8}\n', "duplicate key"),
        ("a.ndjson", '{"id":8}\n{"name":"x"}\n', "All object keys must match"),
        ("a.ndjson", "not JSON", "invalid json"),
    ],
)
def test_a_bad_row_imports_none(
    env: dict[str, str], tmp_path: Path, name: str, text: str, says: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    done = run_command("db-api", "import", "shop.copies", str(file), env=env)

    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert value(env, "SELECT count(*) FROM shop.copies") == 0


def test_a_failed_export_leaves_the_file_as_it_was(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text("kept")
    for table, query in (("shop.nothing", ""), ("shop.goods", "nothing=eq.1")):
        done = run_command("db-api", "export", table, "-o", str(file), "--query", query, env=env)
        assert done.returncode == 1
        assert "nothing" in done.stderr
    assert file.read_text() == "kept"
    assert sorted(tmp_path.iterdir()) == [file]


def test_wrong_usage_is_told(env: dict[str, str], tmp_path: Path) -> None:
    odd = tmp_path / "goods.xls"
    odd.touch()
    for arguments, says in (
        (("export", "goods"), "SCHEMA.TABLE"),
        (("import", "shop.goods", str(odd)), "--format csv or --format ndjson"),
        (("import", "shop.goods", str(tmp_path / "missing.csv")), "does not exist"),
        (("export", "shop.goods", "-o", str(odd)), "--format"),
    ):
        done = run_command("db-api", *arguments, env=env)
        assert done.returncode == 2, arguments
        assert says in done.stderr


def test_a_statement_is_printed_as_it_is_asked_for(env: dict[str, str]) -> None:
    statement = "SELECT id, name, note FROM goods WHERE id < 3 ORDER BY id;"
    table = sql(env, statement, "--schema", "shop").stdout
    as_csv = sql(env, statement, "--schema", "shop", "--csv").stdout
    as_json = sql(env, statement, "--schema", "shop", "--json").stdout

    assert table.splitlines() == [
        "id | name                 | note",
        "---+----------------------+-----",
        "1  | Anvil                |",
        '2  | two\\nlines, "quoted" |',
        "(2 rows)",
    ]
    assert list(csv.reader(io.StringIO(as_csv))) == [
        ["id", "name", "note"],
        ["1", "Anvil", ""],
        ["2", 'two\nlines, "quoted"', ""],
    ]
    assert json.loads(as_json)["data"][1] == {"id": 2, "name": 'two\nlines, "quoted"', "note": None}


def test_a_statement_writes_only_where_that_is_said(env: dict[str, str]) -> None:
    statement = "DELETE FROM shop.goods WHERE id = 1"
    refused = sql(env, statement)
    assert refused.returncode == 1
    assert value(env, "SELECT count(*) FROM shop.goods") == 4

    done = sql(env, statement, "--write", "--json")
    assert json.loads(done.stdout) == {"data": [], "rowCount": 1, "truncated": False}
    assert value(env, "SELECT count(*) FROM shop.goods") == 3


def test_more_rows_than_asked_for_are_told_of(env: dict[str, str]) -> None:
    done = sql(env, "TABLE shop.goods", "--max-rows", "2", "--csv")
    assert len(done.stdout.splitlines()) == 4  # one value has two lines
    assert "--max-rows 2" in done.stderr


def test_a_mistake_is_placed(env: dict[str, str]) -> None:
    done = sql(env, "SELECT nothing FROM shop.goods")
    assert done.returncode == 1
    assert done.stderr == 'db-api: 42703 column "nothing" does not exist (at character 8)\n'


def test_standard_input_is_one_statement(env: dict[str, str]) -> None:
    one = run_command("db-api", "sql", "--csv", env=env, stdin="SELECT 1\n AS n;\n")
    two = run_command("db-api", "sql", env=env, stdin="SELECT 1; SELECT 2;")

    assert (one.returncode, one.stdout) == (0, "n\n1\n")
    assert two.returncode == 1


def test_a_terminal_is_a_shell(env: dict[str, str]) -> None:
    master, terminal = pty.openpty()
    command = [str(BIN / "db-api"), "sql", "--schema", "shop"]
    with subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env
    ) as shell:
        typed = "SELECT nothing;\nSELECT $$a;\nb$$\nAS text;\nSELECT 'x;' --;\n;\n\\q\n"
        os.write(master, typed.encode())
        told = shell.communicate(timeout=60)[0].decode()
        status = shell.returncode
    os.close(terminal)
    os.close(master)

    assert status == 0, told
    assert 'column "nothing" does not exist' in told
    assert "a;\\nb" in told
    assert "x;" in told
    assert told.count("(1 rows)") == 2
