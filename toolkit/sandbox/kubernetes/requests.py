"""What a request to the Kubernetes API asks for, and its answer out of the cluster's store and logs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import yaml
from aiohttp import web

from toolkit.sandbox.kubernetes import patches, protobuf, resources, selectors
from toolkit.sandbox.kubernetes.cuts import Cut, Cuts, carry_out
from toolkit.sandbox.kubernetes.logs import ContainerLog, Forgotten, Line
from toolkit.sandbox.kubernetes.resources import Object, Resource, Status
from toolkit.sandbox.kubernetes.store import Event, Gone, Store
from toolkit.sandbox.kubernetes.tables import table

if TYPE_CHECKING:
    from toolkit.sandbox.kubernetes.api import Faults

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Asked:
    """One request, read: verb as RBAC names it, resource, and where. `query` has the last value of each parameter."""

    verb: str
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: dict[str, str]
    accept: str
    patch_as: patches.How = "merge"
    body: Any = field(default_factory=dict)

    @property
    def plural(self) -> str:
        """As RBAC names it: `pods`, `pods/log`."""
        return f"{self.resource.plural}/{self.subresource}" if self.subresource else self.resource.plural

    @property
    def streams(self) -> bool:
        return self.verb == "watch" or self.subresource == "log"

    def flag(self, name: str) -> bool:
        return self.query.get(name, "") in ("1", "true", "True")

    def number(self, name: str) -> int | None:
        text = self.query.get(name, "")
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise resources.bad_request(f"{name}: {text!r} is not a number") from None


async def parse(request: web.Request) -> Asked:
    """Read a request for objects. Raises Status: 404 for a path or kind unknown here, 400 for a broken body."""
    parts = request.path.strip("/").split("/")
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise resources.no_such_path()
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] != "status":
        namespace, rest = rest[1], rest[2:]
    resource = resources.by_path(group, version, rest[0])
    if resource is None or len(rest) > 3:
        raise resources.no_such_path()
    name, subresource = (*rest[1:], "", "")[:2]
    if subresource and subresource not in dict(resource.subresources):
        raise resources.no_such_path()
    query = {key: request.query[key] for key in request.query}
    verb = _VERBS.get(request.method, "")
    if verb == "get" and not name:
        verb = "watch" if query.get("watch") in ("1", "true", "True") else "list"
    elif verb == "delete" and not name:
        verb = "deletecollection"
    if verb not in resource.verbs:
        raise Status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    how = patches.BY_CONTENT_TYPE.get(request.content_type, "merge")
    body = _read(await request.read(), request.content_type)
    return Asked(verb, resource, namespace, name, subresource, query, request.headers.get("Accept", ""), how, body)


def _read(raw: bytes, content_type: str) -> Any:
    if not raw:
        return {}
    if content_type == "application/vnd.kubernetes.protobuf":
        return protobuf.decode(raw)
    try:
        return yaml.safe_load(raw) if content_type.endswith("yaml") else json.loads(raw)
    except (ValueError, yaml.YAMLError) as error:
        raise resources.bad_request(f"the body cannot be read as {content_type}: {error}") from error


@dataclass
class Requests:
    """Answers what was asked, from `store` and from the containers' logs."""

    store: Store
    log_of: Callable[[str, str, str], ContainerLog]
    previous_log_of: Callable[[str, str, str], ContainerLog | None] = lambda *_: None
    cuts: Cuts = field(default_factory=Cuts)

    def answer(self, asked: Asked) -> web.Response:
        """A request with one answer; raises Status where it is refused."""
        kind, namespace, name = asked.resource.kind, asked.namespace, asked.name
        if asked.verb == "list":
            return _response(asked, self._list(asked))
        if asked.verb == "get":
            found = self.store.get(kind, namespace, name)
            if found is None:
                raise resources.not_found(asked.resource, name)
            return _response(asked, found)
        if asked.verb == "create":
            return _response(asked, self._create(asked), 201)
        if asked.verb in ("patch", "update"):
            return _response(asked, self._change(asked))
        if asked.verb == "deletecollection":
            doomed = self._list(asked)
            for item in doomed["items"]:
                with contextlib.suppress(Status):
                    self.store.delete(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
            return _response(asked, doomed)
        options = asked.body if isinstance(asked.body, dict) else {}
        orphan = "Orphan" in (asked.query.get("propagationPolicy"), options.get("propagationPolicy"))
        gone = self.store.delete(kind, namespace, name, orphan=orphan)
        details = {"name": name, "group": asked.resource.group, "kind": asked.resource.plural}
        details["uid"] = gone["metadata"]["uid"]
        return web.json_response(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        )

    async def stream(self, asked: Asked, request: web.Request, faults: Faults) -> web.StreamResponse:
        """A watch, or a pod's log; ends when it has nothing more to say, or when `timeoutSeconds` are over."""
        if asked.verb == "watch":
            lines, kind = self._watch(asked, faults), "application/json"
        else:
            lines, kind = self._log(asked, faults), "text/plain"
        response = web.StreamResponse(headers={"Content-Type": kind, "Cache-Control": "no-cache, private"})
        await response.prepare(request)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(asked.number("timeoutSeconds")):
                    async for chunk in lines:
                        await response.write(chunk)
            await response.write_eof()
        except ConnectionResetError:
            pass  # whoever listened has gone
        except Cut as cut:
            if cut.way == "end":
                await response.write_eof()
            elif request.transport is not None:
                await carry_out(cut, request.transport)
        return response

    def _list(self, asked: Asked) -> Object:
        items = self.store.find(asked.resource.kind, asked.namespace, _fits(asked))
        return {
            "kind": f"{asked.resource.kind}List",
            "apiVersion": asked.resource.api_version,
            "metadata": {"resourceVersion": str(self.store.version)},
            "items": items,
        }

    def _create(self, asked: Asked) -> Object:
        item = _object(asked)
        if "status" in dict(asked.resource.subresources):
            item.pop("status", None)
        if asked.query.get("dryRun"):
            return item
        return self.store.create(item)

    def _change(self, asked: Asked) -> Object:
        kind, namespace, name = asked.resource.kind, asked.namespace, asked.name
        before = self.store.get(kind, namespace, name)
        if before is None:
            if asked.patch_as == "apply":
                return self.store.create(_object(asked))
            raise resources.not_found(asked.resource, name)
        if asked.verb == "patch":
            after = patches.apply({**json.loads(json.dumps(before))}, asked.body, asked.patch_as)
        else:
            after = _object(asked)
        if asked.subresource == "status":
            after = {**before, "status": after.get("status", {})}
        elif "status" in dict(asked.resource.subresources) and "status" in before:
            after["status"] = before["status"]
        if asked.query.get("dryRun"):
            return after
        return self.store.replace(after)

    async def _watch(self, asked: Asked, faults: Faults) -> AsyncIterator[bytes]:
        fits, since = _fits(asked), asked.query.get("resourceVersion", "")
        after = int(since) if since.isdigit() else 0
        if after == 0:
            after = self.store.version
            for item in self.store.find(asked.resource.kind, asked.namespace, fits):
                yield _event(asked, "ADDED", item)
        else:
            yield b""
        try:
            async for event in self.store.changes(after):
                kind = _kind_for(event, asked, fits)
                while faults.hang_streams:
                    await asyncio.sleep(0.02)
                if kind:
                    yield _event(asked, kind, event.object)
        except Gone:
            status = Status(410, "Expired", f"too old resource version: {after} ({self.store.version})")
            yield json.dumps({"type": "ERROR", "object": status.body()}).encode() + b"\n"

    async def _log(self, asked: Asked, faults: Faults) -> AsyncIterator[bytes]:
        log = self._container_log(asked)
        since, tail, stamps = _since(asked), asked.number("tailLines"), asked.flag("timestamps")
        sent = 0
        yield b""
        batches = log.follow(since, tail) if asked.flag("follow") else _once(log.select(since, tail))
        container = f"{asked.namespace}/{asked.name}/{asked.query.get('container', '')}"
        cut = self.cuts.next(container, faults) if asked.flag("follow") or faults.cut_logs_after is not None else None
        try:
            async for batch in batches:
                while faults.hang_streams:
                    await asyncio.sleep(0.02)
                if cut is not None and sent + len(batch) > cut.after:
                    part = _written(batch[cut.after - sent : cut.after - sent + 1], stamps)
                    yield _written(batch[: cut.after - sent], stamps) + part[: int(cut.share * len(part))]
                    self.cuts.count(container)
                    raise cut
                sent += len(batch)
                yield _written(batch, stamps)
        except Forgotten:
            raise Cut(sent) from None

    def _container_log(self, asked: Asked) -> ContainerLog:
        pod = self.store.get("Pod", asked.namespace, asked.name)
        if pod is None:
            raise resources.not_found(asked.resource, asked.name)
        names = [container["name"] for container in pod["spec"].get("containers", ())]
        first = [container["name"] for container in pod["spec"].get("initContainers", ())]
        container = asked.query.get("container", "")
        if not container and len(names) > 1:
            raise resources.bad_request(
                f"a container name must be specified for pod {asked.name}, choose one of: [{' '.join(names)}]"
            )
        container = container or names[0]
        if container not in names + first:
            raise resources.bad_request(f"container {container} is not valid for pod {asked.name}")
        if asked.flag("previous"):
            previous = self.previous_log_of(asked.namespace, asked.name, container)
            if previous is None:
                raise resources.bad_request(
                    f'previous terminated container "{container}" in pod "{asked.name}" not found'
                )
            return previous
        if pod.get("status", {}).get("phase", "Pending") == "Pending" and container not in first:
            raise resources.bad_request(
                f'container "{container}" in pod "{asked.name}" is waiting to start: ContainerCreating'
            )
        return self.log_of(asked.namespace, asked.name, container)


async def _once(batch: list[Line]) -> AsyncIterator[list[Line]]:
    yield batch


def _written(batch: list[Line], stamps: bool) -> bytes:
    return "".join(f"{line.stamp} {line.text}\n" if stamps else f"{line.text}\n" for line in batch).encode()


def _since(asked: Asked) -> int:
    """Nanoseconds since the epoch from which on lines are wanted."""
    seconds = asked.number("sinceSeconds")
    if seconds is not None:
        return time.time_ns() - seconds * 1_000_000_000
    text = asked.query.get("sinceTime", "")
    if not text:
        return 0
    try:
        return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000
    except ValueError:
        raise resources.bad_request(f"sinceTime: {text!r} is not a time") from None


def _fits(asked: Asked) -> selectors.Test:
    by_label = selectors.labels(asked.query.get("labelSelector", ""))
    by_field = selectors.fields(asked.query.get("fieldSelector", ""))
    return lambda found: by_label(found) and by_field(found)


def _object(asked: Asked) -> Object:
    if not isinstance(asked.body, dict):
        raise resources.bad_request("the body is not an object")
    item = {**asked.body, "kind": asked.resource.kind, "apiVersion": asked.resource.api_version}
    metadata = {**item.get("metadata", {})}
    if asked.namespace:
        if metadata.get("namespace", asked.namespace) != asked.namespace:
            raise resources.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        metadata["namespace"] = asked.namespace
    if asked.name:
        metadata["name"] = asked.name
    return {**item, "metadata": metadata}


def _kind_for(event: Event, asked: Asked, fits: selectors.Test) -> str:
    """What an event is to a watch with selectors: an object that begins or ceases to fit is added or deleted."""
    namespace = event.object["metadata"].get("namespace", "")
    if event.resource is not asked.resource or (asked.namespace and namespace != asked.namespace):
        return ""
    before = event.before is not None and fits(event.before)
    after = event.type != "DELETED" and fits(event.object)
    if before and after:
        return "MODIFIED"
    if after:
        return "ADDED"
    return "DELETED" if before else ""


def _event(asked: Asked, kind: str, item: Object) -> bytes:
    shown = table(asked.resource, [item]) if "as=Table" in asked.accept else None
    return json.dumps({"type": kind, "object": shown or item}).encode() + b"\n"


def _response(asked: Asked, found: Object, status: int = 200) -> web.Response:
    if "as=Table" in asked.accept:
        items = found["items"] if asked.verb == "list" else [found]
        shown = table(asked.resource, items, found["metadata"].get("resourceVersion", ""))
        if shown is not None:
            return web.json_response(shown, status=status)
    return web.json_response(found, status=status)
