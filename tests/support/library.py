"""A customer's database whose tables relate to each other in every way there is."""

import asyncio
from typing import Final

import asyncpg

from db_api.callers import Caller

READER: Final = Caller("library", "service_role", "11b4a4")
VISITOR: Final = Caller("library", "anon", "v151704")

_LIBRARY: Final = """
CREATE SCHEMA library;
CREATE SCHEMA cellar;
SET search_path = library;

CREATE TABLE authors (
    id int PRIMARY KEY,
    name text NOT NULL,
    mentor int CONSTRAINT taught_by REFERENCES authors
);
INSERT INTO authors VALUES
 (1, 'Austen', NULL), (2, 'Borges', 1), (3, 'Christie', 1), (4, 'Dumas', 3);
CREATE TABLE biographies (author_id int PRIMARY KEY REFERENCES authors, text text);
INSERT INTO biographies VALUES (1, 'Born in Steventon'), (2, 'Born in Buenos Aires');

CREATE TABLE books (
    id int PRIMARY KEY,
    title text NOT NULL,
    author_id int CONSTRAINT written_by REFERENCES authors,
    editor_id int CONSTRAINT edited_by REFERENCES authors,
    year int,
    price numeric,
    words tsvector,
    details jsonb
);
INSERT INTO books VALUES
 (1, 'Emma', 1, 2, 1815, 10, 'emma woodhouse', '{"pages": 474, "tags": ["novel"]}'),
 (2, 'Persuasion', 1, NULL, 1817, 12.5, 'anne elliot', '{"pages": 249}'),
 (3, 'Ficciones', 2, 3, 1944, 8, 'labyrinth library', NULL),
 (4, 'Curtain', 3, 2, 1975, 9, 'poirot', '{"pages": 224}'),
 (5, 'Beowulf', NULL, 1, NULL, NULL, NULL, NULL);
CREATE FUNCTION full_title(books) RETURNS text STABLE LANGUAGE sql
    AS $$ SELECT $1.title || ' (' || coalesce($1.year::text, '?') || ')' $$;
CREATE FUNCTION first_author(books) RETURNS authors STABLE LANGUAGE sql
    AS $$ SELECT a FROM authors a WHERE a.id = $1.author_id $$;
CREATE FUNCTION cellar.hidden(library.books) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;

CREATE TABLE genres (id int PRIMARY KEY, name text);
INSERT INTO genres VALUES (1, 'Novel'), (2, 'Crime'), (3, 'Poem');
CREATE TABLE book_genres (
    book_id int REFERENCES books, genre_id int REFERENCES genres, PRIMARY KEY (book_id, genre_id)
);
INSERT INTO book_genres VALUES (1, 1), (2, 1), (4, 1), (4, 2);
CREATE TABLE mentions (book_id int REFERENCES books, genre_id int REFERENCES genres);

CREATE TABLE editions (
    book_id int REFERENCES books, number int, year int, PRIMARY KEY (book_id, number)
);
INSERT INTO editions VALUES (1, 1, 1815), (1, 2, 1833), (3, 1, 1944);
CREATE TABLE copies (
    id int PRIMARY KEY, of_book int, of_number int, shelf text,
    CONSTRAINT of_edition FOREIGN KEY (of_book, of_number) REFERENCES editions (book_id, number)
);
INSERT INTO copies VALUES (1, 1, 1, 'A'), (2, 1, 2, 'B'), (3, 1, 2, 'A'), (4, NULL, NULL, 'C');

CREATE TABLE loans (copy_id int REFERENCES copies, day date, PRIMARY KEY (copy_id, day))
    PARTITION BY RANGE (day);
CREATE TABLE loans_2025 PARTITION OF loans FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO loans VALUES (1, '2025-03-01'), (1, '2025-04-01'), (2, '2025-05-01');

CREATE TABLE cellar.vaults (id int PRIMARY KEY, book_id int REFERENCES books);
INSERT INTO cellar.vaults VALUES (1, 3);
CREATE VIEW vaults AS SELECT v.id AS vault, v.book_id FROM cellar.vaults v;

CREATE VIEW novels AS
    WITH chosen AS (SELECT book_id FROM book_genres WHERE genre_id = 1)
    SELECT b.id AS novel_id, b.title, b.author_id AS writer, upper(b.title) AS loud, 1 AS one
    FROM (SELECT * FROM books) b JOIN chosen ON chosen.book_id = b.id;
CREATE VIEW recent_novels AS SELECT novel_id, writer, title FROM novels WHERE writer <> 3;
CREATE MATERIALIZED VIEW writers AS SELECT id AS "the {id", name FROM authors;
CREATE VIEW twice AS SELECT id, author_id, author_id AS again FROM books;
ANALYZE;
"""


def make_library(url: str) -> None:
    """Fill an empty database with the library."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(_LIBRARY)
        finally:
            await connection.close()

    asyncio.run(run())
