"""Which columns of which tables a view shows, read from its rewrite rule.

The rule of a view (`pg_rewrite.ev_action`) is a query in PostgreSQL's own text form for trees:
`({QUERY … :targetList ({TARGETENTRY :expr {VAR …} :resno 1 … :resorigtbl 16385 :resorigcol 2 …}
…) …})`. PostgreSQL has followed each column through subqueries and joins to its table already;
only views over views are left to follow here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

Place = tuple[int, int]
"""The oid of a table or view, and the number of its column."""

_ENTRY_DEPTH: Final = 2
"""`{QUERY … {TARGETENTRY`: entries of subqueries stand deeper."""

_ENTRY: Final = re.compile(r" :resno (\d+) .*:resorigtbl (\d+) :resorigcol (\d+) ", re.DOTALL)
_MAX_VIEWS: Final = 64
"""Views upon views that are followed; PostgreSQL itself lets no view contain itself."""


def read_rule(rule: str) -> Mapping[int, Place]:
    """Read where the columns of a view come from, by their numbers; unknown ones are left out.

    Args:
        rule: the rule's `ev_action`, in which names escape braces by a backslash.
    """
    places: dict[int, Place] = {}
    depth = 0
    for part in rule.replace("\\{", "").replace("\\}", "").split("{"):
        inner, *outer = part.split("}")
        if depth == _ENTRY_DEPTH:
            _note_entry(inner, places)
        for text in outer:
            depth -= 1
            if depth == _ENTRY_DEPTH:
                _note_entry(text, places)
        depth += 1
    return places


def _note_entry(text: str, places: dict[int, Place]) -> None:
    """Note what the end of a TARGETENTRY, after its expression, says."""
    found = _ENTRY.match(text)
    if found and found[2] != "0":
        places[int(found[1])] = (int(found[2]), int(found[3]))


def follow(views: Mapping[int, Mapping[int, Place]]) -> Iterable[tuple[Place, Place]]:
    """Follow the columns of views to those of tables: pairs of view column and table column."""
    for view, places in views.items():
        for number, place in places.items():
            yield (view, number), _follow(views, place)


def _follow(views: Mapping[int, Mapping[int, Place]], place: Place) -> Place:
    for _ in range(_MAX_VIEWS):
        further = views.get(place[0], {}).get(place[1])
        if further is None:
            break
        place = further
    return place
