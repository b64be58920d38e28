"""What every page knows: whose forms it holds, what was typed into them, and what was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from license_server.errors import EtagMismatch, InvalidField, LicenseServerError
from license_server.problems import KINDS
from license_server.web.requests import Fields


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form brought that was not served, to be shown in its page again.

    Attributes:
        form: its fields; None = the page is fresh.
        problem: why it was not served.
        is_resumed: a session ended before it came, and there is a new one now.
    """

    form: Fields | None = field(default=None, repr=False)
    problem: LicenseServerError | None = None
    is_resumed: bool = False


FRESH = Typed()


@dataclass(frozen=True, slots=True)
class Forms:
    """What templates ask about forms.

    Attributes:
        form_token: what each form carries.
        before: what was typed.
    """

    form_token: str = field(repr=False)
    before: Typed = FRESH

    @property
    def problem(self) -> LicenseServerError | None:
        """What was wrong."""
        return self.before.problem

    @property
    def is_resumed(self) -> bool:
        """Tell whether a session ended in the middle."""
        return self.before.is_resumed

    @property
    def is_stale(self) -> bool:
        """Tell whether what the form changes was changed by somebody else."""
        return isinstance(self.problem, EtagMismatch)

    @property
    def problem_title(self) -> str:
        """One sentence for people."""
        return "" if self.problem is None else KINDS[self.problem.code].title

    def typed(self, name: str, value: object = "") -> str:
        """Return what a field holds: what was typed, else `value`."""
        if self.before.form is not None and self.before.form.has(name):
            return self.before.form.exactly(name)
        return "" if value is None else str(value)

    def all_typed(self, name: str, values: Sequence[str]) -> Sequence[str]:
        """Return what is ticked of many: as it was typed, else `values`."""
        return values if self.before.form is None else self.before.form.all(name)

    def is_ticked(self, name: str, is_checked: bool) -> bool:  # noqa: FBT001 - called by templates
        """Tell whether a box is ticked: a form leaves out those that are not."""
        return is_checked if self.before.form is None else self.before.form.has(name)

    def messages(self, name: str) -> Sequence[str]:
        """Return what is wrong with a field."""
        if not isinstance(self.problem, InvalidField):
            return ()
        return [error.message for error in self.problem.errors if _is_of(error.field, name)]

    def other_messages(self) -> Sequence[str]:
        """Return what is wrong beside the form's fields."""
        if not isinstance(self.problem, InvalidField):
            return () if self.problem is None else (str(self.problem),)
        names = {name for name, _ in (self.before.form or Fields()).pairs}
        return [
            f"{error.field}: {error.message}"
            for error in self.problem.errors
            if not any(_is_of(error.field, name) for name in names)
        ]


def _is_of(member: str, name: str) -> bool:
    return member == name or member.startswith(f"{name}.")
