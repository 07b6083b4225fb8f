"""What the frames of some groups hold: from the name index where a frame is the one known, else by reading its names.

A frame that cannot be read is remembered with the reason, and the others are read all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from toolkit.cache import stored
from toolkit.cache.name_index import NameIndex, Place, fingerprint, samples
from toolkit.cache.perturbations import Perts
from toolkit.cache.stored import StoredFrame
from toolkit.cache.summing import Summing
from toolkit.errors import Failed, Interrupted, ToolkitError, Unreachable
from toolkit.progress import Progress
from toolkit.systems.side_by_side import side_by_side

if TYPE_CHECKING:
    from toolkit.cache.layers import Layers
    from toolkit.systems.connections import Connections

_FRAMES_AT_ONCE: Final = 6
_TRIES: Final = 2  # at a Redis value that is replaced while it is read


@dataclass
class Search:
    """The frames of some groups, and what each of them was found to hold, once `read` was called.

    `held` and `unreadable` are by place, under groups' and frames' raw names. Of the `bytes_total` of all frames
    `bytes_read` were read for their names, and `bytes_checked` of Redis to see which values are still the known ones.
    """

    connections: Connections
    layers: Layers
    groups: Sequence[str]
    progress: Progress
    index: NameIndex
    held: dict[Place, Perts] = field(default_factory=dict)
    unreadable: dict[Place, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[ToolkitError] = field(default_factory=list)
    bytes_read: int = 0
    bytes_total: int = 0
    bytes_checked: int = 0
    frames_read: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _summing: Summing = field(default_factory=Summing)

    def read(self) -> None:
        """Fill `held` and `unreadable`. Raises Interrupted."""
        lying = list(self._all())
        self.bytes_total = sum(frame.bytes for frame in lying)
        versions = self._versions(lying)
        missing = []
        for frame in lying:
            version = versions.get(frame.place)
            kept = self.index.get(frame.place, version) if version is not None else None
            if kept is not None:
                self.held[frame.place] = kept[1]
            elif version is not None:
                missing.append((frame, version))
        if missing:
            self._read(missing)
            self.index.tidy()
        if self.index.problem:
            self.notes.append(self.index.problem)

    def names(self) -> Iterator[str]:
        """Every name that some frame holds; those of a list that several frames share are given once."""
        for names in {id(perts.names): perts.names for perts in self.held.values()}.values():
            yield from names

    def searched_layers(self) -> list[str]:
        """Those that could be read."""
        there = {"L2": self.layers.l2, "L3": self.layers.l3}
        return [name for name, layer in there.items() if not isinstance(layer, ToolkitError)]

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

    def _all(self) -> Iterator[StoredFrame]:
        for place in stored.wrong_kind(self.connections, self.layers, self.groups):
            self.unreadable[place] = "Redis holds another kind of data there"
        yield from stored.in_l2(self.connections, self.layers, self.groups)
        yield from stored.in_l3(self.connections, self.layers, self.groups)

    def _versions(self, lying: Sequence[StoredFrame]) -> dict[Place, str]:
        """Each frame's version now. Where Redis falls silent over it, its frames have none and are left out."""
        versions = {frame.place: str(frame.info.generation) for frame in lying if frame.info is not None}
        in_redis = [frame for frame in lying if frame.info is None]
        try:
            versions |= self._fingerprints(in_redis)
        except ToolkitError as problem:
            self.problems.append(problem)
            self.unreadable |= {frame.place: problem.message for frame in in_redis}
        return versions

    def _fingerprints(self, frames: Sequence[StoredFrame]) -> dict[Place, str]:
        wanted = [(frame, samples(frame.bytes)) for frame in frames]
        ranges = [(frame.key, start, end) for frame, places in wanted for start, end in places]
        if not ranges:
            return {}
        pieces = iter(self.connections.redis.get_ranges(ranges))
        versions = {}
        for frame, places in wanted:
            seen = [next(pieces) for _ in places]
            with self._lock:
                self.bytes_checked += sum(map(len, seen))
            versions[frame.place] = fingerprint(frame.bytes, seen, frame.score)
        return versions

    def _read(self, missing: Sequence[tuple[StoredFrame, str]]) -> None:
        self.progress.step(f"Reading the names in {len(missing)} frames")
        done = 0
        reads = side_by_side(missing, self._one, workers=_FRAMES_AT_ONCE, stop=self.progress.stop.is_set)
        for (frame, _), (outcome, count) in reads:
            self.bytes_read += count
            self.frames_read += 1
            done += 1
            self.progress.advance("frames", done, len(missing), "frames")
            if isinstance(outcome, Perts):
                self.held[frame.place] = outcome
                continue
            self.unreadable[frame.place] = getattr(outcome, "why", "") or outcome.message
            if isinstance(outcome, Unreachable) and not self.problems:
                self.problems.append(outcome)
        self.progress.check_stop()

    def _one(self, missing: tuple[StoredFrame, str]) -> tuple[Perts | ToolkitError, int]:
        """What one frame holds, or why that cannot be said, and the bytes read for it."""
        frame, version = missing
        count = 0
        for _ in range(_TRIES):
            outcome, read = self._names(frame)
            count += read
            try:
                now = version if frame.info is not None else self._fingerprints([frame])[frame.place]
            except ToolkitError as problem:
                return problem, count
            if now == version:
                if isinstance(outcome, ToolkitError):
                    return outcome, count
                perts, form, rows = outcome
                return self.index.put(frame.place, version, perts, format=form, rows=rows, size=frame.bytes), count
            version = now
        return Failed("It was replaced while it was being read, and again while it was read anew."), count

    def _names(self, frame: StoredFrame) -> tuple[tuple[Perts, str, int] | ToolkitError, int]:
        """The frame's perturbations, format and rows, or the error; and the bytes read."""
        reader = stored.reader_of(self.connections, frame)
        try:
            with stored.opened(reader, self.progress) as opened:
                return (self._summing.of(opened), opened.format, opened.rows), reader.bytes_read
        except Interrupted:
            raise
        except ToolkitError as error:
            return error, reader.bytes_read
