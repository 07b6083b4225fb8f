"""Watches a Job to its end, with its pod's log; never hangs on one that failed, was deleted, or cannot be seen."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from toolkit.actions.rebuild.facts import minutes
from toolkit.errors import ToolkitError, Unreachable
from toolkit.progress import Progress
from toolkit.systems.cluster import Cluster, Forbidden
from toolkit.systems.cluster.log import PodLog
from toolkit.systems.cluster.objects import Job, Pod

_KEPT_LINES: Final = 400
_DRAIN_SECONDS: Final = 10.0


class End(StrEnum):
    """complete, failed: as the Job says. gone: it was deleted. stopped: we were asked to stop watching. lost: the
    cluster cannot be asked any more. overdue: it took longer than we wait."""

    COMPLETE = "complete"
    FAILED = "failed"
    GONE = "gone"
    STOPPED = "stopped"
    LOST = "lost"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Seen:
    """How watching ended: the Job as last seen, its newest pod, the log's last lines, and why nothing more was seen."""

    end: End
    job: Job
    pod: Pod | None
    lines: tuple[str, ...]
    problem: str = ""


@dataclass
class Watch:
    """Looks at a Job every `poll` seconds, for `limit` seconds at most; an unreachable cluster is borne for `patience`
    seconds."""

    cluster: Cluster
    job: Job
    progress: Progress
    follow: bool
    limit: float
    poll: float = 1.5
    patience: float = 300.0
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    _pod: Pod | None = None
    _met: set[str] = field(default_factory=set)
    _log: PodLog | None = None
    _thread: threading.Thread | None = None
    _said: str = ""

    def to_the_end(self) -> Seen:
        """Block until the Job is over, or there is a reason to watch no longer."""
        begun = time.monotonic()
        seen_last = begun
        try:
            while True:
                if self.progress.stop.is_set():
                    return self._ended(End.STOPPED)
                try:
                    job = self.cluster.job(self.job.namespace, self.job.name)
                    if job is None or job.uid != self.job.uid:
                        return self._ended(End.GONE)
                    self.job = job
                    self._look_at_pods()
                    seen_last = time.monotonic()
                except Unreachable as error:
                    self._say(f"{error.message} Trying on; the job is not affected.")
                    if time.monotonic() - seen_last > self.patience:
                        return self._ended(End.LOST, error.message)
                except ToolkitError as error:
                    return self._ended(End.LOST, error.message)
                if self.job.over:
                    self._drain()
                    return self._ended(End.COMPLETE if self.job.state == "complete" else End.FAILED)
                if time.monotonic() - begun > self.limit:
                    return self._ended(End.OVERDUE, f"it has been going on for {minutes(self.limit)}")
                self.progress.stop.wait(self.poll)
        finally:
            self._close_log()

    def _ended(self, end: End, problem: str = "") -> Seen:
        if end in (End.FAILED, End.COMPLETE) and not self.follow:
            self._fetch_tail()
        return Seen(end, self.job, self._pod, tuple(self._lines), problem)

    def _look_at_pods(self) -> None:
        try:
            pods = self.cluster.pods(self.job.namespace, f"job-name={self.job.name}")
        except Forbidden as error:
            self._say(f"Its pod cannot be looked at: {error.message}")
            return
        known = {pod.uid for pod in pods} & self._met
        for pod in reversed(pods):  # two made in the same second are told apart by which was met first
            if pod.uid not in known:
                self._met.add(pod.uid)
                self._begin_with(pod)
            elif self._pod is not None and pod.uid == self._pod.uid:
                self._pod = pod
        if self._pod is not None:
            why = f": {self._pod.reason}" if self._pod.reason else ""
            more = f" ({self._pod.message})" if self._pod.message else ""
            self._say(f"Pod {self._pod.name} is {self._pod.phase}{why}{more}")

    def _begin_with(self, pod: Pod) -> None:
        """Follow this pod from now on; the one before it is over, and its log is read to the end first."""
        self._drain()
        self._close_log()
        self._lines.clear()
        self._pod = pod
        if self.follow:
            self._log = self.cluster.follow_pod_log(pod.namespace, pod.name, _container(pod))
            self._thread = threading.Thread(target=self._read, args=(self._log,), daemon=True, name="pod log")
            self._thread.start()

    def _read(self, log: PodLog) -> None:
        try:
            for line in log:
                self._lines.append(line.text)
                self.progress.line(log.pod, line.text)
        except ToolkitError as error:
            self._say(f"The log of {log.pod} cannot be followed any more: {error.message}")

    def _drain(self) -> None:
        """Let the log come to its own end, for a while."""
        if self._thread is not None:
            end = time.monotonic() + _DRAIN_SECONDS
            while self._thread.is_alive() and time.monotonic() < end and not self.progress.stop.is_set():
                self._thread.join(0.1)

    def _fetch_tail(self) -> None:
        if self._pod is None:
            return
        log = self.cluster.follow_pod_log(
            self._pod.namespace, self._pod.name, _container(self._pod), follow=False, tail=_KEPT_LINES
        )
        try:
            self._lines.extend(line.text for line in log)
        except ToolkitError as error:
            self._say(f"The log of {self._pod.name} cannot be read: {error.message}")

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
        if self._thread is not None:
            self._thread.join(_DRAIN_SECONDS)
        self._log = self._thread = None

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self.progress.step(text)


def _container(pod: Pod) -> str:
    return pod.containers[0] if len(pod.containers) > 1 else ""
