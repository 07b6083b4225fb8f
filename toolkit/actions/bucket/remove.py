"""Removing folders and objects from L3: previewed, written down in a manifest first, resumable, undone by restoring.

The bucket itself cannot be removed; all of its content can, by whoever types the bucket's name.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.actions.bucket import manifest as bucket_manifest
from toolkit.actions.bucket.manifest import Manifest
from toolkit.actions.bucket.selection import (
    Selection,
    allowed,
    changes,
    covers_all,
    in_use,
    left_lines,
    live,
    roots,
    select,
    undo_of,
    url_argument,
)
from toolkit.actions.plan import Damage, Fact, Outcome, Plan, Result
from toolkit.cache.frame_names import folder
from toolkit.checks.finding import Finding, Status
from toolkit.errors import Refused, UsageError
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.bucket import ObjectInfo
from toolkit.systems.bucket.names import Target, shown, target

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

_TO_GO_ON = "to go on: "
_BY_HAND = 20  # commands that are written out


@dataclass(frozen=True)
class _Planned:
    """What a plan is about. `file` is where the manifest lies, or will; `undoable`: what is deleted is kept a while."""

    manifest: Manifest
    file: Path
    undoable: bool


class RemoveFromBucket:
    """Delete what `paths` mean (typed, or targets); or, with `manifest`, what is still there of its objects."""

    name = "bucket.remove"

    def __init__(
        self, connections: Connections, paths: Sequence[str | Target] = (), manifest: Path | None = None
    ) -> None:
        self._connections = connections
        self._bucket = connections.bucket
        self._prefix = folder(connections.environment.bucket.prefix)
        if bool(paths) == (manifest is not None):
            raise UsageError("Say what to remove: either paths or a manifest.")
        self._file = manifest
        self._listed: frozenset[tuple[str, int]] | None = None
        if manifest is None:
            self._targets = tuple(target(path, self._bucket.name) if isinstance(path, str) else path for path in paths)
        else:
            read = bucket_manifest.read(manifest)
            check_same_place(connections, read)
            self._listed = frozenset((item.path, item.generation) for item in read.objects)
            self._targets = tuple(Target(path) for path in read.paths)
        self._planned: dict[str, _Planned] = {}

    def plan(self) -> Plan:
        environment = self._connections.environment
        selection = self._select()
        objects = selection.objects
        manifest = Manifest(environment.name, self._bucket.name, roots(self._targets), objects)
        file = self._file or manifest.file
        undoable, undo, soft_delete = undo_of(self._bucket, self._command("restore", file))
        facts = [soft_delete, *in_use(self._connections, objects), *allowed(self._bucket, "storage.objects.delete")]
        facts += [Fact(shown(t.path), "nothing is there", Status.WARN) for t in selection.empty]
        facts.append(Fact("manifest", str(file) if self._file else f"{file} (written before anything is deleted)"))
        whole = covers_all(self._bucket, self._targets, self._prefix)
        if whole:
            facts.insert(0, Fact("all of it", f"everything in {self._bucket.url(self._prefix)}", Status.WARN))
        plan = Plan(
            action=self.name,
            environment=environment.name,
            title=f"Remove {len(objects):,} object{'' if len(objects) == 1 else 's'} from the bucket",
            where=f"gs://{self._bucket.name}",
            changes=changes(self._bucket, "delete", self._targets, objects),
            damage=Damage.LARGE,
            confirm=self._bucket.name if whole else environment.name,
            undo=undo,
            by_hand=self._by_hand(objects),
            preconditions=(("objects and generations", manifest.digest),),
            facts=tuple(facts),
        )
        self._planned[plan.hash] = _Planned(manifest, file, undoable)
        return plan

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        planned = self._planned.get(plan.hash)
        if planned is None:
            raise Refused("This plan was not made here; nothing was deleted.", hint="Make a new one.")
        objects = planned.manifest.objects
        if self._file is None:
            progress.step(f"Writing down {len(objects):,} objects and their generations")
            bucket_manifest.write(planned.manifest)
        progress.step(f"Deleting {len(objects):,} objects")
        result = self._bucket.delete(objects, permit, progress)
        details = [f"manifest: {planned.file}"]
        if result.already_gone:
            details.append(f"{result.already_gone:,} were gone already")
        if result.failed:
            details.append(f"{_TO_GO_ON}{self._command('rm', planned.file)}")
        summary = f"{len(result.done):,} of {len(objects):,} objects deleted from {plan.where}"
        return Outcome(
            Result.DONE if not result.failed else Result.PARTIAL if result.done else Result.FAILED,
            f"{summary}: {result.stopped}" if result.stopped else f"{summary}.",
            undo=(self._command("restore", planned.file),) if result.done and planned.undoable else (),
            left=left_lines(self._bucket, result.failed),
            details=tuple(details),
        )

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:
        """List again: is what was to go gone, and has something else appeared?"""
        planned = {(item.path, item.generation) for item in self._planned[plan.hash].manifest.objects}
        found = self._live()
        there = [item for item in found if (item.path, item.generation) in planned]
        new = [item for item in found if (item.path, item.generation) not in planned]
        listed = tuple(Target(path).prefix for path in roots(self._targets)[:_BY_HAND])
        by_hand = tuple(f"gcloud storage ls --recursive {url_argument(self._bucket, path)}" for path in listed)
        summary = f"listed again: none of the {len(planned):,} objects is left"
        told = [Finding("removed from the bucket", Status.OK, summary, by_hand=by_hand)]
        if there:
            summary = f"{len(there):,} of {len(planned):,} objects are still in {plan.where}"
            hint = next((line.removeprefix(_TO_GO_ON) for line in outcome.details if line.startswith(_TO_GO_ON)), "")
            told = [Finding("removed from the bucket", Status.FAIL, summary, hint, by_hand=by_hand)]
        if new and self._listed is None:
            summary = f"{len(new):,} objects there are newer than the plan, and were left"
            hint = "Does the cache manager run just now? `toolkit cache status`"
            told.append(Finding("written meanwhile", Status.WARN, summary, hint, by_hand=by_hand))
        return tuple(told)

    def _select(self) -> Selection:
        if self._listed is None:
            return select(self._bucket, self._targets, self._prefix)
        there = [item for item in self._live() if (item.path, item.generation) in self._listed]
        return Selection(self._targets, tuple(sorted(there, key=lambda item: item.path)))

    def _live(self) -> list[ObjectInfo]:
        return list(live(self._bucket, self._targets).values())

    def _command(self, verb: str, file: Path) -> str:
        environment = self._connections.environment.name
        return f"toolkit bucket {verb} --manifest {shlex.quote(str(file))} --env {environment}"

    def _by_hand(self, objects: Sequence[ObjectInfo]) -> tuple[str, ...]:
        """What a person would type. Never `rm --recursive gs://BUCKET`, which removes the bucket itself."""
        if self._file is not None:
            names = f"""jq -r 'select(.path) | "{self._bucket.url()}\\(.path)"' {shlex.quote(str(self._file))}"""
            return (f"{names} | gcloud storage rm --read-paths-from-stdin",)
        commands = []
        there = {found.path for found in objects}
        for item in self._targets:
            if item.name is not None and item.name in there:
                commands.append(f"gcloud storage rm {url_argument(self._bucket, item.name)}")
            if not item.only and any(found.path.startswith(item.prefix) for found in objects):
                commands.append(f"gcloud storage rm {url_argument(self._bucket, item.prefix + '**')}")
        if (more := len(commands) - _BY_HAND) > 0:
            return (*commands[:_BY_HAND], f"# … and {more:,} more, which the manifest names")
        return tuple(commands)


def check_same_place(connections: Connections, manifest: Manifest) -> None:
    """Raise Refused where the manifest was made for another bucket or environment."""
    environment = connections.environment
    if (manifest.bucket, manifest.environment) != (connections.bucket.name, environment.name):
        raise Refused(
            f"The manifest is about gs://{manifest.bucket} of {manifest.environment}; this is gs://"
            f"{connections.bucket.name} of {environment.name}.",
            hint=f"Add --env {manifest.environment}.",
        )
