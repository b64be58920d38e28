"""Charts as SVG inside a page: no script, no image, colors from the stylesheet."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

_WIDTH: Final = 600
_HEIGHT: Final = 140
_FOOT: Final = 20
_GAP: Final = 2
_SVG: Final = Markup(
    '<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">'
    '<line x1="0" y1="{floor}" x2="{width}" y2="{floor}"></line>{bars}'
    '<text x="0" y="{height}">{first}</text>'
    '<text x="{width}" y="{height}" text-anchor="end">{last}</text></svg>'
)
_BAR: Final = Markup(
    '<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
    "<title>{name}: {value}</title></rect>"
)


def bars(label: str, columns: Sequence[tuple[str, int]]) -> Markup:
    """Draw columns from left to right.

    Args:
        label: what the chart shows, for who cannot see it.
        columns: name and height of each; at least one.
    """
    floor = _HEIGHT - _FOOT
    most = max(1, *(value for _, value in columns))
    width = _WIDTH / len(columns)
    drawn = Markup("").join(
        _BAR.format(
            x=nth * width,
            y=floor - value / most * floor,
            width=width - _GAP,
            height=value / most * floor,
            name=name,
            value=value,
        )
        for nth, (name, value) in enumerate(columns)
    )
    return _SVG.format(
        width=_WIDTH, height=_HEIGHT, floor=floor, label=label, bars=drawn,
        first=columns[0][0], last=columns[-1][0],
    )  # fmt: skip
