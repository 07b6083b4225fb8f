"""What was searched apart and joined answers exactly as the whole does, however it was split."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolkit.cache.perturbations import Pert, Perts
from toolkit.cache.search.aliases import Aliases
from toolkit.cache.search.find import answers
from toolkit.cache.search.matching import readings
from toolkit.cache.search.searched import Searched, joined, narrowed
from toolkit.cache.stored import Place
from toolkit.errors import TimedOut, Unreachable

ALIASES = Aliases([["ERBB2", "HER2", "neu"], ["TP53", "p53", "BRCA 1"]])
NAMES = (
    "BRCA1", "Brca1", "BRCA-1", "brca 1", "BRCA2", "BRCA11", "BRAC1", "BRAF", "ERBB2", "her2", "HER-2", "NEU", "TP53",
    "REC-0000123", "rec-0000123", "REC-0000124", "REC-0000132", "XYZ-0123", "X-123", "cat", "cat at 5", "cat@5",
)  # fmt: skip
QUERIES = (
    *NAMES, "BRCA", "BRCA3", "HER2", "p53", "123", "REC123", "0000123 at 3", "REC-0000125", "REC-0000123 at 3",
    "REC-123@300nM", "her2 at 1", "cat at 7", "BRCA1 at 2", "nothing like it", "",
)  # fmt: skip
SERIES = ((), (0.3,), (1.0, 3.0), (0.3, 1.0, 3.0))

perts = st.builds(
    Pert, st.sampled_from(NAMES), st.sampled_from(["gene", "compound"]), st.sampled_from(SERIES), st.just(4), st.just(2)
)
frames = st.lists(perts, max_size=8, unique_by=lambda pert: (pert.name, pert.kind)).map(Perts.of)
places = st.builds(
    Place, st.just("test"), st.sampled_from(["L2", "L3"]), st.sampled_from("ABCDE"), st.sampled_from(["x", "y"])
)


def whole(held: dict[Place, Perts], unreadable: dict[Place, str]) -> Searched:
    groups = sorted({place.group for place in (*held, *unreadable)})
    return Searched(groups, ["L2", "L3"], held, unreadable, bytes_read=len(held), bytes_total=10 * len(held))


def split(searched: Searched, into: Sequence[int]) -> list[Searched]:
    """Its places dealt out: the n-th to the part that the n-th number says."""
    parts = []
    dealt = {place: into[at % len(into)] for at, place in enumerate((*searched.held, *searched.unreadable))}
    for part in sorted(set(dealt.values())):
        held = {place: one for place, one in searched.held.items() if dealt[place] == part}
        unreadable = {place: why for place, why in searched.unreadable.items() if dealt[place] == part}
        count = len(held)
        parts.append(Searched(["?"], ["L3"], held, unreadable, bytes_read=count, bytes_total=10 * count))
    return parts


@settings(max_examples=100)
@given(
    st.dictionaries(places, frames, max_size=12),
    st.dictionaries(places, st.just("it is torn"), max_size=2),
    st.lists(st.integers(0, 4), min_size=1, max_size=12),
    st.lists(st.sampled_from(QUERIES), min_size=1, max_size=4, unique=True),
)
@example(  # what is found by its number in one part does not count, where another part has it by name
    {
        Place("test", "L3", "A", "x"): Perts.of([Pert("REC-0000123", "compound")]),
        Place("test", "L3", "B", "x"): Perts.of([Pert("REC 123", "compound")]),
    },
    {},
    [0, 1],
    ["REC-123"],
)
def test_however_it_was_split(
    held: dict[Place, Perts], unreadable: dict[Place, str], into: list[int], queries: list[str]
) -> None:
    unreadable = {place: why for place, why in unreadable.items() if place not in held}
    searched = whole(held, unreadable)
    few = ALIASES.only(reading.name for query in queries for reading in readings(query))
    parts = [narrowed(part, queries, few) for part in split(searched, into)]
    crossed = pickle.loads(pickle.dumps(parts))
    together = joined(reversed(crossed), searched.groups, searched.layers)
    assert answers(together, queries, ALIASES) == answers(searched, queries, ALIASES)


def test_what_crosses_is_small() -> None:
    many = Perts.of(Pert(f"GENE{number}", "gene", (), 4, 2) for number in range(20_000))
    searched = whole({Place("test", "L3", group, "x"): many for group in "ABC"}, {})
    part = narrowed(searched, ["GENE123", "gene77", "nobody", "GENE"], Aliases())
    assert sum(map(len, part.held.values())) == 2 * 3
    assert len(pickle.dumps(part)) < 2_000


def test_a_problem_is_told_once() -> None:
    problems = [Unreachable("one is silent"), Unreachable("two is silent"), TimedOut("three is slow")]
    parts = [replace(whole({}, {}), problems=[problem], notes=["a full disk"]) for problem in problems]
    together = joined(parts, [], ["L3"])
    assert [problem.message for problem in together.problems] == ["one is silent", "three is slow"]
    assert together.notes == ("a full disk",)


@pytest.mark.parametrize("name", ["HER2", "her2 "])
def test_few_aliases_are_those_of_all(name: str) -> None:
    assert ALIASES.only([name]).others(name) == ALIASES.others(name)
    assert len(ALIASES.only(["nobody"])) == 0
