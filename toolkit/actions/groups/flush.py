"""Flushing Redis: every key of every database goes, the groups and whatever else is there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.actions.groups import backup as groups_backup
from toolkit.actions.groups import facts as groups_facts
from toolkit.actions.plan import Change, Damage, Fact, Outcome, Plan, Result
from toolkit.cache import layers
from toolkit.cache.frame_names import redis_names
from toolkit.cache.layers import L2
from toolkit.checks.finding import Finding, Status
from toolkit.errors import Refused, ToolkitError
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.bucket.names import shown
from toolkit.systems.redis_proxy.address import token_by_hand
from toolkit.systems.redis_proxy.errors import WrongType

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


@dataclass(frozen=True)
class _State:
    """All that Redis holds. `lengths` are bytes by key, None for what is no plain value; `elsewhere` counts the keys of
    the other databases, `unseen` says why that is not known."""

    l2: L2
    lengths: Mapping[str, int | None]
    count: int
    elsewhere: Mapping[int, int]
    unseen: str = ""

    @property
    def values(self) -> dict[str, int]:
        return {key: length for key, length in self.lengths.items() if length is not None}

    @property
    def bytes(self) -> int:
        return sum(self.values.values())

    @property
    def preconditions(self) -> tuple[tuple[str, str], ...]:
        """What the plan rests on: each group's score, and every key with its length."""
        lines = "\n".join(f"{key}\0{length}" for key, length in sorted(self.lengths.items()))
        return (
            *((f"score of {group}", repr(score)) for group, score in self.l2.index),
            ("keys and bytes", hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()[:32]),
            ("keys in all", str(self.count)),
            *((f"keys of database {number}", str(count)) for number, count in sorted(self.elsewhere.items())),
        )


class FlushRedis:
    """FLUSHALL, after saving all values in the directory `backup` if it is set."""

    name = "groups.flush"

    def __init__(self, connections: Connections, backup: Path | None = None) -> None:
        self._connections = connections
        self._backup = backup
        self._planned: dict[str, _State] = {}

    def plan(self) -> Plan:
        environment, redis = self._connections.environment, self._connections.redis
        state = self._look()
        plan = Plan(
            action=self.name,
            environment=environment.name,
            title=f"Flush Redis: {state.count:,} keys in all",
            where=f"Redis {redis.address}",
            changes=self._changes(state),
            damage=Damage.LARGE,
            confirm=environment.name,
            undo=groups_facts.undo_sentence(environment.name, self._backup),
            by_hand=(token_by_hand(environment.vault), redis.by_hand("flushall", "async")),
            preconditions=state.preconditions,
            facts=tuple(self._facts(state)),
        )
        self._planned[plan.hash] = state
        return plan

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        state = self._planned.get(plan.hash)
        if state is None:
            raise Refused("This plan was not made here; nothing was deleted.", hint="Make a new one.")
        environment, redis = self._connections.environment, self._connections.redis
        if self._backup:
            scores = dict(state.l2.index)

            def unchanged() -> bool:
                return self._look().preconditions == state.preconditions

            groups_backup.save(redis, state.values, scores, self._backup, environment, progress, unchanged)
        progress.step(f"Flushing {redis.address}")
        try:
            redis.flush(permit)
        except ToolkitError:
            if not self._emptied_after_all(state):
                raise
        return Outcome(
            Result.DONE,
            f"Redis {redis.address} flushed: {state.count:,} keys are gone.",
            undo=groups_facts.undo(environment.name, self._backup),
            details=self._details(state),
        )

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:  # noqa: ARG002
        """Count again."""
        redis = self._connections.redis
        left = redis.dbsize()
        name, by_hand = "Redis is empty", (redis.by_hand("dbsize"),)
        if left:
            hint = "Something writes already (a rebuild?): `toolkit cache status`, `toolkit groups list`."
            return (Finding(name, Status.WARN, f"{left:,} keys are there again", hint, by_hand=by_hand),)
        return (Finding(name, Status.OK, "counted again: no key is left", by_hand=by_hand),)

    def _look(self) -> _State:
        cache, redis = self._connections.environment.cache, self._connections.redis
        l2 = layers.read_l2(redis, cache)
        names = redis_names(cache)
        lengths: dict[str, int | None] = {
            names.name(group, frame): length for group, frames in l2.frames.items() for frame, length in frames.items()
        }
        lengths |= dict.fromkeys(l2.wrong)
        try:
            lengths |= redis.lengths(l2.others)
        except WrongType as error:
            lengths |= error.lengths | dict.fromkeys(error.keys)
        try:
            databases = redis.server_info().keys
        except ToolkitError as error:
            return _State(l2, lengths, redis.dbsize(), {}, error.message)
        return _State(l2, lengths, redis.dbsize(), {number: keys for number, keys in databases.items() if number})

    def _changes(self, state: _State) -> tuple[Change, ...]:
        if not state.count and not state.elsewhere:
            return ()
        cache = self._connections.environment.cache
        save = Change("save", str(self._backup), len(state.values), "values", state.bytes)
        found = [save] if self._backup else []
        grouped = 0
        for group, frames in sorted(state.l2.frames.items()):
            grouped += len(frames)
            found.append(Change("delete", shown(group), len(frames), "keys", sum(frames.values())))
        if state.l2.index:
            found.append(Change("delete", cache.index_key, len(state.l2.index), "groups' scores"))
        others = state.count - grouped - bool(state.l2.index)
        if others > 0:
            known = [state.lengths.get(key) for key in state.l2.others]
            found.append(Change("delete", "all other keys", others, "keys", sum(length or 0 for length in known)))
        found += [
            Change("delete", f"database {number}", count, "keys") for number, count in sorted(state.elsewhere.items())
        ]
        return tuple(found)

    def _facts(self, state: _State) -> list[Fact]:
        facts = [*groups_facts.moved_proxy(self._connections.redis), groups_facts.running_rebuild(self._connections)]
        facts.append(groups_facts.default_group(state.l2, ()))
        facts += groups_facts.reliable_listing(state.l2)
        facts += [Fact(shown(group), groups_facts.dated(score)) for group, score in state.l2.index]
        if state.l2.others:
            facts.append(Fact("other keys", f"{len(state.l2.others):,} that belong to no group go too", Status.WARN))
        if state.elsewhere:
            facts.append(Fact("databases", "FLUSHALL empties the others too, not only database 0", Status.WARN))
        if state.unseen:
            facts.append(Fact("databases", f"not known whether others hold keys: {state.unseen}", Status.UNKNOWN))
        if self._backup:
            facts += self._facts_on_backup(state, self._backup)
        facts.append(Fact("bucket", "the groups' folders in the bucket (L3) stay as they are"))
        facts.append(Fact("pods", "keep what they hold in memory (L1) until they are restarted"))
        return facts

    def _facts_on_backup(self, state: _State, backup: Path) -> list[Fact]:
        """Raises Refused where not everything can be listed: a backup with holes would be worse than none."""
        if not state.l2.scan_reliable:
            raise Refused(
                f"Not all keys of {self._connections.redis.address} can be listed, so they cannot be saved: "
                f"{state.l2.scan_problem or f'SCAN saw {state.l2.seen:,} of {state.count:,}'}.",
                hint="Save the groups one by one (`toolkit groups delete G --backup DIR`), or flush without --backup.",
            )
        facts = [groups_facts.room(backup, state.bytes)]
        lost = len(state.lengths) - len(state.values)
        if lost:
            facts.append(Fact("not saved", f"{lost:,} keys that hold no plain value", Status.WARN))
        if state.elsewhere:
            facts.append(Fact("not saved", "the keys of the other databases", Status.WARN))
        return facts

    def _emptied_after_all(self, state: _State) -> bool:
        """Whether FLUSHALL was carried out although its answer got lost."""
        try:
            return self._connections.redis.dbsize() == 0 and state.count > 0
        except ToolkitError:
            return False

    def _details(self, state: _State) -> tuple[str, ...]:
        if not state.l2.index:
            return ()
        index = self._connections.environment.cache.index_key
        return (f"the index as it was: {groups_facts.zadd(index, state.l2.index)}",)
