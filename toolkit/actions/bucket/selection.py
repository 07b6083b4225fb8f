"""From the paths that were typed to the objects they mean, and what a person should see about them. Only reads."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from toolkit.actions.plan import Change, Fact
from toolkit.cache.frame_names import bucket_names
from toolkit.checks.finding import Status
from toolkit.errors import NotFound, ToolkitError
from toolkit.systems.bucket import Bucket, BucketInfo, ObjectInfo
from toolkit.systems.bucket.names import Target, argument, shown

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

_SHOWN = 100
UNDO_NEEDS = timedelta(days=1)  # to be noticed, and mended, by whoever comes to work next


@dataclass(frozen=True)
class Selection:
    """The objects that `targets` mean, each once, by name; `empty` are those of the targets that mean none."""

    targets: tuple[Target, ...]
    objects: tuple[ObjectInfo, ...]
    empty: tuple[Target, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.objects)


def select(bucket: Bucket, targets: Sequence[Target], prefix: str) -> Selection:
    """What the targets mean now. Raises NotFound, with a guess at what was meant, where all of them mean nothing."""
    found: dict[str, ObjectInfo] = {}
    empty = []
    for target in targets:
        meant = {item.path: item for item in bucket.meant(target)}
        found |= meant
        if not meant:
            empty.append(target)
    if empty and len(empty) == len(targets) and not all(target.whole for target in targets):
        raise _not_found(bucket, empty, prefix)
    return Selection(tuple(targets), tuple(found[path] for path in sorted(found)), tuple(empty))


def changes(bucket: Bucket, verb: str, targets: Iterable[Target], objects: Sequence[ObjectInfo]) -> tuple[Change, ...]:
    """One change for each object and each folder that was named; for all of the bucket one for each folder in it."""
    found: list[Change] = []
    counted: set[str] = set()
    for target in targets:
        groups: dict[str, list[ObjectInfo]] = {}
        for item in objects:
            if item.path in counted or not target.means(item.path):
                continue
            counted.add(item.path)
            groups.setdefault(_heading(target, item), []).append(item)
        found += [
            Change(verb, bucket.url(shown(path)), len(items), _unit(items), sum(item.bytes for item in items))
            for path, items in groups.items()
        ]
    return tuple(found)


def covers_all(bucket: Bucket, targets: Sequence[Target], prefix: str) -> bool:
    """Whether the targets mean everything there is, in the bucket or under its configured prefix."""
    for place in {"", prefix}:
        if any(place.startswith(target.prefix) for target in targets):
            return True
        level = bucket.list(place)
        folders = all(any(folder.path.startswith(t.prefix) for t in targets) for folder in level.folders)
        objects = all(any(t.means(item.path) for t in targets) for item in level.objects)
        if folders and objects and (level.folders or level.objects):
            return True
    return False


def undo_of(bucket: Bucket, undo: str) -> tuple[bool, str, Fact]:
    """Whether a deletion can be undone here, as a sentence, and as a fact. `undo` is the command that would do it."""
    try:
        info = bucket.describe()
    except ToolkitError as error:
        words = "It is not known whether this can be undone: the bucket's soft-delete policy could not be read."
        return True, f"{words} If it can: {undo}", Fact("soft delete", error.message, Status.UNKNOWN)
    if info.versioning:
        words = (
            "Cannot be undone from here: object versioning is on, deleted objects stay as noncurrent versions; "
            f"gcloud storage cp {bucket.url('NAME#GENERATION')} {bucket.url('NAME')} brings one back."
        )
        return False, words, Fact("soft delete", "object versioning is on", Status.WARN)
    kept = timedelta(seconds=info.soft_delete_seconds)
    if not kept:
        words = "Cannot be undone: soft delete is off in this bucket."
        return False, words, Fact("soft delete", "off: what is deleted is gone for good", Status.WARN)
    if kept < UNDO_NEEDS:
        words = f"Cannot be undone for long: deleted objects are kept for only {_long(kept)}. Until then: {undo}"
        return True, words, Fact("soft delete", f"on, but for only {_long(kept)}", Status.WARN)
    return True, f"For {_long(kept)}: {undo}", _kept_fact(info, kept)


def in_use(connections: Connections, objects: Sequence[ObjectInfo]) -> tuple[Fact, ...]:
    """A warning for each group that is touched and is among the newest in Redis; if Redis is down, that is said."""
    environment = connections.environment
    try:
        index = connections.redis.index(environment.cache.index_key)
        names = bucket_names(environment.cache, environment.bucket.prefix)
    except ToolkitError as error:
        text = f"it is not known whether these groups are in use: {error.message}"
        return (Fact("Redis", text, Status.UNKNOWN),)
    newest = [name for name, _ in sorted(index, key=lambda pair: pair[1], reverse=True)]
    ranks = {name: rank for rank, name in enumerate(newest[: environment.cache.groups_in_redis], start=1)}
    touched: Counter[str] = Counter()
    for item in objects:
        read = names.parts(item.path, frames=environment.cache.frames, groups=ranks)
        if read is not None and read[0] in ranks:
            touched[read[0]] += 1
    return tuple(
        Fact(
            "in use",
            f"{shown(name)} is rank {ranks[name]} in Redis" + (", the default group" if ranks[name] == 1 else ""),
            Status.WARN,
        )
        for name in sorted(touched, key=lambda name: ranks[name])
    )


def allowed(bucket: Bucket, *permissions: str) -> tuple[Fact, ...]:
    """A fact for each permission that is missing; that it cannot be asked is no fact worth showing."""
    try:
        granted = bucket.may(permissions)
    except ToolkitError:
        return ()
    return tuple(
        Fact("permission", f"you have not {name} on gs://{bucket.name}", Status.FAIL)
        for name in permissions
        if name not in granted
    )


def left_lines(bucket: Bucket, failed: Sequence[tuple[ObjectInfo, str]]) -> tuple[str, ...]:
    """What was not done, a line for each object; of very many with one reason the first, and how many there are."""
    reasons = Counter(why for _, why in failed)
    lines: dict[str, list[str]] = {}
    for item, why in failed:
        here = lines.setdefault(why, [])
        if len(here) < _SHOWN:
            here.append(f"{bucket.url(shown(item.path))}: {why}")
    for why, count in reasons.items():
        if count > _SHOWN:
            lines[why].append(f"({_SHOWN} of {count:,} objects shown: {why})")
    return tuple(line for here in lines.values() for line in here)


def url_argument(bucket: Bucket, path: str) -> str:
    """A path as an argument for gcloud, quoted for the shell."""
    return argument(bucket.url(path))


def _heading(target: Target, item: ObjectInfo) -> str:
    if item.path == target.name:
        return item.path
    if not target.whole:
        return target.prefix
    top, slash, _ = item.path.partition("/")
    return top + slash


def _unit(items: Sequence[ObjectInfo]) -> str:
    return "object" if len(items) == 1 else "objects"


def _not_found(bucket: Bucket, empty: Sequence[Target], prefix: str) -> NotFound:
    names = ", ".join(shown(target.path) or "the bucket" for target in empty)
    first = empty[0]
    above = first.path.rstrip("/").rpartition("/")[0]
    try:
        level = bucket.list(f"{above}/" if above else "")
        beside = [folder.path for folder in level.folders] + [item.path for item in level.objects]
        below = [item.path for item in bucket.list(prefix).folders] if prefix else []
    except ToolkitError:
        beside, below = [], []
    hint = "`toolkit bucket ls` shows what is there. Paths are full names in the bucket."
    if any(letter in first.path for letter in "*?["):
        hint = "Paths are names as they are: * and ? have no special meaning here."
    elif f"{prefix}{first.path.rstrip('/')}/" in below:
        hint = f"Did you mean {shown(prefix + first.path)}? Paths are full names in the bucket."
    elif longer := [name for name in beside if name.startswith(first.path)]:
        hint = f"{len(longer):,} names only begin like that: {shown(longer[0])} … Each has to be named in full."
    elif near := difflib.get_close_matches(first.path, beside, n=3, cutoff=0.7):
        hint = f"Did you mean {' or '.join(shown(name) for name in near)}?"
    return NotFound(
        f"There is nothing at {names} in gs://{bucket.name}.",
        hint=hint,
        by_hand=(f"gcloud storage ls {url_argument(bucket, first.path)}",),
    )


def _kept_fact(info: BucketInfo, kept: timedelta) -> Fact:
    return Fact("soft delete", f"on: gs://{info.name} keeps deleted objects for {_long(kept)}")


def _long(span: timedelta) -> str:
    if span >= timedelta(days=2):
        return f"{span.days} days"
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours >= 2 else f"{span.total_seconds() / 60:.0f} minutes"
