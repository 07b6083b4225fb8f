"""What becomes of a new pod of a Deployment in the sandbox: its image is pulled, it starts, it gets ready; or not.

Statuses and events are worded as the kubelet words them (Kubernetes 1.33). Leaves out: probes that are really asked,
init containers, a pod that gets unready again, scheduling.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from toolkit.sandbox.kubernetes import events
from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.resources import Object, Status
from toolkit.sandbox.kubernetes.store import now, random_suffix

_BACK_OFF_SECONDS: Final = (0.3, 0.6, 1.2, 2.4)  # the kubelet's 10, 20, 40, 80 … s in small
_GIB: Final = 2**30


@dataclass
class PodFaults:
    """What is wrong for pods that start: set these freely.

    image_gone: the registry has the image no more. never_ready: the readiness probe fails. crash: the program ends with
    a traceback. deadline_seconds: how long a rollout may get no further, instead of what its Deployment says.
    """

    image_gone: bool = False
    never_ready: bool = False
    crash: bool = False
    deadline_seconds: float | None = None


Began = Callable[[ClusterServer, Object, PodFaults], None]


def silently(cluster: ClusterServer, pod: Object, faults: PodFaults) -> None:
    """For pods that write nothing."""
    del cluster, pod, faults


def new_pod(replica_set: Object) -> Object:
    """A pod of the ReplicaSet that has just been placed on a node."""
    template = copy.deepcopy(replica_set["spec"]["template"])
    name = f"{replica_set['metadata']['name']}-{random_suffix()}"
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **metadata_of(name, replica_set, template["metadata"]["labels"]),
            "annotations": dict(template["metadata"].get("annotations", {})),
        },
        "spec": {"nodeName": "sandbox-node-1", **template["spec"]},
        "status": {
            "phase": "Pending",
            "startTime": now(),
            "containerStatuses": [_container(one, waiting) for one in template["spec"]["containers"]],
        },
    }


def is_ready(pod: Object) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return bool(statuses) and all(one.get("ready") for one in statuses)


def metadata_of(name: str, owner: Object, labels: Object) -> Object:
    """The metadata of what the controller makes for `owner`."""
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    reference |= {"uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}
    namespace = owner["metadata"]["namespace"]
    return {"name": name, "namespace": namespace, "labels": dict(labels), "ownerReferences": [reference]}


def measured(pod: Object) -> Object:
    """What a metrics server says of the pod (metrics.k8s.io/v1beta1); it goes with the pod."""
    metadata = pod["metadata"]
    used = int((3.05 + zlib.crc32(metadata["name"].encode()) % 40 / 100) * _GIB)
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": metadata_of(metadata["name"], pod, metadata.get("labels", {})),
        "timestamp": now(),
        "window": "15s",
        "containers": [
            {"name": one["name"], "usage": {"cpu": "212m", "memory": f"{used // 1024}Ki"}}
            for one in pod["spec"]["containers"]
        ],
    }


async def get_ready(cluster: ClusterServer, pod: Object, seconds: float, faults: PodFaults, began: Began) -> None:
    """See the pod through its start; ends when it is ready, or gone."""
    with contextlib.suppress(Status):
        events.scheduled(cluster, pod)
        await asyncio.sleep(seconds / 3)
        await _pull(cluster, pod, faults)
        events.started(cluster, pod)
        _become(cluster, pod, {"running": {"startedAt": now()}}, phase="Running")
        began(cluster, pod, faults)
        await _fail_for_long(cluster, pod, faults, began)
        await asyncio.sleep(seconds * 2 / 3)
        _become(cluster, pod, ready=True)
        cluster.put(measured(pod))


async def _pull(cluster: ClusterServer, pod: Object, faults: PodFaults) -> None:
    """Try to pull the image until it is there."""
    image = pod["spec"]["containers"][0].get("image", "")
    tries = 0
    while faults.image_gone:
        events.record(cluster, pod, "Pulling", f'Pulling image "{image}"', events.KUBELET)
        why = f'Failed to pull image "{image}": rpc error: code = NotFound desc = {image}: not found'
        _become(cluster, pod, {"waiting": {"reason": "ErrImagePull", "message": why}})
        events.record(cluster, pod, "Failed", why, events.KUBELET, warning=True)
        await asyncio.sleep(_pause(tries))
        waits = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}": ErrImagePull: {why}'}
        _become(cluster, pod, {"waiting": waits})
        await asyncio.sleep(_pause(tries))
        tries += 1


async def _fail_for_long(cluster: ClusterServer, pod: Object, faults: PodFaults, began: Began) -> None:
    """Crash, or stay unready, until that fault is gone."""
    metadata, name = pod["metadata"], pod["spec"]["containers"][0]["name"]
    tries = 0
    while faults.crash:
        await asyncio.sleep(0.2)
        ended = {"exitCode": 1, "reason": "Error", "finishedAt": now()}
        what = f"back-off restarting failed container={name} pod={metadata['name']}"
        _become(cluster, pod, {"waiting": {"reason": "CrashLoopBackOff", "message": what}}, ended=ended, restarts=tries)
        backed_off = f"Back-off restarting failed container {name} in pod {metadata['name']}"
        events.record(cluster, pod, "BackOff", backed_off, events.KUBELET, warning=True)
        await asyncio.sleep(_pause(tries))
        tries += 1
        cluster.restart_container(metadata["namespace"], metadata["name"], name)
        began(cluster, pod, faults)
    while faults.never_ready:
        unready = "Readiness probe failed: HTTP probe failed with statuscode: 503"
        events.record(cluster, pod, "Unhealthy", unready, events.KUBELET, warning=True)
        await asyncio.sleep(0.5)


def _pause(tries: int) -> float:
    return _BACK_OFF_SECONDS[min(tries, len(_BACK_OFF_SECONDS) - 1)]


def _become(
    cluster: ClusterServer,
    pod: Object,
    state: Object | None = None,
    *,
    phase: str = "",
    ready: bool = False,
    ended: Object | None = None,
    restarts: int | None = None,
) -> None:
    """Another status of the pod. Raises Status where it is gone, or another one has its name."""
    metadata = pod["metadata"]
    found = cluster.get("Pod", metadata["namespace"], metadata["name"])
    if found is None or found["metadata"]["uid"] != metadata["uid"]:
        raise Status(404, "NotFound", f"pod {metadata['name']} is gone")
    status = found["status"]
    for one in status["containerStatuses"]:
        one |= {"ready": ready}
        if state is not None:
            one["state"] = state
        if ended is not None:
            one["lastState"] = {"terminated": ended}
        if restarts is not None:
            one["restartCount"] = restarts
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": now()}
    status |= {"conditions": [condition], **({"phase": phase} if phase else {})}
    cluster.patch("Pod", metadata["namespace"], metadata["name"], {"status": status})


def _container(spec: Object, state: Object) -> Object:
    return {"name": spec["name"], "image": spec.get("image", ""), "ready": False, "restartCount": 0, "state": state}
