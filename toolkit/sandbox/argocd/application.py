"""An Application (argoproj.io/v1alpha1) as Argo CD's controller would see it: git compared with the cluster."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toolkit.sandbox import manifests, repository
from toolkit.sandbox.manifests import Object, rfc3339

if TYPE_CHECKING:
    from toolkit.sandbox.sites import Site

PROJECT: Final = "phenoapp"
NAMESPACE: Final = "argocd"
_MOST_HISTORY: Final = 10  # revisionHistoryLimit's default


@dataclass(frozen=True, slots=True)
class Synced:
    """A revision that was synced, and when."""

    revision: str
    at: datetime


def application(
    site: Site, directory: Path, declared: Object | None, revision: str, history: Sequence[Synced]
) -> dict[str, Any]:
    """`declared` is the manifest at `revision`, the newest of trunk; None: its path is not there."""
    place, now = site.place, datetime.now(UTC)
    source = {
        "repoURL": f"file://{directory}",
        "path": site.manifest.rpartition("/")[0],
        "targetRevision": repository.BRANCH,
    }
    destination = {"name": site.cluster, "namespace": place.cache_manager_namespace}
    live = site.cluster_now.get("CronJob", place.cache_manager_namespace, place.cronjob)
    status = _sync_status(declared, live)
    health = _health(live)
    last = history[-1] if history else None
    found: dict[str, Any] = {
        "metadata": {
            "name": place.argocd_application,
            "namespace": NAMESPACE,
            "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, place.argocd_application)),
            "resourceVersion": str(int(now.timestamp())),
            "creationTimestamp": rfc3339(now - timedelta(days=211)),
        },
        "spec": {"project": PROJECT, "source": source, "destination": destination},
        "status": {
            "resources": [
                {
                    "group": "batch",
                    "version": "v1",
                    "kind": "CronJob",
                    "namespace": place.cache_manager_namespace,
                    "name": place.cronjob,
                    "status": status,
                    "health": {"status": health},
                }
            ],
            "sync": {
                "status": status,
                "comparedTo": {"source": source, "destination": destination},
                "revision": revision,
            },
            "health": {"status": health},
            "history": [
                {
                    "revision": one.revision,
                    "deployedAt": rfc3339(one.at),
                    "deployStartedAt": rfc3339(one.at - timedelta(seconds=1)),
                    "id": number,
                    "source": source,
                    "initiatedBy": {"username": "admin"},
                }
                for number, one in enumerate(history)
            ][-_MOST_HISTORY:],
            "reconciledAt": rfc3339(now),
            "sourceType": "Directory",
            "summary": {"images": _images(site, live)},
        },
    }
    if last is not None:
        found["status"]["operationState"] = {
            "operation": {"sync": {"revision": last.revision}, "initiatedBy": {"username": "admin"}},
            "phase": "Succeeded",
            "message": "successfully synced (all tasks run)",
            "syncResult": {"revision": last.revision, "source": source},
            "startedAt": rfc3339(last.at - timedelta(seconds=1)),
            "finishedAt": rfc3339(last.at),
        }
    if declared is None:
        message = f"Failed to load target state: {source['path']}: app path does not exist"
        found["status"]["conditions"] = [
            {"type": "ComparisonError", "message": message, "lastTransitionTime": rfc3339(now)}
        ]
    return found


def apply(site: Site, declared: Object) -> None:
    """What a sync does: the CronJob in the cluster becomes what the manifest says."""
    place, cluster = site.place, site.cluster_now
    if cluster.get("CronJob", place.cache_manager_namespace, place.cronjob) is None:
        made = manifests.cronjob(place, datetime.now(UTC))
        cluster.put({**made, "spec": copy.deepcopy(declared["spec"])})
    else:
        change = {"spec": copy.deepcopy(declared["spec"])}
        cluster.patch("CronJob", place.cache_manager_namespace, place.cronjob, change)


def _sync_status(declared: Object | None, live: Object | None) -> str:
    if declared is None:
        return "Unknown"
    return "Synced" if live is not None and _within(declared["spec"], live["spec"]) else "OutOfSync"


def _within(declared: Any, live: Any) -> bool:
    """Whether all that is declared is so; what the cluster added does not count."""
    if isinstance(declared, Mapping):
        return isinstance(live, Mapping) and all(_within(value, live.get(key)) for key, value in declared.items())
    if isinstance(declared, list):
        return isinstance(live, list) and len(declared) == len(live) and all(map(_within, declared, live))
    return bool(declared == live)


def _health(live: Object | None) -> str:
    if live is None:
        return "Missing"
    return "Suspended" if live["spec"].get("suspend") else "Healthy"


def _images(site: Site, live: Object | None) -> list[str]:
    """Those of the pods below the CronJob in the tree of owners: Argo CD looks into pods alone."""
    if live is None:
        return []
    cluster, namespace = site.cluster_now, site.place.cache_manager_namespace
    jobs = {job["metadata"]["uid"] for job in cluster.list("Job", namespace) if live["metadata"]["uid"] in _owners(job)}
    pods = [pod for pod in cluster.list("Pod", namespace) if jobs & _owners(pod)]
    return sorted({container["image"] for pod in pods for container in pod["spec"]["containers"]})


def _owners(found: Object) -> set[str]:
    return {one["uid"] for one in found["metadata"].get("ownerReferences", ())}
