"""What is left to do about the keys of a server, some of it offline. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from license_server.keysets import KeySet, KeyStatus, PublishedKey

SOON: Final = timedelta(days=60)
"""Keys and key sets are replaced by hand, offline: that takes a while."""

DRAFT: Final = "keyset-draft.json"
"""The file in a server's folder that asks the roots for signatures."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to be done by hand.

    Attributes:
        text: why, and what.
        command: to be typed; "" = none.
        is_offline: where the root keys are, and not on the server.
    """

    text: str
    command: str
    is_offline: bool = False


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What the steps follow from.

    Attributes:
        newest: the key set that is served.
        signing_kid: of the key that this server signs with.
        has_draft: a draft waits in its folder.
        root_file: name of a root key that is in its folder; None = there is none.
    """

    newest: KeySet
    signing_kid: str
    has_draft: bool
    root_file: str | None


def remaining_steps(facts: KeyFacts, now: datetime) -> tuple[Step, ...]:
    """Return what is left to do, in its order; nothing while all is well."""
    steps: list[Step] = []
    if facts.root_file is not None:
        text = f"Take {facts.root_file} offline: a thief could make clients trust other keys."
        steps.append(Step(text, ""))
    if facts.has_draft:
        steps += _signatures(facts.newest.epoch + 1)
        return tuple(steps)
    successor = _successor(facts)
    if successor is not None:
        text = f"Every server serves the key set that lists {successor.kid}: sign with it"
        steps.append(Step(f"{text} from now on.", f"license-server keys promote {successor.kid}"))
    elif _ends_soon(_signing_key(facts), now):
        steps.append(
            Step("The signing key ends soon: make the next one.", "license-server keys new")
        )
        steps += _signatures(facts.newest.epoch + 1)
    elif datetime.fromtimestamp(facts.newest.expires, UTC) - now < SOON:
        text = "The key set ends soon, and clients will warn: draft it again with a new life."
        steps.append(Step(text, "license-server keyset draft"))
        steps += _signatures(facts.newest.epoch + 1)
    return tuple(steps)


def _signatures(epoch: int) -> list[Step]:
    file = f"keyset-{epoch}.json"
    return [
        Step(
            f"Carry {DRAFT} to where the root keys are, and have enough of them sign it.",
            f"license-server keyset sign {DRAFT} --root root.key -o {file}",
            is_offline=True,
        ),
        Step(
            "Carry what they signed back, install it on every server, and restart each.",
            f"license-server keyset install {file}",
        ),
    ]


def _signing_key(facts: KeyFacts) -> PublishedKey | None:
    return facts.newest.published(facts.signing_kid)


def _successor(facts: KeyFacts) -> PublishedKey | None:
    """Return the newest active key that could follow the one in use."""
    present = _signing_key(facts)
    began = -1 if present is None else present.not_before
    later = [
        key
        for key in facts.newest.keys
        if key.status is KeyStatus.ACTIVE and key.not_before > began
    ]
    return max(later, key=lambda key: key.not_before, default=None)


def _ends_soon(key: PublishedKey | None, now: datetime) -> bool:
    return key is None or datetime.fromtimestamp(key.not_after, UTC) - now < SOON
