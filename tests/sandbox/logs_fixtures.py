"""The sandbox's Loki and Cloud Logging on a thread of their own, what they serve, and a sink that remembers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from toolkit.environments import model
from toolkit.logs.cloud_logging import CloudLoggingSource
from toolkit.logs.entry import Line, Notice
from toolkit.logs.loki import LokiSource
from toolkit.sandbox.cloud_logging.api import CloudLoggingServer
from toolkit.sandbox.collected import Collected, Container
from toolkit.sandbox.loki.api import LokiServer
from toolkit.secret import Secret
from toolkit.systems.cloud_logging import CloudLogging
from toolkit.systems.loki import Loki

SECOND = 10**9
TOKEN = "loki-token-77ab01"
POD = Container("prod-cluster", "rp006-neuro", "pod-x", "main", "cache-manager")
OTHER = Container("prod-cluster", "rp006-neuro", "pod-y", "main", "cache-manager")
SELECTOR = '{namespace="rp006-neuro"}'
FILTER = 'resource.labels.namespace_name="rp006-neuro"'


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


@dataclass
class LogServers:
    """Both servers over the same lines."""

    loop: asyncio.AbstractEventLoop
    collected: Collected
    loki_server: LokiServer
    cloud_server: CloudLoggingServer
    opened: list[Any] = field(default_factory=list)

    def do(self, what: Callable[[], Any]) -> Any:
        async def there() -> Any:
            return what()

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result(10)

    def ship(self, texts: Sequence[str], at: int | None = None, container: Container = POD) -> None:
        """Lines that a container writes, all at the same nanosecond where `at` is given."""
        self.do(lambda: [self.collected.ship(container, at or time.time_ns(), text) for text in texts])

    def loki(self, **keys: Any) -> Loki:
        part = model.Loki(**{"address": self.loki_server.url, "tenant": "phenoapp", "timeout_seconds": 5.0, **keys})
        return Loki(part, lambda: Secret(TOKEN), token_by_hand="vault kv get -field=token secret/phenoapp/loki")

    def cloud_logging(self, **keys: Any) -> CloudLogging:
        part = model.CloudLogging(**{"project": "p", "endpoint": self.cloud_server.url, "timeout_seconds": 5.0, **keys})
        opened = CloudLogging(part)
        self.opened.append(opened)
        return opened

    def source(self, kind: str) -> LokiSource | CloudLoggingSource:
        if kind == "loki":
            return LokiSource(self.loki(), SELECTOR)
        return CloudLoggingSource(self.cloud_logging(), FILTER)

    def tails(self, kind: str) -> int:
        return self.loki_server.tails_open if kind == "loki" else self.cloud_server.tails_open

    def faults(self, kind: str) -> Any:
        return self.loki_server.faults if kind == "loki" else self.cloud_server.faults


@pytest.fixture(scope="module")
def _servers() -> Iterator[LogServers]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    collected = Collected()

    async def start() -> LogServers:
        loki = LokiServer(collected, TOKEN, "phenoapp")
        cloud = CloudLoggingServer(collected, lambda container: "p" if container.namespace == "rp006-neuro" else "")
        await loki.start()
        await cloud.start()
        return LogServers(loop, collected, loki, cloud)

    async def stop() -> None:
        await servers.loki_server.stop()
        await servers.cloud_server.stop()

    servers = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    yield servers
    asyncio.run_coroutine_threadsafe(stop(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def servers(_servers: LogServers) -> Iterator[LogServers]:
    """Both servers, healthy and empty."""
    _servers.do(_servers.collected.clear)
    for faults in (_servers.loki_server.faults, _servers.cloud_server.faults):
        faults.__init__()
    _servers.cloud_server.faults.delay = 0.01
    yield _servers
    while _servers.opened:
        _servers.opened.pop().close()


@dataclass
class Remembering:
    """A sink."""

    got: list[Line] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    heard: int = 0

    def lines(self, batch: Sequence[Line]) -> None:
        assert len({id(line.stream) for line in batch}) == 1
        self.got += batch

    def notice(self, notice: Notice) -> None:
        self.notices.append(notice)

    def alive(self, stream: str) -> None:
        self.heard += 1

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.got]

    def said(self, kind: str) -> list[str]:
        return [notice.text for notice in self.notices if notice.kind == kind]
