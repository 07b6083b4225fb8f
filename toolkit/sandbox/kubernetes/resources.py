"""What kinds of objects the sandbox's clusters know, how discovery describes them, and how they say no.

Shapes are those of the Kubernetes API reference (v1, batch/v1, apps/v1, policy/v1, networking.k8s.io/v1,
metrics.k8s.io/v1beta1); only what MapApp's world needs is listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

_EVERYTHING = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind, as discovery lists it. `group` is empty for the core API; `subresources` maps a name to its verbs."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    verbs: tuple[str, ...] = _EVERYTHING
    subresources: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def full_name(self) -> str:
        """As error messages have it: `jobs.batch`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


_WORKLOADS = ("Pod", "Service", "CronJob", "Job", "Deployment", "ReplicaSet")
_STATUS = (("status", ("get", "patch", "update")),)

RESOURCES = (
    Resource("", "v1", "namespaces", "Namespace", namespaced=False, short=("ns",), subresources=_STATUS),
    Resource("", "v1", "pods", "Pod", short=("po",), subresources=(("log", ("get",)), *_STATUS)),
    Resource("", "v1", "services", "Service", short=("svc",), subresources=_STATUS),
    Resource("", "v1", "events", "Event", short=("ev",)),
    Resource("batch", "v1", "cronjobs", "CronJob", short=("cj",), subresources=_STATUS),
    Resource("batch", "v1", "jobs", "Job", subresources=_STATUS),
    Resource("apps", "v1", "deployments", "Deployment", short=("deploy",), subresources=_STATUS),
    Resource("apps", "v1", "replicasets", "ReplicaSet", short=("rs",), subresources=_STATUS),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", short=("pdb",), subresources=_STATUS),
    Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", verbs=("get", "list")),
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", short=("ing",), subresources=_STATUS),
    Resource(
        "authorization.k8s.io",
        "v1",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        namespaced=False,
        verbs=("create",),
    ),
)

_BY_KIND = {resource.kind: resource for resource in RESOURCES}
_BY_PATH = {(resource.group, resource.version, resource.plural): resource for resource in RESOURCES}


def by_kind(kind: str) -> Resource:
    """The resource of that kind ("Pod"); KeyError where the sandbox does not know it."""
    return _BY_KIND[kind]


def by_path(group: str, version: str, plural: str) -> Resource | None:
    return _BY_PATH.get((group, version, plural))


class Status(Exception):
    """A refusal as the API server words it: an HTTP code and a Status object."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}

    def body(self) -> Object:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


def _details(resource: Resource, name: str) -> Object:
    return {"name": name, "group": resource.group, "kind": resource.plural}


def not_found(resource: Resource, name: str) -> Status:
    return Status(404, "NotFound", f'{resource.full_name} "{name}" not found', _details(resource, name))


def no_such_path() -> Status:
    return Status(404, "NotFound", "the server could not find the requested resource")


def already_exists(resource: Resource, name: str) -> Status:
    message = f'{resource.full_name} "{name}" already exists'
    return Status(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str) -> Status:
    message = (
        f'Operation cannot be fulfilled on {resource.full_name} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return Status(409, "Conflict", message, _details(resource, name))


def invalid(resource: Resource, name: str, why: str) -> Status:
    return Status(
        422, "Invalid", f'{resource.kind}.{resource.group} "{name}" is invalid: {why}', _details(resource, name)
    )


def bad_request(message: str) -> Status:
    return Status(400, "BadRequest", message)


def unauthorized() -> Status:
    return Status(401, "Unauthorized", "Unauthorized")


def forbidden(user: str, verb: str, resource: Resource, subresource: str, namespace: str, name: str) -> Status:
    plural = f"{resource.plural}/{subresource}" if subresource else resource.plural
    target = f"{plural}.{resource.group}" if resource.group else plural
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    named = f' "{name}"' if name else ""
    message = (
        f'{target}{named} is forbidden: User "{user}" cannot {verb} resource "{plural}" '
        f'in API group "{resource.group}" {where}'
    )
    return Status(403, "Forbidden", message, _details(resource, name))


def versions_of_core() -> Object:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list() -> Object:
    groups = dict.fromkeys(resource.group for resource in RESOURCES if resource.group)
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in groups]}


def group(name: str) -> Object:
    if name not in {resource.group for resource in RESOURCES if resource.group}:
        raise no_such_path()
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)}


def _group(name: str) -> Object:
    versions = dict.fromkeys(resource.version for resource in RESOURCES if resource.group == name)
    entries = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def resource_list(group_name: str, version: str) -> Object:
    found = [resource for resource in RESOURCES if (resource.group, resource.version) == (group_name, version)]
    if not found:
        raise no_such_path()
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": found[0].api_version,
        "resources": [entry for resource in found for entry in _entries(resource)],
    }


def _entries(resource: Resource) -> Iterable[Object]:
    yield {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
        "shortNames": list(resource.short),
        "categories": ["all"] if resource.kind in _WORKLOADS else [],
    }
    for name, verbs in resource.subresources:
        yield {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(verbs),
        }
