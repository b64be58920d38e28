"""Whatever the bytes are, nothing but our own errors comes out: the short run of `make fuzz`."""

from pathlib import Path

import pytest

from fuzz.client_parsers import PARSERS, parse
from fuzz.mutation import mutated

CORPUS = Path(__file__).parents[2] / "fuzz" / "corpus"
RUNS = 400  # of each parser; some seconds in all


@pytest.mark.parametrize("name", PARSERS)
def test_bytes_near_to_good_ones_make_no_foreign_error(name: str) -> None:
    seeds = [seed.read_bytes() for seed in sorted((CORPUS / name).iterdir())]
    for data in (*seeds, *mutated(seeds, RUNS, seed=1)):
        parse(name, data)


def test_the_corpus_is_small_and_has_a_folder_for_each_parser() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(PARSERS)
    assert sum(seed.stat().st_size for seed in CORPUS.glob("*/*")) < 100_000
