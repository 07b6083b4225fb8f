"""Sandbox clusters in an event loop of their own, for tests that talk to them as the toolkit does: from outside."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from toolkit.environments import model
from toolkit.sandbox.certificate import make_certificate
from toolkit.sandbox.kubernetes.api import ClusterServer
from toolkit.sandbox.kubernetes.cronjobs import JobController, Run
from toolkit.sandbox.kubernetes.kubeconfig import write_kubeconfig

T = TypeVar("T")
NAMESPACE = "phenoapp"
CRONJOB = "rp006-neuro-cache-manager-rxrx-cronjob"
IMAGE = "registry.example/cache-manager:1.4.2"


class Loop:
    """An event loop in a thread. `call` runs a function in it, `wait` a coroutine; both give back the result."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        async def run() -> T:
            return function(*args, **kwargs)

        return self.wait(run())

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


class World:
    """Clusters by name, a kubeconfig (context `ctx-NAME`), and the controller that runs their Jobs with `runner`."""

    def __init__(self, directory: Path, *names: str, tls: bool = False) -> None:
        self.loop = Loop()
        self.directory = directory
        certificate = make_certificate(directory) if tls else None
        self.authority = certificate.authority if certificate else None
        self.runner: Callable[[Run], Awaitable[int]] = well
        chain = certificate.chain if certificate else None

        def make() -> dict[str, ClusterServer]:
            return {name: ClusterServer(name, f"token-of-{name}", certificate=chain) for name in names}

        self.servers = self.loop.call(make)
        for server in self.servers.values():
            self.loop.wait(server.start())
        self.controller = JobController(self.servers.values(), self._run, pending_seconds=0.05, backoff_seconds=0.05)
        self.loop.wait(self.controller.start())
        self.kubeconfig = directory / "kubeconfig.yaml"
        write_kubeconfig(self.kubeconfig, {f"ctx-{name}": one for name, one in self.servers.items()}, self.authority)

    async def _run(self, run: Run) -> int:
        return await self.runner(run)

    def close(self) -> None:
        self.loop.wait(self.controller.stop())
        for server in self.servers.values():
            self.loop.wait(server.stop())
        self.loop.close()

    def part(self, name: str) -> model.Cluster:
        return model.Cluster(context=f"ctx-{name}", kubeconfig=str(self.kubeconfig), way_in="Pomerium")

    def put(self, cluster: str, item: dict[str, Any]) -> dict[str, Any]:
        return self.loop.call(self.servers[cluster].put, item)

    def get(self, cluster: str, kind: str, name: str, namespace: str = NAMESPACE) -> dict[str, Any] | None:
        return self.loop.call(self.servers[cluster].get, kind, namespace, name)

    def list(self, cluster: str, kind: str, labels: str = "") -> Any:
        return self.loop.call(self.servers[cluster].list, kind, NAMESPACE, labels)


async def well(run: Run) -> int:
    run.log("all is well")
    return 0


@contextmanager
def clusters(directory: Path, *names: str, tls: bool = False) -> Iterator[World]:
    world = World(directory, *names, tls=tls)
    try:
        yield world
    finally:
        world.close()


def cronjob(name: str = CRONJOB, *, namespace: str = NAMESPACE, image: str = IMAGE, **spec: Any) -> dict[str, Any]:
    """A CronJob like the cache manager's."""
    template = {
        "metadata": {"labels": {"app": "cache-manager"}, "annotations": {"team": "phenoapp"}},
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": {"labels": {"app": "cache-manager"}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "cache-manager", "image": image}]},
            },
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "cache-manager"}},
        "spec": {
            "schedule": "0 1 * * 5",
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "jobTemplate": template,
            **spec,
        },
    }


def pod(
    name: str, *, labels: dict[str, str] | None = None, phase: str = "Running", started: str = ""
) -> dict[str, Any]:
    """A pod with one container, `main`."""
    ready = phase == "Running"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels or {}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": IMAGE}]},
        "status": {
            "phase": phase,
            "startTime": started or "2026-01-01T00:00:00Z",
            "containerStatuses": [{"name": "main", "image": IMAGE, "ready": ready, "restartCount": 0, "state": {}}],
        },
    }


def until(condition: Callable[[], T], what: str, seconds: float = 20) -> T:
    """Poll `condition` until it is true, and give back what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never came true: {what}")
