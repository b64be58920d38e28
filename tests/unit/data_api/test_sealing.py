import pytest

from db_api.sealing import RootKeys, UnsealError

ROOT = RootKeys.parse("5c" * 32)
OTHER = RootKeys.parse("a7" * 32)
SECRET = "correct horse"


@pytest.mark.parametrize("digits", ["", "5c" * 31, "5c" * 33, "xx" * 32, "5c " * 21 + "5"])
def test_a_root_secret_is_64_hexadecimal_digits(digits: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        RootKeys.parse(digits)


def test_a_sealed_text_opens_in_its_own_place_alone() -> None:
    sealed = ROOT.sealer("p").seal(SECRET, "shop")

    assert ROOT.sealer("p").unseal(sealed, "shop") == SECRET
    with pytest.raises(UnsealError):
        ROOT.sealer("p").unseal(sealed, "warehouse")
    with pytest.raises(UnsealError):
        ROOT.sealer("q").unseal(sealed, "shop")
    with pytest.raises(UnsealError):
        OTHER.sealer("p").unseal(sealed, "shop")


def test_no_changed_byte_and_no_cut_opens() -> None:
    sealer = ROOT.sealer("p")
    sealed = sealer.seal(SECRET, "shop")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        for wrong in (bytes(changed), sealed[:place]):
            with pytest.raises(UnsealError):
                sealer.unseal(wrong, "shop")


def test_the_previous_key_opens_and_never_seals() -> None:
    old = OTHER.sealer("p").seal(SECRET, "shop")
    rotated = RootKeys(ROOT.current, previous=OTHER.current).sealer("p")

    assert rotated.unseal(old, "shop") == SECRET
    assert ROOT.sealer("p").unseal(rotated.seal(SECRET, "shop"), "shop") == SECRET


def test_each_purpose_has_a_key_of_its_own_and_none_is_the_root() -> None:
    keys = {ROOT.derive("p"), ROOT.derive("q"), OTHER.derive("p"), ROOT.current}

    assert len(keys) == 4
    assert ROOT.derive("p") == RootKeys.parse("5c" * 32).derive("p")


def test_a_root_secret_shows_in_no_repr() -> None:
    keys = RootKeys.parse("5c" * 32, "a7" * 32)

    assert "5c5c" not in repr(keys)
    assert "\\xa7" not in repr(keys)
