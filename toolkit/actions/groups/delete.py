"""Deleting groups from Redis: their frames, and their members in the index. The bucket is left as it is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.actions.groups import backup as groups_backup
from toolkit.actions.groups import facts as groups_facts
from toolkit.actions.plan import Change, Damage, Fact, Outcome, Plan, Result
from toolkit.cache import layers
from toolkit.cache.frame_names import redis_names
from toolkit.cache.groups import no_such_group
from toolkit.cache.layers import L2
from toolkit.checks.finding import Finding, Status
from toolkit.errors import Refused, ToolkitError, UsageError
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.bucket.names import shown
from toolkit.systems.redis_proxy.address import token_by_hand

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

_MANY = 16  # keys; more are named by a pattern in the command to type


@dataclass(frozen=True)
class _Target:
    """What is to go: each group's keys with bytes (None: no plain value), and their members of the index."""

    groups: dict[str, dict[str, int | None]]
    scores: dict[str, float]

    @property
    def keys(self) -> list[str]:
        return [key for keys in self.groups.values() for key in keys]

    @property
    def values(self) -> dict[str, int]:
        """Bytes of those that are plain values."""
        every = (item for keys in self.groups.values() for item in keys.items())
        return {key: length for key, length in every if length is not None}

    @property
    def preconditions(self) -> tuple[tuple[str, str], ...]:
        """What the plan rests on: each member's score, each key's length."""
        every = [item for keys in self.groups.values() for item in sorted(keys.items())]
        return (
            *((f"score of {group}", repr(score)) for group, score in self.scores.items()),
            *((f"bytes of {key}", str(length)) for key, length in every),
        )

    def __str__(self) -> str:
        return ", ".join(map(shown, self.groups))


class DeleteGroups:
    """Delete the groups called `names` from Redis, saving their values in the directory `backup` first if it is set."""

    name = "groups.delete"

    def __init__(self, connections: Connections, names: Sequence[str], backup: Path | None = None) -> None:
        if not names:
            raise UsageError("Say which groups to delete.", hint="`toolkit groups list` shows them.")
        self._connections = connections
        self._names = tuple(dict.fromkeys(names))
        self._backup = backup
        self._planned: dict[str, _Target] = {}

    def plan(self) -> Plan:
        connections = self._connections
        environment, redis = connections.environment, connections.redis
        l2 = layers.read_l2(redis, environment.cache)
        target = self._target(l2)
        total = sum(target.values.values())
        changes = [Change("save", str(self._backup), len(target.values), "values", total)] if self._backup else []
        changes += [
            Change("delete", shown(group), len(keys), "keys", sum(length or 0 for length in keys.values()))
            for group, keys in target.groups.items()
        ]
        plan = Plan(
            action=self.name,
            environment=environment.name,
            title=f"Delete {len(target.groups)} group{'' if len(target.groups) == 1 else 's'} from Redis",
            where=f"Redis {redis.address}",
            changes=tuple(changes),
            damage=Damage.LARGE,
            confirm=environment.name,
            undo=groups_facts.undo_sentence(environment.name, self._backup),
            by_hand=self._by_hand(target),
            preconditions=target.preconditions,
            facts=tuple(self._facts(l2, target, total)),
        )
        self._planned[plan.hash] = target
        return plan

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        target = self._planned.get(plan.hash)
        if target is None:
            raise Refused("This plan was not made here; nothing was deleted.", hint="Make a new one.")
        environment, redis = self._connections.environment, self._connections.redis
        if self._backup:

            def unchanged() -> bool:
                again = self._target(layers.read_l2(redis, environment.cache))
                return again.preconditions == target.preconditions

            groups_backup.save(redis, target.values, target.scores, self._backup, environment, progress, unchanged)
        # The index first: a name in it without frames fails for whoever chooses that group, frames without a name only
        # cost memory. If this is cut short, the group is still found by its frames, and can be deleted again.
        progress.step(
            f"Removing {len(target.scores)} from {environment.cache.index_key}, then {len(target.keys):,} keys"
        )
        redis.remove_members(environment.cache.index_key, target.scores, permit)
        try:
            redis.unlink(target.keys, permit, progress)
        except ToolkitError as error:
            return self._partial(target, error)
        return Outcome(
            Result.DONE,
            f"{target} deleted from Redis: {len(target.keys):,} keys, {len(target.scores)} of the index.",
            undo=self._undo_commands(),
            details=self._details(target),
        )

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:  # noqa: ARG002
        """Read again: neither in the index nor a frame of theirs."""
        target = self._planned[plan.hash]
        environment, redis = self._connections.environment, self._connections.redis
        name = "deleted from Redis"
        lengths = redis.lengths(target.keys)
        left = [key for key, length in lengths.items() if length is not None]
        listed = [group for group, _ in redis.index(environment.cache.index_key) if group in target.scores]
        by_hand = (redis.by_hand("zrange", environment.cache.index_key, "0", "-1"),)
        if left or listed:
            evidence = tuple(map(shown, [*listed, *left]))
            summary = f"{len(left):,} keys and {len(listed)} members of the index are still there"
            hint = "Something writes them again (a rebuild?), or it was cut short: run the command again."
            return (Finding(name, Status.FAIL, summary, hint, evidence=evidence, by_hand=by_hand),)
        return (Finding(name, Status.OK, "read again: none of it is left", by_hand=by_hand),)

    def _target(self, l2: L2) -> _Target:
        cache = self._connections.environment.cache
        scores = dict(l2.index)
        known = {shown(raw): raw for raw in (*scores, *sorted(l2.frames))}
        for name in self._names:
            if name not in known:
                error = no_such_group(name, known, self._connections.environment.name)
                error.hint += " A folder in the bucket is removed with `toolkit bucket rm`."
                raise error
        names = redis_names(cache)
        groups: dict[str, dict[str, int | None]] = {}
        for group in (known[name] for name in self._names):
            frames = sorted(l2.frames.get(group, {}).items())
            groups[group] = {names.name(group, frame): length for frame, length in frames}
        for key in l2.wrong:
            parts = names.parts(key, frames=cache.frames, groups=scores)
            if parts is not None and parts[0] in groups:
                groups[parts[0]][key] = None
        return _Target(groups, {group: scores[group] for group in groups if group in scores})

    def _facts(self, l2: L2, target: _Target, total: int) -> list[Fact]:
        facts = [
            *groups_facts.moved_proxy(self._connections.redis),
            groups_facts.running_rebuild(self._connections),
            groups_facts.default_group(l2, [item for item in l2.index if item[0] not in target.scores]),
            *groups_facts.reliable_listing(l2),
        ]
        ranks = {group: rank for rank, (group, _) in enumerate(l2.index, 1)}
        for group in target.groups:
            if group in target.scores:
                facts.append(Fact(shown(group), f"rank {ranks[group]}, {groups_facts.dated(target.scores[group])}"))
            else:
                facts.append(Fact(shown(group), "is not in the index: only frames of it are left", Status.WARN))
        lost = len(target.keys) - len(target.values)
        if self._backup:
            facts.append(groups_facts.room(self._backup, total))
        if lost:
            facts.append(Fact("other data", f"{lost} keys hold no plain value and are never saved", Status.WARN))
        facts.append(Fact("bucket", "the groups' folders in the bucket (L3) stay as they are"))
        facts.append(Fact("pods", "keep what they hold in memory (L1) until they are restarted"))
        return facts

    def _by_hand(self, target: _Target) -> tuple[str, ...]:
        index, redis = self._connections.environment.cache.index_key, self._connections.redis
        commands = [redis.by_hand("zrem", index, *map(shown, target.scores))] if target.scores else []
        for group, keys in target.groups.items():
            if len(keys) > _MANY:
                found = redis.by_hand(
                    "--scan", "--pattern", redis_names(self._connections.environment.cache).glob(group)
                )
                commands.append(f"{found} | xargs -d '\\n' {redis.by_hand('unlink')}")
            elif keys:
                commands.append(redis.by_hand("unlink", *map(shown, keys)))
        return (token_by_hand(self._connections.environment.vault), *commands)

    def _undo_commands(self) -> tuple[str, ...]:
        return groups_facts.undo(self._connections.environment.name, self._backup)

    def _details(self, target: _Target) -> tuple[str, ...]:
        if not target.scores:
            return ()
        index = self._connections.environment.cache.index_key
        return (f"the index as it was: {groups_facts.zadd(index, target.scores.items())}",)

    def _partial(self, target: _Target, error: ToolkitError) -> Outcome:
        names = " ".join(shlex.quote(shown(group)) for group in target.groups)
        left: tuple[str, ...]
        try:
            lengths = self._connections.redis.lengths(target.keys)
            left = tuple(shown(key) for key, length in lengths.items() if length is not None)
        except ToolkitError:
            left = tuple(f"{shown(key)} (not known whether it is still there)" for key in target.keys)
        again = f"to go on: toolkit groups delete {names} --env {self._connections.environment.name}"
        return Outcome(
            Result.PARTIAL,
            f"{target} removed from the index, but not all frames were deleted: {error.message}",
            undo=self._undo_commands(),
            left=left,
            details=(*self._details(target), again),
        )
