"""The pods of a workload as a source of lines. How one container's log is read across cuts and restarts is in
systems/cluster/log.py, how pods are followed as they come and go in pods_live.py."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import Final

from toolkit.errors import NotFound
from toolkit.logs.container import ContainerLines
from toolkit.logs.entry import Kind, Line, Notice
from toolkit.logs.merging import merged
from toolkit.logs.pods_live import PodsFollowed
from toolkit.logs.reading_ahead import Ahead
from toolkit.logs.source import Sink, Window
from toolkit.logs.workloads import Workload
from toolkit.progress import Progress
from toolkit.systems.cluster.log import Batch
from toolkit.systems.cluster.requests import NotYet

_BEYOND: Final = 10**10  # ns: stamps do not run backwards so far; what is later than the window's end by that ends it


class PodsSource:
    """What the containers of `workload` write, init containers included. `previous`: also what each wrote before its
    last restart. While they are followed, a log that is silent for `silence` seconds is asked for its last line."""

    def __init__(self, workload: Workload, *, previous: bool = False, name: str = "", silence: float = 15.0) -> None:
        self.name = name or workload.name
        self._silence = silence
        self._workload = workload
        self._previous = previous

    def past(self, window: Window, progress: Progress) -> Iterator[Line | Notice]:
        """See Source. The containers are read side by side. Raises NotFound where there is no such pod."""
        chosen = self._workload.choose(window)
        pods = [pod for pod in self._workload.cluster.pods_of(chosen.pods) if chosen.includes(pod)]
        if not pods:
            raise NotFound(
                f"There is no pod of {self.name} in {chosen.pods.namespace} of cluster {self._workload.cluster.name}"
                f"{' that ran in that time' if window.since is not None else ''}.",
                hint="Pods that are gone have left their lines in Loki and Cloud Logging, where those are configured.",
                by_hand=self._workload.by_hand,
            )
        progress.step(f"Reading the logs of {len(pods)} {'pod' if len(pods) == 1 else 'pods'} of {self.name}")
        readings = [
            (lines, Ahead(partial(self._read, lines), progress, lines.name))
            for pod in reversed(pods)
            for lines in (ContainerLines.of(pod, container, window) for container in pod.parts)
        ]
        try:
            yield from merged([_with_trouble(lines, reading) for lines, reading in readings])
            errors = [reading.error for _, reading in readings if reading.error is not None and not reading.any]
            if errors and len(errors) == len(readings):
                raise errors[0]
        finally:
            for _, reading in readings:
                reading.close()

    def follow(self, since: int, sink: Sink, stop: threading.Event) -> None:
        """See Source. Raises ToolkitError where the cluster cannot say which pods are meant."""
        chosen = self._workload.choose(Window(since))
        PodsFollowed(
            self.name,
            self._workload.cluster,
            chosen,
            since,
            sink,
            stop,
            previous=self._previous,
            silence=self._silence,
        ).run()

    def _read(self, lines: ContainerLines, progress: Progress) -> Iterator[Line | Notice]:
        """One container's log in the window, and before it that of its last run, if that is wanted."""
        container = lines.container
        if not container.begun:
            if trouble := lines.trouble(container):
                yield lines.said(Kind.PROBLEM, trouble)
            return
        if self._previous and container.last_reason:
            yield from self._log(lines, progress, previous=True)
        yield from self._log(lines, progress, previous=False)

    def _log(self, lines: ContainerLines, progress: Progress, *, previous: bool) -> Iterator[Line | Notice]:
        pod, container = lines.pod, lines.container
        log = self._workload.cluster.follow_pod_log(
            pod.namespace, pod.name, container.name, follow=False, since=lines.since, previous=previous
        )
        try:
            for item in log.batches():
                progress.check_stop()
                if not isinstance(item, Batch):
                    if item.kind in ("gap", "problem"):
                        yield lines.notice(item)
                    continue
                yield from lines.lines(item)
                until = lines.window.until
                if until is not None and item.times[-1] >= until + _BEYOND:
                    return
            if log.ended == "the pod is gone":
                yield lines.said(Kind.GAP, "went before its log could be read to its end")
        except NotYet as error:  # the kubelet does not keep it any more, or the container has just gone away
            yield lines.said(Kind.GAP, f"has no log that can be read: {error.message}")
        finally:
            log.close()


def _with_trouble(lines: ContainerLines, reading: Ahead[Line | Notice]) -> Iterator[Line | Notice]:
    yield from reading
    if reading.error is not None:
        yield lines.said(Kind.PROBLEM, f"could not be read on: {reading.error.message}")
