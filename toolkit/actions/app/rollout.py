"""Watches a rollout to its end: how many new pods are ready, what keeps one from it; never hangs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from toolkit.actions.app.trouble import Trouble, stands_out, trouble_of
from toolkit.errors import ToolkitError, Unreachable
from toolkit.figures import duration
from toolkit.progress import Progress
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.deployments import Deployment
from toolkit.systems.cluster.objects import Pod

_DEADLINE: Final = "ProgressDeadlineExceeded"


class End(StrEnum):
    """done: all pods are new and ready. stuck: it gets no further, `trouble` or `problem` says why. gone: its
    Deployment was deleted. other: somebody changed its template meanwhile. stopped: we were asked to watch no longer.
    lost: the cluster cannot be asked any more. overdue: it took longer than we wait."""

    DONE = "done"
    STUCK = "stuck"
    GONE = "gone"
    OTHER = "other"
    STOPPED = "stopped"
    LOST = "lost"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Seen:
    """How watching ended: the new pods that are ready, of how many; the old ones that are still there."""

    end: End
    ready: int
    wanted: int
    old: int
    trouble: Trouble | None = None
    problem: str = ""


@dataclass
class RolloutWatch:
    """Looks at the rollout that was begun with `deployment` (as the restart gave it back) every `poll` seconds, for
    `limit` seconds at most. A pod in trouble is borne for `bear` seconds, an unreachable cluster for `patience`."""

    cluster: Cluster
    deployment: Deployment
    progress: Progress
    limit: float
    poll: float = 1.0
    bear: float = 120.0
    patience: float = 300.0
    _ready: int = -1
    _old: int = 0
    _trouble: Trouble | None = None
    _since: float = 0.0  # when it last got further
    _said: str = ""

    def to_the_end(self) -> Seen:
        """Block until the rollout is over, or there is a reason to watch no longer."""
        begun = seen_last = self._since = time.monotonic()
        while True:
            if self.progress.stop.is_set():
                return self._ended(End.STOPPED)
            try:
                end = self._look()
                seen_last = time.monotonic()
                if end is not None:
                    return end
            except Unreachable as error:
                self._say(f"{error.message} Trying on; the rollout is not affected.")
                if time.monotonic() - seen_last > self.patience:
                    return self._ended(End.LOST, error.message)
            except ToolkitError as error:
                return self._ended(End.LOST, error.message)
            if time.monotonic() - begun > self.limit:
                return self._ended(End.OVERDUE, f"it has been going on for {duration(self.limit)}")
            self.progress.stop.wait(self.poll)

    def _look(self) -> Seen | None:
        found = self.cluster.deployment(self.deployment.namespace, self.deployment.name)
        if found is None or found.uid != self.deployment.uid:
            return self._ended(End.GONE)
        if found.restarted_at != self.deployment.restarted_at:
            return self._ended(End.OTHER)
        pods = [pod for pod in self.cluster.pods(found.namespace, found.selector) if not pod.over]
        new = [pod for pod in pods if pod.restarted_at == found.restarted_at]
        self._count(found, new, len(pods) - len(new))
        if found.rolled_out and self._ready >= found.wanted and not self._old:
            return self._ended(End.DONE)
        exceeded = found.seen and found.progress == _DEADLINE
        if unready := [pod for pod in new if not _is_ready(pod)]:
            self._look_at(unready, even_if_quiet=exceeded)
        if exceeded:
            return self._ended(End.STUCK, f"{found.progress}: {found.progress_message}")
        if self._trouble is not None and (self._trouble.sure or time.monotonic() - self._since > self.bear):
            return self._ended(End.STUCK)
        return None

    def _count(self, found: Deployment, new: list[Pod], old: int) -> None:
        self.deployment = found
        ready = sum(_is_ready(pod) for pod in new)
        if (ready, old) != (self._ready, self._old):
            if ready > self._ready:
                self._since, self._trouble = time.monotonic(), None
            self._ready, self._old = ready, old
            still = f"{old} old {'one' if old == 1 else 'ones'} still there" if old else ""
            self.progress.advance("new pods ready", ready, found.wanted, "pods", still)

    def _look_at(self, unready: list[Pod], *, even_if_quiet: bool) -> None:
        """Say what is wrong with the first new pod that says so; with any of them where they should be ready by now."""
        loud = [pod for pod in unready if stands_out(pod)]
        if not loud and not even_if_quiet:
            return
        pod = (loud or unready)[0]
        known = (pod.name, pod.reason, pod.restarts)
        if self._trouble is None or self._said != str(known):
            self._trouble = trouble_of(self.cluster, pod)
            self._say(self._trouble.text, str(known))

    def _ended(self, end: End, problem: str = "") -> Seen:
        return Seen(end, max(self._ready, 0), self.deployment.wanted, self._old, self._trouble, problem)

    def _say(self, text: str, key: str = "") -> None:
        if (key or text) != self._said:
            self._said = key or text
            self.progress.step(text)


def _is_ready(pod: Pod) -> bool:
    return bool(pod.containers) and pod.ready >= len(pod.containers) and not pod.terminating
