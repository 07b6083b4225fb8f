"""A real redis-server behind the sandbox's TCP proxy, for tests that talk to it as the toolkit does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from toolkit.environments import model
from toolkit.permit import Permit
from toolkit.sandbox.redis.server import RedisServer, server_binary
from toolkit.sandbox.redis.tcp_proxy import Fault, TcpProxy
from toolkit.secret import Secret
from toolkit.systems.redis_proxy import Address, RedisProxy

T = TypeVar("T")
TOKEN = "the-token-in-vault"

# On a Python for which there is no redis-server, the stand-in knows no ACLs and no administration.
needs_real_redis = pytest.mark.skipif(server_binary() is None, reason="needs a real redis-server")


class Proxied:
    """The server, and the proxy in front of it with its own event loop in a thread."""

    def __init__(self, directory: Path) -> None:
        self.server = RedisServer(directory, TOKEN, maxmemory="1gb")
        self.server.start()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.proxy = TcpProxy(self.server.target)
        self._run(self.proxy.start())
        self._clients: list[RedisProxy] = []

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def fault(self, fault: Fault | None) -> None:
        self._run(self.proxy.set_fault(fault))

    def move(self) -> None:
        self._run(self.proxy.move("127.0.0.1", 0))

    @property
    def address(self) -> Address:
        return Address(self.proxy.host, self.proxy.port, "the test")

    def part(self, **more: Any) -> model.Redis:
        return model.Redis(**{"address": self.address.endpoint, "timeout_seconds": 2.0, **more})

    def client(self, token: str = TOKEN, **more: Any) -> RedisProxy:
        client = RedisProxy(self.part(**more), self.address, Secret(token))
        self._clients.append(client)
        return client

    def run(self, *words: str | bytes) -> bytes:
        """A command past the proxy."""
        return self.server.command(*words)

    def populate(self, count: int, prefix: str) -> None:
        """`count` small values, `prefix`:0 and so on."""
        import redis

        with redis.Redis(self.address.host, self.address.port, password=TOKEN) as plain, plain.pipeline(False) as pipe:
            for number in range(count):
                pipe.set(f"{prefix}:{number}", number)
            pipe.execute()

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self._run(self.proxy.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
        self.server.stop()


@pytest.fixture(scope="module", name="_proxied")
def proxied_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    proxied = Proxied(tmp_path_factory.mktemp("redis"))
    yield proxied
    proxied.close()


@pytest.fixture(name="redis")
def redis_fixture(_proxied: Proxied) -> Iterator[Proxied]:
    """An empty Redis that works."""
    yield _proxied
    _proxied.fault(None)
    _proxied.server.set_password(TOKEN)
    _proxied.run("FLUSHALL")


@pytest.fixture(name="permit")
def permit_fixture() -> Permit:
    return Permit("test")
