"""What a request says of embedded resources, brought to the resources that it means."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from db_api.grammar.ast import Clauses, Path, Query, SelectEmbed, SelectItem
from db_api.plan.resolve import not_embedded

Scope = Sequence[tuple[Path, Clauses]]
"""What is said of one resource, under the empty path, and of those within it."""


def scope_of(query: Query, root: Clauses) -> Scope:
    """Make the scope of a whole request.

    Args:
        query: what is said of embedded resources.
        root: what is said of the rows around them.
    """
    return (((), root), *query.embedded.items())


def own_clauses(scope: Scope) -> Clauses:
    """Join what is said of the resource itself; alias and name may each have said something."""
    if len(scope) == 1:  # the hot path
        return scope[0][1] if not scope[0][0] else Clauses()
    own = [clauses for path, clauses in scope if not path]
    limits = [clauses.limit for clauses in own if clauses.limit is not None]
    return Clauses(
        where=tuple(condition for clauses in own for condition in clauses.where),
        order=tuple(term for clauses in own for term in clauses.order),
        limit=min(limits, default=None),
        offset=max((clauses.offset for clauses in own), default=0),
    )


def scopes_within(items: Sequence[SelectItem], scope: Scope) -> Mapping[int, Scope]:
    """Give each embedded resource its own scope, by its position among the items.

    Raises:
        RestError: the request says something of what it does not embed.
    """
    scopes: defaultdict[int, list[tuple[Path, Clauses]]] = defaultdict(list)
    for path, clauses in scope:
        if path:
            scopes[_position(items, path[0])].append((path[1:], clauses))
    return scopes


def _position(items: Iterable[SelectItem], name: str) -> int:
    """Find the first embedded resource of this name or alias."""
    for position, item in enumerate(items):
        if isinstance(item, SelectEmbed) and name in {item.name, item.alias}:
            return position
    raise not_embedded(name)
