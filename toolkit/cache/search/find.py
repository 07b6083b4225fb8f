"""Which groups hold a perturbation: in which layer, in which frames, at which concentrations; and where it is not.

Of each frame the names are read, never a vector, and that only once: the name index keeps them for the next question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from toolkit.cache import layers, stored
from toolkit.cache.search import aliases, matching
from toolkit.cache.search.aliases import Aliases
from toolkit.cache.search.matching import How, Match, Matcher, Near, Question
from toolkit.cache.search.name_index import NameIndex
from toolkit.cache.search.searched import Searched
from toolkit.cache.search.searching import Search
from toolkit.cache.stored import LAYERS, Place
from toolkit.errors import ToolkitError
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.layers import Layers
    from toolkit.systems.connections import Connections


@dataclass(frozen=True, slots=True)
class Where:
    """A frame that holds what was asked for. `exact`: under exactly the name that was typed; else `how` says why it is
    meant: case, space, alias, prefix. `concentrations` (µM) are all that the frame has of it."""

    group: str
    layer: str
    frame: str
    pert: str
    kind: str
    concentrations: tuple[float, ...]
    replicates: int | None
    experiments: int | None
    exact: bool
    how: How


@dataclass(frozen=True, slots=True)
class Absent:
    """A group that does not hold it in a layer. `frames` were searched, `unread` more could not be: 0 and 0 where the
    layer holds none of the group."""

    group: str
    layer: str
    frames: int
    unread: int
    why: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that could not be searched, and why; it may hold what was asked for."""

    group: str
    layer: str
    frame: str
    why: str


@dataclass(frozen=True)
class Found:
    """The answer to one question. `groups` are those searched, in the order of the app's dropdown, then by name.

    `bytes_read` of the `bytes_total` that all searched frames have were read for their names, for all questions of one
    call together; `bytes_checked` of Redis more, to see which values are still those of the last time.
    """

    query: str
    matches: tuple[Where, ...]
    absent_from: tuple[Absent, ...]
    near: tuple[Near, ...]
    bytes_read: int
    bytes_total: int
    unreadable: tuple[Unreadable, ...] = ()
    bytes_checked: int = 0
    frames: int = 0
    frames_read: int = 0
    groups: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether exactly what was typed is in some group."""
        return any(match.exact for match in self.matches)


@dataclass(frozen=True)
class Answers:
    """One Found for each question; what somebody should know besides; the errors of a layer that could not be read."""

    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[ToolkitError, ...] = ()


def find(
    connections: Connections,
    queries: Sequence[str],
    group: str | None = None,
    progress: Progress = SILENT,
    *,
    index: NameIndex | None = None,
    read: Layers | None = None,
) -> Answers:
    """Where each of `queries` is, over all groups or in `group`, in both layers and all frames.

    A layer or a frame that cannot be read is named, and the others are searched. Raises the error of L2 where neither
    layer can be read, NotFound for an unknown `group`, ConfigurationError. `read` are the layers as somebody has just
    read them.
    """
    known_aliases = aliases.load(connections.environment.cache.aliases_file)
    read = read or layers.read_either(connections)
    progress.check_stop()
    groups = stored.group_names(read)
    if group is not None:
        groups = [stored.named(read, group, connections.environment.name)]
    index = index or NameIndex()
    search = Search(connections, list(stored.everywhere(connections, read, groups)), progress, index)
    for place in stored.wrong_kind(connections, read, groups):
        search.unreadable[place] = "Redis holds another kind of data there"
    searched = search.search(groups, stored.searched(read))
    if searched.frames_read:
        index.tidy()
    found = answers(searched, queries, known_aliases)
    return replace(found, problems=(*stored.problems_of(read), *found.problems))


def answers(searched: Searched, queries: Sequence[str], known_aliases: Aliases) -> Answers:
    """What was found, as answers to `queries`; from the whole of it, or from what was narrowed to them and joined."""
    matcher = Matcher(searched.names(), known_aliases)
    by_place = sorted(searched.unreadable.items(), key=lambda item: (item[0].layer, item[0].group, item[0].frame))
    unreadable = tuple(Unreadable(shown(place.group), place.layer, shown(place.frame), why) for place, why in by_place)
    groups = tuple(map(shown, searched.groups))
    found = []
    for query in queries:
        matches, absent, near = _answer(query, matcher, searched)
        found.append(
            Found(
                query,
                tuple(matches),
                tuple(absent),
                tuple(near),
                searched.bytes_read,
                searched.bytes_total,
                unreadable,
                searched.bytes_checked,
                len(searched.held) + len(searched.unreadable),
                searched.frames_read,
                groups,
            )
        )
    return Answers(tuple(found), tuple(searched.notes), tuple(searched.problems))


def _answer(query: str, matcher: Matcher, searched: Searched) -> tuple[list[Where], list[Absent], list[Near]]:
    asked = matching.question(query, matcher.names)
    meant = matcher.matches(asked.name)
    matches: list[Where] = []
    elsewhere: dict[str, set[float]] = {}  # concentrations of what is there, but not at the one asked for
    absent: list[Absent] = []
    for group in searched.groups:
        for layer in searched.layers:
            places, unread = searched.places(group, layer)
            here = list(_where(asked, meant, places, searched, elsewhere))
            matches += here
            if not here:
                why = _why_not(asked, meant, places, unread, searched, layer)
                absent.append(Absent(shown(group), layer, len(places), len(unread), why))
    near: list[Near] = []
    if asked.concentration is not None and not any(match.exact for match in matches):
        there = {match.pert for match in matches}
        for name, known in elsewhere.items():
            if name not in there:
                near.append(matching.wrong_concentration(name, asked.concentration, sorted(known)))
    if not meant:
        near += matcher.near(asked.name)
    return matches, absent, near


def _where(
    asked: Question,
    meant: Sequence[Match],
    places: Sequence[Place],
    searched: Searched,
    elsewhere: dict[str, set[float]],
) -> Iterator[Where]:
    """The frames at `places` that hold it; what is there at other concentrations goes to `elsewhere`."""
    for place in places:
        for match in meant:
            for pert in searched.held[place].named(match.pert):
                if not asked.fits(pert.concentrations):
                    elsewhere.setdefault(pert.name, set()).update(pert.concentrations)
                    continue
                yield Where(
                    shown(place.group),
                    place.layer,
                    shown(place.frame),
                    pert.name,
                    pert.kind,
                    pert.concentrations,
                    pert.replicates,
                    pert.experiments,
                    match.how == "exact",
                    match.how,
                )


def _why_not(
    asked: Question,
    meant: Sequence[Match],
    places: Sequence[Place],
    unread: Sequence[Place],
    searched: Searched,
    layer: str,
) -> str:
    if not places and not unread:
        return f"{LAYERS[layer]} holds none of this group's frames"
    also = f"; {len(unread)} could not be read" if unread else ""
    if asked.concentration is not None:
        held = {
            c for place in places for m in meant for p in searched.held[place].named(m.pert) for c in p.concentrations
        }
        if held:
            at = ", ".join(f"{one:g}" for one in sorted(held))
            return f"there, but not at {matching.micromolar(asked.concentration)}: at {at} µM{also}"
    where = "not in the one frame" if len(places) == 1 else f"in none of the {len(places)} frames"
    return f"{where} that could be searched{also}"
