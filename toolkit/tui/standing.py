"""How the open environment stands: what Home asks of the core. Each method blocks, so it is called in a thread.

What several panels need (the layers, the CronJob, its runs) is asked once and shared for some seconds: panels that
refresh together ask no system twice.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from toolkit.errors import ToolkitError
from toolkit.tui.clock import ticks

if TYPE_CHECKING:
    from toolkit.cache.groups import Overview
    from toolkit.cache.layers import Layers
    from toolkit.cache.memory import AppMemory
    from toolkit.checks.finding import Finding
    from toolkit.checks.runner import Check
    from toolkit.checks.shared import Run
    from toolkit.systems.cluster.objects import Job
    from toolkit.systems.connections import Connections
    from toolkit.tui.core import Manager

_SHARED: Final = 8.0  # seconds for which one panel's answer is also the others'
_LONGEST: Final = 400  # characters of a log's line


@dataclass(frozen=True)
class LayersSeen:
    """L2 and L3; `written` is when a group's last object was written to the bucket."""

    overview: Overview
    written: Mapping[str, datetime] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class MemorySeen:
    """L1; `memory` is None where it could not be looked at: the finding says why."""

    memory: AppMemory | None
    finding: Finding


@dataclass(frozen=True)
class ManagerSeen:
    """The cache manager, where it really is; `place` is "" where that is where it is configured, else where that was.
    `says` is the last line of the log of the run that is going on."""

    manager: Manager
    place: str = ""
    says: str = ""
    findings: tuple[Finding, ...] = ()


class Standing:
    """The questions of Home about one environment."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._begun = 0.0
        self._counts: dict[tuple[object, ...], int] = {}
        self._ended: tuple[str, Finding] | None = None

    def forget(self) -> None:
        """Whatever is asked from now on is asked anew."""
        with self._lock:
            self._run = None

    def hop_names(self) -> tuple[str, ...]:
        """The hops of `hops`, in the order of their dependence."""
        return tuple(check.name for check in self._hops())

    def hops(self) -> Iterator[Finding]:
        """Health hop by hop, each finding as it becomes known; with the facts that the diagnosis goes by."""
        from toolkit.checks.runner import run

        _import_sdks()
        return run(self._hops())

    def layers(self) -> LayersSeen:
        """Raises the error of L2 where neither layer can be read."""
        from toolkit.cache.groups import overview_of
        from toolkit.checks import shared

        _import_sdks()
        run = self._lately()
        with shared.within(run):
            read = shared.layers(self.connections)
        findings = tuple(self._asked(run, "groups-complete"))
        return LayersSeen(overview_of(read, self.connections.environment.cache), _written(read), findings)

    def memory(self) -> MemorySeen:
        """L1, as the app's pods tell it. Raises nothing."""
        from toolkit.cache import memory
        from toolkit.checks import app_pods, shared
        from toolkit.checks.finding import Finding, Status

        with shared.within(self._lately()):
            try:
                found = memory.look(self.connections, shared.ONCE)
            except ToolkitError as error:
                said = Finding("app-pods", Status.UNKNOWN, error.message, error.hint, by_hand=error.by_hand)
                return MemorySeen(None, said)
            return MemorySeen(found, replace(app_pods.finding(self.connections, found), name="app-pods"))

    def manager(self) -> ManagerSeen:
        """Raises NotFound where no configured cluster has the CronJob, and what the clusters raise."""
        from toolkit.cache import rebuilds, schedules
        from toolkit.checks import shared
        from toolkit.tui.core import Manager

        run = self._lately()
        with shared.within(run):
            found = shared.cronjob(self.connections)
            jobs = tuple(shared.runs_of(self.connections, found.cronjob))
        cronjob = found.cronjob
        try:
            next_runs, problem = schedules.schedule_of(cronjob).next, ""
        except ToolkitError as error:
            next_runs, problem = (), error.message
        manager = Manager(cronjob, jobs, next_runs[0] if next_runs and not cronjob.suspended else None, problem)
        place = "" if found.in_place else rebuilds.part_of(self.connections).cluster
        says = self._says(manager.running) if manager.running is not None else ""
        findings = (*self._asked(run, "cache-manager-place", "rebuild-running"), self._last_run(run, manager.last))
        return ManagerSeen(manager, place, says, findings)

    def image(self) -> Finding:
        """Does the cache manager run the image that eng-infrastructure asks for?"""
        _import_sdks()
        return next(self._asked(self._lately(), "image"))

    def loader(self) -> tuple[Finding, ...]:
        """Does configome ask the group auto-loader for what production asks for, and are the groups of it there?"""
        _import_sdks()
        return tuple(self._asked(self._lately(), "loader-settings", "loader-groups"))

    def pert_counts(self, stop: threading.Event) -> Iterator[tuple[str, int | None]]:
        """How many perturbations each group has, one group after the other: from the index on this machine where the
        frames are the known ones, else by reading their names alone. None: they could not be read."""
        from toolkit.cache import stored
        from toolkit.cache.search.name_index import NameIndex
        from toolkit.cache.search.searching import Search
        from toolkit.checks import shared
        from toolkit.progress import Progress
        from toolkit.systems.bucket.names import shown

        with shared.within(self._lately()):
            read = shared.layers(self.connections)
        index = NameIndex()
        for raw in stored.group_names(read):
            # The bucket's frames have a version of their own: what is known of them need not be compared.
            frames = list(stored.in_l3(self.connections, read, [raw])) or list(
                stored.in_l2(self.connections, read, [raw])
            )
            version = (raw, *sorted((one.place.frame, one.bytes, one.generation, one.score or 0) for one in frames))
            if frames and version not in self._counts:
                search = Search(self.connections, frames, Progress(stop=stop), index)
                searched = search.search([raw], [frames[0].place.layer])
                if searched.unreadable and not searched.held:
                    yield shown(raw), None
                    continue
                self._counts[version] = len(set(searched.names()))
            yield shown(raw), self._counts.get(version, 0)

    def _last_run(self, run: Run, job: Job | None) -> Finding:
        """How the last run ended. A run that is over does not change: why it failed is read from its log once."""
        if job is not None and self._ended is not None and self._ended[0] == job.uid:
            return self._ended[1]
        finding = next(self._asked(run, "last-rebuild"))
        if job is not None and (finding.well or finding.facts.get("log")):
            self._ended = (job.uid, finding)
        return finding

    def _says(self, job: Job) -> str:
        """The last line of a run's log; "" where there is none yet, or it cannot be read."""
        cluster = self.connections.cluster(job.cluster)
        try:
            pods = cluster.pods(job.namespace, f"job-name={job.name}")
            if not pods:
                return ""
            container = pods[0].containers[0] if len(pods[0].containers) > 1 else ""
            lines = cluster.follow_pod_log(job.namespace, pods[0].name, container, follow=False, tail=1)
            return next((line.text[:_LONGEST] for line in lines), "")
        except ToolkitError:
            return ""  # a run is watched by its state; what it says is said where it can be

    def _lately(self) -> Run:
        from toolkit.checks.shared import Run

        with self._lock:
            if self._run is None or ticks() - self._begun > _SHARED:
                self._run, self._begun = Run(), ticks()
            return self._run

    def _asked(self, run: Run, *names: str) -> Iterator[Finding]:
        from toolkit.checks import questions, runner

        return runner.run([questions.check(name, self.connections, {}, run=run) for name in names])

    def _hops(self) -> Sequence[Check]:
        """The doctor's; where a question with facts asks the same, it is asked in its place."""
        from toolkit.checks import doctor, hops, questions

        own = {question.name for question in hops.QUESTIONS}
        return [
            replace(check, ask=questions.check(check.name, self.connections, {}).ask) if check.name in own else check
            for check in doctor.checks(self.connections)
        ]


def _import_sdks() -> None:
    """Before the questions that need Vault, Redis or the bucket; those of the clusters alone go ahead meanwhile."""
    from toolkit.systems import sdks

    sdks.load()


def _written(read: Layers) -> dict[str, datetime]:
    from toolkit.systems.bucket.names import shown

    if isinstance(read.l3, ToolkitError):
        return {}
    return {shown(raw): max(one.updated for one in frames.values()) for raw, frames in read.l3.frames.items() if frames}
