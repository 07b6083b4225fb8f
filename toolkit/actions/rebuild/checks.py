"""Did a rebuild do what it is for? The groups are in L2 and L3, they are new, and no pod of the app holds old ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from toolkit.cache import memory
from toolkit.checks.finding import Finding, Status
from toolkit.errors import ToolkitError
from toolkit.systems.bucket.names import shown
from toolkit.systems.cluster.objects import Job
from toolkit.systems.connections import Connections

if TYPE_CHECKING:
    from toolkit.cache.groups import Group, Overview
    from toolkit.cache.layers import L3
    from toolkit.cache.presence import Presence

_CLOCKS_DIFFER: Final = timedelta(seconds=5)
_READ_ON: Final = "Read the run's log; `toolkit groups list` shows each group. Another rebuild may be needed."


def look_at_groups(connections: Connections, job: Job) -> tuple[Finding, ...]:
    """Whether L2 and L3 hold the groups, whole, and written since the Job's start."""
    from toolkit.cache import layers
    from toolkit.cache.groups import overview

    try:
        found = overview(connections)
        in_l3 = layers.read(connections).l3
    except ToolkitError as error:
        summary = f"could not be looked at: {error.message}"
        return (Finding("groups", Status.UNKNOWN, summary, error.hint, by_hand=error.by_hand),)
    return groups_findings(found, in_l3, connections.environment.cache.groups_in_redis, _begun(job))


def groups_findings(
    found: Overview, in_l3: L3 | ToolkitError, wanted: int, begun: datetime | None
) -> tuple[Finding, ...]:
    """The findings about L2 and L3, and whether they are new; `wanted` is how many groups L2 should hold."""
    listed = [group for group in found.groups if group.rank is not None]
    unread = [group.l2.reason for group in found.groups if group.l2.present is None]
    if unread and not listed:
        return (Finding("L2", Status.UNKNOWN, f"could not be looked at: {unread[0]}", evidence=found.notes),)
    return (
        _layer("L2", [(group.name, group.l2) for group in listed], wanted),
        _layer("L3", [(group.name, group.l3) for group in listed], len(listed)),
        _written(listed, in_l3, begun),
    )


def _layer(layer: str, groups: Sequence[tuple[str, Presence]], wanted: int) -> Finding:
    unread = [presence.reason for _, presence in groups if presence.present is None]
    if unread:
        return Finding(layer, Status.UNKNOWN, f"could not be looked at: {unread[0]}")
    missing = [name for name, presence in groups if not presence.present]
    partly = [
        f"{name} {presence.frames} of {presence.expected} frames"
        for name, presence in groups
        if presence.present and not presence.complete
    ]
    problems = [
        *(["no group is listed in L2's index"] if not groups else []),
        *([f"lacks {', '.join(missing)}"] if missing else []),
        *([f"incomplete: {', '.join(partly)}"] if partly else []),
        *([f"holds {len(groups)} of {wanted} groups"] if 0 < len(groups) < wanted else []),
    ]
    if problems:
        return Finding(layer, Status.FAIL, "; ".join(problems), _READ_ON)
    frames = groups[0][1].frames
    return Finding(layer, Status.OK, f"{', '.join(name for name, _ in groups)}: {frames} frames each")


def _written(groups: Sequence[Group], in_l3: L3 | ToolkitError, begun: datetime | None) -> Finding:
    """Whether the groups were written in this run: by their objects' times in L3, or by the index's build times."""
    if begun is None or isinstance(in_l3, ToolkitError):
        why = in_l3.message if isinstance(in_l3, ToolkitError) else "the job says no start"
        return Finding("written anew", Status.UNKNOWN, f"not known: {why}")
    earliest = begun - _CLOCKS_DIFFER
    times = {
        shown(raw): max(item.updated for item in frames.values()) for raw, frames in in_l3.frames.items() if frames
    }
    old = [
        group.name
        for group in groups
        if not any(time >= earliest for time in (times.get(group.name), group.built_at) if time is not None)
    ]
    if old:
        summary = f"nothing of {', '.join(old)} in the bucket was written since the job's start"
        return Finding("written anew", Status.WARN, summary, _READ_ON)
    return Finding("written anew", Status.OK, "all of them since the job's start")


def look_at_l1(connections: Connections, job: Job) -> Finding:
    """Which pods of the app started before the rebuild's end, and so hold the old groups in memory."""
    part = connections.environment.app
    if not part.cluster or not part.deployment:
        empty = "cluster" if not part.cluster else "deployment"
        return Finding("L1", Status.SKIPPED, f"not looked at: app.{empty} is not configured")
    try:
        cluster, deployment = memory.cluster_of(connections), memory.deployment_of(connections)
        pods = [pod for pod in cluster.pods(deployment.namespace, deployment.selector) if not pod.over]
    except ToolkitError as error:
        return Finding("L1", Status.UNKNOWN, error.message, error.hint, by_hand=error.by_hand)
    ended = job.finished or _begun(job)
    old = [pod.name for pod in pods if memory.app_pod(pod, ended).stale]
    if not old:
        return Finding("L1", Status.OK, f"all {len(pods)} pods of {deployment.name} started after the rebuild")
    restart = cluster.kubectl("rollout", "restart", f"deployment/{deployment.name}", namespace=deployment.namespace)
    return Finding(
        "L1",
        Status.WARN,
        f"{len(old)} of {len(pods)} pods of {deployment.name} in {cluster.name} started before the rebuild's end and "
        f"still serve the old groups: {', '.join(sorted(old))}",
        "Restart them, so that L1 holds the new default group: toolkit app restart",
        by_hand=(restart,),
    )


def _begun(job: Job) -> datetime | None:
    return job.started or job.created
