"""The vectors of chosen perturbations: from what somebody typed to rows of frames, and of these the vectors alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from toolkit.cache import layers, stored
from toolkit.cache.formats.frame import UnreadableFrame
from toolkit.cache.map import map_frames
from toolkit.cache.map.map_frames import Source, Wanted
from toolkit.cache.map.named_frame import NamedFrame, Phenoprint
from toolkit.cache.search import aliases, matching
from toolkit.cache.search.matching import Match, Matcher, Near
from toolkit.cache.stored import LAYERS, StoredFrame
from toolkit.errors import NotFound
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import argument, shown

if TYPE_CHECKING:
    from toolkit.cache.map.similarity import Matrix
    from toolkit.cache.search.aliases import Aliases
    from toolkit.systems.connections import Connections


_LIKE_COMPOUND: Final = re.compile(r"\d{4}")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one frame that hold what was asked for: all of one perturbation, under its own name."""

    frame: NamedFrame
    pert: str
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """What was asked for and is not there, why, and what may have been meant."""

    query: str
    why: str
    near: tuple[Near, ...] = ()


@dataclass(frozen=True)
class Looked:
    """The rows of what is there, in the order asked for; the queries that are not; notes on names read otherwise."""

    rows: tuple[Rows, ...]
    missing: tuple[Missing, ...]
    notes: tuple[str, ...] = ()


@dataclass
class OpenFrames:
    """A group's frames, opened one after the other, as far as they are needed to find what is asked for."""

    source: Source
    dimension: int
    _wanted: Wanted
    _aliases: Aliases
    _connections: Connections
    _progress: Progress
    _stack: ExitStack
    _waiting: list[StoredFrame]
    frames: list[NamedFrame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def bytes_read(self) -> int:
        return sum(frame.bytes_read for frame in self.frames)

    @property
    def bytes_total(self) -> int:
        """Of the frames that were looked into."""
        return sum(frame.bytes for frame in self.frames)

    @property
    def names(self) -> tuple[str, ...]:
        """The frames that were looked into."""
        return tuple(frame.name for frame in self.frames)

    def look_up(self, queries: Sequence[str], at: float | None = None) -> Looked:
        """The rows that `queries` mean; a compound named without a concentration is meant at `at` (µM), or at all.

        Frames are read until each name is found exactly, or there is none left. Raises UnreadableFrame, NotFound where
        no frame is of the variant that is wanted, and what the layer raises.
        """
        self._in_order(queries)
        matcher = self._matcher(queries)
        chosen: list[Rows] = []
        missing: list[Missing] = []
        notes: dict[str, None] = {}
        seen: set[tuple[str, int]] = set()
        for query in queries:
            meant = self._meant(query, matcher, at)
            if isinstance(meant, Missing):
                missing.append(meant)
                continue
            for frame, match, rows in meant:
                if match.how != "exact":
                    notes[f"{shown(query)} is read as {shown(match.pert)}."] = None
                new = tuple(row for row in rows if (frame.name, row) not in seen)
                seen |= {(frame.name, row) for row in new}
                if new:
                    chosen.append(Rows(frame, match.pert, new))
        return Looked(tuple(chosen), tuple(missing), tuple(notes))

    def read(self, chosen: Sequence[Rows]) -> tuple[list[Phenoprint], Matrix]:
        """The vectors of all those rows, in that order: whose each is, and (rows, dimension) float64."""
        import numpy as np

        self._progress.step("Reading the vectors")
        values, whose = {}, {}
        for frame in {id(one.frame): one.frame for one in chosen}.values():
            rows = sorted({row for one in chosen if one.frame is frame for row in one.rows})
            matrix = frame.vectors(rows, self.dimension)
            for row, vector, phenoprint in zip(rows, matrix, frame.phenoprints(rows, matrix), strict=True):
                values[id(frame), row], whose[id(frame), row] = vector, phenoprint
        order = [(id(one.frame), row) for one in chosen for row in one.rows]
        read = np.array([values[key] for key in order]).reshape(len(order), self.dimension)
        return [whose[key] for key in order], read

    def _in_order(self, queries: Sequence[str]) -> None:
        """The frames in which the names are likely to be come first."""
        compounds_first = all(_LIKE_COMPOUND.search(query) for query in queries)
        self._waiting.sort(key=lambda lying: ("compound" in lying.place.frame.casefold()) != compounds_first)

    def _matcher(self, queries: Sequence[str]) -> Matcher:
        while True:
            matcher = Matcher((name for frame in self.frames for name in frame.perts), self._aliases)
            if self.frames and all(matching.question(query, matcher.names).name in matcher.names for query in queries):
                return matcher
            if not self._open_next():
                break
        if not self.frames:
            raise NotFound(
                f"No frame of {self.source.place} is {self._wanted.variant}.",
                hint=f"Name one with --frame. There are: {', '.join(self.source.all_frames)}.",
            )
        return matcher

    def _open_next(self) -> bool:
        """Open the next frame that is of the right variant; whether there was one."""
        while self._waiting:
            lying = self._waiting.pop(0)
            reader = stored.reader_of(self._connections, lying)
            try:
                opened = self._stack.enter_context(stored.opened(reader, self._progress))
                frame = NamedFrame(lying, opened, reader, self._progress)
                if not self._fits(frame):
                    continue
                self._progress.step(f"Reading the names in {frame.name}")
                frame.read_names()
            except UnreadableFrame as problem:
                other = "L3" if lying.place.layer == "L2" else "L2"
                problem.hint = (
                    f"--layer {other} reads {LAYERS[other]} instead. Is a rebuild due? `toolkit cache status`"
                )
                raise
            self.frames.append(frame)
            return True
        return False

    def _fits(self, frame: NamedFrame) -> bool:
        """Whether it is split by experiment, or not, as wanted. Raises NotFound for one that was named and is not."""
        if frame.split == self._wanted.split:
            return True
        why = "has a column experiment" if frame.split else "has no column experiment: it is not split"
        if not self._wanted.frames:
            self.notes.append(f"{frame.name} was passed over: it {why}.")
            return False
        raise NotFound(
            f"{frame.name} {why}; {self._wanted.variant} is what is wanted here.",
            hint=f"Name another --frame. There are: {', '.join(self.source.all_frames)}.",
        )

    def _meant(
        self, query: str, matcher: Matcher, at: float | None
    ) -> Missing | list[tuple[NamedFrame, Match, list[int]]]:
        asked = matching.question(query, matcher.names)
        matches = matcher.matches(asked.name)
        closest = [match for match in matches if match.how == "exact"] or list(matches)
        if len(closest) > 1:
            names = " or ".join(shown(match.pert) for match in closest)
            return Missing(query, f"it may be {names}: type one of them")
        if not closest:
            return Missing(query, f"not in {', '.join(self.names)} of {self.source.place}", matcher.near(asked.name))
        pert = closest[0].pert
        known = sorted({one for frame in self.frames for one in frame.concentrations(pert)})
        wanted = asked.concentration if asked.concentration is not None else at if known else None
        found = [(frame, closest[0], rows) for frame in self.frames if (rows := frame.rows_of(pert, wanted))]
        if found or wanted is None:
            return found
        near = matching.wrong_concentration(pert, wanted, known)
        return Missing(query, near.why, (near,))


@contextmanager
def open_frames(connections: Connections, wanted: Wanted, progress: Progress = SILENT) -> Iterator[OpenFrames]:
    """The frames that `wanted` means, closed at the end. Raises what map_frames.source and layers.read_either raise."""
    cache = connections.environment.cache
    known_aliases = aliases.load(cache.aliases_file)
    progress.step("Looking at what each layer holds")
    read = layers.read_either(connections)
    progress.check_stop()
    source = map_frames.source(connections, read, wanted)
    with ExitStack() as stack:
        frames = list(source.frames)
        yield OpenFrames(source, cache.vector_length, wanted, known_aliases, connections, progress, stack, frames)


def not_there(missing: Sequence[Missing]) -> NotFound:
    """The error for what is not there, each with the nearest that is."""
    lines = [f"{shown(one.query)}: {one.why}." for one in missing]
    near = [shown(_nearest(one.near[0])) for one in missing if one.near]
    meant = f"Did you mean {', '.join(near)}? " if near else ""
    typed = argument(missing[0].query)
    return NotFound("\n".join(lines), hint=f"{meant}`toolkit groups find {typed}` looks in every group and layer.")


def health(prints: Sequence[Phenoprint]) -> list[str]:
    """Warnings about vectors that are not what a vector should be: of length 1."""
    broken = [one.label for one in prints if one.length is None]
    zero = [one.label for one in prints if one.length == 0]
    wrong = [f"{one.label} ({one.length:.4g})" for one in prints if one.length and not one.healthy]
    said = []
    if broken:
        said.append(f"no vector (a value is missing or no finite number): {', '.join(broken)}")
    if zero:
        said.append(f"zero vector, which points nowhere: {', '.join(zero)}")
    if wrong:
        said.append(f"cached vector of another length than 1: {', '.join(wrong)}")
    return said


def _nearest(near: Near) -> str:
    return near.pert if near.concentration is None else f"{near.pert} at {matching.micromolar(near.concentration)}"
