"""Every group that the bucket holds, also those long out of Redis: searched one by one, here or on many machines.

A group is the unit of work. Of each comes back only what may matter for the questions, and joined that answers them as
`find` would, had it had all of the names at once. How long it takes here is said once some groups were searched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

import msgspec

from toolkit import __version__, figures, paths
from toolkit.cache import aliases, layers, matching, stored
from toolkit.cache.aliases import Aliases
from toolkit.cache.find import Answers, answers
from toolkit.cache.frame_names import folder
from toolkit.cache.layers import L2, Layers
from toolkit.cache.name_index import NameIndex
from toolkit.cache.searched import Searched, joined, narrowed
from toolkit.cache.searching import Search
from toolkit.cache.stored import StoredFrame
from toolkit.environments.model import Environment, Settings
from toolkit.errors import ConfigurationError, Failed, NotAllowed, ToolkitError, Unreachable
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown
from toolkit.systems.connections import Connections
from toolkit.systems.side_by_side import side_by_side

if TYPE_CHECKING:
    from toolkit.systems.dask_cluster import DaskCluster

LAYER: Final = "L3"
GROUPS_AT_ONCE: Final = 4  # on this machine; of each, several frames are read side by side
_SAMPLE: Final = GROUPS_AT_ONCE  # groups after which it can be said how long the others will take
_MOST_BYTES: Final = 4_000_000_000  # of the index of names: terabytes are not read twice
_MOST_ENTRIES: Final = 200_000


@dataclass(frozen=True)
class Unit:
    """A group (its raw name) with its frames in the bucket; `unknown` of their `bytes` are in frames whose names were
    not read before."""

    group: str
    frames: tuple[StoredFrame, ...]
    unknown: int

    @property
    def bytes(self) -> int:
        return sum(frame.bytes for frame in self.frames)


@dataclass(frozen=True)
class Task:
    """What every group is searched for, by the toolkit of which version, in which bucket. No secret is in it."""

    environment: Environment
    queries: tuple[str, ...]
    aliases: Aliases
    version: str


@dataclass(frozen=True)
class Estimate:
    """What it takes to search `groups` more on this machine, as `sampled` of them took: `bytes` to read of the
    `bytes_total` that they have, in `seconds`."""

    groups: int
    sampled: int
    bytes: int
    bytes_total: int
    seconds: float


def find(
    connections: Connections,
    queries: Sequence[str],
    progress: Progress = SILENT,
    *,
    cluster: DaskCluster | None = None,
    told: Callable[[Estimate], None] = lambda _: None,
) -> Answers:
    """Where each of `queries` is, over every group of the bucket: with `cluster` on its workers, else in threads here,
    and then `told` hears how long it will take.

    A group that cannot be searched is named, and the others are. Raises what the bucket's listing raises,
    ConfigurationError, Interrupted.
    """
    environment = connections.environment
    known = aliases.load(environment.cache.aliases_file)
    units = listed(connections, progress)
    task = Task(
        Environment(
            name=environment.name,
            bucket=environment.bucket,
            cache=msgspec.structs.replace(environment.cache, aliases_file=""),
        ),
        tuple(queries),
        known.only(reading.name for query in queries for reading in matching.readings(query)),
        __version__,
    )
    progress.step(f"Searching {_extent(units)}{'' if cluster is None else _on(len(cluster.threads))}")
    if cluster is None:
        outcomes = _in_threads(connections, task, units, progress, told)
    else:
        cluster.check_version()
        cluster.on_each(ready_there, task.environment)
        outcomes = cluster.map(partial(look_there, task), units, progress.stop.is_set)
    parts: list[Searched] = []
    lost: list[tuple[Unit, ToolkitError]] = []
    read = 0
    for done, (unit, outcome) in enumerate(outcomes, 1):
        if isinstance(outcome, ToolkitError):
            lost.append((unit, outcome))
            outcome = _unsearched(unit, outcome)
        parts.append(outcome)
        read += outcome.bytes_read
        progress.advance("groups", done, len(units), "groups", f"{figures.size(read)} read")
    progress.check_stop()
    if cluster is None and read:
        names().tidy()
    found = answers(joined(parts, [unit.group for unit in units], [LAYER]), queries, known)
    problems = (*_as_problem(lost, len(units)), *found.problems)
    return Answers(found.found, found.notes, problems)


def estimate(connections: Connections, progress: Progress = SILENT) -> tuple[tuple[Unit, ...], Estimate]:
    """Every group, and what it takes to search those whose names are not known: measured on a few of them."""
    units = listed(connections, progress)
    new = [unit for unit in units if unit.unknown]
    begin = max(0, min(len(new) // 2, len(new) - _SAMPLE))  # neither the smallest nor the largest
    sample = sorted(new, key=lambda unit: unit.unknown)[begin : begin + _SAMPLE]
    if sample:
        progress.step(f"{_extent(units)}: reading the names of {len(sample)} groups, to see how long that takes")
    told: list[Estimate] = []
    clock = _Clock(new, told.append, len(sample))
    task = Task(connections.environment, (), Aliases(), __version__)
    for unit, outcome in _outcomes(connections, task, sample, progress):
        clock.ended(unit, outcome)
    progress.check_stop()
    return tuple(units), told[0] if told else Estimate(0, 0, 0, 0, 0.0)


def listed(connections: Connections, progress: Progress = SILENT) -> list[Unit]:
    """Every group of the bucket that has a frame, by name."""
    l3 = layers.read_l3(connections, progress)
    index = names()
    units = []
    for group in sorted(l3.frames):
        progress.check_stop()
        frames = tuple(stored.in_l3(connections, Layers(L2(), l3), [group]))
        unknown = sum(frame.bytes for frame in frames if not index.knows(frame.place, frame.generation))
        units.append(Unit(group, frames, unknown))
    return units


def look(connections: Connections, task: Task, unit: Unit, progress: Progress = SILENT) -> Searched:
    """What one group holds of what is asked. A frame that cannot be read is among the unreadable."""
    searched = Search(connections, unit.frames, progress, names()).search([unit.group], [LAYER])
    return narrowed(searched, task.queries, task.aliases)


def look_there(task: Task, unit: Unit) -> Searched:
    """As `look`, on a worker: with its own credentials, and its own index of names."""
    if task.version != __version__:
        raise ConfigurationError(f"The worker's toolkit is {__version__}, the one that asks is {task.version}.")
    return look(_opened(task.environment), task, unit)


def ready_there(environment: Environment) -> None:
    """On a worker: whether it may read the bucket. Raises ToolkitError. Keeps its index of names within bounds."""
    next(_opened(environment).bucket.objects(folder(environment.bucket.prefix)), None)
    names().tidy()


def names() -> NameIndex:
    """The index of the names of all groups, apart from the one of the groups that are looked at every day."""
    return NameIndex(paths.cache() / "names-all-time", most_bytes=_MOST_BYTES, most_entries=_MOST_ENTRIES)


@lru_cache(maxsize=4)
def _opened(environment: Environment) -> Connections:
    """A worker's own connections; they live as long as it does."""
    return Connections(environment, Settings())


def _in_threads(
    connections: Connections,
    task: Task,
    units: Sequence[Unit],
    progress: Progress,
    told: Callable[[Estimate], None],
) -> Iterator[tuple[Unit, Searched | ToolkitError]]:
    """Those whose names must be read go first, so that it can soon be said how long it takes."""
    new = [unit for unit in units if unit.unknown]
    clock = _Clock(new, told, _SAMPLE)
    for unit, outcome in _outcomes(connections, task, [*new, *(unit for unit in units if not unit.unknown)], progress):
        clock.ended(unit, outcome)
        yield unit, outcome


def _outcomes(
    connections: Connections, task: Task, units: Sequence[Unit], progress: Progress
) -> Iterator[tuple[Unit, Searched]]:
    quiet = Progress(stop=progress.stop)
    stop = progress.stop.is_set
    work = partial(look, connections, task, progress=quiet)
    return side_by_side(units, work, workers=GROUPS_AT_ONCE, stop=stop)


@dataclass
class _Clock:
    """Tells, once `sample` of the `new` groups have ended, what the others will take."""

    new: Sequence[Unit]
    told: Callable[[Estimate], None]
    sample: int
    began: float = field(default_factory=time.monotonic)
    sampled: int = 0
    looked: int = 0
    read: int = 0

    def ended(self, unit: Unit, outcome: Searched) -> None:
        if not unit.unknown or self.sampled >= self.sample:
            return
        self.sampled += 1
        self.looked += unit.unknown
        self.read += outcome.bytes_read
        if self.sampled == self.sample and self.looked:
            left = sum(unit.unknown for unit in self.new) - self.looked
            share = left / self.looked
            seconds = (time.monotonic() - self.began) * share
            rest = len(self.new) - self.sampled
            self.told(Estimate(rest, self.sampled, round(self.read * share), left, seconds))


def _extent(units: Sequence[Unit]) -> str:
    """412 groups, 3,296 frames, 824 GB"""
    frames = sum(len(unit.frames) for unit in units)
    return f"{len(units):,} groups, {frames:,} frames, {figures.size(sum(unit.bytes for unit in units))}"


def _on(workers: int) -> str:
    return f" on {workers} worker{'' if workers == 1 else 's'}"


def _unsearched(unit: Unit, problem: ToolkitError) -> Searched:
    unreadable = {frame.place: problem.message for frame in unit.frames}
    return Searched([unit.group], [LAYER], unreadable=unreadable, bytes_total=unit.bytes, frames_read=len(unit.frames))


def _as_problem(lost: Sequence[tuple[Unit, ToolkitError]], groups: int) -> Iterator[ToolkitError]:
    """One error for all groups that could not be searched, with the exit code of the first."""
    if lost:
        unit, first = lost[0]
        kinds: tuple[type[ToolkitError], ...] = (Unreachable, NotAllowed, ConfigurationError)
        kind = next((kind for kind in kinds if isinstance(first, kind)), Failed)
        yield kind(
            f"{len(lost):,} of {groups:,} groups could not be searched, one is {shown(unit.group)}: {first.message}",
            hint=first.hint or "Type it again: the names that were read are kept.",
        )
