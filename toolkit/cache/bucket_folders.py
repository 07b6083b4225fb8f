"""A folder of the bucket: how much lies in it, counted as its pages come, and whether it is a group's that is in use.

Only the index of Redis is asked besides the bucket; the folder's own listing says which frames are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from toolkit.cache.frame_names import FrameNames, bucket_names
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


@dataclass(frozen=True)
class Index:
    """The groups of `available-groups` by rank (1: the default); where it could not be read, `problem` says why."""

    names: FrameNames
    frames: tuple[str, ...] = ()  # that a group must have, where they are configured
    expected: int = 0
    ranks: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class FolderCount:
    """What lies below a folder, so far or (`whole`) in all. `frames` are those found, by group."""

    objects: int = 0
    bytes: int = 0
    updated: datetime | None = None
    frames: Mapping[str, frozenset[str]] = field(default_factory=dict)
    whole: bool = False


class Use(StrEnum):
    """What a folder is to the app."""

    DEFAULT = "default"
    IN_INDEX = "in the index"
    LEFT_BEHIND = "left behind"
    SEVERAL = "several groups"
    NO_GROUP = "no group"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Standing:
    """`rank` in the index (None: not in it); `frames` of `expected` are there, `incomplete` where fewer. `why` is a
    sentence."""

    use: Use
    group: str = ""
    rank: int | None = None
    frames: int = 0
    expected: int = 0
    groups: int = 0
    why: str = ""

    @property
    def incomplete(self) -> bool:
        return bool(self.group) and self.frames < self.expected


def index(connections: Connections) -> Index:
    """The index as it is now. Raises ConfigurationError where the pattern cannot work, and nothing else."""
    bare = unread(connections)
    try:
        ranked = connections.redis.index(connections.environment.cache.index_key)
    except ToolkitError as error:
        return replace(bare, problem=error.message)
    return replace(bare, ranks={name: rank for rank, (name, _) in enumerate(ranked, 1)}, problem="")


def unread(connections: Connections) -> Index:
    """An index that was not asked: enough to count by. Raises ConfigurationError."""
    cache = connections.environment.cache
    names = bucket_names(cache, connections.environment.bucket.prefix)
    return Index(names, cache.frames, len(cache.frames) or cache.frames_per_group, problem="not asked yet")


def count(connections: Connections, prefix: str, known: Index) -> Iterator[FolderCount]:
    """How much lies below `prefix`: page by page, at last the whole. Raises what Bucket raises."""
    objects = size = 0
    newest: datetime | None = None
    frames: dict[str, set[str]] = {}
    for page in connections.bucket.pages(prefix, ""):
        for item in page.objects:
            size += item.bytes
            newest = item.updated if newest is None else max(newest, item.updated)
            read = known.names.parts(item.path, frames=known.frames, groups=known.ranks)
            if read is not None:
                frames.setdefault(read[0], set()).add(read[1])
        objects += len(page.objects)
        yield FolderCount(objects, size, newest)
    yield FolderCount(objects, size, newest, {group: frozenset(found) for group, found in frames.items()}, whole=True)


def standing(counted: FolderCount, known: Index) -> Standing:
    """What a folder is to the app, from what was counted in it."""
    if not counted.frames:
        return Standing(Use.NO_GROUP, why="It holds no frames of a group.")
    if len(counted.frames) > 1:
        ranked = sum(group in known.ranks for group in counted.frames)
        why = f"It holds frames of {len(counted.frames):,} groups, of which {ranked:,} are in the index."
        return Standing(Use.SEVERAL, groups=len(counted.frames), why=why)
    group, frames = next(iter(counted.frames.items()))
    there = len(frames & set(known.frames)) if known.frames else len(frames)
    rank = known.ranks.get(group)
    use = Use.LEFT_BEHIND if rank is None else Use.DEFAULT if rank == 1 else Use.IN_INDEX
    why = {
        Use.DEFAULT: "The app's default group.",
        Use.IN_INDEX: f"Number {rank} of the app's groups.",
        Use.LEFT_BEHIND: "Its group is not in the index: the app does not offer it.",
    }[use]
    if known.problem:
        use, why = Use.UNKNOWN, f"Whether the app offers this group is not known: {known.problem}"
    elif not known.ranks:
        use, why = Use.UNKNOWN, "available-groups is empty: no folder can be told from one that was left behind."
    if there < known.expected:
        why += f" Incomplete: {there} of {known.expected} frames are there."
    return Standing(use, group, rank, there, known.expected, 1, why)
