"""The question about L1: do MapApp's pods hold what the last rebuild wrote?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit import figures
from toolkit.cache import memory
from toolkit.checks import shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Question
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.cache.memory import AppMemory
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections

_RESTART = "Restart them, so that L1 holds the new default group: toolkit app restart"
_UNDER_WAY = "A rollout is under way: toolkit app status shows how far it is."


def app_pods(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Did every pod of the app start after the last rebuild that went well?

    Facts: `deployment`, `cluster`, `namespace`; `wanted`, `pods`, `ready` (counts); `stale`, `unready` (their names),
    `restarts` (by pod, where any); `rebuilt` (RFC 3339; null: no rebuild is known that went well), `oldest` (RFC 3339:
    when the pod began that has been running longest), `told` (whether staleness is known of each pod),
    `rolled_out` (false while a rollout is under way).
    """
    return finding(connections, memory.look(connections, shared.ONCE))


def finding(connections: Connections, found: AppMemory) -> Finding:
    """The same of a look that was taken already."""
    deployment, pods = found.deployment, found.pods
    cluster = connections.cluster(deployment.cluster)
    began = [one.loaded for one in pods if one.loaded is not None]
    unready = [one for one in pods if not one.ready]
    facts: dict[str, Any] = {
        "deployment": deployment.name,
        "cluster": deployment.cluster,
        "namespace": deployment.namespace,
        "wanted": deployment.wanted,
        "pods": len(pods),
        "ready": len(pods) - len(unready),
        "stale": sorted(shown(one.pod.name) for one in found.stale),
        "unready": sorted(shown(one.pod.name) for one in unready),
        "restarts": {shown(one.pod.name): one.pod.restarts for one in pods if one.pod.restarts},
        "rebuilt": figures.rfc3339(found.rebuilt) or None,
        "oldest": figures.rfc3339(min(began, default=None)) or None,
        "told": found.told,
        "rolled_out": deployment.rolled_out,
    }
    name = f"deployment/{deployment.name}"
    by_hand: tuple[str, ...] = (
        cluster.kubectl("get", "pods", "-l", deployment.selector, namespace=deployment.namespace),
        cluster.kubectl("rollout", "status", name, namespace=deployment.namespace),
    )
    evidence = [
        f"{shown(one.pod.name)} is not ready: {shown(one.pod.reason or one.pod.phase)}"
        + (f" ({shown(one.pod.message)})" if one.pod.message else "")
        for one in unready
    ]
    called = f"pods of {shown(deployment.name)} in {cluster.name}"
    if found.stale:
        hint = _UNDER_WAY
        if deployment.rolled_out:
            hint = _RESTART
            by_hand = (*by_hand, cluster.kubectl("rollout", "restart", name, namespace=deployment.namespace))
        summary = (
            f"{len(found.stale)} of {len(pods)} {called} started before the last rebuild's end, "
            f"{figures.when(found.rebuilt)}, and still serve the old default group: {', '.join(facts['stale'])}"
        )
        return Finding("", Status.FAIL, summary, hint, 0.0, tuple(evidence), by_hand, facts)
    if not pods and deployment.wanted:
        return Finding("", Status.FAIL, f"none of {deployment.wanted} {called} is there", "", 0.0, (), by_hand, facts)
    if not found.told:
        why = found.unknown.message if found.unknown else "the cluster knows of no rebuild that went well"
        hint = found.unknown.hint if found.unknown else "Compare the pods' age with `toolkit groups list`."
        summary = f"whether the {called} hold the newest groups is not known: {why}"
        return Finding("", Status.UNKNOWN, summary, hint, 0.0, tuple(evidence), by_hand, facts)
    if unready or len(pods) < deployment.wanted:
        summary = f"{facts['ready']} of {deployment.wanted} {called} are ready; none holds an old group"
        return Finding("", Status.WARN, summary, "toolkit app status", 0.0, tuple(evidence), by_hand, facts)
    summary = f"all {len(pods)} {called} started after the last rebuild"
    return Finding("", Status.OK, summary, by_hand=by_hand, facts=facts)


QUESTIONS = (Question("app-pods", "Do MapApp's pods (L1) hold what the last rebuild wrote?", app_pods),)
