"""Carries out the Jobs of sandbox clusters, as the job and cronjob controllers of Kubernetes do.

Any Job that appears gets a pod; what the pod does is a coroutine of the world's (`runner`). Leaves out: the schedule
(no CronJob fires by itself; `schedule_now` starts a run as the schedule would), parallelism and completions above
one, restartPolicy OnFailure (taken as Never: a retry is a new pod), ttlSecondsAfterFinished.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from toolkit.sandbox.images import image_id
from toolkit.sandbox.kubernetes import events
from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.resources import Object, Status
from toolkit.sandbox.kubernetes.store import Gone, now, random_suffix

MANUAL: Final = "cronjob.kubernetes.io/instantiate"
SCHEDULED: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"


@dataclass
class Run:
    """One pod of one Job at work. `cronjob` is the Job's owner, if any; `cancelled` is set when it is to end, and
    `evicted` says why where its node does not want it any more."""

    cluster: ClusterServer
    job: Object
    cronjob: Object | None
    pod: str
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    evicted: str = ""

    @property
    def namespace(self) -> str:
        return str(self.job["metadata"]["namespace"])

    def log(self, line: str) -> None:
        """Write a line (or several) to the pod's log."""
        for part in line.splitlines() or [""]:
            self.cluster.append_log(self.namespace, self.pod, part)


Runner = Callable[[Run], Awaitable[int]]


class JobController:
    """Watches `clusters` and runs their Jobs with `runner`, whose result is the exit code; an exception is a traceback
    in the pod's log and exit code 1."""

    def __init__(
        self,
        clusters: Iterable[ClusterServer],
        runner: Runner,
        *,
        pending_seconds: float = 0.3,
        backoff_seconds: float = 0.5,
    ) -> None:
        self.clusters = tuple(clusters)
        self.runner = runner
        self.pending_seconds = pending_seconds
        self.backoff_seconds = backoff_seconds
        self._watching: list[asyncio.Task[None]] = []
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._pods: dict[str, tuple[Run, asyncio.Task[int]]] = {}

    async def start(self) -> None:
        self._watching = [asyncio.create_task(self._watch(cluster)) for cluster in self.clusters]
        await asyncio.sleep(0)

    async def stop(self) -> None:
        """End all runs; their Jobs stay as they are."""
        for run, _ in self._pods.values():
            run.cancelled.set()
        tasks = [*self._watching, *self._jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def schedule_now(self, cluster: ClusterServer, namespace: str, name: str) -> Object | None:
        """Start a run as if the CronJob's time had come; None where it may not (suspended, or one is running)."""
        cronjob = cluster.get("CronJob", namespace, name)
        if cronjob is None or cronjob["spec"].get("suspend"):
            return None
        active = cronjob.get("status", {}).get("active", [])
        policy = cronjob["spec"].get("concurrencyPolicy", "Allow")
        if active and policy == "Forbid":
            return None
        if active and policy == "Replace":
            for reference in active:
                with contextlib.suppress(Status):
                    cluster.delete("Job", namespace, reference["name"])
            active = []
        job = cluster.store.create(scheduled_job(cronjob, f"{name}-{int(time.time()) // 60}"))
        events.record(cluster, cronjob, "SuccessfulCreate", f"Created job {job['metadata']['name']}", events.CRONJOBS)
        reference = {"apiVersion": "batch/v1", "kind": "Job", "namespace": namespace}
        reference |= {"name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}
        status = {"active": [*active, reference], "lastScheduleTime": now()}
        cluster.patch("CronJob", namespace, name, {"status": status})
        return job

    def evict(self, job: Object, message: str) -> None:
        """End the pod of this Job as the kubelet does on a node that has run out of something; it stays, Failed."""
        for run, task in self._pods.values():
            if run.job["metadata"]["uid"] == job["metadata"]["uid"]:
                run.evicted = message
                run.cancelled.set()
                task.cancel()

    async def _watch(self, cluster: ClusterServer) -> None:
        while True:
            seen = cluster.store.version
            for job in cluster.list("Job"):
                self._saw(cluster, job)
            try:
                async for event in cluster.store.changes(seen):
                    uid = event.object["metadata"]["uid"]
                    if event.resource.kind == "Job" and event.type != "DELETED":
                        self._saw(cluster, event.object)
                    elif event.resource.kind == "Job" and uid in self._jobs:
                        self._jobs[uid].cancel()
                    elif event.resource.kind == "Pod" and event.type == "DELETED" and uid in self._pods:
                        run, task = self._pods[uid]
                        run.cancelled.set()
                        task.cancel()
            except Gone:
                continue

    def _saw(self, cluster: ClusterServer, job: Object) -> None:
        uid = job["metadata"]["uid"]
        if uid in self._jobs or job["spec"].get("suspend") or _finished(job):
            return
        task = asyncio.create_task(self._carry_out(cluster, copy.deepcopy(job)))
        self._jobs[uid] = task
        task.add_done_callback(lambda _: self._jobs.pop(uid, None))

    async def _carry_out(self, cluster: ClusterServer, job: Object) -> None:
        limit = job["spec"].get("backoffLimit", 6)
        failed = job.get("status", {}).get("failed", 0)
        with contextlib.suppress(Status):  # the Job was deleted meanwhile
            try:
                async with asyncio.timeout(job["spec"].get("activeDeadlineSeconds")):
                    while True:
                        begun = job.get("status", {}).get("startTime") or now()
                        job = _report(cluster, job, {"startTime": begun, "active": 1, "ready": 0})
                        code = await self._attempt(cluster, job)
                        failed += code != 0
                        job = _report(cluster, job, {"active": 0, "ready": 0, "failed": failed or None})
                        if code == 0:
                            job = _report(cluster, job, {"succeeded": 1, "completionTime": now()})
                            self._end(cluster, job, "Complete", "CompletionsReached", "Reached expected number of pods")
                            return
                        if failed > limit:
                            message = "Job has reached the specified backoff limit"
                            self._end(cluster, job, "Failed", "BackoffLimitExceeded", message)
                            return
                        await asyncio.sleep(self.backoff_seconds)
            except TimeoutError:
                for pod in cluster.list("Pod", job["metadata"]["namespace"], f"job-name={job['metadata']['name']}"):
                    if pod["status"]["phase"] in ("Pending", "Running"):
                        deleted = f"Deleted pod: {pod['metadata']['name']}"
                        events.record(cluster, job, "SuccessfulDelete", deleted, events.JOBS)
                        cluster.delete("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])
                job = _report(cluster, job, {"active": 0, "ready": 0, "failed": failed + 1})
                message = "Job was active longer than specified deadline"
                self._end(cluster, job, "Failed", "DeadlineExceeded", message)

    async def _attempt(self, cluster: ClusterServer, job: Object) -> int:
        """One pod from its making to its end; its exit code."""
        pod = cluster.store.create(_pod(job))
        events.record(cluster, job, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}", events.JOBS)
        events.scheduled(cluster, pod)
        run = Run(cluster, job, _owner(cluster, job), pod["metadata"]["name"])
        task = asyncio.create_task(self._run(run))
        self._pods[pod["metadata"]["uid"]] = (run, task)
        try:
            await asyncio.wait({task})
        finally:
            if not task.done():
                run.cancelled.set()
                task.cancel()
                await asyncio.wait({task})
            del self._pods[pod["metadata"]["uid"]]
        if task.cancelled():
            if run.evicted:
                _show_evicted(run)
            return 137
        return task.result()

    async def _run(self, run: Run) -> int:
        await asyncio.sleep(self.pending_seconds)
        begun = now()
        pod = run.cluster.get("Pod", run.namespace, run.pod)
        if pod is not None:
            events.started(run.cluster, pod)
        _show(run, "Running", {"running": {"startedAt": begun}})
        with contextlib.suppress(Status):
            run.job = _report(run.cluster, run.job, {"ready": 1})
        try:
            code = await self.runner(run)
        except Exception:  # noqa: BLE001  whatever a pod's program throws is that program's own crash
            run.log(traceback.format_exc())
            code = 1
        reason = "Completed" if code == 0 else "Error"
        ended = {"exitCode": code, "reason": reason, "startedAt": begun, "finishedAt": now()}
        _show(run, "Succeeded" if code == 0 else "Failed", {"terminated": ended})
        _close_logs(run)
        return code

    def _end(self, cluster: ClusterServer, job: Object, kind: str, reason: str, message: str) -> None:
        stamp = now()
        condition = {"type": kind, "status": "True", "reason": reason, "message": message}
        condition |= {"lastProbeTime": stamp, "lastTransitionTime": stamp}
        job = _report(cluster, job, {"conditions": [condition]})
        events.ended(cluster, job, reason, message, well=kind == "Complete")
        cronjob = _owner(cluster, job)
        if cronjob is not None:
            saw = f"Saw completed job: {job['metadata']['name']}, condition: {kind}"
            events.record(cluster, cronjob, "SawCompletedJob", saw, events.CRONJOBS)
            _tell_cronjob(cluster, cronjob, job, succeeded=kind == "Complete")
            _trim_history(cluster, cronjob)


def scheduled_job(cronjob: Object, name: str) -> Object:
    """The Job that the cronjob controller makes when the schedule says so."""
    template = cronjob["spec"]["jobTemplate"]
    metadata = template.get("metadata", {})
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": cronjob["metadata"]["name"]}
    owner |= {"uid": cronjob["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": cronjob["metadata"]["namespace"],
            "labels": dict(metadata.get("labels", {})),
            "annotations": {**metadata.get("annotations", {}), SCHEDULED: now()},
            "ownerReferences": [owner],
        },
        "spec": copy.deepcopy(template["spec"]),
    }


def _finished(job: Object) -> bool:
    conditions = job.get("status", {}).get("conditions", ())
    return any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)


def _owner(cluster: ClusterServer, job: Object) -> Object | None:
    for reference in job["metadata"].get("ownerReferences", ()):
        if reference["kind"] == "CronJob":
            found = cluster.get("CronJob", job["metadata"]["namespace"], reference["name"])
            if found is not None and found["metadata"]["uid"] == reference["uid"]:
                return found
    return None


def _report(cluster: ClusterServer, job: Object, status: Object) -> Object:
    metadata = job["metadata"]
    return cluster.patch("Job", metadata["namespace"], metadata["name"], {"status": status})


def _pod(job: Object) -> Object:
    """The pod a Job makes from its template, Pending."""
    metadata, template = job["metadata"], copy.deepcopy(job["spec"]["template"])
    given = template.get("metadata", {})
    name, uid = metadata["name"], metadata["uid"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid}
    owner |= {"controller": True, "blockOwnerDeletion": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name[:57]}-{random_suffix()}",
            "namespace": metadata["namespace"],
            "labels": dict(given.get("labels", {})),
            "annotations": dict(given.get("annotations", {})),
            "ownerReferences": [owner],
        },
        "spec": {"restartPolicy": "Never", "nodeName": "sandbox-node-1", **template["spec"]},
        "status": {
            "phase": "Pending",
            "containerStatuses": _statuses(template["spec"], {"waiting": {"reason": "ContainerCreating"}}),
        },
    }


def _statuses(spec: Object, state: Object) -> list[Object]:
    running = "running" in state
    return [
        {
            "name": container["name"],
            "image": container.get("image", ""),
            "imageID": "" if "waiting" in state else image_id(container.get("image", "")),
            "ready": running,
            "started": running,
            "restartCount": 0,
            "state": state,
        }
        for container in spec["containers"]
    ]


def _show(run: Run, phase: str, state: Object) -> None:
    pod = run.cluster.get("Pod", run.namespace, run.pod)
    if pod is None:
        return
    begun = pod["status"].get("startTime") or now()
    status = {"phase": phase, "startTime": begun, "containerStatuses": _statuses(pod["spec"], state)}
    run.cluster.patch("Pod", run.namespace, run.pod, {"status": status})


def _show_evicted(run: Run) -> None:
    pod = run.cluster.get("Pod", run.namespace, run.pod)
    if pod is not None:
        ended = {"exitCode": 137, "reason": "Error", "startedAt": pod["status"].get("startTime"), "finishedAt": now()}
        _show(run, "Failed", {"terminated": ended})
        status = {"reason": "Evicted", "message": run.evicted}
        events.record(run.cluster, pod, "Evicted", run.evicted, events.KUBELET, warning=True)
        run.cluster.patch("Pod", run.namespace, run.pod, {"status": status})
    _close_logs(run)


def _close_logs(run: Run) -> None:
    for container in run.job["spec"]["template"]["spec"]["containers"]:
        run.cluster.log_of(run.namespace, run.pod, container["name"]).close()


def _tell_cronjob(cluster: ClusterServer, cronjob: Object, job: Object, *, succeeded: bool) -> None:
    """Runs by hand are never among `active` (the real controller does not put them there), but count as successes."""
    status = cronjob.get("status", {})
    uid = job["metadata"]["uid"]
    change: Object = {"active": [one for one in status.get("active", []) if one["uid"] != uid]}
    if succeeded:
        ended = job["status"]["completionTime"]
        change["lastSuccessfulTime"] = max(status.get("lastSuccessfulTime", ""), ended)
    metadata = cronjob["metadata"]
    cluster.patch("CronJob", metadata["namespace"], metadata["name"], {"status": change})


def _age(job: Object) -> tuple[str, int]:
    """Jobs of the same second are told apart by which changed last."""
    return job["status"].get("startTime", ""), int(job["metadata"]["resourceVersion"])


def _trim_history(cluster: ClusterServer, cronjob: Object) -> None:
    metadata, spec = cronjob["metadata"], cronjob["spec"]
    mine = [
        job
        for job in cluster.list("Job", metadata["namespace"])
        if any(one["uid"] == metadata["uid"] for one in job["metadata"].get("ownerReferences", ()))
    ]
    for kind, limit in (
        ("Complete", spec.get("successfulJobsHistoryLimit", 3)),
        ("Failed", spec.get("failedJobsHistoryLimit", 1)),
    ):
        ended = [job for job in mine if any(one["type"] == kind for one in job["status"].get("conditions", ()))]
        ended.sort(key=_age, reverse=True)
        for job in ended[limit:]:
            deleted = f"Deleted job {job['metadata']['name']}"
            events.record(cluster, cronjob, "SuccessfulDelete", deleted, events.CRONJOBS)
            cluster.delete("Job", metadata["namespace"], job["metadata"]["name"])
