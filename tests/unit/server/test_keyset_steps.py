"""What is left to do about keys, from what there is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from license_server.keyset_drafts import published
from license_server.keyset_steps import KeyFacts, remaining_steps
from license_server.keysets import KeySet, Root
from license_server.signing import SigningKey

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEY, NEXT, ROOT = (SigningKey.generate() for _ in range(3))
LISTED = published(Root.of(KEY), NOW)


def facts(**changes: object) -> KeyFacts:
    newest = KeySet(
        v=1,
        iss="vendor",
        epoch=3,
        issued=int(NOW.timestamp()),
        expires=int((NOW + 700 * DAY).timestamp()),
        threshold=1,
        roots=(Root.of(ROOT),),
        keys=(LISTED,),
    )
    return replace(KeyFacts(newest, KEY.kid, has_draft=False, root_file=None), **changes)  # type: ignore[arg-type]  # a test changes what it likes


def commands(found: KeyFacts, now: datetime = NOW) -> list[tuple[str, bool]]:
    return [(step.command, step.is_offline) for step in remaining_steps(found, now)]


SIGNATURES = [
    ("license-server keyset sign keyset-draft.json --root root.key -o keyset-4.json", True),
    ("license-server keyset install keyset-4.json", False),
]


def test_nothing_is_left_while_all_is_well() -> None:
    assert commands(facts()) == []


def test_a_draft_waits_for_the_roots() -> None:
    assert commands(facts(has_draft=True)) == SIGNATURES


def test_a_key_that_ends_soon_is_replaced() -> None:
    found = commands(facts(), NOW + 3 * 365 * DAY - 30 * DAY)
    assert found == [("license-server keys new", False), *SIGNATURES]


def test_a_key_that_every_server_lists_is_promoted() -> None:
    later = published(Root.of(NEXT), NOW + DAY)
    newest = facts().newest.model_copy(update={"keys": (LISTED, later)})
    assert commands(facts(newest=newest)) == [(f"license-server keys promote {NEXT.kid}", False)]


def test_a_key_set_that_ends_soon_is_drafted_again() -> None:
    assert commands(facts(), NOW + 650 * DAY) == [
        ("license-server keyset draft", False),
        *SIGNATURES,
    ]


def test_a_root_key_on_the_server_is_taken_away_first() -> None:
    steps = remaining_steps(facts(root_file="root.key", has_draft=True), NOW)
    assert "root.key offline" in steps[0].text
    assert len(steps) == 3
