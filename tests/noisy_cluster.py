"""A cluster in a process of its own whose pods write numbered lines, and what a follower makes of them.

For tests and benchmarks: every line carries its pod's number and its own, so that whoever reads them can count what is
lost, doubled or out of order.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from toolkit.environments import model
from toolkit.logs.entry import Kind, Line, Notice

NAMESPACE = "phenoapp"
LABELS = {"app": "noisy"}
_TICK = 0.02  # seconds
_REST = "INFO phenoapp.requests: GET /map/heatmap 200 in 131 ms user=scientist-07 group=rp006-neuro-3 pert=BRCA1"


@dataclass(frozen=True)
class Noise:
    """`pods` write `rate` lines a second together. `faults` are attributes of the cluster's Faults. `forget` is how
    often a second the log of some pod is forgotten on average."""

    pods: int = 20
    rate: float = 50_000
    faults: dict[str, Any] = field(default_factory=dict)
    forget: float = 0.0
    seed: int = 0


@dataclass
class Noisy:
    """The running cluster. `part` is how it is configured."""

    part: model.Cluster
    _pipe: Connection

    def ask(self, what: str) -> Any:
        self._pipe.send(what)
        return self._pipe.recv()

    def begin(self) -> None:
        """Write, until `end`."""
        self.ask("begin")

    def end(self) -> int:
        """Write no more; how many lines each pod has written."""
        return int(self.ask("end"))

    def cuts(self) -> int:
        """How often streams were cut."""
        return int(self.ask("cuts"))

    def cpu(self) -> float:
        """Seconds of CPU that the cluster has used."""
        return float(self.ask("cpu"))


@contextmanager
def noisy_cluster(directory: Path, noise: Noise) -> Iterator[Noisy]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, str(directory), noise), daemon=True)
    process.start()
    try:
        kubeconfig = here.recv()
        yield Noisy(model.Cluster(context="ctx-noisy", kubeconfig=kubeconfig), here)
    finally:
        here.send("stop")
        process.join(20)


def _serve(pipe: Connection, directory: str, noise: Noise) -> None:
    asyncio.run(_Server(pipe, Path(directory), noise).run())


class _Server:
    def __init__(self, pipe: Connection, directory: Path, noise: Noise) -> None:
        from toolkit.sandbox.kubernetes.api import ClusterServer

        self.pipe, self.directory, self.noise = pipe, directory, noise
        self.cluster = ClusterServer("noisy", "token-of-noisy")
        self.names = [f"noisy-{number:02d}" for number in range(noise.pods)]
        self.written = 0
        self.writing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        from toolkit.sandbox.kubernetes.kubeconfig import write_kubeconfig

        for name, value in self.noise.faults.items():
            setattr(self.cluster.faults, name, value)
        for name in self.names:
            self.cluster.put(running_pod(name))
        await self.cluster.start()
        kubeconfig = self.directory / "noisy-kubeconfig.yaml"
        write_kubeconfig(kubeconfig, {"ctx-noisy": self.cluster}, None)
        self.pipe.send(str(kubeconfig))
        while (what := await asyncio.to_thread(self.pipe.recv)) != "stop":
            self.pipe.send(await self.answer(what))
        await self.cluster.stop()

    async def answer(self, what: str) -> float:
        if what == "begin":
            self.writing = asyncio.create_task(self.write())
        elif what == "end" and self.writing is not None:
            self.writing.cancel()
            await asyncio.gather(self.writing, return_exceptions=True)
            return self.written
        elif what == "cuts":
            return self.cluster.cuts_done()
        elif what == "cpu":
            return time.process_time()
        return 0

    async def write(self) -> None:
        chance = random.Random(self.noise.seed)
        logs = [self.cluster.log_of(NAMESPACE, name, "main") for name in self.names]
        begun = time.monotonic()
        while True:
            due = int((time.monotonic() - begun) * self.noise.rate / len(logs))
            if due > self.written:
                for number, log in enumerate(logs):
                    log.extend([f"{number} {line} {_REST}" for line in range(self.written, due)])
                self.written = due
            if chance.random() < self.noise.forget * _TICK:
                chance.choice(logs).forget()
            await asyncio.sleep(_TICK)


def running_pod(name: str) -> dict[str, Any]:
    status = {"name": "main", "image": "noisy:1", "ready": True, "restartCount": 0, "state": {"running": {}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "noisy:1"}]},
        "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z", "containerStatuses": [status]},
    }


class Count:
    """Takes what is followed, and counts. `lost` are lines that are missing without a mark, `marked` those missing
    behind a Notice(gap), `unordered` lines that stand behind younger ones without a Notice(late)."""

    def __init__(self, pods: int) -> None:
        self.next = [0] * pods
        self.lines = self.lost = self.marked = self.doubled = self.unordered = 0
        self.notices: list[Notice] = []
        self._gap: set[str] = set()
        self._late: set[str] = set()
        self._newest = 0

    def take(self, items: Sequence[Line | Notice]) -> None:
        expected = self.next
        newest = self._newest
        for item in items:
            if type(item) is not Line:
                self._note(item)
                continue
            pod, number, _ = item.text.split(" ", 2)
            which, own = int(pod), int(number)
            if own == expected[which]:
                expected[which] = own + 1
            else:
                self._irregular(item, which, own)
            if item.time >= newest:
                newest = item.time
            elif item.stream.origin not in self._late:
                self.unordered += 1
        self.lines += sum(type(item) is Line for item in items)
        self._newest = newest

    def _irregular(self, line: Line, which: int, own: int) -> None:
        missing = own - self.next[which]
        if missing < 0:
            self.doubled += 1
        elif line.stream.origin in self._gap:
            self.marked += missing
        else:
            self.lost += missing
        self.next[which] = max(self.next[which], own + 1)

    def _note(self, item: Line | Notice) -> None:
        assert isinstance(item, Notice)
        self.notices.append(item)
        if item.kind is Kind.GAP:
            self._gap.add(item.stream.origin)
        elif item.kind is Kind.LATE:
            self._late.add(item.stream.origin)


@dataclass(frozen=True)
class Soaked:
    """What a soak came to: lines written, cuts made, seconds taken, and what was counted."""

    written: int
    cuts: int
    seconds: float
    count: Count
    complete: bool


def soak(noisy: Noisy, pods: int, cuts: int, patience: float) -> Soaked:
    """Follow all pods until so many cuts are done, then to the last line; for `patience` seconds at most."""
    from toolkit.logs.pods import PodsSource
    from toolkit.logs.timeline import Following
    from toolkit.logs.workloads import selected
    from toolkit.systems.cluster import Cluster

    cluster = Cluster("noisy", noisy.part)
    source = PodsSource(selected(cluster, NAMESPACE, f"app={LABELS['app']}"), silence=0.3)
    count, written, begun = Count(pods), None, time.monotonic()
    with Following([source], time.time_ns() - 10**9) as following:
        noisy.begin()
        for batch in following.batches(0.2):
            count.take(batch)
            over = time.monotonic() - begun > patience
            if written is None and (over or noisy.cuts() >= cuts):
                written = noisy.end()
            if over or (written is not None and min(count.next) >= written):
                break
    cluster.close()
    written = written or 0
    complete = min(count.next) >= written and noisy.cuts() >= cuts
    return Soaked(written * pods, noisy.cuts(), time.monotonic() - begun, count, complete)


def peak_megabytes() -> float:
    """The most memory that this process has used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
