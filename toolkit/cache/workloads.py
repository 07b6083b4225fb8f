"""What runs of an environment: the CronJobs, Jobs and pods where its parts live, cluster by cluster. Reads only.

Each place is asked by itself: a cluster that is down takes nothing of the others with it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass, replace

from toolkit.cache import rebuilds
from toolkit.errors import ConfigurationError, Failed, NotFound, ToolkitError
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.events import ObjectEvent, newest_first
from toolkit.systems.cluster.objects import CronJob, Job, Pod
from toolkit.systems.connections import Connections

CACHE_MANAGER, APP, PROXY = "cache manager", "app", "redis proxy"


@dataclass(frozen=True)
class Place:
    """A cluster, the namespace in it ("": wherever they are), and which of the environment's parts are there."""

    cluster: str
    namespace: str
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.cluster}/{self.namespace}" if self.namespace else self.cluster


@dataclass(frozen=True)
class Look:
    """What a place holds: CronJobs by name, Jobs and pods the newest first; or the `problem` why that is not known.

    `moved` says that the cache manager's CronJob is here and not where it is configured. `deployment` is the app's
    where the app is here.
    """

    place: Place
    cronjobs: tuple[CronJob, ...] = ()
    jobs: tuple[Job, ...] = ()
    pods: tuple[Pod, ...] = ()
    problem: ToolkitError | None = None
    moved: str = ""
    deployment: str = ""


def places(connections: Connections) -> tuple[Place, ...]:
    """Where the environment's parts live. Raises ConfigurationError where no part names its cluster, or one names a
    cluster that is not configured."""
    environment, settings = connections.environment, connections.settings
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    parts = (
        (CACHE_MANAGER, environment.cache_manager),
        (APP, environment.app),
        (PROXY, environment.redis_proxy),
    )
    for name, part in parts:
        if part.cluster:
            own, _ = settings.cluster(part.cluster)
            key = (own, part.namespace)
            found[key] = (*found.get(key, ()), name)
    if not found:
        raise ConfigurationError(
            f"Where {environment.name}'s parts live is not configured: none names its cluster.",
            hint="Set cache_manager.cluster and app.cluster; `toolkit config check` lists all that is open.",
        )
    return tuple(
        Place(cluster, namespace, names)
        for (cluster, namespace), names in found.items()
        if namespace or names != (PROXY,)  # the proxy's Service alone leads to no workload
    )


def looks(connections: Connections) -> Iterator[Look]:
    """Every place as it becomes known, the quickest first. Never raises for one that cannot be asked."""
    wanted = places(connections)
    answers: queue.SimpleQueue[Look] = queue.SimpleQueue()
    for place in wanted:
        context = copy_context()
        threading.Thread(
            target=lambda place=place, context=context: answers.put(context.run(_known, connections, place)),
            name=f"look {place.name}",
            daemon=True,  # one that hangs holds up nobody's end
        ).start()
    seen: dict[tuple[str, str], Look] = {}
    astray: Look | None = None
    for _ in wanted:
        look = answers.get()
        seen[look.place.cluster, look.place.namespace] = look
        yield look
        if CACHE_MANAGER in look.place.parts and look.problem is None:
            astray = _astray(connections, look)
    if astray is not None:
        known = seen.get((astray.place.cluster, astray.place.namespace))
        yield replace(known, moved=astray.moved) if known is not None else astray


def look(connections: Connections, place: Place) -> Look:
    """One place. Raises what its cluster raises."""
    cluster = connections.cluster(place.cluster)
    namespace = place.namespace or _namespace(connections, place, cluster)
    deployment = connections.environment.app.deployment if APP in place.parts else ""
    found = replace(place, cluster=cluster.name, namespace=namespace)
    return Look(
        found,
        tuple(cluster.cronjobs(namespace)),
        tuple(cluster.jobs(namespace)),
        tuple(cluster.pods(namespace)),
        deployment=deployment,
    )


def events(connections: Connections, cluster: str, namespace: str, uids: tuple[str, ...]) -> list[ObjectEvent]:
    """The events about these objects together, the newest first."""
    asked = connections.cluster(cluster)
    found = [event for uid in uids for event in asked.events_about(namespace, uid)]
    return sorted(found, key=newest_first, reverse=True)


def is_cache_manager(connections: Connections, cronjob: CronJob) -> bool:
    """Whether that CronJob is the one that the environment's cache manager is configured as, in its own cluster."""
    part = connections.environment.cache_manager
    if not part.cluster or cronjob.name != part.cronjob:
        return False
    own, _ = connections.settings.cluster(part.cluster)
    return cronjob.cluster == own and part.namespace in ("", cronjob.namespace)


def _known(connections: Connections, place: Place) -> Look:
    try:
        return look(connections, place)
    except ToolkitError as error:
        return Look(place, problem=error)
    except Exception as error:  # noqa: BLE001 - a bug is told as one, in its place
        from toolkit import crash

        return Look(place, problem=Failed(f"A bug in the toolkit: {error}", hint=crash.save(error, [])))


def _namespace(connections: Connections, place: Place, cluster: Cluster) -> str:
    """The namespace of a part that is configured without one."""
    environment = connections.environment
    if CACHE_MANAGER in place.parts:
        found = cluster.cronjob("", environment.cache_manager.cronjob)
        if found is not None:
            return found.namespace
    if APP in place.parts:
        deployment = cluster.deployment("", environment.app.deployment)
        if deployment is not None:
            return deployment.namespace
    what = " and ".join(place.parts)
    raise NotFound(
        f"The {what} of {environment.name} is in no namespace of cluster {cluster.name}.",
        hint="Correct its cluster, or set its namespace, in the configuration.",
        by_hand=(cluster.kubectl("get", "cronjobs,deployments", "-A"),),
    )


def _astray(connections: Connections, where: Look) -> Look | None:
    """Where the cache manager's CronJob is if it is not where it should be; None where it is in its place."""
    name = connections.environment.cache_manager.cronjob
    if not name or any(one.name == name for one in where.cronjobs):
        return None
    try:
        located = rebuilds.locate(connections)
    except ToolkitError as error:
        return Look(Place(where.place.cluster, "", (CACHE_MANAGER,)), problem=error)
    found = _known(connections, Place(located.cronjob.cluster, located.cronjob.namespace, (CACHE_MANAGER,)))
    return replace(found, moved=f"CronJob {name} is here, not in {where.place.name}, where it is configured")
