"""Write an example of each service's settings, from the settings themselves: `--check` compares.

Compose reads `deploy/license_server.env` and `deploy/db_api.env`, where they exist, beside what the
Compose files set.
"""

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from db_api.settings import Settings as DataApiSettings
from license_server.settings import Settings as LicenseServerSettings

DEPLOY: Final = Path(__file__).resolve().parent
_EXAMPLES: Final[dict[str, type[BaseModel]]] = {
    "license_server.env.example": LicenseServerSettings,
    "db_api.env.example": DataApiSettings,
}
_ATTRIBUTE: Final = re.compile(r"^([a-z_]+): (.*(?:\n    .*)*)", re.MULTILINE)
_NOT_FROM_THE_ENVIRONMENT: Final = {"folder"}


def write(settings: type[BaseModel]) -> str:
    """Write the example of a service."""
    return "\n".join(_lines(settings)) + "\n"


def _lines(settings: type[BaseModel]) -> Iterator[str]:
    yield "# Every setting with its default. A secret is better in a file, which NAME_FILE names."
    texts = _texts(settings)
    for name, field in settings.model_fields.items():
        if name not in _NOT_FROM_THE_ENVIRONMENT:
            yield ""
            yield from textwrap.wrap(texts[name], 98, initial_indent="# ", subsequent_indent="# ")
            yield f"#{name.upper()}={_default(field)}"


def _texts(settings: type[BaseModel]) -> dict[str, str]:
    """Return what the docstrings of a class and its parents say of each attribute."""
    found: dict[str, str] = {}
    for parent in settings.__mro__:
        _, _, attributes = (parent.__doc__ or "").partition("Attributes:\n")
        for name, text in _ATTRIBUTE.findall(textwrap.dedent(attributes)):
            found.setdefault(name, " ".join(text.split()))
    return found


def _default(field: FieldInfo) -> str:
    default = field.get_default()
    if field.is_required() or default is None:
        return ""
    if isinstance(default, bool):
        return str(int(default))
    if isinstance(default, tuple):
        return ",".join(str(part).strip('"') for part in default)
    value = default.get_secret_value() if hasattr(default, "get_secret_value") else default
    return str(value)


def main() -> None:
    """Write the files, or compare them."""
    is_check = sys.argv[1:] == ["--check"]
    for name, settings in _EXAMPLES.items():
        path, text = DEPLOY / name, write(settings)
        if not is_check:
            path.write_text(text)
        elif path.read_text() != text:
            sys.exit(f"deploy/{name} is old: run `make env-examples`")


if __name__ == "__main__":
    main()
