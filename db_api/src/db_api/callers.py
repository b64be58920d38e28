"""Who a request speaks for, once its credential was accepted.

`auth` makes these; the engine only reads them. A caller holds no secret.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

KEY_PREFIX: Final[ContextVar[str]] = ContextVar("key_prefix", default="")
"""Of the API key that the request at hand was accepted with; for the log."""

CallerKind = Literal["anon", "service_role", "admin"]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller of the data side.

    Attributes:
        schema: the one schema that it may see.
        kind: `anon` reads only; `service_role` and `admin` do what their login may do.
        key_prefix: the first characters of its key, for logs; empty for an administrator.
    """

    schema: str
    kind: CallerKind
    key_prefix: str

    @property
    def is_read_only(self) -> bool:
        """Tell whether every transaction of this caller must be READ ONLY."""
        return self.kind == "anon"
