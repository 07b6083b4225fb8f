"""Putting groups back into Redis from a backup: their values, then their members in the index, with their scores."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.actions.groups import backup as groups_backup
from toolkit.actions.groups import facts as groups_facts
from toolkit.actions.groups.backup import SavedValue, amount
from toolkit.actions.plan import Change, Damage, Fact, Outcome, Plan, Result
from toolkit.checks.finding import Finding, Status
from toolkit.errors import Refused, ToolkitError
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.bucket.names import shown
from toolkit.systems.redis_proxy.address import token_by_hand
from toolkit.systems.redis_proxy.errors import WrongType

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


_SHOWN = 8  # values whose commands are written out


@dataclass(frozen=True)
class _Present:
    """What Redis holds now under the names that the backup would write; -1 bytes stand for no plain value."""

    lengths: dict[str, int]
    scores: dict[str, float]


class RestoreGroups:
    """Write what the backup in `directory` holds back to Redis."""

    name = "groups.restore"

    def __init__(self, connections: Connections, directory: Path) -> None:
        self._connections = connections
        self._saved = groups_backup.read(directory)
        environment = connections.environment.name
        if self._saved.environment != environment:
            raise Refused(
                f"{directory} is a backup of {self._saved.environment!r}, not of {environment!r}.",
                hint=f"Restore it with --env {self._saved.environment}.",
            )
        if self._saved.index_key != connections.environment.cache.index_key:
            raise Refused(
                f"{directory} was saved when the index was called {self._saved.index_key!r}; "
                f"now cache.index_key is {connections.environment.cache.index_key!r}.",
                hint="Set cache.index_key as it was, or write the scores by hand: they are in manifest.json.",
            )

    def plan(self) -> Plan:
        environment, redis, saved = self._connections.environment, self._connections.redis, self._saved
        now = self._present()
        replaced = [value for value in saved.values if value.key in now.lengths]
        new = [value for value in saved.values if value.key not in now.lengths]
        changes = [
            Change(verb, f"from {saved.directory}", len(values), "keys", sum(value.bytes for value in values))
            for verb, values in (("write", new), ("replace", replaced))
            if values
        ]
        changed = {name: score for name, score in saved.scores.items() if now.scores.get(name) != score}
        changes += [
            Change("put into the index", f"{shown(name)} with score {groups_facts.written(score)}")
            for name, score in changed.items()
        ]
        return Plan(
            action=self.name,
            environment=environment.name,
            title=f"Restore {len(saved.scores)} group{'' if len(saved.scores) == 1 else 's'} to Redis from a backup",
            where=f"Redis {redis.address}",
            changes=tuple(changes),
            damage=Damage.LARGE if replaced else Damage.SMALL,
            confirm=environment.name,
            undo=f"toolkit groups delete {shlex.join(map(shown, saved.scores)) or 'G…'} --env {environment.name}",
            by_hand=self._by_hand(),
            preconditions=(
                *((f"bytes of {key}", str(length)) for key, length in sorted(now.lengths.items())),
                *((f"score of {name}", repr(score)) for name, score in sorted(now.scores.items())),
                *((f"saved {value.key}", value.crc32c) for value in saved.values),
            ),
            facts=tuple(self._facts(replaced, new)),
        )

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        redis, saved = self._connections.redis, self._saved
        written: list[SavedValue] = []
        # The values first: the app must never find a group in the index whose frames are not there yet.
        progress.step(f"Writing {len(saved.values):,} values to {redis.address}")
        try:
            for value in saved.values:
                progress.check_stop()
                self._write(value, permit, progress, sum(done.bytes for done in written))
                written.append(value)
            redis.set_members(saved.index_key, saved.scores, permit)
        except ToolkitError as error:
            if not written:
                raise
            left = [value for value in saved.values if value not in written]
            return Outcome(
                Result.PARTIAL,
                f"{len(written):,} of {len(saved.values):,} values restored, the index not yet: {error.message}",
                left=tuple(shown(value.key) for value in left),
                details=(f"to go on: toolkit groups restore {saved.directory} --env {plan.environment}",),
            )
        groups = ", ".join(map(shown, saved.scores)) or "no group of the index"
        return Outcome(
            Result.DONE, f"{len(written):,} values restored to Redis {redis.address}: {groups}.", undo=(plan.undo,)
        )

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:  # noqa: ARG002
        """Read again: every length, every score."""
        now, saved = self._present(), self._saved
        wrong = [shown(value.key) for value in saved.values if now.lengths.get(value.key) != value.bytes]
        wrong += [shown(name) for name, score in saved.scores.items() if now.scores.get(name) != score]
        redis = self._connections.redis
        by_hand = (redis.by_hand("zrange", saved.index_key, "0", "-1", "withscores"),)
        if wrong:
            summary = f"{len(wrong):,} of it are not as they were saved"
            hint = "Something else writes too (a rebuild?), or it was cut short: run the command again."
            return (Finding("restored", Status.FAIL, summary, hint, evidence=tuple(wrong), by_hand=by_hand),)
        return (Finding("restored", Status.OK, "read again: every value and score is there", by_hand=by_hand),)

    def _present(self) -> _Present:
        redis, saved = self._connections.redis, self._saved
        try:
            lengths = redis.lengths(value.key for value in saved.values)
        except WrongType as error:
            lengths = error.lengths | dict.fromkeys(error.keys, -1)
        scores = dict(redis.index(saved.index_key))
        return _Present(
            {key: length for key, length in lengths.items() if length is not None},
            {name: scores[name] for name in saved.scores if name in scores},
        )

    def _write(self, value: SavedValue, permit: Permit, progress: Progress, before: int) -> None:
        total = self._saved.size
        done = before

        def pieces() -> Iterator[bytes]:
            nonlocal done
            for piece in self._saved.content(value):
                progress.check_stop()
                yield piece
                done += len(piece)
                progress.advance("restore", done, total, "bytes")

        self._connections.redis.set_value(value.key, pieces(), permit, expires_ms=value.expires_ms)

    def _by_hand(self) -> tuple[str, ...]:
        redis, saved = self._connections.redis, self._saved
        commands = [
            f"{redis.by_hand('-x', 'set', shown(value.key))} < {shlex.quote(str(saved.directory / value.file))}"
            for value in saved.values[:_SHOWN]
        ]
        if len(saved.values) > _SHOWN:
            file = shlex.quote(str(saved.directory / "manifest.json"))
            commands.append(f"jq -r '.values[] | [.file, .key] | @tsv' {file}   # and so on for the others")
        if saved.scores:
            pairs = [
                word for name, score in saved.scores.items() for word in (groups_facts.written(score), shown(name))
            ]
            commands.append(redis.by_hand("zadd", saved.index_key, *pairs))
        return (token_by_hand(self._connections.environment.vault), *commands)

    def _facts(self, replaced: list[SavedValue], new: list[SavedValue]) -> list[Fact]:
        redis, saved = self._connections.redis, self._saved
        facts = [*groups_facts.moved_proxy(redis), groups_facts.running_rebuild(self._connections)]
        facts.append(Fact("saved", f"{saved.made_at:%Y-%m-%d %H:%M}Z"))
        if saved.address != str(redis.address):
            facts.append(Fact("address", f"saved from {saved.address}, now {redis.address}", Status.WARN))
        if replaced:
            facts.append(Fact("replaced", f"{len(replaced):,} keys exist now, and get the saved values", Status.WARN))
        try:
            info = redis.server_info()
        except ToolkitError as error:
            facts.append(Fact("memory", f"not known: {error.message}", Status.UNKNOWN))
            return facts
        wanted = sum(value.bytes for value in new)
        if info.max_bytes and info.used_bytes is not None:
            free = info.max_bytes - info.used_bytes
            text = f"{amount(wanted)} needed, {amount(free)} free in Redis"
            facts.append(Fact("memory", text, Status.OK if free > wanted else Status.FAIL))
        return facts
