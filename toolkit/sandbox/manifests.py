"""The Kubernetes objects of the sandbox's environments, as `kubectl get -o yaml` would show them."""

from __future__ import annotations

import copy
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from toolkit.sandbox.images import image_id
from toolkit.sandbox.kubernetes.store import random_suffix
from toolkit.sandbox.okta.directory import ON_CALL_GROUP, USERS_GROUP
from toolkit.sandbox.places import IMAGE_TAG, SCHEDULE, TIME_ZONE, Place

Object = dict[str, Any]


def rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cronjob(place: Place, created: datetime, *, tag: str = IMAGE_TAG) -> Object:
    """The cache manager's CronJob, without its status."""
    labels = {"app.kubernetes.io/name": place.cronjob, "team": "phenoapp"}
    container = {
        "name": "cache-manager",
        "image": f"phenoapp/cache-manager:{tag}",
        "command": ["python", "-m", "phenoapp.cache_manager"],
        "env": [
            {"name": "REDIS_HOST", "value": "redis-proxy"},
            {"name": "VAULT_SECRET_PATH", "value": f"secret/{place.vault_path}"},
            {"name": "L3_BUCKET", "value": place.bucket},
        ],
        "resources": {"requests": {"cpu": "4", "memory": "48Gi"}, "limits": {"memory": "64Gi"}},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            **_metadata(place.cronjob, place.cache_manager_namespace, created, labels),
            "annotations": {"argocd.argoproj.io/tracking-id": f"{place.argocd_application}:batch/CronJob"},
        },
        "spec": {
            "schedule": SCHEDULE,
            "timeZone": TIME_ZONE,
            "concurrencyPolicy": "Forbid",
            "suspend": False,
            "successfulJobsHistoryLimit": 5,
            "failedJobsHistoryLimit": 2,
            "jobTemplate": {
                "metadata": {"labels": labels, "annotations": {"phenoapp/what": "fills the caches L2 and L3"}},
                "spec": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": 3 * 3600,
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {
                            "restartPolicy": "Never",
                            "serviceAccountName": "cache-manager",
                            "containers": [container],
                        },
                    },
                },
            },
        },
        "status": {},
    }


@dataclass(frozen=True, slots=True)
class PastRun:
    """A Job that is over. `manual`: somebody created it from the CronJob by hand."""

    started: datetime
    seconds: int
    failed: bool = False
    manual: bool = False

    @property
    def finished(self) -> datetime:
        return self.started + timedelta(seconds=self.seconds)


def past_runs(scheduled: list[datetime]) -> list[PastRun]:
    """What became of the last runs, the newest first: one failed, and was made good by hand the morning after."""
    runs = [PastRun(start, 3300 + 97 * number, failed=number == 2) for number, start in enumerate(scheduled[:5])]
    runs[2] = PastRun(scheduled[2], 1260, failed=True)
    runs.insert(2, PastRun(scheduled[2] + timedelta(hours=14, minutes=41), 3510, manual=True))
    return runs


def past_job(of: Object, run: PastRun, tag: str = IMAGE_TAG) -> Object:
    """The Job that the CronJob `of` (or somebody, by hand) made for `run`, when it asked for the image of `tag`."""
    of = copy.deepcopy(of)
    for container in of["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]:
        container["image"] = f"{container['image'].rpartition(':')[0]}:{tag}"
    owner = of["metadata"]
    minutes = int(run.started.timestamp() // 60)
    name = f"{owner['name']}-{f'manual-{minutes % 1000:03d}' if run.manual else minutes}"
    annotations = {
        **of["spec"]["jobTemplate"]["metadata"]["annotations"],
        **(
            {"cronjob.kubernetes.io/instantiate": "manual"}
            if run.manual
            else {"batch.kubernetes.io/cronjob-scheduled-timestamp": rfc3339(run.started)}
        ),
    }
    uid = str(uuid.uuid4())
    controller = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name, "job-name": name}
    labels = {**of["spec"]["jobTemplate"]["metadata"]["labels"], **controller}
    template = of["spec"]["jobTemplate"]["spec"]["template"]
    condition = {
        "type": "Failed" if run.failed else "Complete",
        "status": "True",
        "reason": "BackoffLimitExceeded" if run.failed else "CompletionsReached",
        "message": "Job has reached the specified backoff limit"
        if run.failed
        else "Reached expected number of succeeded pods",
        "lastProbeTime": rfc3339(run.finished),
        "lastTransitionTime": rfc3339(run.finished),
    }
    status: Object = {"startTime": rfc3339(run.started), "conditions": [condition], "ready": 0, "terminating": 0}
    if run.failed:
        status["failed"] = 1
    else:
        status |= {"completionTime": rfc3339(run.finished), "succeeded": 1}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            **_metadata(name, owner["namespace"], run.started, labels),
            "uid": uid,
            "annotations": annotations,
            "ownerReferences": [owner_reference("batch/v1", "CronJob", owner)],
        },
        "spec": {
            **of["spec"]["jobTemplate"]["spec"],
            "parallelism": 1,
            "completions": 1,
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}},
            "template": {**template, "metadata": {"labels": {**template["metadata"]["labels"], **controller}}},
        },
        "status": status,
    }


def tag_of(template: Object) -> str:
    """The tag of the image that a pod, or a template of one, runs."""
    return str(template["spec"]["containers"][0]["image"].rpartition(":")[2])


def past_pod(job: Object, run: PastRun) -> Object:
    """The pod in which that Job ran, ended."""
    owner, template = job["metadata"], job["spec"]["template"]
    container = template["spec"]["containers"][0]
    ended = {
        "exitCode": 1 if run.failed else 0,
        "reason": "Error" if run.failed else "Completed",
        "startedAt": rfc3339(run.started + timedelta(seconds=9)),
        "finishedAt": rfc3339(run.finished),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **_metadata(_generated(owner["name"]), owner["namespace"], run.started, template["metadata"]["labels"]),
            "ownerReferences": [owner_reference("batch/v1", "Job", owner)],
        },
        "spec": {**template["spec"], "nodeName": f"gke-batch-{secrets.token_hex(2)}"},
        "status": {
            "phase": "Failed" if run.failed else "Succeeded",
            "startTime": rfc3339(run.started),
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": image_id(container["image"]),
                    "ready": False,
                    "restartCount": 0,
                    "state": {"terminated": ended},
                }
            ],
        },
    }


def proxy_service(place: Place, created: datetime, host: str, port: int) -> Object:
    """The LoadBalancer Service of the Redis proxy; its status holds the address at which it is reached."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata("redis-proxy", place.cache_manager_namespace, created, {"app": "redis-proxy"}),
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app": "redis-proxy"},
            "ports": [{"name": "redis", "protocol": "TCP", "port": port, "targetPort": 6379}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": host}]}},
    }


def ingress(place: Place, created: datetime) -> Object:
    """The Ingress by which people come in, with Pomerium's policy in its annotations."""
    host = place.url.removeprefix("https://")
    policy = f"allow:\n  or:\n    - claim/groups: {USERS_GROUP}\n    - claim/groups: {ON_CALL_GROUP}\n"
    backend = {"service": {"name": place.deployment, "port": {"name": "http"}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            **_metadata(place.deployment, place.app_namespace, created, {"app": place.deployment}),
            "annotations": {
                "ingress.pomerium.io/allow_websockets": "true",
                "ingress.pomerium.io/pass_identity_headers": "true",
                "ingress.pomerium.io/policy": policy,
            },
        },
        "spec": {
            "ingressClassName": "pomerium",
            "tls": [{"hosts": [host], "secretName": f"{place.deployment}-tls"}],
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.17"}]}},
    }


def app(place: Place, created: datetime, pods_started: datetime) -> list[Object]:
    """MapApp's disruption budget, Deployment and ReplicaSet, and three pods started at about `pods_started`."""
    labels = {"app": place.deployment}
    template: Object = {
        "metadata": {"labels": labels, "annotations": {"kubectl.kubernetes.io/restartedAt": rfc3339(pods_started)}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": "phenoapp/dash-phenoapp:v2.118.0",
                    "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8050}, "periodSeconds": 10},
                    "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "6Gi"}},
                }
            ]
        },
    }
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    counts = {"replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "observedGeneration": 1}
    deployment: Object = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(place.deployment, place.app_namespace, created, labels) | {"generation": 1},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "strategy": strategy,
            "progressDeadlineSeconds": 600,
            "template": template,
        },
        "status": counts,
    }
    hashed = {**labels, "pod-template-hash": f"{secrets.token_hex(5)[1:]}"}
    name = f"{place.deployment}-{hashed['pod-template-hash']}"
    owner = _metadata(name, place.app_namespace, pods_started, hashed)
    replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": owner | {"ownerReferences": [owner_reference("apps/v1", "Deployment", deployment["metadata"])]},
        "spec": {"replicas": 3, "selector": {"matchLabels": hashed}, "template": template},
        "status": {"replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "observedGeneration": 1},
    }
    container = template["spec"]["containers"][0]
    pods = [_app_pod(owner, container, pods_started + timedelta(seconds=41 * n)) for n in range(3)]
    budget: Object = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(place.deployment, place.app_namespace, created, labels),
        "spec": {"minAvailable": 2, "selector": {"matchLabels": labels}},
        "status": {"currentHealthy": 3, "desiredHealthy": 2, "disruptionsAllowed": 1, "expectedPods": 3},
    }
    return [budget, deployment, replica_set, *pods]


def _app_pod(owner: Object, container: Object, started: datetime) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **_metadata(_generated(owner["name"]), owner["namespace"], started, owner["labels"]),
            "ownerReferences": [owner_reference("apps/v1", "ReplicaSet", owner)],
        },
        "spec": {"containers": [container], "nodeName": f"gke-serving-{secrets.token_hex(2)}"},
        "status": {
            "phase": "Running",
            "startTime": rfc3339(started),
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": rfc3339(started)}],
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": image_id(container["image"]),
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": rfc3339(started + timedelta(seconds=6))}},
                }
            ],
        },
    }


def owner_reference(api_version: str, kind: str, owner: Mapping[str, Any]) -> Object:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": owner["name"],
        "uid": owner["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _metadata(name: str, namespace: str, created: datetime, labels: Mapping[str, str]) -> Object:
    return {
        "name": name,
        "namespace": namespace,
        "uid": str(uuid.uuid4()),
        "creationTimestamp": rfc3339(created),
        "labels": dict(labels),
    }


def _generated(name: str) -> str:
    return f"{name[:57]}-{random_suffix()}"
