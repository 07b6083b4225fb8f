"""What a search of frames came to: all that they hold, or only what some questions may need of it.

The latter is small, so it can come from another machine; and parts of it that were found apart can be joined, and then
answer those questions exactly as the whole would. No frame is read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from toolkit.cache import matching
from toolkit.cache.aliases import Aliases
from toolkit.cache.matching import Matcher
from toolkit.cache.name_index import Place
from toolkit.cache.perturbations import Pert, Perts
from toolkit.errors import ToolkitError

_COUNTS: Final = ("bytes_read", "bytes_total", "bytes_checked", "frames_read")


@dataclass(frozen=True)
class Searched:
    """The frames of `groups` (raw names, in the order in which they are told) in `layers`, and what each holds.

    `held` and `unreadable` (with the reason) are by place; `like` are names that were cut out of `held`, and may have
    been meant. Of the `bytes_total` of all frames `bytes_read` were read for the names of `frames_read`, and
    `bytes_checked` of Redis to see which values are still the known ones.
    """

    groups: Sequence[str]
    layers: Sequence[str]
    held: Mapping[Place, Perts] = field(default_factory=dict)
    unreadable: Mapping[Place, str] = field(default_factory=dict)
    like: Sequence[str] = ()
    notes: Sequence[str] = ()
    problems: Sequence[ToolkitError] = ()
    bytes_read: int = 0
    bytes_total: int = 0
    bytes_checked: int = 0
    frames_read: int = 0

    def names(self) -> Iterator[str]:
        """Every name that some frame holds; those of a list that several frames share are given once."""
        for names in {id(perts.names): perts.names for perts in self.held.values()}.values():
            yield from names
        yield from self.like

    def places(self, group: str, layer: str) -> tuple[list[Place], list[Place]]:
        """A group's frames in a layer: those that were searched, those that could not be."""
        return self._by_group.get((group, layer), ([], []))

    @cached_property
    def _by_group(self) -> dict[tuple[str, str], tuple[list[Place], list[Place]]]:
        by: dict[tuple[str, str], tuple[list[Place], list[Place]]] = {}
        for which, places in enumerate((list(self.held), list(self.unreadable))):
            for place in sorted(places, key=lambda place: place.frame):
                by.setdefault((place.group, place.layer), ([], []))[which].append(place)
        return by


def narrowed(searched: Searched, queries: Iterable[str], aliases: Aliases) -> Searched:
    """Only what may matter for the answers to `queries`, whatever the frames that are searched elsewhere hold.

    That are the names that each query means here, in either of its readings. Names that are merely like it matter
    where it means none; and where it does, elsewhere's names by mere number do not.
    """
    matcher = Matcher(searched.names(), aliases)
    meant: set[str] = set()
    like: set[str] = set()
    for query in queries:
        readings = matching.readings(query)
        asked = matching.question(query, matcher.names)
        found = {match.pert for one in {*readings, asked} for match in matcher.matches(one.name)}
        meant |= found
        if not matcher.matches(asked.name):
            like.update(near.pert for near in matcher.near(asked.name))
    few = {id(perts): Perts.of(_rows(perts, meant)) for perts in searched.held.values()} if meant else {}
    nothing = Perts.of(())
    held = {place: few.get(id(perts), nothing) for place, perts in searched.held.items()}
    return replace(searched, held=held, like=sorted(like))


def joined(parts: Iterable[Searched], groups: Sequence[str], layers: Sequence[str]) -> Searched:
    """Parts that were searched apart, as one. `groups` and `layers` are all of them, in the order they are told.

    A note is given once, and of several problems of a kind the first.
    """
    held: dict[Place, Perts] = {}
    unreadable: dict[Place, str] = {}
    like: set[str] = set()
    notes: dict[str, None] = {}
    problems: dict[type[ToolkitError], ToolkitError] = {}
    counts = dict.fromkeys(_COUNTS, 0)
    for part in parts:
        held.update(part.held)
        unreadable.update(part.unreadable)
        like.update(part.like)
        notes |= dict.fromkeys(part.notes)
        for problem in part.problems:
            problems.setdefault(type(problem), problem)
        for name in counts:
            counts[name] += getattr(part, name)
    return Searched(groups, layers, held, unreadable, sorted(like), tuple(notes), tuple(problems.values()), **counts)


def _rows(perts: Perts, names: Iterable[str]) -> Iterator[Pert]:
    for name in names:
        yield from perts.named(name)
