"""What is looked at on every page: faults of accessibility, and how it looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Page, ViewportSize

AXE: Final = Path(__file__).parents[1] / "system" / "browser" / "axe" / "axe.min.js"
_SERIOUS: Final = ("serious", "critical")
_RUN_AXE: Final = "options => axe.run(document, {resultTypes: ['violations'], ...options})"
_CONTRAST_ALONE: Final = {"runOnly": ["color-contrast"]}
_DESK: Final = ViewportSize(width=1280, height=800)
_PHONE: Final = ViewportSize(width=390, height=844)


@dataclass(frozen=True, slots=True)
class Look:
    """A way in which people see a page."""

    colors: Literal["light", "dark"]
    size: ViewportSize


LOOKS: Final[Mapping[str, Look]] = {
    "phone": Look("light", _PHONE),
    "dark": Look("dark", _DESK),
    "light": Look("light", _DESK),  # the last one stays
}


def axe(page: Page, **options: object) -> list[str]:
    """Return the serious and critical faults of accessibility, one a line, as the page looks now.

    The script is evaluated by the browser's debugger, so that the page's own policy stays as it is.

    Args:
        page: where somebody is.
        options: of axe-core.
    """
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = page.evaluate(_RUN_AXE, options)["violations"]
    return [
        line
        for violation in violations
        if violation["impact"] in _SERIOUS
        for line in _lines(violation)
    ]


def axe_by_day_and_night(page: Page) -> list[str]:
    """Return the faults of a page in its light look, and those of contrast in its dark one."""
    show_as(page, "dark")
    at_night = axe(page, **_CONTRAST_ALONE)
    show_as(page, "light")
    return at_night + axe(page)


def is_wider_than_its_window(page: Page) -> bool:
    """Tell whether one has to scroll sideways."""
    wider = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return bool(wider)


@dataclass(frozen=True, slots=True)
class Photographer:
    """Keeps pictures of pages.

    Attributes:
        folder: where they are, as `NAME-LOOK.png`.
    """

    folder: Path

    def take(self, page: Page, name: str, *, whole: bool = True) -> None:
        """Take pictures of a page in each look: of all of it, or of what its window shows."""
        for look in LOOKS:
            show_as(page, look)
            page.screenshot(path=self.folder / f"{name}-{look}.png", full_page=whole)


def show_as(page: Page, look: str) -> None:
    """Show a page in a look."""
    page.set_viewport_size(LOOKS[look].size)
    page.emulate_media(color_scheme=LOOKS[look].colors)


def _lines(violation: Mapping[str, Any]) -> list[str]:
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']}: {node['failureSummary']}"
        for node in violation["nodes"]
    ]
