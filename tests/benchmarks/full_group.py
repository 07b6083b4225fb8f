"""A group of 2 GB on real servers, for benchmarks: made once, kept if asked, served over a line of any length.

A redis-server behind the sandbox's proxy and the sandbox's storage server, both in a process of their own. Each reply
of either comes later by the latency that was set; the rate is not bounded. An empty Redis and an empty bucket stand
beside them, so that either layer can be looked at alone. Connecting costs nothing, as there is no distance.
"""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

GROUP = "benchmark"
TOKEN = "the-benchmark's-token"
FULL, EMPTY, PACKED, FEATHER = "full", "empty", "packed", "feather"  # buckets
_SPAWN = multiprocessing.get_context("spawn")  # a process that was never as large as this one


@dataclass(frozen=True)
class Line:
    """Where the servers are, and the line to them. Addresses are host:port."""

    redis: str
    empty_redis: str
    storage: str
    pipe: Connection

    def latency(self, seconds: float) -> None:
        self._ask("latency", seconds)

    def bytes_sent(self) -> int:
        """By all servers so far."""
        return self._ask("bytes", 0)

    def _ask(self, what: str, value: float) -> int:
        self.pipe.send((what, value))
        return int(self.pipe.recv())


def make(folder: Path) -> None:
    """Write the frames into `folder`, those that are not there yet: eight as Parquet, and one more as Feather and as
    a pickle packed with zstd."""
    process = _SPAWN.Process(target=_make, args=(folder,))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"the group could not be made in {folder}")


def frames(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


@contextmanager
def served(folder: Path) -> Iterator[Line]:
    """The group in `folder`, in Redis and in the bucket."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(folder, there))
    process.start()
    try:
        yield Line(*here.recv(), here)
    finally:
        here.send(("stop", 0))
        process.join()


def _make(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    from toolkit.sandbox import builds, encodings
    from toolkit.sandbox.perturbations import FULL as SIZE

    folder.mkdir(parents=True, exist_ok=True)
    group = builds.BuiltGroup(GROUP, datetime(2026, 11, 19, 15, 56, tzinfo=UTC), 6, SIZE)

    def write(name: str, content: bytes | None = None) -> None:
        part = folder / f"{name}.part"
        with part.open("wb") as file:
            if content is None:
                encodings.write(group, name.removesuffix(".parquet"), file)
            else:
                file.write(content)
        part.rename(folder / name)

    for frame in builds.FRAMES:
        if not (folder / f"{frame}.parquet").exists():
            write(f"{frame}.parquet")
    if not (folder / "compounds.feather").exists():
        sink = io.BytesIO()
        feather.write_feather(pq.read_table(folder / "compounds.parquet"), sink, compression="lz4")
        write("compounds.feather", sink.getvalue())
    if not (folder / "compounds.pkl.zst").exists():
        pickled = io.BytesIO()
        pq.read_table(folder / "compounds.parquet").to_pandas().to_pickle(pickled, compression=None)
        packed = pa.BufferOutputStream()
        with pa.CompressedOutputStream(packed, "zstd") as stream:
            stream.write(pickled.getbuffer())
        write("compounds.pkl.zst", packed.getvalue().to_pybytes())


def _serve(folder: Path, pipe: Connection) -> None:
    import shutil
    import tempfile

    from toolkit.sandbox.redis.server import RedisServer
    from toolkit.sandbox.redis.tcp_proxy import Delay, TcpProxy
    from toolkit.sandbox.storage.api import StorageServer

    private = Path(tempfile.mkdtemp(prefix="benchmark-"))
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    servers, proxies = [], []
    storage = StorageServer()
    try:
        for name in ("full", "empty"):
            server = RedisServer(private / name, TOKEN, maxmemory="4gb")
            server.start()
            servers.append(server)
            if not server.real:
                raise SystemExit("this benchmark needs a real redis-server")
            proxies.append(TcpProxy(server.target))
            asyncio.run_coroutine_threadsafe(proxies[-1].start(), loop).result()
        storage.start()
        for bucket in (FULL, EMPTY, PACKED, FEATHER):
            storage.add_bucket(bucket)
        for file in frames(folder):
            servers[0].command("SET", f"{GROUP}:{file.stem}", file.read_bytes())
            storage.put(FULL, f"{GROUP}/{file.name}", file)
        servers[0].command("ZADD", "available-groups", "1795103760", GROUP)
        storage.put(PACKED, f"{GROUP}/compounds.parquet", folder / "compounds.pkl.zst")
        storage.put(FEATHER, f"{GROUP}/compounds.parquet", folder / "compounds.feather")
        pipe.send((proxies[0].address, proxies[1].address, storage.url))
        while True:
            what, value = pipe.recv()
            if what == "stop":
                break
            if what == "latency":
                storage.faults.latency = value
                for proxy in proxies:
                    fault = Delay(value) if value else None
                    asyncio.run_coroutine_threadsafe(proxy.set_fault(fault), loop).result()
            pipe.send(storage.bytes_sent + sum(proxy.bytes_passed for proxy in proxies))
    finally:
        storage.stop()
        for server in servers:
            server.stop()
        shutil.rmtree(private, ignore_errors=True)
