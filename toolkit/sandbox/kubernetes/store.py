"""The objects of one sandbox cluster: stamped, versioned, selectable, and watchable from any version still remembered.

Lives in one event loop and is called from nowhere else. Leaves out finalizers, graceful deletion, managed fields,
and all validation but names. Dependents (ownerReferences) go when their owner goes.
"""

from __future__ import annotations

import asyncio
import copy
import re
import secrets
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from toolkit.sandbox.kubernetes import patches, resources
from toolkit.sandbox.kubernetes.resources import Object, Resource, Status

_REMEMBERED_EVENTS: Final = 4096
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LONGEST = {"Job": 63, "CronJob": 52, "Service": 63, "Namespace": 63}
_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"  # the letters Kubernetes makes names of: no words by chance


def now() -> str:
    """The present time as Kubernetes stamps it, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def random_suffix(length: int = 5) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to one object: ADDED, MODIFIED or DELETED. `before` is the object as it was (None: new)."""

    version: int
    type: str
    resource: Resource
    object: Object
    before: Object | None


class Gone(Exception):
    """A watch asked for changes that are no longer remembered."""


def _select_own_pods(job: Object) -> None:
    """What the API server adds to a new Job: how its pods are told from all others."""
    uid, name, spec = job["metadata"]["uid"], job["metadata"]["name"], job["spec"]
    labels = {"controller-uid": uid, "job-name": name}
    labels |= {f"batch.kubernetes.io/{key}": value for key, value in labels.items()}
    own = spec.setdefault("template", {}).setdefault("metadata", {}).setdefault("labels", {})
    own.update(labels)
    spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
    for key, value in (("completions", 1), ("parallelism", 1), ("backoffLimit", 6), ("suspend", False)):
        spec.setdefault(key, value)


class Store:
    """Objects by kind, namespace and name. Whatever it gives out is a copy, but for events: those are read only."""

    def __init__(self) -> None:
        self.version = 1
        self.deleted: Callable[[Object], None] | None = None  # told of every object that goes
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._events: deque[Event] = deque(maxlen=_REMEMBERED_EVENTS)
        self._forgotten = 0  # the newest version that fell out of `_events`
        self._changed = asyncio.Event()

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        found = self._objects.get((kind, namespace, name))
        return copy.deepcopy(found) if found is not None else None

    def uid(self, kind: str, namespace: str, name: str) -> str:
        """The object's UID; "" where there is none of that name."""
        found = self._objects.get((kind, namespace, name))
        return str(found["metadata"]["uid"]) if found is not None else ""

    def find(self, kind: str, namespace: str = "", test: Callable[[Object], bool] | None = None) -> list[Object]:
        """All of a kind, in the order of their names; `namespace` "" means all of them."""
        found = [
            item
            for (its_kind, its_namespace, _), item in sorted(self._objects.items(), key=lambda pair: pair[0])
            if its_kind == kind and (not namespace or its_namespace == namespace) and (test is None or test(item))
        ]
        return copy.deepcopy(found)

    def create(self, given: Object) -> Object:
        """Store a new object. Raises Status: 409 it exists, 404 its namespace does not, 422 its name is not one."""
        resource, item = self._prepared(given)
        metadata = item["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + random_suffix()
        name = metadata.get("name", "")
        longest = _LONGEST.get(resource.kind, 253)
        if not _NAME.fullmatch(name):
            raise resources.invalid(resource, name, f"metadata.name: Invalid value: {name!r}: must be a DNS-1123 name")
        if len(name) > longest:
            raise resources.invalid(resource, name, f"metadata.name: must be no more than {longest} characters")
        if resource.namespaced and ("Namespace", "", metadata["namespace"]) not in self._objects:
            raise resources.not_found(resources.by_kind("Namespace"), metadata["namespace"])
        if self._key(item) in self._objects:
            raise resources.already_exists(resource, name)
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", now())
        metadata["generation"] = 1
        if resource.kind == "Job":
            _select_own_pods(item)
        return self._stored(resource, item, None)

    def put(self, given: Object) -> Object:
        """Create the object, or replace the one of its name; its namespace is made where it is missing."""
        resource, item = self._prepared(given)
        namespace = item["metadata"].get("namespace", "")
        if resource.namespaced and ("Namespace", "", namespace) not in self._objects:
            self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        if self._key(item) not in self._objects:
            return self.create(item)
        item["metadata"].pop("resourceVersion", None)
        return self.replace(item)

    def replace(self, given: Object) -> Object:
        """Store another state of an object that exists. 409 where it names a resourceVersion that is not the newest."""
        resource, item = self._prepared(given)
        before = self._present(resource, item["metadata"].get("namespace", ""), item["metadata"].get("name", ""))
        old, new = before["metadata"], item["metadata"]
        if new.get("resourceVersion") not in (None, "", old["resourceVersion"]):
            raise resources.conflict(resource, old["name"])
        new.update({key: old[key] for key in ("uid", "creationTimestamp", "resourceVersion", "generation")})
        if item == before:
            return copy.deepcopy(before)
        new["generation"] = old["generation"] + (item.get("spec") != before.get("spec"))
        return self._stored(resource, item, before)

    def patch(self, kind: str, namespace: str, name: str, change: object, how: patches.How = "merge") -> Object:
        """Change an object that exists: a merge patch unless `how` says otherwise."""
        resource = resources.by_kind(kind)
        before = self._present(resource, namespace, name)
        after = patches.apply(copy.deepcopy(before), copy.deepcopy(change), how)
        after["metadata"]["name"], after["kind"], after["apiVersion"] = name, kind, resource.api_version
        return self.replace(after)

    def delete(self, kind: str, namespace: str, name: str, *, orphan: bool = False) -> Object:
        """Take an object away, and with it what it owns (unless `orphan`). 404 where there is none."""
        resource = resources.by_kind(kind)
        found = self._present(resource, namespace, name)
        del self._objects[self._key(found)]
        self._happened("DELETED", resource, copy.deepcopy(found), found)
        if self.deleted is not None:
            self.deleted(found)
        if not orphan:
            for item in self._dependents(found):
                if self._key(item) in self._objects:
                    self.delete(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])
        return found

    async def changes(self, after: int) -> AsyncIterator[Event]:
        """Every event later than version `after`, and then each as it happens. Raises Gone where some are forgotten."""
        while True:
            for event in self._later_than(after):
                after = event.version
                yield event
            if self.version <= after:
                await self._changed.wait()

    def _later_than(self, version: int) -> list[Event]:
        if version < self._forgotten:
            raise Gone
        found: deque[Event] = deque()
        for event in reversed(self._events):
            if event.version <= version:
                break
            found.appendleft(event)
        return [*found]

    def _prepared(self, given: Object) -> tuple[Resource, Object]:
        item = copy.deepcopy(given)
        try:
            resource = resources.by_kind(item["kind"])
        except KeyError:
            raise Status(400, "BadRequest", f"no kind {given.get('kind')!r} is known here") from None
        metadata = item.setdefault("metadata", {})
        if resource.namespaced:
            metadata.setdefault("namespace", "default")
        else:
            metadata.pop("namespace", None)
        item["apiVersion"] = resource.api_version
        return resource, item

    def _present(self, resource: Resource, namespace: str, name: str) -> Object:
        found = self._objects.get((resource.kind, namespace, name))
        if found is None:
            raise resources.not_found(resource, name)
        return found

    def _dependents(self, owner: Object) -> list[Object]:
        uid, kind, name = owner["metadata"]["uid"], owner["kind"], owner["metadata"]["name"]
        return [
            item
            for item in self._objects.values()
            if any(reference.get("uid") == uid for reference in item["metadata"].get("ownerReferences", ()))
            or (kind == "Namespace" and item["metadata"].get("namespace") == name)
        ]

    def _stored(self, resource: Resource, item: Object, before: Object | None) -> Object:
        item["metadata"]["resourceVersion"] = str(self.version + 1)
        self._objects[self._key(item)] = item
        self._happened("ADDED" if before is None else "MODIFIED", resource, item, before)
        return copy.deepcopy(item)

    def _happened(self, what: str, resource: Resource, item: Object, before: Object | None) -> None:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        if len(self._events) == self._events.maxlen:
            self._forgotten = self._events[0].version
        self._events.append(Event(self.version, what, resource, item, before))
        self._changed.set()
        self._changed = asyncio.Event()

    @staticmethod
    def _key(item: Object) -> tuple[str, str, str]:
        return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]
