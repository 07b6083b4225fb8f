"""Keeps the pods of sandbox clusters' Deployments, as the deployment and replicaset controllers of Kubernetes do.

A pod that is deleted is replaced; another template (a `kubectl rollout restart`, another image) brings new pods, within
the strategy's surge and unavailability, as apps/v1 documents it; one that gets no further is said to have exceeded its
deadline. Old ReplicaSets keep their revision, so that `kubectl rollout undo` finds them. Leaves out: minReadySeconds,
proportional scaling, the revision history's limit, the time that a pod takes to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import hashlib
import json
import math
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

from toolkit.sandbox.kubernetes import events, starting_pods
from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.resources import Object, Status
from toolkit.sandbox.kubernetes.starting_pods import Began, PodFaults
from toolkit.sandbox.kubernetes.store import Gone, now

_HASH: Final = "pod-template-hash"
_REVISION: Final = "deployment.kubernetes.io/revision"
_LOOKS_EVERY: Final = 0.25  # seconds between two looks at the deadlines of rollouts under way


@dataclass
class _Under:
    """A rollout under way: what was last seen of it, and when that last became more (time.monotonic)."""

    seen: tuple[object, ...]
    since: float


class DeploymentController:
    """Watches `clusters`. A new pod takes `start_seconds` until it is ready, where none of its Deployment's `faults`
    keeps it from that. `began` is told of each container that starts."""

    def __init__(
        self,
        clusters: Iterable[ClusterServer],
        *,
        start_seconds: float = 1.0,
        faults: Callable[[Object], PodFaults] = lambda _: PodFaults(),
        began: Began = starting_pods.silently,
    ) -> None:
        self.clusters = tuple(clusters)
        self.start_seconds = start_seconds
        self.faults = faults
        self.began = began
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: dict[str, _Under] = {}

    async def start(self) -> None:
        for cluster in self.clusters:
            self._spawn(self._watch(cluster))
            self._spawn(self._mind_deadlines(cluster))

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

    async def _mind_deadlines(self, cluster: ClusterServer) -> None:
        while True:
            await asyncio.sleep(_LOOKS_EVERY)
            if self._under_way:
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
            if deployment["spec"].get("paused"):
                return
            present = cluster.put(_replica_set(deployment))
        _mark_revision(cluster, deployment, present, sets)
        old = [
            pod
            for one in sets
            if one["metadata"]["uid"] != present["metadata"]["uid"]
            for pod in _owned(cluster, "Pod", one)
        ]
        pods = _owned(cluster, "Pod", present)
        for pod in pods[wanted:]:
            cluster.delete("Pod", namespace, pod["metadata"]["name"])
        surge, unavailable = _limits(deployment["spec"].get("strategy") or {}, wanted)
        for _ in range(min(wanted - len(pods), wanted + surge - len(pods) - len(old))):
            pod = cluster.put(starting_pods.new_pod(present))
            created = f"Created pod: {pod['metadata']['name']}"
            events.record(cluster, present, "SuccessfulCreate", created, events.REPLICA_SETS)
            faults = self.faults(deployment)
            self._spawn(starting_pods.get_ready(cluster, pod, self.start_seconds, faults, self.began))
        pods = _owned(cluster, "Pod", present)
        ready = sum(starting_pods.is_ready(pod) for pod in pods)
        spare = len(pods) + len(old) - (wanted - unavailable) - (len(pods) - ready)
        doomed = sorted(old, key=starting_pods.is_ready)[: max(spare, 0)]
        for pod in doomed:
            cluster.delete("Pod", namespace, pod["metadata"]["name"])
        old = [pod for pod in old if pod not in doomed]
        for one in sets:
            if one["metadata"]["uid"] != present["metadata"]["uid"]:
                _count(cluster, one, _owned(cluster, "Pod", one))
        _count(cluster, present, pods)
        self._say(cluster, deployment, pods, old)

    def _say(self, cluster: ClusterServer, deployment: Object, pods: list[Object], old: list[Object]) -> None:
        """The Deployment's status."""
        metadata, spec = deployment["metadata"], deployment["spec"]
        wanted, ready = spec.get("replicas", 1), sum(map(starting_pods.is_ready, pods))
        available = ready + sum(map(starting_pods.is_ready, old))
        counts: Object = {
            "replicas": len(pods) + len(old),
            "updatedReplicas": len(pods),
            "readyReplicas": available,
            "availableReplicas": available,
            "unavailableReplicas": max(wanted - available, 0),
            "observedGeneration": metadata["generation"],
        }
        reason, well, message = self._progress(deployment, len(pods), ready, len(old))
        before = (deployment.get("status") or {}).get("conditions") or ()
        known: Object = next((one for one in before if one.get("type") == "Progressing"), {})
        condition = {"type": "Progressing", "status": well, "reason": reason, "message": message}
        if {key: known.get(key) for key in condition} != condition:
            known = {**condition, "lastUpdateTime": now(), "lastTransitionTime": now()}
        cluster.patch(
            "Deployment", metadata["namespace"], metadata["name"], {"status": {**counts, "conditions": [known]}}
        )

    def _progress(self, deployment: Object, new: int, ready: int, old: int) -> tuple[str, str, str]:
        """Reason, status and message of the condition Progressing."""
        metadata, wanted = deployment["metadata"], deployment["spec"].get("replicas", 1)
        named = f'ReplicaSet of "{metadata["name"]}"'
        if ready >= wanted and not old:
            self._under_way.pop(metadata["uid"], None)
            return "NewReplicaSetAvailable", "True", f"{named} has successfully progressed."
        seen = (_template(deployment), new, ready, old)
        under = self._under_way.get(metadata["uid"])
        if under is None or under.seen != seen:
            under = self._under_way[metadata["uid"]] = _Under(seen, time.monotonic())
        limit = self.faults(deployment).deadline_seconds or deployment["spec"].get("progressDeadlineSeconds", 600)
        if time.monotonic() - under.since > limit:
            return "ProgressDeadlineExceeded", "False", f"{named} has timed out progressing."
        return "ReplicaSetUpdated", "True", f"{named} is progressing."


def _limits(strategy: Object, wanted: int) -> tuple[int, int]:
    """How many pods more, and how many available ones less, than wanted there may be while pods are replaced."""
    if strategy.get("type") == "Recreate":
        return 0, wanted
    rolling = strategy.get("rollingUpdate") or {}
    surge = _share(rolling.get("maxSurge", "25%"), wanted, math.ceil)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), wanted, math.floor)
    return surge, unavailable if surge or unavailable else 1


def _share(value: object, wanted: int, whole: Callable[[float], int]) -> int:
    text = str(value)
    return whole(int(text[:-1]) * wanted / 100) if text.endswith("%") else int(text)


def _mark_revision(cluster: ClusterServer, deployment: Object, present: Object, sets: list[Object]) -> None:
    """The ReplicaSet that is rolled out bears the highest revision, and the Deployment that same one."""
    others = [_revision(one) for one in sets if one["metadata"]["uid"] != present["metadata"]["uid"]]
    revision = max(_revision(present), max(others, default=0) + 1)
    for item in (present, deployment):
        metadata = item["metadata"]
        if _revision(item) != revision:
            change = {"metadata": {"annotations": {_REVISION: str(revision)}}}
            cluster.patch(item["kind"], metadata["namespace"], metadata["name"], change)


def _revision(item: Object) -> int:
    return int((item["metadata"].get("annotations") or {}).get(_REVISION, 0))


def _count(cluster: ClusterServer, replica_set: Object, pods: list[Object]) -> None:
    metadata, ready = replica_set["metadata"], sum(map(starting_pods.is_ready, pods))
    status = {"replicas": len(pods), "readyReplicas": ready, "availableReplicas": ready}
    change = {"spec": {"replicas": len(pods)}, "status": status}
    cluster.patch("ReplicaSet", metadata["namespace"], metadata["name"], change)


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
    template.get("metadata", {}).pop("creationTimestamp", None)  # null, where a typed client wrote it
    return template


def _replica_set(deployment: Object) -> Object:
    template = _template(deployment)
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:9]
    metadata = template.setdefault("metadata", {})
    labels = metadata["labels"] = {**metadata.get("labels", {}), _HASH: digest}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": starting_pods.metadata_of(f"{deployment['metadata']['name']}-{digest}", deployment, labels),
        "spec": {
            "replicas": deployment["spec"].get("replicas", 1),
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }
