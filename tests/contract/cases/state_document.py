"""`state.json` as a whole."""

from cases import high_water_cases, state_cases
from cases.confirmed import FORMAT
from reference.encoding import JsonObject


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "accepted": state_cases.cases(),
        "refused": [],
        "high_water": high_water_cases.cases(),
    }
