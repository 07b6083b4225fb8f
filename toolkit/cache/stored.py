"""Frames where they lie: found in either layer, and opened there, whatever their format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from toolkit.cache.frame_names import redis_names
from toolkit.cache.groups import no_such_group
from toolkit.cache.name_index import Place
from toolkit.errors import ToolkitError
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.formats import Frame
    from toolkit.cache.layers import Layers
    from toolkit.cache.ranged import RangedReader, Source
    from toolkit.systems.bucket import ObjectInfo
    from toolkit.systems.connections import Connections

LAYERS: Final = {"L2": "Redis", "L3": "the bucket"}


@dataclass(frozen=True)
class StoredFrame:
    """A frame where it lies: its place, its bytes; its key in Redis and its group's score there, or its object."""

    place: Place
    bytes: int
    key: str = ""
    info: ObjectInfo | None = None
    score: float | None = None

    @property
    def generation(self) -> str:
        """The version of an object of the bucket; empty for a value of Redis, which has none of its own."""
        return "" if self.info is None else str(self.info.generation)

    @property
    def name(self) -> str:
        """As errors call it: its key, or its path in the bucket."""
        return shown(self.key if self.info is None else self.info.path)


def problems_of(read: Layers) -> list[ToolkitError]:
    """The errors of the layers that could not be read."""
    return [layer for layer in (read.l2, read.l3) if isinstance(layer, ToolkitError)]


def searched(read: Layers) -> list[str]:
    """The layers that could be read."""
    there = {"L2": read.l2, "L3": read.l3}
    return [name for name, layer in there.items() if not isinstance(layer, ToolkitError)]


def group_names(read: Layers) -> list[str]:
    """Raw names: those of the index by rank, then the others by name."""
    indexed = [] if isinstance(read.l2, ToolkitError) else [name for name, _ in read.l2.index]
    beside: set[str] = set()
    for layer in (read.l2, read.l3):
        if not isinstance(layer, ToolkitError):
            beside |= layer.frames.keys()
    return [*indexed, *sorted(beside - set(indexed))]


def named(read: Layers, name: str, environment: str) -> str:
    """The raw name of the group that people call `name`.

    Raises NotFound, with the nearest name; where a layer could not be read, its error: the group may be in it.
    """
    known = group_names(read)
    for raw in known:
        if shown(raw) == name:
            return raw
    for problem in problems_of(read):
        raise problem
    raise no_such_group(name, map(shown, known), environment)


def everywhere(connections: Connections, read: Layers, groups: Sequence[str]) -> Iterator[StoredFrame]:
    """The frames of `groups` (raw names) in either layer."""
    yield from in_l2(connections, read, groups)
    yield from in_l3(connections, read, groups)


def in_l2(connections: Connections, read: Layers, groups: Iterable[str]) -> Iterator[StoredFrame]:
    """The frames that Redis holds of `groups` (raw names)."""
    environment, l2 = connections.environment, read.l2
    if isinstance(l2, ToolkitError):
        return
    names, scores = redis_names(environment.cache), dict(l2.index)
    for group in groups:
        for frame, size in sorted(l2.frames.get(group, {}).items()):
            place = Place(environment.name, "L2", group, frame)
            yield StoredFrame(place, size, key=names.name(group, frame), score=scores.get(group))


def in_l3(connections: Connections, read: Layers, groups: Iterable[str]) -> Iterator[StoredFrame]:
    """The frames that the bucket holds of `groups` (raw names)."""
    environment, l3 = connections.environment, read.l3
    if isinstance(l3, ToolkitError):
        return
    for group in groups:
        for frame, info in sorted(l3.frames.get(group, {}).items()):
            place = Place(environment.name, "L3", group, frame, environment.bucket.name)
            yield StoredFrame(place, info.bytes, info=info)


def wrong_kind(connections: Connections, read: Layers, groups: Sequence[str]) -> Iterator[Place]:
    """Places of `groups` in Redis that hold another kind of data than a plain value."""
    environment, l2 = connections.environment, read.l2
    if isinstance(l2, ToolkitError):
        return
    names = redis_names(environment.cache)
    for key in l2.wrong:
        parts = names.parts(key, groups=groups)
        if parts is not None and parts[0] in groups:
            yield Place(environment.name, "L2", *parts)


def reader_of(connections: Connections, frame: StoredFrame) -> RangedReader:
    """Its bytes."""
    from toolkit.cache.ranged import BucketObject, RangedReader, RedisValue

    source: Source
    if frame.info is None:
        source = RedisValue(connections.redis, frame.key)
    else:
        source = BucketObject(connections.bucket, frame.info)
    return RangedReader(source, frame.name)


@contextmanager
def opened(reader: RangedReader, progress: Progress = SILENT) -> Iterator[Frame]:
    """The frame that `reader` reads, closed at the end. Raises UnreadableFrame, or the source's ToolkitError."""
    from toolkit.cache.formats import open_frame

    frame = open_frame(reader, progress)
    try:
        yield frame
    finally:
        frame.close()
