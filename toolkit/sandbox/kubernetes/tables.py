"""The columns that `kubectl get` shows: a server draws them when it is asked for a Table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from toolkit.sandbox.kubernetes.resources import Object, Resource

Column = tuple[str, Callable[[Object], object]]


def table(resource: Resource, items: Sequence[Object], version: str = "") -> Object | None:
    """The Table of `items`, or None where kubectl's own columns (name and age) are enough."""
    columns = _COLUMNS.get(resource.kind)
    if columns is None:
        return None
    all_columns: list[Column] = [("Name", lambda item: item["metadata"]["name"]), *columns, ("Age", _age)]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [
            {
                "name": name,
                "type": "string",
                "format": "name" if name == "Name" else "",
                "description": "",
                "priority": 0,
            }
            for name, _ in all_columns
        ],
        "rows": [
            {
                "cells": [value(item) for _, value in all_columns],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": item["metadata"],
                },
            }
            for item in items
        ],
    }


def _since(text: str) -> str:
    """How long ago, as kubectl writes it: 45s, 12m, 3h, 5d."""
    if not text:
        return "<none>"
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def _age(item: Object) -> str:
    return _since(item["metadata"].get("creationTimestamp", ""))


def _status(item: Object) -> Object:
    found: Object = item.get("status") or {}
    return found


def _ready(pod: Object) -> str:
    statuses = _status(pod).get("containerStatuses", ())
    return f"{sum(bool(one.get('ready')) for one in statuses)}/{len(pod['spec'].get('containers', ()))}"


def _pod_status(pod: Object) -> str:
    for one in _status(pod).get("containerStatuses", ()):
        for state in ("waiting", "terminated"):
            reason = one.get("state", {}).get(state, {}).get("reason")
            if reason:
                return str(reason)
    return str(_status(pod).get("phase", "Pending"))


def _restarts(pod: Object) -> str:
    return str(sum(one.get("restartCount", 0) for one in _status(pod).get("containerStatuses", ())))


def _job_status(job: Object) -> str:
    for condition in _status(job).get("conditions", ()):
        if condition.get("status") == "True" and condition["type"] in ("Complete", "Failed", "Suspended"):
            return str(condition["type"])
    return "Running"


def _duration(job: Object) -> str:
    begin, end = _status(job).get("startTime"), _status(job).get("completionTime")
    if not begin:
        return ""
    if not end:
        return _since(begin)
    return f"{int((datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())}s"


def _external(service: Object) -> str:
    ingress = _status(service).get("loadBalancer", {}).get("ingress", ())
    found = [one.get("ip") or one.get("hostname", "") for one in ingress]
    if found:
        return ",".join(found)
    return "<pending>" if service["spec"].get("type") == "LoadBalancer" else "<none>"


def _ports(service: Object) -> str:
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in service["spec"].get("ports", ()))


_COLUMNS: dict[str, tuple[Column, ...]] = {
    "Pod": (("Ready", _ready), ("Status", _pod_status), ("Restarts", _restarts)),
    "CronJob": (
        ("Schedule", lambda item: item["spec"].get("schedule", "")),
        ("Timezone", lambda item: item["spec"].get("timeZone", "<none>")),
        ("Suspend", lambda item: str(bool(item["spec"].get("suspend")))),
        ("Active", lambda item: str(len(_status(item).get("active", ())))),
        ("Last Schedule", lambda item: _since(_status(item).get("lastScheduleTime", ""))),
    ),
    "Job": (
        ("Status", _job_status),
        ("Completions", lambda job: f"{_status(job).get('succeeded', 0)}/{job['spec'].get('completions', 1)}"),
        ("Duration", _duration),
    ),
    "Deployment": (
        ("Ready", lambda item: f"{_status(item).get('readyReplicas', 0)}/{item['spec'].get('replicas', 1)}"),
        ("Up-to-date", lambda item: str(_status(item).get("updatedReplicas", 0))),
        ("Available", lambda item: str(_status(item).get("availableReplicas", 0))),
    ),
    "ReplicaSet": (
        ("Desired", lambda item: str(item["spec"].get("replicas", 1))),
        ("Current", lambda item: str(_status(item).get("replicas", 0))),
        ("Ready", lambda item: str(_status(item).get("readyReplicas", 0))),
    ),
    "Service": (
        ("Type", lambda item: item["spec"].get("type", "ClusterIP")),
        ("Cluster-IP", lambda item: item["spec"].get("clusterIP", "None")),
        ("External-IP", _external),
        ("Port(s)", _ports),
    ),
}
