"""What the person who decides about groups in Redis should see beside the plan. Only reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.actions.groups.backup import amount, check_room
from toolkit.actions.plan import Fact
from toolkit.cache import rebuilds
from toolkit.cache.groups import built_at
from toolkit.cache.layers import L2
from toolkit.checks.finding import Status
from toolkit.errors import ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections
    from toolkit.systems.redis_proxy import RedisProxy


def running_rebuild(connections: Connections) -> Fact:
    """Whether a run of the cache manager is going on, which writes to Redis too. Never raises ToolkitError."""
    label = "rebuild"
    try:
        running = [job for job in rebuilds.history(connections) if not job.over]
    except ToolkitError as error:
        return Fact(label, f"not known whether one is running: {error.message}", Status.UNKNOWN)
    if running:
        text = f"{running[0].name} is running in {running[0].cluster}, and writes to Redis at the same time"
        return Fact(label, text, Status.FAIL)
    return Fact(label, "none is running")


def moved_proxy(redis: RedisProxy) -> Iterator[Fact]:
    """A warning where the proxy is no longer where the configuration says."""
    if redis.address.note:
        yield Fact("address", redis.address.note, Status.WARN)


def reliable_listing(l2: L2) -> Iterator[Fact]:
    """A warning where keys could not be listed, or not all."""
    if l2.scan_problem:
        yield Fact("keys", f"could not be listed: {l2.scan_problem}", Status.WARN)
    elif not l2.scan_reliable:
        text = f"SCAN through the proxy is unreliable: saw {l2.seen:,} of {l2.counted[1]:,}"
        yield Fact("keys", text, Status.WARN)


def default_group(before: L2, after: Iterable[tuple[str, float]]) -> Fact:
    """Which group the app shows first, now and then."""
    left = [name for name, _ in after]
    was = shown(before.index[0][0]) if before.index else "none"
    if not left:
        return Fact("default group", f"{was} now, none afterwards: the map stays empty until a rebuild", Status.WARN)
    if before.index and left[0] == before.index[0][0]:
        return Fact("default group", f"{was}, as before")
    return Fact("default group", f"{was} now, {shown(left[0])} afterwards", Status.WARN)


def room(backup: Path, wanted: int) -> Fact:
    """Where the values are saved, and how much is free there. Raises Refused where they cannot be."""
    free = check_room(backup, wanted)
    return Fact("backup", f"{backup}: {amount(wanted)} needed, {amount(free)} free there")


def undo(environment: str, backup: Path | None) -> tuple[str, ...]:
    """The commands that bring groups back, the most exact first."""
    rebuild = f"toolkit cache rebuild --env {shlex.quote(environment)}"
    if backup is None:
        return (rebuild,)
    return (f"toolkit groups restore {shlex.quote(str(backup.absolute()))} --env {shlex.quote(environment)}", rebuild)


def undo_sentence(environment: str, backup: Path | None) -> str:
    """How it can be undone, for the plan."""
    commands = undo(environment, backup)
    if backup is None:
        return f"{commands[0]} writes the latest groups anew; there is no copy of these (--backup DIR makes one)"
    return f"{commands[0]} puts the saved values back; or {commands[1]}"


def dated(score: float) -> str:
    """A score and the time it stands for."""
    when = built_at(score)
    return f"score {written(score)}" + (f", built {when:%Y-%m-%d %H:%M}Z" if when else "")


def zadd(index_key: str, scores: Iterable[tuple[str, float]]) -> str:
    """The command that puts members back into the index with the scores they had."""
    pairs = [word for name, score in scores for word in (written(score), shown(name))]
    return shlex.join(["redis-cli", "ZADD", index_key, *pairs])


def written(score: float) -> str:
    """A score as redis-cli prints it, no digit lost."""
    return str(int(score)) if score.is_integer() and abs(score) < 1e17 else repr(score)
