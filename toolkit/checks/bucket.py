"""Can the L3 bucket be read, and may I delete and restore there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.checks.finding import Finding, Status

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


def reachable(connections: Connections) -> Finding:
    """Does the bucket answer, and does it keep what is deleted for a while?"""
    info = connections.bucket.describe()
    by_hand = (f"gcloud storage buckets describe gs://{info.name}",)
    if not info.soft_delete_seconds:
        return Finding(
            "",
            Status.WARN,
            f"gs://{info.name} is there, but keeps nothing that is deleted (no soft delete)",
            hint="A removal there cannot be undone.",
            by_hand=by_hand,
        )
    days = info.soft_delete_seconds / 86400
    return Finding(
        "", Status.OK, f"gs://{info.name} is there; deleted objects are kept for {days:g} days", by_hand=by_hand
    )


def permissions(connections: Connections) -> Finding:
    """May I list, read, delete and restore objects?"""
    wanted = ("storage.objects.list", "storage.objects.get", "storage.objects.delete", "storage.objects.restore")
    granted = connections.bucket.may(wanted)
    denied = [name for name in wanted if name not in granted]
    name = connections.environment.bucket.name
    by_hand = (f"gcloud storage buckets get-iam-policy gs://{name}",)
    if denied:
        return Finding(
            "",
            Status.WARN,
            f"in gs://{name} you lack: {', '.join(denied)}",
            hint="Reading works without them; `bucket rm` and `bucket restore` do not.",
            by_hand=by_hand,
        )
    return Finding("", Status.OK, "you may list, read, delete and restore objects", by_hand=by_hand)
