"""Keeps the pods of sandbox clusters' Deployments, as the deployment and replicaset controllers of Kubernetes do.

A pod that is deleted is replaced; another template (a `kubectl rollout restart`, another image) brings new pods, and
the old ones go when those are ready. Leaves out: surge and unavailability limits, probes, rollbacks, deadlines.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import hashlib
import json
from collections.abc import Coroutine, Iterable
from typing import Any

from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.resources import Object, Status
from toolkit.sandbox.kubernetes.store import Gone, now, random_suffix

_HASH = "pod-template-hash"


class DeploymentController:
    """Watches `clusters`. A new pod takes `start_seconds` until it is ready."""

    def __init__(self, clusters: Iterable[ClusterServer], *, start_seconds: float = 1.0) -> None:
        self.clusters = tuple(clusters)
        self.start_seconds = start_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        for cluster in self.clusters:
            self._spawn(self._watch(cluster))

    async def stop(self) -> None:
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self, cluster: ClusterServer) -> None:
        while True:
            seen = cluster.store.version
            self._reconcile_all(cluster)
            with contextlib.suppress(Gone):
                async for event in cluster.store.changes(seen):
                    if event.resource.kind in ("Deployment", "ReplicaSet", "Pod"):
                        await asyncio.sleep(0)  # whoever puts several objects at a time is let finish
                        self._reconcile_all(cluster)

    def _reconcile_all(self, cluster: ClusterServer) -> None:
        for deployment in cluster.list("Deployment"):
            with contextlib.suppress(Status):  # something went meanwhile: its event brings us back
                self._reconcile(cluster, deployment)

    def _reconcile(self, cluster: ClusterServer, deployment: Object) -> None:
        namespace, wanted = deployment["metadata"]["namespace"], deployment["spec"].get("replicas", 1)
        sets = _owned(cluster, "ReplicaSet", deployment)
        present = next((one for one in sets if _template(one) == _template(deployment)), None)
        if present is None:
            present = cluster.put(_replica_set(deployment))
        pods = _owned(cluster, "Pod", present)
        for pod in pods[wanted:]:
            cluster.delete("Pod", namespace, pod["metadata"]["name"])
        for _ in range(wanted - len(pods)):
            pod = cluster.put(_pod(present))
            self._spawn(self._get_ready(cluster, pod))
        pods = _owned(cluster, "Pod", present)
        ready = sum(pod["status"]["phase"] == "Running" for pod in pods)
        old = [
            pod
            for one in sets
            if one["metadata"]["uid"] != present["metadata"]["uid"]
            for pod in _owned(cluster, "Pod", one)
        ]
        if ready >= wanted:
            for pod in old:
                cluster.delete("Pod", namespace, pod["metadata"]["name"])
            old = []
        counts: Object = {"readyReplicas": ready + len(old), "availableReplicas": ready + len(old)}
        counts |= {"replicas": len(pods) + len(old), "observedGeneration": deployment["metadata"]["generation"]}
        name = deployment["metadata"]["name"]
        cluster.patch("Deployment", namespace, name, {"status": {**counts, "updatedReplicas": len(pods)}})

    async def _get_ready(self, cluster: ClusterServer, pod: Object) -> None:
        await asyncio.sleep(self.start_seconds)
        stamp = now()
        statuses = [
            {"name": one["name"], "image": one.get("image", ""), "ready": True, "restartCount": 0}
            | {"state": {"running": {"startedAt": stamp}}}
            for one in pod["spec"]["containers"]
        ]
        status = {"phase": "Running", "startTime": stamp, "containerStatuses": statuses}
        with contextlib.suppress(Status):
            cluster.patch("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"], {"status": status})


def _owned(cluster: ClusterServer, kind: str, owner: Object) -> list[Object]:
    metadata = owner["metadata"]
    return [
        item
        for item in cluster.list(kind, metadata["namespace"])
        if any(one.get("uid") == metadata["uid"] for one in item["metadata"].get("ownerReferences", ()))
    ]


def _template(item: Object) -> Object:
    """A template without the label by which a ReplicaSet marks its own."""
    template: Object = copy.deepcopy(item["spec"].get("template", {}))
    template.get("metadata", {}).get("labels", {}).pop(_HASH, None)
    return template


def _replica_set(deployment: Object) -> Object:
    template = _template(deployment)
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:9]
    metadata = template.setdefault("metadata", {})
    labels = metadata["labels"] = {**metadata.get("labels", {}), _HASH: digest}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": _metadata(f"{deployment['metadata']['name']}-{digest}", deployment, labels),
        "spec": {
            "replicas": deployment["spec"].get("replicas", 1),
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }


def _pod(replica_set: Object) -> Object:
    template = copy.deepcopy(replica_set["spec"]["template"])
    name = f"{replica_set['metadata']['name']}-{random_suffix()}"
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **_metadata(name, replica_set, template["metadata"]["labels"]),
            "annotations": dict(template["metadata"].get("annotations", {})),
        },
        "spec": {"nodeName": "sandbox-node-1", **template["spec"]},
        "status": {
            "phase": "Pending",
            "containerStatuses": [
                {
                    "name": one["name"],
                    "image": one.get("image", ""),
                    "ready": False,
                    "restartCount": 0,
                    "state": waiting,
                }
                for one in template["spec"]["containers"]
            ],
        },
    }


def _metadata(name: str, owner: Object, labels: Object) -> Object:
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    reference |= {"uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}
    namespace = owner["metadata"]["namespace"]
    return {"name": name, "namespace": namespace, "labels": dict(labels), "ownerReferences": [reference]}
