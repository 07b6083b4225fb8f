"""Reads what L2 (Redis) and L3 (the bucket) hold, each by itself, without judging it.

Frames' names are configured (cache.frames) or found: in what SCAN and the bucket's listing show.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from toolkit.cache.frame_names import FrameNames, bucket_names, folder, redis_names
from toolkit.errors import Failed, NotAllowed, ToolkitError
from toolkit.progress import SILENT, Progress
from toolkit.systems.redis_proxy.errors import WrongType

if TYPE_CHECKING:
    from toolkit.environments import model
    from toolkit.systems.bucket import ObjectInfo
    from toolkit.systems.connections import Connections
    from toolkit.systems.redis_proxy import RedisProxy


T = TypeVar("T")


@dataclass(frozen=True)
class L2:
    """Redis. `index` is in rank order; `frames` are bytes by group and frame; `others` are keys that are no frames.

    `seen` and `counted` are how many keys SCAN showed and DBSIZE counts (before and after): where they differ, SCAN
    cannot be relied on. `scan_problem` says why there was no SCAN at all, `wrong` names frames that are no plain value.
    """

    index: tuple[tuple[str, float], ...] = ()
    frames: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    seen: int = 0
    counted: tuple[int, int] = (0, 0)
    scan_problem: str = ""

    @property
    def scan_reliable(self) -> bool:
        return not self.scan_problem and min(self.counted) <= self.seen <= max(self.counted)


@dataclass(frozen=True)
class L3:
    """The bucket, below its prefix. `frames` are objects by group and frame; `others` are those that are no frames."""

    frames: Mapping[str, Mapping[str, ObjectInfo]] = field(default_factory=dict)
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layers:
    """Both layers; of one that could not be read there is the error instead."""

    l2: L2 | ToolkitError
    l3: L3 | ToolkitError


def read(connections: Connections) -> Layers:
    """Read both layers side by side. Raises ConfigurationError where the patterns cannot work, and nothing else."""
    cache = connections.environment.cache
    in_redis, in_bucket = redis_names(cache), bucket_names(cache, connections.environment.bucket.prefix)
    objects_later = _beside(lambda: _objects(connections))
    keys = _attempted(lambda: _keys(connections.redis, cache))
    objects = objects_later()
    groups = set() if isinstance(keys, ToolkitError) else {name for name, _ in keys.index}
    frames = set(cache.frames) or _known_frames(keys, in_redis, objects, in_bucket, groups)
    l2: L2 | ToolkitError
    if isinstance(keys, ToolkitError):
        l2 = keys
    else:
        there = keys
        l2 = _attempted(lambda: _l2(connections.redis, cache, there, in_redis, frames, groups))
    return Layers(l2, objects if isinstance(objects, ToolkitError) else _l3(objects, in_bucket, frames, groups))


def read_either(connections: Connections) -> Layers:
    """Both layers, of which one may be an error. Raises the error of L2 where neither can be read."""
    found = read(connections)
    if isinstance(found.l2, ToolkitError) and isinstance(found.l3, ToolkitError):
        found.l2.hint = f"{found.l2.hint} (Nor could the bucket be read: {found.l3.message})".strip()
        raise found.l2
    return found


def read_l2(redis: RedisProxy, cache: model.Cache) -> L2:
    """L2 alone. Raises what RedisProxy raises, and ConfigurationError."""
    names = redis_names(cache)
    keys = _keys(redis, cache)
    groups = {name for name, _ in keys.index}
    frames = set(cache.frames) or _found(keys.names, names, groups) or _found(keys.names, names, None)
    return _l2(redis, cache, keys, names, frames, groups)


def read_l3(connections: Connections, progress: Progress = SILENT) -> L3:
    """L3 alone. Raises what Bucket raises, ConfigurationError, and Interrupted."""
    cache, prefix = connections.environment.cache, folder(connections.environment.bucket.prefix)
    names = bucket_names(cache, prefix)
    objects: list[ObjectInfo] = []
    for item in connections.bucket.objects(prefix):
        objects.append(item)
        if len(objects) % 1000 == 0:
            progress.check_stop()
            progress.advance("objects in the bucket", len(objects), None, "objects")
    frames = set(cache.frames) or _found((item.path for item in objects), names, None)
    return _l3(tuple(objects), names, frames, set())


@dataclass(frozen=True)
class _Keys:
    """What Redis shows before any value's length is asked for."""

    index: tuple[tuple[str, float], ...]
    names: tuple[str, ...]
    counted: tuple[int, int]
    scan_problem: str = ""


def _attempted(read: Callable[[], T]) -> T | ToolkitError:
    try:
        return read()
    except ToolkitError as error:
        return error


def _beside(read: Callable[[], T]) -> Callable[[], T | ToolkitError]:
    """Begin to read in a thread that never keeps the program from ending; call what comes back for the answer."""
    answer: list[T | Exception] = []

    def work() -> None:
        try:
            answer.append(read())
        except Exception as error:  # noqa: BLE001  it is raised where the answer is fetched
            answer.append(error)

    thread = threading.Thread(target=work, name="layer", daemon=True)
    thread.start()

    def wait() -> T | ToolkitError:
        thread.join()
        got = answer[0]
        if isinstance(got, Exception) and not isinstance(got, ToolkitError):
            raise got
        return got

    return wait


def _keys(redis: RedisProxy, cache: model.Cache) -> _Keys:
    index = tuple(redis.index(cache.index_key))
    try:
        before = redis.dbsize()
        names = redis.scan()
        after = redis.dbsize()
    except (NotAllowed, Failed) as error:  # SCAN or DBSIZE is switched off: the index and known frames are left
        return _Keys(index, (), (0, 0), error.message)
    return _Keys(index, tuple(names), (before, after))


def _objects(connections: Connections) -> tuple[ObjectInfo, ...]:
    return tuple(connections.bucket.objects(folder(connections.environment.bucket.prefix)))


def _known_frames(
    keys: _Keys | ToolkitError,
    in_redis: FrameNames,
    objects: tuple[ObjectInfo, ...] | ToolkitError,
    in_bucket: FrameNames,
    groups: Collection[str],
) -> set[str]:
    """The names of frames, from the groups of the index in either layer. Without those from all of the bucket, or else
    of Redis: in Redis there may be keys of something else."""
    redis = () if isinstance(keys, ToolkitError) else keys.names
    bucket = () if isinstance(objects, ToolkitError) else [item.path for item in objects]
    indexed = _found(redis, in_redis, groups) | _found(bucket, in_bucket, groups)
    return indexed or _found(bucket, in_bucket, None) or _found(redis, in_redis, None)


def _found(names: Iterable[str], pattern: FrameNames, groups: Collection[str] | None) -> set[str]:
    """Frames of `groups` (None: of any) among `names`."""
    parts = (pattern.parts(name, groups=groups or ()) for name in names)
    return {part[1] for part in parts if part is not None and (groups is None or part[0] in groups)}


def _l2(
    redis: RedisProxy, cache: model.Cache, keys: _Keys, pattern: FrameNames, frames: set[str], groups: set[str]
) -> L2:
    belongs: dict[str, tuple[str, str]] = {}
    others: list[str] = []
    for name in keys.names:
        parts = pattern.parts(name, frames=frames, groups=groups)
        if parts is not None and (parts[0] in groups or parts[1] in frames):
            belongs[name] = parts
        elif name != cache.index_key:
            others.append(name)
    # SCAN may miss keys: those that must be there by the index are asked for by name.
    belongs |= {pattern.name(group, frame): (group, frame) for group in groups for frame in frames}
    wrong: tuple[str, ...] = ()
    try:
        lengths = redis.lengths(belongs)
    except WrongType as error:
        lengths, wrong = error.lengths, error.keys
    sizes: dict[str, dict[str, int]] = {}
    for name, length in lengths.items():
        if length is not None:
            group, frame = belongs[name]
            sizes.setdefault(group, {})[frame] = length
    return L2(
        index=keys.index,
        frames=sizes,
        others=tuple(others),
        wrong=wrong,
        seen=len(keys.names),
        counted=keys.counted,
        scan_problem=keys.scan_problem,
    )


def _l3(objects: tuple[ObjectInfo, ...], pattern: FrameNames, frames: set[str], groups: set[str]) -> L3:
    found: dict[str, dict[str, ObjectInfo]] = {}
    others: list[str] = []
    for item in objects:
        parts = pattern.parts(item.path, frames=frames, groups=groups)
        if parts is None:
            others.append(item.path)
        else:
            found.setdefault(parts[0], {})[parts[1]] = item
    return L3(found, tuple(others))
