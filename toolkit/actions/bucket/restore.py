"""Bringing back what was removed from L3, as long as the bucket keeps it: by manifest, or by path."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.actions.bucket import manifest as bucket_manifest
from toolkit.actions.bucket.manifest import Manifest, digest
from toolkit.actions.bucket.remove import check_same_place
from toolkit.actions.bucket.selection import allowed, changes, kept, left_lines, live, roots, url_argument
from toolkit.actions.plan import Damage, Fact, Outcome, Plan, Result
from toolkit.checks.finding import Finding, Status
from toolkit.errors import NotFound, Refused, ToolkitError, UsageError
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.bucket import ObjectInfo
from toolkit.systems.bucket.names import Target, shown, target_with_generation

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


_BY_HAND = 20  # commands that are written out
_APART = timedelta(hours=1)


@dataclass(frozen=True)
class _Planned:
    objects: tuple[ObjectInfo, ...]
    replacing: dict[str, int]


class RestoreInBucket:
    """Bring back what `manifest` lists, or the newest kept generation of what `paths` mean.

    `PATH#GENERATION` means that generation. A live object of the same name is left as it is, unless `overwrite`.
    """

    name = "bucket.restore"

    def __init__(
        self,
        connections: Connections,
        paths: Sequence[str | Target] = (),
        manifest: Path | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        self._connections = connections
        self._bucket = connections.bucket
        self._overwrite = overwrite
        if bool(paths) == (manifest is not None):
            raise UsageError("Say what to restore: either paths or a manifest.")
        self._file = manifest
        self._listed: tuple[ObjectInfo, ...] | None = None
        if manifest is None:
            self._targets = tuple(
                target_with_generation(path, self._bucket.name) if isinstance(path, str) else path for path in paths
            )
        else:
            read = bucket_manifest.read(manifest)
            check_same_place(connections, read)
            self._listed = read.objects
            self._targets = tuple(Target(path) for path in read.paths)
        self._planned: dict[str, _Planned] = {}

    def plan(self) -> Plan:
        environment = self._connections.environment
        there_now = self._live()
        found, lost = self._kept(there_now)
        back, newer, wanted = [], [], []
        for item in found:
            there = there_now.get(item.path)
            if there is not None and _same(there, item):
                back.append(item)
            elif there is not None and not self._overwrite:
                newer.append(item)
            else:
                wanted.append(item)
        replacing = {item.path: there_now[item.path].generation for item in wanted if item.path in there_now}
        plan = Plan(
            action=self.name,
            environment=environment.name,
            title=f"Restore {len(wanted):,} deleted object{'' if len(wanted) == 1 else 's'} in the bucket",
            where=f"gs://{self._bucket.name}",
            changes=changes(self._bucket, "restore", self._targets, wanted),
            damage=Damage.LARGE if replacing else Damage.SMALL,
            confirm=environment.name,
            undo="toolkit bucket rm --manifest FILE removes them again; FILE is written when they are back",
            by_hand=self._by_hand(wanted),
            preconditions=(
                ("objects and generations", digest(self._bucket.name, wanted)),
                *((path, str(generation)) for path, generation in sorted(replacing.items())),
            ),
            facts=self._facts(wanted, back, newer, lost, replacing),
        )
        self._planned[plan.hash] = _Planned(tuple(wanted), replacing)
        return plan

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        planned = self._planned.get(plan.hash)
        if planned is None:
            raise Refused("This plan was not made here; nothing was restored.", hint="Make a new one.")
        progress.step(f"Restoring {len(planned.objects):,} objects")
        result = self._bucket.restore(planned.objects, permit, progress, replacing=planned.replacing)
        done = {item.path for item in result.done}
        undo, details = self._written_down(done)
        details += [
            f"replaced, and kept for a while: {self._bucket.url(shown(path))}#{generation}"
            for path, generation in planned.replacing.items()
            if path in done
        ]
        summary = f"{len(result.done):,} of {len(planned.objects):,} objects are back in {plan.where}"
        return Outcome(
            Result.DONE if not result.failed else Result.PARTIAL if result.done else Result.FAILED,
            f"{summary}: {result.stopped}" if result.stopped else f"{summary}.",
            undo=undo,
            left=left_lines(self._bucket, result.failed),
            details=tuple(details),
        )

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:  # noqa: ARG002
        """List again: does everything live, with the content it had?"""
        now = self._live()
        objects = self._planned[plan.hash].objects
        missing = [item for item in objects if item.path not in now or not _same(now[item.path], item)]
        listed = tuple(Target(path).prefix for path in roots(self._targets)[:_BY_HAND])
        by_hand = tuple(f"gcloud storage ls --recursive {url_argument(self._bucket, path)}" for path in listed)
        if missing:
            summary = f"{len(missing):,} objects are not back, the first is {shown(missing[0].path)}"
            hint = "Run the same command again: what is back is left out."
            return (Finding("restored in the bucket", Status.FAIL, summary, hint, by_hand=by_hand),)
        summary = f"listed again: all {len(objects):,} objects live, with the content they had"
        return (Finding("restored in the bucket", Status.OK, summary, by_hand=by_hand),)

    def _live(self) -> dict[str, ObjectInfo]:
        return live(self._bucket, self._targets)

    def _kept(self, now: Mapping[str, ObjectInfo]) -> tuple[list[ObjectInfo], list[str]]:
        """What the bucket keeps of what is wanted, and the names of what it does not keep any more."""
        found = kept(self._bucket, self._targets)
        if self._listed is not None:
            here = [found[item.path][item.generation] for item in self._listed if _in(found, item)]
            gone = [item for item in self._listed if not _in(found, item)]
            return here, [item.path for item in gone if item.path not in now or not _same(now[item.path], item)]
        if not found:
            raise NotFound(
                f"gs://{self._bucket.name} keeps nothing deleted at {', '.join(shown(t.path) for t in self._targets)}.",
                hint="Deleted objects are kept only as long as the bucket's soft-delete policy says.",
                by_hand=tuple(
                    f"gcloud storage ls --soft-deleted --recursive {url_argument(self._bucket, t.path)}"
                    for t in self._targets[:_BY_HAND]
                ),
            )
        return [found[path][max(found[path])] for path in sorted(found)], []

    def _facts(
        self,
        wanted: Sequence[ObjectInfo],
        back: Sequence[ObjectInfo],
        newer: Sequence[ObjectInfo],
        lost: Sequence[str],
        replacing: Mapping[str, int],
    ) -> tuple[Fact, ...]:
        facts = [*allowed(self._bucket, "storage.objects.restore", "storage.objects.create")]
        times = sorted(item.soft_deleted_at for item in wanted if item.soft_deleted_at is not None)
        if times:
            first, last = (f"{moment:%Y-%m-%d %H:%M}Z" for moment in (times[0], times[-1]))
            if times[-1] - times[0] > _APART:
                text = f"at different times, from {first} to {last}: is all of it wanted?"
                facts.append(Fact("deleted", text, Status.WARN))
            else:
                facts.append(Fact("deleted", last))
        if back:
            facts.append(Fact("back already", f"{len(back):,} objects live with the same content"))
        if newer:
            text = f"{len(newer):,} objects have another one in their place, which stays (--overwrite replaces it)"
            facts.append(Fact("in the way", text, Status.WARN))
        if replacing:
            facts.append(Fact("replaces", f"{len(replacing):,} live objects, which are then soft-deleted", Status.WARN))
        facts += [Fact("lost", f"{self._bucket.url(shown(path))} is not kept any more", Status.FAIL) for path in lost]
        return tuple(facts)

    def _written_down(self, done: Collection[str]) -> tuple[tuple[str, ...], list[str]]:
        """The command that takes the restored objects away again, from a manifest of how they live now."""
        if not done:
            return (), []
        environment = self._connections.environment.name
        try:
            objects = tuple(item for path, item in sorted(self._live().items()) if path in done)
            file = bucket_manifest.write(Manifest(environment, self._bucket.name, roots(self._targets), objects))
        except ToolkitError as error:
            return (), [f"what was restored could not be written down: {error.message}"]
        return (f"toolkit bucket rm --manifest {shlex.quote(str(file))} --env {environment}",), []

    def _by_hand(self, wanted: Sequence[ObjectInfo]) -> tuple[str, ...]:
        if self._file is not None:
            file = shlex.quote(str(self._file))
            names = f"""jq -r 'select(.path) | "{self._bucket.url()}\\(.path)#\\(.generation)"' {file}"""
            return (f"{names} | gcloud storage restore --read-paths-from-stdin",)
        commands = []
        there = {found.path for found in wanted}
        for item in self._targets:
            if item.name is not None and item.name in there:
                generation = f"#{item.generation}" if item.generation else ""
                commands.append(f"gcloud storage restore {url_argument(self._bucket, item.name + generation)}")
            if not item.only and any(found.path.startswith(item.prefix) for found in wanted):
                commands.append(f"gcloud storage restore {url_argument(self._bucket, item.prefix + '**')}")
        if (more := len(commands) - _BY_HAND) > 0:
            return (*commands[:_BY_HAND], f"# … and {more:,} more")
        return tuple(commands)


def _same(one: ObjectInfo, other: ObjectInfo) -> bool:
    return (one.crc32c, one.bytes) == (other.crc32c, other.bytes)


def _in(found: Mapping[str, Mapping[int, ObjectInfo]], item: ObjectInfo) -> bool:
    return item.generation in found.get(item.path, {})
