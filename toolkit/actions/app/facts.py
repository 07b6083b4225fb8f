"""What the person who decides about a restart should see: the pods, how they are replaced, what new ones load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toolkit import figures
from toolkit.actions.plan import Fact
from toolkit.cache import layers, memory, rebuilds
from toolkit.cache.memory import AppMemory
from toolkit.checks.cached_groups import expected
from toolkit.checks.finding import Status
from toolkit.errors import ToolkitError
from toolkit.systems.bucket.names import shown
from toolkit.systems.cluster import Cluster
from toolkit.systems.cluster.deployments import Deployment
from toolkit.systems.connections import Connections


@dataclass(frozen=True)
class Ground:
    """What new pods would find: `fact` says it; `danger` why they should not be started now ("": they may)."""

    fact: Fact
    danger: str = ""


def facts(found: AppMemory, cluster: Cluster, connections: Connections) -> Iterator[Fact]:
    """One line each, the most important first."""
    deployment = found.deployment
    yield Fact("cluster", f"{cluster.name} at {cluster.address}")
    ready = sum(one.ready for one in found.pods)
    few = Status.OK if ready >= deployment.wanted else Status.WARN
    yield Fact("replicas", f"{deployment.wanted} wanted, {len(found.pods)} there, {ready} ready", few)
    if not deployment.rolled_out:
        yield Fact("rollout", "one is under way already: this one takes its place", Status.WARN)
    yield from _stale(found)
    yield strategy(deployment)
    yield downtime(deployment)
    if not deployment.probed:
        text = "none: a new pod gets users while it still loads its groups, and the old one is taken away too soon"
        yield Fact("readiness probe", text, Status.WARN)
    yield _budget(cluster, deployment, connections)


def strategy(deployment: Deployment) -> Fact:
    if deployment.strategy == "Recreate":
        return Fact("strategy", "Recreate: all pods end before the first new one starts", Status.WARN)
    return Fact(
        "strategy",
        f"{deployment.strategy}: at most {deployment.surge} more than {deployment.wanted}, "
        f"at most {deployment.unavailable} less (maxSurge, maxUnavailable)",
    )


def downtime(deployment: Deployment) -> Fact:
    """Whether users notice."""
    if deployment.serving == 0:
        text = "YES: for a while no pod serves; the map is away until the first new one has loaded its groups"
        return Fact("downtime", text, Status.FAIL)
    fewer = deployment.serving < deployment.wanted
    text = f"none: at least {deployment.serving} of {deployment.wanted} pods serve all the time"
    return Fact("downtime", text, Status.WARN if fewer else Status.OK)


def rebuild_ground(connections: Connections) -> Ground:
    """Whether a rebuild is going on, in the middle of which a pod would load half a cache."""
    try:
        cronjob = rebuilds.find(connections)
        running = [job for job in connections.cluster(cronjob.cluster).jobs_of(cronjob) if not job.over]
    except ToolkitError as error:
        return Ground(Fact("rebuild", f"whether one is going on is not known: {error.message}", Status.WARN))
    if running:
        text = f"Job {shown(running[0].name)} is going on: it has dropped the groups that a new pod would load"
        return Ground(Fact("rebuild", text, Status.FAIL), text)
    return Ground(Fact("rebuild", "none is going on"))


def default_group_ground(connections: Connections) -> Ground:
    """Whether Redis holds the default group, whole: what every new pod loads."""
    cache = connections.environment.cache
    try:
        found = layers.read_l2(connections.redis, cache)
    except ToolkitError as error:
        return Ground(Fact("new pods load", f"not known: {error.message}", Status.WARN))
    if not found.index:
        text = "Redis holds no group at all: a new pod would have nothing to load, and the old ones have"
        return Ground(Fact("new pods load", text, Status.FAIL), text)
    name = found.index[0][0]
    frames, wanted = len(found.frames.get(name, {})), expected(cache)
    if frames < wanted:
        text = f"Redis holds {frames} of {wanted} frames of the default group {shown(name)}"
        return Ground(Fact("new pods load", text, Status.FAIL), text)
    return Ground(Fact("new pods load", f"{shown(name)}, the default group, whole in Redis"))


def _stale(found: AppMemory) -> Iterator[Fact]:
    when = figures.when(found.rebuilt)
    if found.stale:
        names = ", ".join(shown(one.pod.name) for one in found.stale)
        text = f"{len(found.stale)} of {len(found.pods)} pods began before the last rebuild's end, {when}: {names}"
        yield Fact("stale L1", text, Status.WARN)
    elif found.told:
        yield Fact("stale L1", f"none: all began after the last rebuild's end, {when}; a restart changes no map")
    else:
        why = found.unknown.message if found.unknown else "the cluster knows of no rebuild that went well"
        yield Fact("stale L1", f"not known: {why}", Status.WARN)


def _budget(cluster: Cluster, deployment: Deployment, connections: Connections) -> Fact:
    """A budget governs evictions (a node that is drained), never a rollout: that has to be said."""
    part = memory.part_of(connections)
    try:
        budgets = cluster.budgets(deployment.namespace)
    except ToolkitError as error:
        return Fact("disruption budget", f"not known: {error.message}", Status.WARN)
    own = [one for one in budgets if one.selector == deployment.selector or one.name == part.deployment]
    if not own:
        return Fact("disruption budget", "none; a rollout would not heed one")
    return Fact("disruption budget", f"{own[0].rule}; it holds for drained nodes, a rollout does not heed it")
