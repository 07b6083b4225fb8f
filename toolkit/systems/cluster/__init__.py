"""One Kubernetes cluster, by its own context: what the toolkit asks of it, and what it changes there (a Job that it
makes, a Deployment that it restarts).

Objects come back as the frozen values of cluster/objects.py; errors are ToolkitErrors that name the cluster and its
context. Blocking; every call is bounded in time. Thread-safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from toolkit.environments import model
from toolkit.errors import ConfigurationError, NotFound, Unreachable
from toolkit.permit import Permit
from toolkit.systems.cluster import access as cluster_access
from toolkit.systems.cluster import deployments as cluster_deployments
from toolkit.systems.cluster import events as cluster_events
from toolkit.systems.cluster import identity as cluster_identity
from toolkit.systems.cluster import manifest as cluster_manifest
from toolkit.systems.cluster import objects as cluster_objects
from toolkit.systems.cluster.deployments import Deployment, DisruptionBudget, Warned
from toolkit.systems.cluster.events import ObjectEvent
from toolkit.systems.cluster.log import PodLog
from toolkit.systems.cluster.objects import ClusterIdentity, CronJob, Ingress, Job, Object, Pod
from toolkit.systems.cluster.pod_watch import Pods, PodWatch
from toolkit.systems.cluster.requests import Api, Forbidden, Query

_PAGE = 500
_BATCH = "/apis/batch/v1"
_APPS = "/apis/apps/v1"
_CORE = "/api/v1"
_METRICS = "/apis/metrics.k8s.io/v1beta1"
_NETWORKING = "/apis/networking.k8s.io/v1"

__all__ = ["Cluster", "Forbidden"]


class Cluster:
    """The cluster that the configuration calls `name`. Opened at the first question. An empty namespace in a question
    for one object means: wherever it is; that needs the right to list them all."""

    def __init__(self, name: str, part: model.Cluster) -> None:
        self.name = name
        self.part = part
        self._api = Api(name, part)

    @property
    def address(self) -> str:
        """The API's URL, from the kubeconfig. Raises ConfigurationError where the context is not there."""
        return self._api.address

    def kubectl(self, *words: str, namespace: str = "") -> str:
        """The kubectl command a person would type."""
        return cluster_access.kubectl(self.part, *words, namespace=namespace)

    def version(self) -> str:
        """The server's version, as `v1.33.5-gke.1080000`."""
        return str(self._api.get("/version").get("gitVersion", "unknown"))

    def identity(self) -> ClusterIdentity:
        """Which cluster this is; remembered at the first meeting.

        Raises Refused where the name has belonged to another cluster until now, Forbidden where we may not know.
        """
        found = self._api.get(f"{_CORE}/namespaces/kube-system")
        uid = str((found.get("metadata") or {}).get("uid") or "")
        if not uid:
            raise Unreachable(f"Cluster {self.name} gives its namespace kube-system no UID: is this Kubernetes?")
        known_since = cluster_identity.recognise(self.name, self.part, uid, self.address)
        return ClusterIdentity(self.name, self.part.context, self.address, uid, self.version(), known_since)

    def service_address(self, namespace: str, service: str) -> tuple[str, int]:
        """Host and port under which a LoadBalancer Service is reached from outside.

        Raises NotFound where there is no such Service or it has no address (yet).
        """
        found = self._one(f"{_CORE}/", "services", namespace, service)
        if found is None:
            raise NotFound(
                f"There is no Service {service} in {self._where(namespace)}.",
                hint="Correct redis_proxy.cluster, .namespace or .service in the configuration.",
                by_hand=(self.kubectl("get", "services", *([] if namespace else ["-A"]), namespace=namespace),),
            )
        spec, status = found.get("spec") or {}, found.get("status") or {}
        ingress = (status.get("loadBalancer") or {}).get("ingress") or ()
        hosts = [one.get("ip") or one.get("hostname") for one in ingress] + list(spec.get("externalIPs") or ())
        hosts = [str(host) for host in hosts if host]
        where = f"Service {found['metadata']['namespace']}/{service} in cluster {self.name}"
        if not hosts:
            kind = spec.get("type", "ClusterIP")
            why = "is waiting for its load balancer" if kind == "LoadBalancer" else f"is a {kind}, not a LoadBalancer"
            raise NotFound(
                f"{where} has no external address: it {why}.",
                hint="Look at its events; or set redis.address in the configuration.",
                by_hand=(self.kubectl("describe", "service", service, namespace=found["metadata"]["namespace"]),),
            )
        ports = spec.get("ports") or ()
        if not ports:
            raise NotFound(f"{where} has no port.")
        by_name = [one for one in ports if "redis" in str(one.get("name", "")) or one.get("port") == 6379]
        return hosts[0], int((by_name or ports)[0]["port"])

    def cronjob(self, namespace: str, name: str) -> CronJob | None:
        found = self._one(f"{_BATCH}/", "cronjobs", namespace, name)
        return cluster_objects.read_cronjob(self.name, found) if found is not None else None

    def find_cronjobs(self, name: str) -> list[CronJob]:
        """The CronJobs of that name in all namespaces. Raises Forbidden where we may not list them all."""
        found = self._list(f"{_BATCH}/cronjobs", {"fieldSelector": f"metadata.name={name}"})
        return [cluster_objects.read_cronjob(self.name, one) for one in found]

    def namespaces_of(self, kind: str, name: str) -> list[str]:
        """The namespaces in which a `kind` (cronjobs, deployments, services) of that name is.

        Raises Forbidden where we may not list them all.
        """
        api = {"cronjobs": f"{_BATCH}/", "deployments": f"{_APPS}/", "services": f"{_CORE}/"}[kind]
        found = self._list(f"{api}{kind}", {"fieldSelector": f"metadata.name={name}"})
        return sorted(one["metadata"]["namespace"] for one in found)

    def bucket_named_by(self, namespace: str, cronjob: str) -> str:
        """The bucket that the CronJob's containers are told of by a variable (L3_BUCKET, gs://…); "": none."""
        found = self._one(f"{_BATCH}/", "cronjobs", namespace, cronjob)
        return cluster_objects.bucket_of(found) if found is not None else ""

    def cronjobs(self, namespace: str) -> list[CronJob]:
        """The namespace's CronJobs, by name."""
        found = self._list(f"{_BATCH}/namespaces/{namespace}/cronjobs")
        return sorted((cluster_objects.read_cronjob(self.name, one) for one in found), key=lambda one: one.name)

    def jobs(self, namespace: str) -> list[Job]:
        """The namespace's Jobs, whoever made them, the newest first."""
        found = self._list(f"{_BATCH}/namespaces/{namespace}/jobs")
        return sorted((cluster_objects.read_job(self.name, one) for one in found), key=_age, reverse=True)

    def jobs_of(self, cronjob: CronJob) -> list[Job]:
        """The Jobs that the CronJob owns, scheduled and by hand, the newest first."""
        found = self._list(f"{_BATCH}/namespaces/{cronjob.namespace}/jobs")
        jobs = [job for one in found if (job := cluster_objects.read_job(self.name, one)).owner_uid == cronjob.uid]
        return sorted(jobs, key=_age, reverse=True)

    def job(self, namespace: str, name: str) -> Job | None:
        found = self._one(f"{_BATCH}/", "jobs", namespace, name)
        return cluster_objects.read_job(self.name, found) if found is not None else None

    def pods(self, namespace: str, selector: str = "") -> list[Pod]:
        """The pods that the label selector finds, the newest first."""
        return self.pods_of(Pods(namespace, selector))

    def pods_of(self, pods: Pods) -> list[Pod]:
        """The pods that are meant, the newest first."""
        found = self._list(pods.path, pods.query)
        return sorted((cluster_objects.read_pod(self.name, one) for one in found), key=_age, reverse=True)

    def watch_pods(self, pods: Pods) -> PodWatch:
        """The pods that are meant as they come and go; nothing is asked before it is iterated over."""
        return PodWatch(self._api, pods)

    def deployment(self, namespace: str, name: str) -> Deployment | None:
        found = self._one(f"{_APPS}/", "deployments", namespace, name)
        return cluster_deployments.read_deployment(self.name, found) if found is not None else None

    def budgets(self, namespace: str) -> list[DisruptionBudget]:
        """The namespace's PodDisruptionBudgets."""
        found = self._list(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets")
        return [cluster_deployments.read_budget(one) for one in found]

    def warnings_about(self, pod: Pod) -> list[Warned]:
        """The warning events about a pod, the newest first; events are forgotten after an hour or so."""
        about = f"involvedObject.uid={pod.uid},type=Warning"
        found = self._list(f"{_CORE}/namespaces/{pod.namespace}/events", {"fieldSelector": about})
        warnings = [cluster_deployments.read_warning(one) for one in found]
        return sorted(warnings, key=lambda one: one.last.isoformat() if one.last else "", reverse=True)

    def events_about(self, namespace: str, uid: str) -> list[ObjectEvent]:
        """All events about the object of that UID, the newest first; events are forgotten after an hour or so."""
        found = self._list(f"{_CORE}/namespaces/{namespace}/events", {"fieldSelector": f"involvedObject.uid={uid}"})
        return sorted(map(cluster_events.read_event, found), key=cluster_events.newest_first, reverse=True)

    def manifest(self, kind: str, namespace: str, name: str) -> str:
        """A cronjob, job or pod as YAML, without managedFields and without what may be a secret.

        Raises NotFound where it is gone.
        """
        found = self._one(f"{_CORE if kind == 'pod' else _BATCH}/", f"{kind}s", namespace, name)
        if found is None:
            raise NotFound(
                f"There is no {kind} {name} in {self._where(namespace)} any more.",
                by_hand=(self.kubectl("get", f"{kind}s", namespace=namespace),),
            )
        return cluster_manifest.as_yaml(found)

    def memory_of_pods(self, namespace: str, selector: str = "") -> dict[str, int] | None:
        """The bytes that each pod has in use, by its name; None where the cluster has no metrics server, or we
        may not ask it."""
        try:
            found = list(self._list(f"{_METRICS}/namespaces/{namespace}/pods", {"labelSelector": selector}))
        except (NotFound, Forbidden):
            return None
        return {
            str(one["metadata"]["name"]): sum(
                cluster_objects.quantity((part.get("usage") or {}).get("memory")) or 0 for part in one["containers"]
            )
            for one in found
        }

    def ingresses(self, namespace: str = "") -> list[Ingress]:
        """The Ingresses of the namespace, by name; "": of all of them, which needs the right to list them."""
        inside = f"namespaces/{namespace}/" if namespace else ""
        found = self._list(f"{_NETWORKING}/{inside}ingresses")
        return sorted((cluster_objects.read_ingress(self.name, one) for one in found), key=lambda one: one.name)

    def may_i(self, verb: str, resource: str, namespace: str = "", group: str = "") -> bool:
        """Whether the cluster would let us; `resource` as `pods`, `pods/log`, `jobs`."""
        plural, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "resource": plural, "namespace": namespace, "group": group}
        if subresource:
            attributes["subresource"] = subresource
        review = self._api.create(
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            },
        )
        return bool((review.get("status") or {}).get("allowed"))

    def create_job(self, manifest: dict[str, Any], permit: Permit) -> Job:
        """Make the Job, once. Where the answer got lost, it is looked for instead of being sent again.

        Raises Conflict where one of that name exists, Unreachable where nobody knows whether it was made.
        """
        permit.check()
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        try:
            made: Object = self._api.create(
                f"{_BATCH}/namespaces/{namespace}/jobs", manifest, {"fieldManager": "mapapp-toolkit"}
            )
        except Unreachable as error:
            made = self._made_after_all(namespace, name, error)
        return cluster_objects.read_job(self.name, made)

    def restart(self, deployment: Deployment, stamp: str, permit: Permit) -> Deployment:
        """Have all its pods replaced, once, as `kubectl rollout restart` does; `stamp` is the RFC 3339 time of now.
        Where the answer got lost, it is looked for instead of being sent again.

        Raises NotFound where it is gone, Forbidden, and Unreachable where nobody knows whether it was taken.
        """
        permit.check()
        path = f"{_APPS}/namespaces/{deployment.namespace}/deployments/{deployment.name}"
        try:
            body = cluster_deployments.restart_patch(stamp)
            made: Object = self._api.patch(path, body, {"fieldManager": "mapapp-toolkit"})
        except Unreachable as error:
            made = self._restarted_after_all(deployment, stamp, error)
        return cluster_deployments.read_deployment(self.name, made)

    def follow_pod_log(
        self,
        namespace: str,
        pod: str,
        container: str = "",
        *,
        follow: bool = True,
        since: datetime | None = None,
        tail: int | None = None,
        silence: float = 15.0,
        previous: bool = False,
        instance: int | None = None,
        patient: bool = False,
    ) -> PodLog:
        """The pod's log; nothing is asked before it is iterated over. See PodLog for what can be wanted of it."""
        return PodLog(
            self._api,
            namespace,
            pod,
            container,
            follow=follow,
            since=since,
            tail=tail,
            silence=silence,
            previous=previous,
            instance=instance,
            patient=patient,
        )

    def close(self) -> None:
        self._api.close()

    def _where(self, namespace: str) -> str:
        return f"namespace {namespace} of cluster {self.name}" if namespace else f"any namespace of cluster {self.name}"

    def _made_after_all(self, namespace: str, name: str, error: Unreachable) -> Object:
        look = self.kubectl("get", "job", name, namespace=namespace)
        try:
            found = self._one(f"{_BATCH}/", "jobs", namespace, name)
        except Unreachable:
            raise Unreachable(
                f"{error.message} Whether the Job {name} was made is not known.",
                hint="Look for it before you try again.",
                by_hand=(look,),
            ) from error
        if found is None:
            raise Unreachable(f"{error.message} The Job {name} was not made.", hint=error.hint) from error
        return found

    def _restarted_after_all(self, deployment: Deployment, stamp: str, error: Unreachable) -> Object:
        look = self.kubectl("rollout", "status", f"deployment/{deployment.name}", namespace=deployment.namespace)
        try:
            found = self._one(f"{_APPS}/", "deployments", deployment.namespace, deployment.name)
        except Unreachable:
            raise Unreachable(
                f"{error.message} Whether {deployment.name} is being restarted is not known.",
                hint="Look at it before you try again.",
                by_hand=(look,),
            ) from error
        if found is None or cluster_deployments.read_deployment(self.name, found).restarted_at != stamp:
            raise Unreachable(f"{error.message} {deployment.name} was not restarted.", hint=error.hint) from error
        return found

    def _one(self, api: str, plural: str, namespace: str, name: str) -> Object | None:
        if not name:
            raise ConfigurationError(f"Which of the {plural} of cluster {self.name} is meant is not configured.")
        if namespace:
            try:
                return self._api.get(f"{api}namespaces/{namespace}/{plural}/{name}")
            except NotFound:
                return None
        found = list(self._list(f"{api}{plural}", {"fieldSelector": f"metadata.name={name}"}))
        if len(found) > 1:
            places = ", ".join(sorted(one["metadata"]["namespace"] for one in found))
            raise ConfigurationError(
                f"{name} is in several namespaces of cluster {self.name}: {places}.",
                hint="Set the namespace of that part in the configuration.",
            )
        return found[0] if found else None

    def _list(self, path: str, query: Query | None = None) -> Iterator[Object]:
        further = ""
        while True:
            page = self._api.get(path, {**(query or {}), "limit": _PAGE, "continue": further})
            yield from page.get("items") or ()
            further = str((page.get("metadata") or {}).get("continue") or "")
            if not further:
                return


def _age(item: Job | Pod) -> tuple[str, str]:
    return (item.created.isoformat() if item.created else ""), item.name
