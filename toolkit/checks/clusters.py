"""Can each cluster that the environment's parts live in be reached, and may I do there what the actions need?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from toolkit.cache import rebuilds
from toolkit.checks.finding import Finding, Status

if TYPE_CHECKING:
    from toolkit.environments.model import Environment
    from toolkit.systems.connections import Connections


def in_use(environment: Environment) -> dict[str, tuple[str, ...]]:
    """The clusters that the environment's parts name, and which parts live in each."""
    parts = {
        "cache manager": environment.cache_manager.cluster,
        "redis proxy": environment.redis_proxy.cluster,
        "app": environment.app.cluster,
    }
    found: dict[str, tuple[str, ...]] = {}
    for part, cluster in parts.items():
        if cluster:
            found[cluster] = (*found.get(cluster, ()), part)
    return found


def reachable(connections: Connections, name: str, parts: tuple[str, ...]) -> Callable[[], Finding]:
    """Does the cluster answer, and is it the one it was the first time?"""

    def ask() -> Finding:
        identity = connections.cluster(name).identity()
        return Finding(
            name,
            Status.OK,
            f"{', '.join(parts)}; Kubernetes {identity.version} at {identity.address}",
            evidence=(f"context {identity.context}", f"kube-system UID {identity.uid}"),
            by_hand=(f"kubectl --context {identity.context} get --raw /version",),
        )

    return ask


def cronjob(connections: Connections) -> Finding:
    """Is the cache manager's CronJob where the configuration says it is? If not: where is it?"""
    found = rebuilds.find(connections)
    part = connections.environment.cache_manager
    by_hand = (connections.cluster(part.cluster).kubectl("get", "cronjob", found.name, namespace=found.namespace),)
    where = f"{found.name} is in {part.cluster}, namespace {found.namespace}"
    if found.suspended:
        return Finding(
            "", Status.WARN, f"{where}, but suspended", hint="Somebody stopped it; ask why.", by_hand=by_hand
        )
    return Finding("", Status.OK, where, by_hand=by_hand)


def permissions(connections: Connections) -> Callable[[], Finding]:
    """May I do what a rebuild and looking after it need, where the cache manager lives?"""

    def ask() -> Finding:
        part = connections.environment.cache_manager
        cluster = connections.cluster(part.cluster)
        wanted = [
            ("get", "cronjobs", "batch"),
            ("create", "jobs", "batch"),
            ("list", "pods", ""),
            ("get", "pods/log", ""),
        ]
        denied = [
            f"{verb} {resource}"
            for verb, resource, group in wanted
            if not cluster.may_i(verb, resource, part.namespace, group)
        ]
        context = cluster.part.context
        by_hand = tuple(
            f"kubectl --context {context} -n {part.namespace} auth can-i {verb} {resource}"
            for verb, resource, _ in wanted
        )
        if denied:
            return Finding(
                "",
                Status.FAIL,
                f"in {part.cluster}, namespace {part.namespace}, you may not: {', '.join(denied)}",
                hint="Without these a rebuild cannot be started or watched; ask whoever gives out roles there.",
                by_hand=by_hand,
            )
        return Finding("", Status.OK, f"you may start and watch a rebuild in {part.cluster}", by_hand=by_hand)

    return ask
