"""The demonstration's data: the airports of the wheel `airportsdata` (MIT) and their countries."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Final

import airportsdata
import asyncpg

SCHEMA: Final = "demo"
_COLUMNS: Final = (
    "icao",
    "iata",
    "lid",
    "name",
    "city",
    "subd",
    "country",
    "elevation",
    "lat",
    "lon",
    "tz",
)
_TABLES: Final = f"""
CREATE SCHEMA {SCHEMA};
CREATE TABLE {SCHEMA}.countries (
    code char(2) PRIMARY KEY,
    name text NOT NULL UNIQUE
);
CREATE TABLE {SCHEMA}.airports (
    icao text PRIMARY KEY,
    iata text UNIQUE,
    lid text UNIQUE,
    name text NOT NULL,
    city text,
    subd text,
    country char(2) NOT NULL REFERENCES {SCHEMA}.countries,
    elevation double precision NOT NULL,
    lat double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    lon double precision NOT NULL CHECK (lon BETWEEN -180 AND 180),
    tz text NOT NULL
);
CREATE INDEX ON {SCHEMA}.airports (country);
COMMENT ON TABLE {SCHEMA}.airports IS 'Nearly every airport and landing strip in the world';
COMMENT ON COLUMN {SCHEMA}.airports.icao IS 'ICAO location indicator, or the local one';
COMMENT ON COLUMN {SCHEMA}.airports.lid IS 'Location identifier of the FAA, United States only';
COMMENT ON COLUMN {SCHEMA}.airports.subd IS 'State, province or region';
COMMENT ON COLUMN {SCHEMA}.airports.elevation IS 'Feet above mean sea level';
COMMENT ON COLUMN {SCHEMA}.airports.tz IS 'Name in the IANA time zone database';
"""
_IS_LOADED: Final = "SELECT to_regclass('demo.airports') IS NOT NULL"


async def load_airports(database_url: str) -> None:
    """Create and fill the schema `demo` in one transaction, unless it is there."""
    connection = await asyncpg.connect(database_url)
    try:
        if await connection.fetchval(_IS_LOADED):
            return
        async with connection.transaction():
            await connection.execute(_TABLES)
            await connection.copy_records_to_table(
                "countries", schema_name=SCHEMA, records=_countries()
            )
            await connection.copy_records_to_table(
                "airports", schema_name=SCHEMA, columns=_COLUMNS, records=_airports()
            )
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


def _countries() -> Iterator[tuple[str, ...]]:
    lines = files(__package__).joinpath("countries.tsv").read_text(encoding="utf-8").splitlines()
    return (tuple(line.split("\t")) for line in lines if not line.startswith("#"))


def _airports() -> Iterator[tuple[str | float | None, ...]]:
    """Yield rows in the order of `_COLUMNS`, unknown codes and regions as NULL."""
    for airport in airportsdata.load().values():
        values = dict(airport)
        yield tuple(_or_null(values[column]) for column in _COLUMNS)


def _or_null(value: object) -> str | float | None:
    if isinstance(value, float):
        return value
    return str(value) or None
