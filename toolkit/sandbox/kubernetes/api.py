"""The API of one Kubernetes cluster on this machine's loopback, good enough for kubectl and the Python client.

What it knows is in kubernetes/resources.py. It leaves out: everything else (nodes, secrets, exec, port-forward, ...),
validation of objects, defaulting, admission, server-side apply's field ownership, OpenAPI, paging (`limit` is ignored),
protobuf. Nothing acts on objects here: Jobs are carried out by cronjobs.py, Deployments by deployments.py.
"""

from __future__ import annotations

import asyncio
import uuid
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web

from toolkit.sandbox.kubernetes import cuts, resources, selectors
from toolkit.sandbox.kubernetes.accounts import Account, Accounts, Denial
from toolkit.sandbox.kubernetes.logs import ContainerLog, Line
from toolkit.sandbox.kubernetes.patches import How
from toolkit.sandbox.kubernetes.requests import Asked, Requests, parse
from toolkit.sandbox.kubernetes.resources import Object, Status
from toolkit.sandbox.kubernetes.store import Store, now
from toolkit.sandbox.web_server import serving_with

VERSION: Final = "v1.33.5-gke.1080000"


@dataclass
class Faults:
    """What is wrong with a cluster at the moment; set these freely while it runs.

    refuse: every connection is dropped without an answer. hang: nothing is answered until it is unset. status: every
    request gets this HTTP code. html: every request gets a login page, as from a proxy before the cluster.
    hang_streams: open logs and watches fall silent. cut_logs_after: each log stream breaks off after so many lines.
    cut_times: each container's log, where it is followed, is cut so many times, each time within `cut_within` lines, in
    one of the `cut_ways` (see cuts.py); where and how follows from `cut_seed`.
    """

    refuse: bool = False
    hang: bool = False
    status: int = 0
    html: bool = False
    hang_streams: bool = False
    cut_logs_after: int | None = None
    cut_times: int = 0
    cut_within: int = 200
    cut_ways: Sequence[str] = cuts.WAYS
    cut_seed: int = 0


@dataclass
class ClusterServer:
    """One cluster. `uid` is that of its namespace kube-system; by default it follows from the name.

    Without `metrics` it has no metrics server: metrics.k8s.io is not there (discovery lists it all the same).

    With `certificate` (a PEM file with certificate and key) it speaks TLS, without it plain HTTP; kubectl sends its
    token over TLS only. `wrote` is told of each line of a log: its namespace, pod, container, and the line.
    """

    name: str
    token: str
    uid: str = ""
    certificate: Path | None = None
    metrics: bool = True
    faults: Faults = field(default_factory=Faults)
    store: Store = field(default_factory=Store)
    accounts: Accounts = field(default_factory=Accounts)
    requests_seen: int = 0
    wrote: Callable[[str, str, str, Line], None] = lambda *_: None
    _logs: dict[tuple[str, str], ContainerLog] = field(default_factory=dict)
    _open: list[asyncio.Transport] = field(default_factory=list)
    _connections: weakref.WeakSet[asyncio.Transport] = field(default_factory=weakref.WeakSet)
    _previous_logs: dict[tuple[str, str], ContainerLog] = field(default_factory=dict)
    _runner: web.AppRunner | None = None
    _host: str = "127.0.0.1"
    _port: int = 0
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.uid = self.uid or str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}.sandbox"))
        self.accounts.by_token[self.token] = Account("on-call")
        self._requests = Requests(self.store, self.log_of, self.previous_log_of)
        self.store.deleted = self._forget_logs
        for name in ("default", "kube-system"):
            metadata: Object = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
            if name == "kube-system":
                metadata["uid"] = self.uid
            self.put({"kind": "Namespace", "metadata": metadata, "status": {"phase": "Active"}})

    # -- its life

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 is any free one, and the one it had before when it is started again."""
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._stopping = asyncio.Event()
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        context = serving_with(self.certificate) if self.certificate is not None else None
        site = web.TCPSite(self._runner, host, port or self._port, ssl_context=context, reuse_address=True)
        try:
            await site.start()
        except OSError:
            await self.stop()
            raise
        self._host, self._port = host, self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; what streams ends. The objects stay, and `start()` brings them back at the same address."""
        self._stopping.set()
        self.cut_streams()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
            for transport in [*self._connections]:
                transport.abort()  # TLS would wait for each client's farewell
            await asyncio.sleep(0.05)  # what was cut off closes in the loop's next rounds

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://{self._host}:{self._port}"

    @property
    def streams_open(self) -> int:
        """How many logs and watches are being followed now."""
        return len(self._open)

    # -- for the world it is part of; all of these are called in its event loop

    def put(self, item: Object) -> Object:
        """Create the object, or replace the one of its name (and make its namespace)."""
        return self.store.put(item)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.store.get(kind, namespace, name)

    def list(self, kind: str, namespace: str = "", labels: str = "") -> Sequence[Object]:
        return self.store.find(kind, namespace, selectors.labels(labels))

    def patch(self, kind: str, namespace: str, name: str, change: object, how: How = "merge") -> Object:
        return self.store.patch(kind, namespace, name, change, how)

    def delete(self, kind: str, namespace: str, name: str) -> Object:
        """Take an object away with all that it owns; a pod's log goes with it."""
        return self.store.delete(kind, namespace, name)

    def log_of(self, namespace: str, pod: str, container: str) -> ContainerLog:
        """The log of one container of a pod that is there; it ends with the pod."""
        uid = self.store.uid("Pod", namespace, pod)
        if not uid:
            return ContainerLog()
        return self._logs.setdefault((uid, container), ContainerLog())

    def previous_log_of(self, namespace: str, pod: str, container: str) -> ContainerLog | None:
        """What the container wrote before its last restart, if it was restarted."""
        return self._previous_logs.get((self.store.uid("Pod", namespace, pod), container))

    def restart_container(self, namespace: str, pod: str, container: str, *, reason: str = "Error") -> None:
        """The container has ended, and runs anew, with a log of its own."""
        log = self.log_of(namespace, pod, container)
        log.close()
        key = self.store.uid("Pod", namespace, pod), container
        self._previous_logs[key], self._logs[key] = log, ContainerLog()
        found = self.store.get("Pod", namespace, pod)
        for one in found["status"]["containerStatuses"] if found is not None else ():
            if one["name"] == container:
                one["restartCount"] = one.get("restartCount", 0) + 1
                one["state"] = {"running": {"startedAt": now()}}
                one["lastState"] = {"terminated": {"exitCode": 1, "reason": reason, "finishedAt": now()}}
        if found is not None:
            self.patch("Pod", namespace, pod, {"status": found["status"]})

    def cuts_done(self) -> int:
        """How often logs were cut by `faults.cut_times`."""
        return sum(self._requests.cuts.done.values())

    def append_log(self, namespace: str, pod: str, line: str, *, container: str = "", at: int | None = None) -> None:
        """A line that the pod writes (to its first container unless named); `at` in nanoseconds, default now.
        A pod that is gone writes nothing."""
        if not self.store.uid("Pod", namespace, pod):
            return
        if not container:
            found = self.store.get("Pod", namespace, pod)
            container = found["spec"]["containers"][0]["name"] if found else ""
        self.wrote(namespace, pod, container, self.log_of(namespace, pod, container).append(line, at))

    def grant(self, token: str, user: str) -> None:
        """Another token, of another user, that may do everything."""
        self.accounts.by_token[token] = Account(user)

    def revoke(self, token: str) -> None:
        """The token is worth nothing any more, as when a credential has expired."""
        self.accounts.by_token.pop(token, None)

    def deny(self, verb: str, resource: str, namespace: str = "*", *, token: str = "") -> None:
        """Answer 403 to that verb on that resource; `*` fits everything."""
        self.accounts.by_token[token or self.token].denied.add(Denial(verb, resource, namespace))

    def allow_everything(self, token: str = "") -> None:
        self.accounts.by_token[token or self.token].denied.clear()

    def _forget_logs(self, gone: Object) -> None:
        for uid, container in [*self._logs] if gone["kind"] == "Pod" else ():
            if uid == gone["metadata"]["uid"]:
                self._logs.pop((uid, container)).close()
                self._previous_logs.pop((uid, container), None)

    def cut_streams(self) -> None:
        """Break every open log and watch off, without a farewell."""
        for transport in [*self._open]:
            transport.abort()

    # -- HTTP

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests_seen += 1
        if request.transport is not None:
            self._connections.add(request.transport)
        faults = self.faults
        while faults.hang and not self._stopping.is_set():
            await asyncio.sleep(0.02)
        if faults.refuse:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        if faults.html:
            return web.Response(text="<!doctype html><title>Sign in</title>", content_type="text/html")
        if faults.status:
            return _refused(Status(faults.status, "InternalError", "this cluster has a fault switched on"))
        try:
            return await self._answer(request)
        except Status as status:
            return _refused(status)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in ("/healthz", "/livez", "/readyz"):
            return web.Response(text="ok")
        account = self.accounts.of(request.headers.get("Authorization", ""))
        if account is None:
            raise resources.unauthorized()
        found = _discovery(request.path)
        if found is not None:
            return web.json_response(found)
        asked = await parse(request)
        if asked.resource.kind == "PodMetrics" and not self.metrics:
            raise resources.no_such_path()
        if not account.may(asked.verb, asked.plural, asked.namespace):
            raise resources.forbidden(
                account.user, asked.verb, asked.resource, asked.subresource, asked.namespace, asked.name
            )
        if asked.resource.kind == "SelfSubjectAccessReview":
            return web.json_response(account.review(asked.body), status=201)
        return await self._carried_out(asked, request)

    async def _carried_out(self, asked: Asked, request: web.Request) -> web.StreamResponse:
        if not asked.streams:
            return self._requests.answer(asked)
        transport = request.transport
        if transport is None:
            return web.Response()
        self._open.append(transport)
        try:
            return await self._requests.stream(asked, request, self.faults)
        finally:
            self._open.remove(transport)


def _refused(status: Status) -> web.Response:
    return web.json_response(status.body(), status=status.code)


def _discovery(path: str) -> Object | None:
    """The answer to a question about the API itself; None where `path` is not one."""
    parts = path.strip("/").split("/")
    answers: dict[tuple[str, int], Callable[[], Object]] = {
        ("version", 1): lambda: {"major": "1", "minor": VERSION.split(".")[1], "gitVersion": VERSION},
        ("api", 1): resources.versions_of_core,
        ("api", 2): lambda: resources.resource_list("", parts[1]),
        ("apis", 1): resources.group_list,
        ("apis", 2): lambda: resources.group(parts[1]),
        ("apis", 3): lambda: resources.resource_list(parts[1], parts[2]),
    }
    answer = answers.get((parts[0], len(parts)))
    return answer() if answer else None
