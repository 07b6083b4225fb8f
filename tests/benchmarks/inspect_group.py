"""How long looking into a group of 2 GB takes, and how much memory, from each layer.

    uv run python tests/benchmarks/inspect_group.py

The servers run in a process of their own, and so does each inspection: its peak memory is that of this process alone.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import platform
import resource
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.cache.group_frames import LayerName

TOKEN = "the-token-in-vault"
BUCKET = "benchmark"
GROUP = "full"
FRAMES = tuple(
    f"{kind}{split}{raw}"
    for kind in ("genes", "compounds")
    for split in ("", "_split_by")
    for raw in ("", "_normalized")
)
BUDGET = 600_000_000


async def serve(pipe: Connection, directory: str) -> None:
    """Runs in the servers' process: one group in both layers, until a message comes."""
    import redis

    from toolkit.sandbox.builds import BuiltGroup
    from toolkit.sandbox.encodings import write
    from toolkit.sandbox.perturbations import FULL
    from toolkit.sandbox.redis.server import RedisServer
    from toolkit.sandbox.redis.tcp_proxy import TcpProxy
    from toolkit.sandbox.storage.api import StorageServer

    server, storage = RedisServer(Path(directory), TOKEN, maxmemory="6gb"), StorageServer()
    server.start()
    storage.start()
    storage.add_bucket(BUCKET)
    proxy = TcpProxy(server.target)
    await proxy.start()
    built = BuiltGroup(GROUP, datetime.now(UTC), 7, FULL)

    def fill() -> None:
        client = redis.Redis(proxy.host, proxy.port, password=TOKEN)
        for frame in FRAMES:
            with tempfile.TemporaryFile() as file:
                write(built, frame, file)
                file.seek(0)
                content = file.read()
            client.set(f"{GROUP}:{frame}", content)
            storage.put(BUCKET, f"{GROUP}/{frame}.parquet", content)
        client.zadd("available-groups", {GROUP: time.time()})
        client.close()

    await asyncio.to_thread(fill)
    pipe.send((f"{proxy.host}:{proxy.port}", storage.url))
    await asyncio.to_thread(pipe.recv)
    await proxy.stop()
    storage.stop()
    server.stop()


def run_servers(pipe: Connection, directory: str) -> None:
    asyncio.run(serve(pipe, directory))


def look(pipe: Connection, address: str, endpoint: str, layer: LayerName, vectors: bool, full: bool) -> None:
    """Runs in a process of its own: one inspection, its seconds, bytes and peak memory."""
    from toolkit.cache.inspection import inspect
    from toolkit.environments import model
    from toolkit.secret import Secret
    from toolkit.systems.connections import Connections

    environment = model.Environment(
        name="benchmark",
        redis=model.Redis(address=address),
        bucket=model.Bucket(name=BUCKET, endpoint=endpoint),
        cache=model.Cache(frames=FRAMES, groups_in_redis=1),
    )
    connections = Connections(environment, model.Settings())
    connections._token = Secret(TOKEN)
    start, worked = time.perf_counter(), time.process_time()
    found = inspect(connections, GROUP, layer=layer, vectors=vectors, full=full)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    assert found.well, found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)
    rows = sum(frame.rows or 0 for frame in found.frames if frame.layer == layer)
    pipe.send((seconds, worked, found.bytes_read, found.bytes_total, rows, peak))


def main() -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory() as directory:
        servers = context.Process(target=run_servers, args=(there, directory))
        servers.start()
        address, endpoint = here.recv()
        cases: tuple[tuple[str, LayerName, bool, bool], ...] = (
            ("from Redis", "L2", True, False),
            ("from the bucket", "L3", True, False),
            ("from Redis, --full", "L2", True, True),
            ("--names-only", "L2", False, False),
        )
        for title, layer, vectors, full in cases:
            process = context.Process(target=look, args=(there, address, endpoint, layer, vectors, full))
            process.start()
            seconds, worked, read, total, rows, peak = here.recv()
            process.join()
            print(
                f"{title:20} {seconds:6.1f} s ({worked:.1f} s of work)   {read / 1e6:7.1f} of {total / 1e6:.0f} MB   "
                f"{rows:,} rows   peak {peak / 1e6:4.0f} MB (budget {BUDGET / 1e6:.0f})"
            )
        here.send("stop")
        servers.join()


if __name__ == "__main__":
    main()
