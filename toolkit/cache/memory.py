"""L1: what MapApp's pods hold in memory, and whether it is older than the last rebuild that went well. Reads only.

A pod loads the default group when its container starts, and keeps it. A container that began before the last rebuild's
end holds what was the default group then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime

from toolkit.cache import rebuilds
from toolkit.environments import model
from toolkit.environments.needed import needed
from toolkit.errors import NotFound, ToolkitError
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.deployments import Deployment
from toolkit.systems.cluster.objects import Pod
from toolkit.systems.connections import Connections


@dataclass(frozen=True, slots=True)
class AppPod:
    """One pod of the app. `loaded` is when it began to load L1: its container's start; `stale` says whether that was
    before the last rebuild's end (None: not known). `memory` is in bytes in use, None where nobody measures it."""

    pod: Pod
    loaded: datetime | None
    stale: bool | None
    memory: int | None

    @property
    def ready(self) -> bool:
        return bool(self.pod.containers) and self.pod.ready >= len(self.pod.containers)

    @property
    def request(self) -> int | None:
        return _sum(one.memory_request for one in self.pod.parts if not one.init)

    @property
    def limit(self) -> int | None:
        return _sum(one.memory_limit for one in self.pod.parts if not one.init)


@dataclass(frozen=True)
class AppMemory:
    """The app's Deployment and its pods, the newest first. `rebuilt` is when the last rebuild ended that went well,
    None where none is known; `unknown` is why that could not be asked. `measured`: is there a metrics server?"""

    deployment: Deployment
    pods: tuple[AppPod, ...]
    rebuilt: datetime | None
    unknown: ToolkitError | None
    measured: bool

    @property
    def stale(self) -> tuple[AppPod, ...]:
        return tuple(one for one in self.pods if one.stale)

    @property
    def told(self) -> bool:
        """Whether it is known of each pod whether it is stale."""
        return all(one.stale is not None for one in self.pods)


def part_of(connections: Connections) -> model.App:
    """The environment's app. Raises ConfigurationError where its cluster or Deployment is not set."""
    environment = connections.environment
    return needed(environment, "app", environment.app, "Where MapApp's pods are", "cluster", "deployment")


def cluster_of(connections: Connections) -> Cluster:
    """The cluster of the app: its own, often not the cache manager's."""
    return connections.cluster(part_of(connections).cluster)


def deployment_of(connections: Connections) -> Deployment:
    """The app's Deployment. Raises NotFound where it is not there."""
    part, cluster = part_of(connections), cluster_of(connections)
    found = cluster.deployment(part.namespace, part.deployment)
    if found is None:
        key = f"environments.{connections.environment.name}.app"
        where = f"namespace {part.namespace} of cluster {cluster.name}" if part.namespace else f"cluster {cluster.name}"
        raise NotFound(
            f"There is no Deployment {part.deployment} in {where}.",
            hint=f"Correct {key}.cluster, .namespace or .deployment.",
            by_hand=(cluster.kubectl("get", "deployments", "-A"),),
        )
    return found


def look(connections: Connections, asking: rebuilds.Asking = rebuilds.ANEW) -> AppMemory:
    """The pods and the last rebuild, asked side by side. Raises what the app's cluster raises."""
    cluster = cluster_of(connections)
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="look") as pool:
        ended = pool.submit(copy_context().run, last_rebuild, connections, asking)
        deployment = deployment_of(connections)
        used: Future[dict[str, int] | None] = pool.submit(_memory, cluster, deployment)
        pods = [pod for pod in cluster.pods(deployment.namespace, deployment.selector) if not pod.over]
        rebuilt, unknown = None, None
        try:
            rebuilt = ended.result()
        except ToolkitError as error:
            unknown = error
        memory = used.result()
    return AppMemory(
        deployment,
        tuple(app_pod(pod, rebuilt, memory or {}) for pod in pods),
        rebuilt,
        unknown,
        memory is not None,
    )


def app_pod(pod: Pod, rebuilt: datetime | None, memory: Mapping[str, int] | None = None) -> AppPod:
    """The pod against a rebuild that ended at `rebuilt`."""
    began = loaded_at(pod)
    stale = None if began is None or rebuilt is None else began < rebuilt
    if began is None and rebuilt is not None and pod.phase == "Pending":
        stale = False  # it has loaded nothing yet
    return AppPod(pod, began, stale, (memory or {}).get(pod.name))


def loaded_at(pod: Pod) -> datetime | None:
    """When the pod began to load what it holds; None where it has not begun."""
    container = pod.container()
    if container is not None and container.running_since is not None:
        return container.running_since
    return None if pod.phase == "Pending" else pod.started


def last_rebuild(connections: Connections, asking: rebuilds.Asking = rebuilds.ANEW) -> datetime | None:
    """When the last rebuild that went well ended, wherever the CronJob is; None where the cluster knows of none.

    Jobs are forgotten after some runs, the CronJob's own lastSuccessfulTime is not: the later of both counts.
    """
    cronjob = asking.locate(connections).cronjob
    jobs = asking.runs_of(connections, cronjob)
    times = [job.finished for job in jobs if job.state == "complete"] + [cronjob.last_successful]
    return max((time for time in times if time is not None), default=None)


def _memory(cluster: Cluster, deployment: Deployment) -> dict[str, int] | None:
    try:
        return cluster.memory_of_pods(deployment.namespace, deployment.selector)
    except ToolkitError:
        return None  # of the pods' memory less is said; what matters is asked of the same cluster beside it


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
