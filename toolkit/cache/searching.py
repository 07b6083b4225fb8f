"""What the frames of some groups hold: from the name index where a frame is the one known, else by reading its names.

A frame that cannot be read is remembered with the reason, and the others are read all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from toolkit.cache import stored
from toolkit.cache.name_index import NameIndex, Place, fingerprint, samples
from toolkit.cache.perturbations import Perts
from toolkit.cache.searched import Searched
from toolkit.cache.stored import StoredFrame
from toolkit.cache.summing import Summing
from toolkit.errors import Failed, Interrupted, ToolkitError, Unreachable
from toolkit.progress import Progress
from toolkit.systems.side_by_side import side_by_side

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

_FRAMES_AT_ONCE: Final = 6
_TRIES: Final = 2  # at a Redis value that is replaced while it is read


@dataclass
class Search:
    """A search of `frames`. `search()` fills the rest, and gives it back as a Searched of `groups` and `layers`."""

    connections: Connections
    frames: Sequence[StoredFrame]
    progress: Progress
    index: NameIndex
    held: dict[Place, Perts] = field(default_factory=dict)
    unreadable: dict[Place, str] = field(default_factory=dict)
    problems: list[ToolkitError] = field(default_factory=list)
    bytes_read: int = 0
    bytes_checked: int = 0
    frames_read: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _summing: Summing = field(default_factory=Summing)

    def search(self, groups: Sequence[str], layers: Sequence[str]) -> Searched:
        """Look into each frame. One that cannot be read is among the unreadable. Raises Interrupted."""
        versions = self._versions(self.frames)
        missing = []
        for frame in self.frames:
            version = versions.get(frame.place)
            kept = self.index.get(frame.place, version) if version is not None else None
            if kept is not None:
                self.held[frame.place] = kept[1]
            elif version is not None:
                missing.append((frame, version))
        if missing:
            self._read(missing)
        return Searched(
            groups,
            layers,
            self.held,
            self.unreadable,
            notes=[self.index.problem] if self.index.problem else [],
            problems=self.problems,
            bytes_read=self.bytes_read,
            bytes_total=sum(frame.bytes for frame in self.frames),
            bytes_checked=self.bytes_checked,
            frames_read=self.frames_read,
        )

    def _versions(self, lying: Sequence[StoredFrame]) -> dict[Place, str]:
        """Each frame's version now. Where Redis falls silent over it, its frames have none and are left out."""
        versions = {frame.place: frame.generation for frame in lying if frame.info is not None}
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
