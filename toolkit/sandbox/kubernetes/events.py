"""The events that a cluster's controllers and nodes write about objects (core/v1 Event, as kubectl 1.33 shows them).

Worded as kube-controller-manager, the scheduler and the kubelet word them; the same one again is counted. Leaves out:
that events are forgotten after an hour, and series of events.k8s.io. What was long before the sandbox began has left
none.
"""

from __future__ import annotations

import zlib
from typing import Final

from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.resources import Object
from toolkit.sandbox.kubernetes.store import now

KUBELET: Final = "kubelet"
SCHEDULER: Final = "default-scheduler"
JOBS: Final = "job-controller"
CRONJOBS: Final = "cronjob-controller"
REPLICA_SETS: Final = "replicaset-controller"


def record(
    cluster: ClusterServer, about: Object, reason: str, message: str, source: str, *, warning: bool = False
) -> None:
    """Write that `reason` came about for the object."""
    metadata = about["metadata"]
    digest = zlib.crc32(f"{metadata['uid']} {reason} {message}".encode())
    name = f"{metadata['name']}.{digest:08x}"
    before = cluster.get("Event", metadata["namespace"], name) or {}
    node = about.get("spec", {}).get("nodeName", "") if source == KUBELET else ""
    cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "type": "Warning" if warning else "Normal",
            "reason": reason,
            "message": message,
            "source": {"component": source, **({"host": node} if node else {})},
            "reportingComponent": source,
            "count": before.get("count", 0) + 1,
            "firstTimestamp": before.get("firstTimestamp", now()),
            "lastTimestamp": now(),
        }
    )


def scheduled(cluster: ClusterServer, pod: Object) -> None:
    """The scheduler has found a node for the pod."""
    metadata, node = pod["metadata"], pod["spec"].get("nodeName", "")
    message = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}"
    record(cluster, pod, "Scheduled", message, SCHEDULER)


def started(cluster: ClusterServer, pod: Object) -> None:
    """The pod's images are there, and its containers run."""
    for container in pod["spec"]["containers"]:
        name, image = container["name"], container.get("image", "")
        record(cluster, pod, "Pulled", f'Container image "{image}" already present on machine', KUBELET)
        record(cluster, pod, "Created", f"Created container: {name}", KUBELET)
        record(cluster, pod, "Started", f"Started container {name}", KUBELET)


def ended(cluster: ClusterServer, job: Object, reason: str, message: str, *, well: bool) -> None:
    """The Job is over."""
    record(cluster, job, "Completed" if well else reason, "Job completed" if well else message, JOBS, warning=not well)
