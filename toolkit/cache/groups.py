"""The groups, over the two layers that outlive a pod: what Redis (L2) and the bucket (L3) hold of each."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from toolkit.cache import layers
from toolkit.cache.layers import L2, L3, Layers
from toolkit.cache.presence import Presence, unknown
from toolkit.errors import NotFound, ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.environments import model
    from toolkit.systems.bucket import ObjectInfo
    from toolkit.systems.connections import Connections

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True)
class Group:
    """A group of the map. `name` can be shown anywhere; rank 1 is the app's default group (None: not in the index).

    `built_at` is the index's score read as seconds since the epoch; None where it is none.
    """

    name: str
    rank: int | None
    built_at: datetime | None
    l2: Presence
    l3: Presence
    default: bool
    score: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overview:
    """The index's groups by rank, then the others by name; and what somebody should know about the whole.

    `problems` are the errors of a layer that could not be read; the notes name them too.
    """

    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[ToolkitError, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One dataframe of a group: bytes in each layer (None: not there, or not known), and the object in the bucket."""

    name: str
    l2_bytes: int | None
    l3_bytes: int | None
    generation: int | None = None
    updated: datetime | None = None


@dataclass(frozen=True)
class GroupDetail:
    """A group with its frames."""

    group: Group
    frames: tuple[Frame, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[ToolkitError, ...] = ()


def overview(connections: Connections) -> Overview:
    """All groups of either layer. A layer that cannot be read is said to be unknown, and the other is shown.

    Raises the error of L2 where neither can be read.
    """
    return overview_of(layers.read_either(connections), connections.environment.cache)


def overview_of(read: Layers, cache: model.Cache) -> Overview:
    """The same of layers that were read already."""
    return Overview(tuple(_groups(read, cache)), tuple(_notes(read, cache)), _problems(read))


def show(connections: Connections, name: str) -> GroupDetail:
    """One group with its frames. Raises NotFound, with the nearest name there is; where a layer could not be read, that
    layer's error: the group may be in it."""
    read = layers.read_either(connections)
    cache = connections.environment.cache
    found = {group.name: group for group in _groups(read, cache)}
    if name not in found:
        for problem in _problems(read):
            raise problem
        raise no_such_group(name, found, connections.environment.name)
    group = found[name]
    in_redis, in_bucket = _frames_of(read, name)
    names = sorted({*cache.frames, *in_redis, *in_bucket})
    frames = []
    for frame in names:
        item = in_bucket.get(frame)
        frames.append(
            Frame(
                shown(frame),
                in_redis.get(frame),
                item.bytes if item else None,
                item.generation if item else None,
                item.updated if item else None,
            )
        )
    return GroupDetail(group, tuple(frames), (*group.notes, *_unread(read)), _problems(read))


def no_such_group(name: str, known: Iterable[str], environment: str) -> NotFound:
    """The error for a name that is no group's."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names) or 'none'}."
    return NotFound(f"No group is called {name!r} in {environment}.", hint=hint)


def built_at(score: float, now: datetime | None = None) -> datetime | None:
    """The score as a time, where it can be one: seconds since the epoch, after 2000 and not in the future."""
    if not math.isfinite(score):
        return None
    try:
        moment = datetime.fromtimestamp(score, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment if _EARLIEST <= moment <= (now or datetime.now(UTC)) + _CLOCKS_DIFFER else None


def _frames_of(read: Layers, name: str) -> tuple[Mapping[str, int], Mapping[str, ObjectInfo]]:
    l2 = {} if isinstance(read.l2, ToolkitError) else {shown(raw): frames for raw, frames in read.l2.frames.items()}
    l3 = {} if isinstance(read.l3, ToolkitError) else {shown(raw): frames for raw, frames in read.l3.frames.items()}
    return l2.get(name, {}), l3.get(name, {})


def _groups(read: Layers, cache: model.Cache) -> list[Group]:
    scores = {} if isinstance(read.l2, ToolkitError) else dict(read.l2.index)
    beside: set[str] = set()
    for layer in (read.l2, read.l3):
        if not isinstance(layer, ToolkitError):
            beside |= layer.frames.keys() - scores.keys()
    ranked = [_group(raw, rank, scores[raw], read, cache) for rank, raw in enumerate(scores, 1)]
    return ranked + [_group(raw, None, None, read, cache) for raw in sorted(beside)]


def _group(raw: str, rank: int | None, score: float | None, read: Layers, cache: model.Cache) -> Group:
    l2 = _presence(raw, read.l2, cache)
    l3 = _presence(raw, read.l3, cache)
    when = None if score is None else built_at(score)
    notes = []
    if score is not None and when is None:
        looks = " (milliseconds?)" if built_at(score / 1000) else ""
        notes.append(f"its score {score:g} is no time in seconds{looks}")
    if rank is not None and l2.present is False:
        notes.append("in the index, but Redis holds none of its frames")
    if rank is None and l2.present:
        notes.append("its frames lie in Redis, but it is not in the index: the app does not offer it")
    for label, layer, presence in (("Redis", read.l2, l2), ("the bucket", read.l3, l3)):
        if presence.present and not presence.complete:
            count = f"{presence.frames} of {presence.expected} frames"
            notes.append(f"incomplete in {label}: {count}{_missing(raw, layer, read, cache)}")
        more = _unexpected(raw, layer, cache)
        if more:
            notes.append(f"{label} also holds {_few(more)} of it, which cache.frames does not name")
    if rank is not None and l3.present is False:
        notes.append("not in the bucket")
    return Group(shown(raw), rank, when, l2, l3, rank == 1, score, tuple(notes))


def _presence(raw: str, layer: L2 | L3 | ToolkitError, cache: model.Cache) -> Presence:
    expected = len(cache.frames) or cache.frames_per_group
    if isinstance(layer, ToolkitError):
        return unknown(layer.message, expected)
    sizes = _sizes(raw, layer)
    frames = len(sizes.keys() & set(cache.frames)) if cache.frames else len(sizes)
    return Presence(bool(sizes), frames, sum(sizes.values()), expected)


def _sizes(raw: str, layer: L2 | L3 | ToolkitError) -> dict[str, int]:
    """Bytes by frame."""
    if isinstance(layer, ToolkitError):
        return {}
    if isinstance(layer, L2):
        return dict(layer.frames.get(raw, {}))
    return {frame: item.bytes for frame, item in layer.frames.get(raw, {}).items()}


def _unexpected(raw: str, layer: L2 | L3 | ToolkitError, cache: model.Cache) -> tuple[str, ...]:
    return tuple(sorted(_sizes(raw, layer).keys() - set(cache.frames))) if cache.frames else ()


def _missing(raw: str, layer: L2 | L3 | ToolkitError, read: Layers, cache: model.Cache) -> str:
    """Which are missing, where it is known which frames there should be."""
    sides = [side for side in (read.l2, read.l3) if not isinstance(side, ToolkitError)]
    should = set(cache.frames) or {frame for side in sides for frames in side.frames.values() for frame in frames}
    missing = sorted(map(shown, should - _sizes(raw, layer).keys()))
    return f" (missing: {', '.join(missing)})" if missing else ""


def _notes(read: Layers, cache: model.Cache) -> list[str]:
    notes = _unread(read)
    if not isinstance(read.l2, ToolkitError):
        notes += _notes_on_redis(read.l2, cache)
    if not isinstance(read.l3, ToolkitError):
        notes += _notes_on_bucket(read.l3)
    return notes


def _problems(read: Layers) -> tuple[ToolkitError, ...]:
    return tuple(layer for layer in (read.l2, read.l3) if isinstance(layer, ToolkitError))


def _unread(read: Layers) -> list[str]:
    found = []
    for label, layer in (("Redis (L2)", read.l2), ("The bucket (L3)", read.l3)):
        if isinstance(layer, ToolkitError):
            found.append(f"{label} could not be read: {layer.message} {layer.hint}".strip())
    return found


def _notes_on_redis(l2: L2, cache: model.Cache) -> list[str]:
    notes = []
    if l2.scan_problem:
        notes.append(f"Keys cannot be listed, so frames without an index entry stay unseen: {l2.scan_problem}")
    elif not l2.scan_reliable:
        notes.append(f"SCAN through the proxy is unreliable: saw {l2.seen:,} of {l2.counted[1]:,} keys.")
    if not l2.index:
        notes.append(
            f"{cache.index_key} is empty: the app offers no group. A flush without a rebuild? `toolkit cache rebuild`"
        )
    elif len(l2.index) != cache.groups_in_redis:
        notes.append(f"{cache.index_key} names {len(l2.index)} of the usual {cache.groups_in_redis} groups.")
    scores = [score for _, score in l2.index]
    if len(scores) > 1 and scores[0] == scores[1]:
        notes.append("The first two groups have the same score: which is the default depends on their names.")
    if l2.wrong:
        notes.append(f"{_few(l2.wrong)} in Redis is named like a frame, but holds another kind of data.")
    if l2.others:
        notes.append(f"Keys in Redis that belong to no group: {len(l2.others):,}, e.g. {_few(l2.others)}.")
    return notes


def _notes_on_bucket(l3: L3) -> list[str]:
    if not l3.others:
        return []
    return [f"Objects in the bucket that are no frames: {len(l3.others):,}, e.g. {_few(l3.others)}."]


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(repr(shown(name)) for name in names[:2])
