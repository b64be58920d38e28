"""What every path of a document shares: parameters, headers, answers and the shape of errors."""

from typing import Any, Final

Json = dict[str, Any]

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}


def _query(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _header(name: str, description: str, schema: Json = _TEXT) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": schema}


PARAMETERS: Final[Json] = {
    "select": _query("select", "Columns: `a,alias:b,c::type,d->key->>0`; none is all.", _TEXT),
    "order": _query("order", "`a.desc.nullslast,b`.", _TEXT),
    "limit": _query("limit", "Rows at most.", _COUNT),
    "offset": _query("offset", "Rows left out at the beginning.", _COUNT),
    "columns": _query("columns", "What is taken from the body's rows: `a,b`.", _TEXT),
    "or": _query("or", "`(a.eq.1,and(b.gt.2,c.is.null))`; also `and`, `not.or`, `not.and`.", _TEXT),
    "range": _header("Range", "The page, as `0-9`."),
    "prefer-read": _header("Prefer", "`count=exact`, `count=planned` or `count=estimated`."),
    "prefer-write": _header(
        "Prefer",
        "`return=minimal`, `headers-only` or `representation`; `missing=default`; `count=exact`.",
    ),
}
"""By their name in the document's components."""

_RANGE_HEADER: Final[Json] = {
    "Content-Range": {"description": "The page, and the total if it was counted.", "schema": _TEXT}
}

ERROR: Final[Json] = {
    "type": "object",
    "description": "Why a request was refused: SQLSTATE, PGRSTnnn or DBAPInnn.",
    "required": ["code", "message", "details", "hint"],
    "properties": {
        "code": _TEXT,
        "message": _TEXT,
        "details": {"type": ["string", "null"]},
        "hint": {"type": ["string", "null"]},
    },
}

RESPONSES: Final[Json] = {
    "Refused": {
        "description": "The request was refused; nothing of it was kept.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/-error"}}},
    },
    "Done": {"description": "Done; nothing is shown.", "headers": _RANGE_HEADER},
}


def rows_response(description: str, row: Json) -> Json:
    """Describe an answer that holds rows."""
    return {
        "description": description,
        "headers": {
            **_RANGE_HEADER,
            "X-Result-Truncated": {
                "description": "`true` when the server's cap left rows out.",
                "schema": _TEXT,
            },
        },
        "content": {
            "application/json": {"schema": {"type": "array", "items": row}},
            "application/vnd.pgrst.object+json": {"schema": row},
        },
    }
