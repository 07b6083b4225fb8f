"""From the paths that were typed to the objects they mean, and what a person should see about them. Only reads."""

from __future__ import annotations

import bisect
import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
_ONE_BY_ONE = 25  # objects of one folder that are asked for by name; of more, the folder is listed
_NAMED = 20  # objects of one folder that a plan names one by one
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
    found, alone = live(bucket, targets), {target for target in targets if target.only}
    names = sorted(found)
    empty = [target for target in targets if target.path not in found and (target in alone or not _any(names, target))]
    if empty and len(empty) == len(targets) and not all(target.whole for target in targets):
        raise _not_found(bucket, empty, prefix)
    return Selection(tuple(targets), tuple(found[path] for path in sorted(found)), tuple(empty))


def live(bucket: Bucket, targets: Iterable[Target]) -> dict[str, ObjectInfo]:
    """The live objects that the targets mean, by name. Of many objects of one folder, the folder is listed once."""
    found: dict[str, ObjectInfo] = {}
    for above, several, targets_there in _together(targets):
        if several:
            names = {target.path for target in targets_there}
            for page in bucket.pages(above):
                found |= {item.path: item for item in page.objects if item.path in names}
            continue
        for target in targets_there:
            if target.only:
                there = bucket.find(target.path)
                found |= {target.path: there} if there is not None else {}
            else:
                found |= {item.path: item for item in bucket.meant(target)}
    return found


def kept(bucket: Bucket, targets: Iterable[Target]) -> dict[str, dict[int, ObjectInfo]]:
    """The deleted generations that the bucket keeps of what the targets mean, by name and generation."""
    found: dict[str, dict[int, ObjectInfo]] = {}
    for above, several, there in _together(targets):
        wanted = {target.path: target for target in there}
        for prefix in (above,) if several else tuple(wanted):
            for item in bucket.soft_deleted(prefix):
                target = wanted.get(item.path) if several else wanted[prefix]
                if target is not None and target.means(item.path) and target.generation in (0, item.generation):
                    found.setdefault(item.path, {})[item.generation] = item
    return found


def roots(targets: Iterable[Target]) -> tuple[str, ...]:
    """The fewest paths below which all of the targets are found again: what a manifest keeps of them."""
    found: list[str] = []
    for above, several, there in _together(targets):
        found += [above] if several and above else [target.path for target in there]
    return tuple(dict.fromkeys(found))


def _together(targets: Iterable[Target]) -> Iterator[tuple[str, bool, list[Target]]]:
    """(folder, whether it is asked for as a whole, targets): many objects of one folder, else each by itself."""
    alone: dict[str, list[Target]] = {}
    for target in targets:
        if target.only:
            alone.setdefault(target.above, []).append(target)
        else:
            yield "", False, [target]
    for above, there in alone.items():
        yield above, len(there) > _ONE_BY_ONE, there


def _any(names: Sequence[str], target: Target) -> bool:
    """Whether the target means one of the names, which are sorted."""
    at = bisect.bisect_left(names, target.prefix)
    return at < len(names) and names[at].startswith(target.prefix)


def changes(bucket: Bucket, verb: str, targets: Iterable[Target], objects: Sequence[ObjectInfo]) -> tuple[Change, ...]:
    """One change for each object and each folder that was named; for all of the bucket one for each folder in it."""
    found: list[Change] = []
    counted: set[str] = set()
    targets = tuple(targets)
    by_name = {item.path: item for item in objects}
    for above, _, there in _together(target for target in targets if target.only):
        alone = [by_name[target.path] for target in there if target.path in by_name]
        counted |= {item.path for item in alone}
        if len(alone) > _NAMED:
            text = f"{bucket.url(shown(above))} (of its objects, by name)"
            found.append(Change(verb, text, len(alone), "objects", sum(item.bytes for item in alone)))
        else:
            found += [Change(verb, bucket.url(shown(item.path)), 1, "object", item.bytes) for item in alone]
    for target in targets:
        if target.only:
            continue
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
        if any(target.means(place) for target in targets):
            return True
        level = bucket.list(place)
        folders = all(any(t.means(folder.path) for t in targets if not t.only) for folder in level.folders)
        alone = {target.path for target in targets if target.only}
        wide = [target for target in targets if not target.only]
        objects = all(item.path in alone or any(t.means(item.path) for t in wide) for item in level.objects)
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
