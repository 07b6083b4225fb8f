"""Which pods are meant: the cache manager's runs, the app's pods, whatever a selector finds, one pod.

Each is in a cluster of its own: the part's, never "the current context". Nothing is asked before `choose` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from toolkit.errors import ConfigurationError, NotFound
from toolkit.logs.source import Window
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.objects import CronJob, Job, Pod
from toolkit.systems.cluster.pod_watch import Pods
from toolkit.systems.connections import Connections

_SECOND: Final = 10**9
_OF_A_JOB: Final = "job-name"  # the label that every Job's pods have


def _any(pod: Pod) -> bool:
    del pod
    return True


@dataclass(frozen=True)
class Chosen:
    """The pods of `pods` for which `includes` holds; it may ask the cluster."""

    pods: Pods
    includes: Callable[[Pod], bool] = _any


@dataclass(frozen=True)
class Workload:
    """Pods that belong together. `choose` asks the cluster which they are, for a time; it raises ToolkitError."""

    name: str
    cluster: Cluster
    choose: Callable[[Window], Chosen]
    by_hand: tuple[str, ...] = ()


def selected(cluster: Cluster, namespace: str, labels: str) -> Workload:
    """The pods that a label selector finds."""
    by_hand = cluster.kubectl("get", "pods", "-l", labels, namespace=namespace)
    return Workload(f"pods {labels}", cluster, lambda _: Chosen(Pods(namespace, labels)), (by_hand,))


def one_pod(cluster: Cluster, namespace: str, pod: str) -> Workload:
    """The pod of that name."""
    by_hand = cluster.kubectl("get", "pod", pod, namespace=namespace)
    return Workload(f"pod {pod}", cluster, lambda _: Chosen(Pods(namespace, fields=f"metadata.name={pod}")), (by_hand,))


def app(connections: Connections) -> Workload:
    """MapApp's own pods, in its cluster. Raises ConfigurationError where that is not set."""
    part = connections.environment.app
    cluster = connections.cluster(_set(connections, "app", "cluster", part.cluster))
    name = _set(connections, "app", "deployment", part.deployment)
    by_hand = cluster.kubectl("get", "deployment", name, namespace=part.namespace)

    def choose(window: Window) -> Chosen:
        del window
        found = cluster.deployment(part.namespace, name)
        if found is None:
            raise NotFound(
                f"There is no Deployment {name} in namespace {part.namespace or '(any)'} of cluster {cluster.name}.",
                hint="Correct app.cluster, .namespace or .deployment in the configuration.",
                by_hand=(by_hand,),
            )
        return Chosen(Pods(found.namespace, found.selector))

    return Workload("app", cluster, choose, (by_hand,))


def cache_manager(connections: Connections) -> Workload:
    """The cache manager's pods, in its cluster: of the runs in a time, or of the last one where no beginning is given;
    and of each that begins while they are followed. Raises ConfigurationError where it is not set where that is."""
    part = connections.environment.cache_manager
    cluster = connections.cluster(_set(connections, "cache_manager", "cluster", part.cluster))
    name = _set(connections, "cache_manager", "cronjob", part.cronjob)
    by_hand = cluster.kubectl("get", "jobs", namespace=part.namespace)

    def choose(window: Window) -> Chosen:
        found = cluster.cronjob(part.namespace, name)
        if found is None:
            raise NotFound(
                f"There is no CronJob {name} in namespace {part.namespace or '(any)'} of cluster {cluster.name}.",
                hint="`toolkit cache status` looks in which cluster it is.",
                by_hand=(by_hand,),
            )
        return Chosen(Pods(found.namespace, _OF_A_JOB), _Runs(cluster, found, window).includes)

    return Workload("cache-manager", cluster, choose, (by_hand,))


class _Runs:
    """The Jobs of a CronJob that ran in a window."""

    def __init__(self, cluster: Cluster, cronjob: CronJob, window: Window) -> None:
        self._cluster, self._cronjob, self._window = cluster, cronjob, window
        jobs = cluster.jobs_of(cronjob)
        if window.since is None:
            jobs = [job for job in jobs if not job.over] or jobs[:1]
        self._wanted = {job.name: self._ran(job) for job in jobs}
        self._others_too = window.since is not None

    def includes(self, pod: Pod) -> bool:
        """Whether the pod is of one of them. A Job that is not known yet is looked at, once."""
        if pod.owner not in self._wanted:
            job = self._cluster.job(self._cronjob.namespace, pod.owner) if pod.owner and self._others_too else None
            own = job is not None and job.owner_uid == self._cronjob.uid
            self._wanted[pod.owner] = own and job is not None and self._ran(job)
        return self._wanted[pod.owner]

    def _ran(self, job: Job) -> bool:
        since, until = self._window.since, self._window.until
        begun, ended = job.started or job.created, job.finished
        if until is not None and begun is not None and begun.timestamp() * _SECOND >= until:
            return False
        return since is None or ended is None or (ended.timestamp() + 1) * _SECOND >= since


def _set(connections: Connections, part: str, key: str, value: str) -> str:
    if not value:
        raise ConfigurationError(
            f"Where that runs is not configured: environments.{connections.environment.name}.{part}.{key} is empty.",
            hint="Set it; `toolkit config check` lists all that is open.",
        )
    return value
