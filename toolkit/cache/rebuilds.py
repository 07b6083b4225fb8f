"""The cache manager as it stands: which CronJob it is and where, its runs, its schedule, its image. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NoReturn

from toolkit.cache.images import ImageState, compare_image
from toolkit.cache.schedules import Schedule, schedule_of
from toolkit.environments import model
from toolkit.environments.needed import needed
from toolkit.errors import NotFound, Refused, ToolkitError
from toolkit.systems.cluster import Cluster, Forbidden
from toolkit.systems.cluster.objects import ClusterIdentity, CronJob, Job
from toolkit.systems.connections import Connections


@dataclass(frozen=True)
class Elsewhere:
    """What another configured cluster says about a CronJob of this name. `problem` is why it could not be asked, or not
    fully; then `found` may lack something."""

    cluster: str
    found: tuple[CronJob, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class CacheManager:
    """Everything about the cache manager that one look gives. `identity` is None where we may not know it (`unknown`
    says why); `jobs` are its runs, the newest first; what could not be asked stands in `problems`."""

    cronjob: CronJob
    identity: ClusterIdentity | None
    unknown: str
    jobs: tuple[Job, ...]
    schedule: Schedule | None
    image: ImageState
    elsewhere: tuple[Elsewhere, ...]
    problems: tuple[str, ...] = ()

    @property
    def running(self) -> tuple[Job, ...]:
        """The runs that are not over, scheduled or by hand."""
        return tuple(job for job in self.jobs if not job.over)

    @property
    def ended(self) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if job.over)


@dataclass(frozen=True)
class Located:
    """The CronJob where it really is; `unasked` are the clusters that could not be searched, with why."""

    cronjob: CronJob
    in_place: bool
    unasked: tuple[str, ...] = ()


def part_of(connections: Connections) -> model.CacheManager:
    """The environment's cache manager. Raises ConfigurationError where its cluster or CronJob is not set."""
    environment, what = connections.environment, "Where the cache manager is"
    return needed(environment, "cache_manager", environment.cache_manager, what, "cluster", "cronjob")


def cluster_of(connections: Connections) -> Cluster:
    """The cluster of the cache manager: its own, not the environment's."""
    return connections.cluster(part_of(connections).cluster)


def find(connections: Connections, *, for_change: bool = False) -> CronJob:
    """The cache manager's CronJob in its configured cluster.

    Where it is not there, the other clusters are searched and the error says in which it is: NotFound, or Refused
    where something was to be changed (`for_change`).
    """
    part, cluster = part_of(connections), cluster_of(connections)
    found = cluster.cronjob(part.namespace, part.cronjob)
    if found is None:
        _say_where_it_is(connections, cluster, for_change=for_change)
    return found


def locate(connections: Connections) -> Located:
    """The CronJob where it is configured, else where it is. Raises NotFound, and what the clusters raise."""
    part, cluster = part_of(connections), cluster_of(connections)
    found = cluster.cronjob(part.namespace, part.cronjob)
    if found is not None:
        return Located(found, in_place=True)
    others = search_elsewhere(connections)
    unasked = tuple(f"{other.cluster}: {other.problem}" for other in others if other.problem)
    near = cluster.find_cronjobs(part.cronjob) if part.namespace else []
    elsewhere = [*near, *(one for other in others for one in other.found)]
    if not elsewhere:
        not_asked = f" Not checked: {'; '.join(unasked)}." if unasked else ""
        raise NotFound(
            f"There is no CronJob {part.cronjob} in {part.cluster}, nor in another configured cluster.{not_asked}",
            hint="`toolkit cache status` says what was looked at.",
            by_hand=(cluster.kubectl("get", "cronjobs", "-A"),),
        )
    return Located(elsewhere[0], in_place=False, unasked=unasked)


def runs_of(connections: Connections, cronjob: CronJob) -> list[Job]:
    """The CronJob's runs that the cluster has kept, the newest first, wherever it is."""
    return connections.cluster(cronjob.cluster).jobs_of(cronjob)


@dataclass(frozen=True, slots=True)
class Asking:
    """How it is asked where the CronJob is, and for its runs: anew, or once for several that want to know."""

    locate: Callable[[Connections], Located]
    runs_of: Callable[[Connections, CronJob], list[Job]]


ANEW = Asking(locate, runs_of)


def look(connections: Connections, *, for_change: bool = False, everywhere: bool = True) -> CacheManager:
    """The cache manager as a whole; asks the clusters and eng-infrastructure side by side.

    `everywhere`: whether the other clusters are searched for a CronJob of this name too.
    """
    cluster = cluster_of(connections)
    problems: list[str] = []
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="look") as pool:
        others = pool.submit(search_elsewhere, connections) if everywhere else None
        who = pool.submit(_identity, cluster)
        cronjob = find(connections, for_change=for_change)
        image = pool.submit(compare_image, connections, cronjob)
        jobs = tuple(cluster.jobs_of(cronjob))
        schedule: Schedule | None = None
        try:
            schedule = schedule_of(cronjob, 3)
        except ToolkitError as error:
            problems.append(error.message)
        identity, unknown = who.result()
        elsewhere = others.result() if others else ()
        return CacheManager(cronjob, identity, unknown, jobs, schedule, image.result(), elsewhere, tuple(problems))


def history(connections: Connections, limit: int | None = None) -> tuple[Job, ...]:
    """The cache manager's runs that its cluster still knows, the newest first."""
    found = find(connections)
    return tuple(cluster_of(connections).jobs_of(found)[:limit])


def schedule(connections: Connections, count: int = 5) -> Schedule:
    """When the cache manager runs by itself."""
    return schedule_of(find(connections), count)


def search_elsewhere(connections: Connections) -> tuple[Elsewhere, ...]:
    """Every other configured cluster, asked side by side for a CronJob of the cache manager's name."""
    part = part_of(connections)
    own, _ = connections.settings.cluster(part.cluster)
    others = sorted(name for name in connections.settings.clusters if name != own)
    if not others:
        return ()
    here = connections.cluster(own)
    with ThreadPoolExecutor(max_workers=len(others), thread_name_prefix="search") as pool:
        return tuple(pool.map(lambda name: _search(connections.cluster(name), here, part), others))


def _search(cluster: Cluster, here: Cluster, part: model.CacheManager) -> Elsewhere:
    try:
        if cluster.address == here.address:
            return Elsewhere(cluster.name, problem=f"its context leads to the same cluster as {here.name}'s")
        return Elsewhere(cluster.name, tuple(cluster.find_cronjobs(part.cronjob)))
    except Forbidden:
        pass
    except ToolkitError as error:
        return Elsewhere(cluster.name, problem=error.message)
    try:
        found = cluster.cronjob(part.namespace, part.cronjob) if part.namespace else None
    except ToolkitError as error:
        return Elsewhere(cluster.name, problem=error.message)
    only = (
        f"only its namespace {part.namespace} could be searched"
        if part.namespace
        else "you may not list CronJobs there"
    )
    return Elsewhere(cluster.name, (found,) if found else (), problem=only)


def _identity(cluster: Cluster) -> tuple[ClusterIdentity | None, str]:
    try:
        return cluster.identity(), ""
    except Forbidden as error:
        return None, error.message


def _say_where_it_is(connections: Connections, cluster: Cluster, *, for_change: bool) -> NoReturn:
    part, name = part_of(connections), connections.environment.name
    where = f"namespace {part.namespace} of cluster {cluster.name}" if part.namespace else f"cluster {cluster.name}"
    key = f"environments.{name}.cache_manager"
    missing = f"There is no CronJob {part.cronjob} in {where}"
    look_up = cluster.kubectl("get", "cronjobs", "-A")
    kind = Refused if for_change else NotFound
    try:
        near = cluster.find_cronjobs(part.cronjob) if part.namespace else []
    except ToolkitError:
        near = []
    if near:
        raise kind(
            f"{missing}; it is in that cluster's namespace {near[0].namespace}.",
            hint=f'Correct {key}.namespace to "{near[0].namespace}".',
            by_hand=(look_up,),
        )
    others = search_elsewhere(connections)
    found = [one for other in others for one in other.found]
    if found:
        places = " and ".join(f"cluster {one.cluster}, namespace {one.namespace}" for one in found)
        raise kind(
            f"{missing}; it is in {places}.",
            hint=f'Correct {key}.cluster to "{found[0].cluster}" and {key}.namespace to "{found[0].namespace}".',
            by_hand=(connections.cluster(found[0].cluster).kubectl("get", "cronjobs", namespace=found[0].namespace),),
        )
    unasked = "; ".join(
        f"{other.cluster} was not checked: {other.problem.rstrip('.')}" for other in others if other.problem
    )
    asked = ", ".join(other.cluster for other in others if not other.problem)
    raise NotFound(
        f"{missing}{f', nor in {asked}' if asked else ''}.{f' {unasked}.' if unasked else ''}",
        hint=f"Correct {key}.cluster, .namespace or .cronjob.",
        by_hand=(look_up,),
    )
