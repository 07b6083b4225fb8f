"""The cache manager as its pod in the sandbox runs it: drops the groups from Redis, writes them anew to L2 and L3.

It logs as a Python program does, takes its time, and dies of what really goes wrong: an exception that it did not
expect is in its log as a traceback.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import mmap
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from toolkit.sandbox.builds import FRAMES, BuiltGroup
from toolkit.sandbox.places import GROUPS_IN_REDIS, IMAGE_TAG, INDEX_KEY, Place

CHUNK = 256  # keys in one UNLINK

T = TypeVar("T")


@dataclass
class Clock:
    """The time that a run sees. `seconds` is about how long a whole run takes; `started` lets it have run long ago,
    and then it waits for nothing."""

    seconds: float
    started: datetime | None = None
    _passed: float = 0.0

    def now(self) -> datetime:
        if self.started is None:
            return datetime.now(UTC)
        return datetime.fromtimestamp(self.started.timestamp() + self._passed, UTC)

    async def pause(self, share: float) -> None:
        """Let `share` (0 to 1) of a whole run's time go by."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # whoever was awaited when it was cancelled kept that to himself
            raise asyncio.CancelledError
        if self.started is None:
            await asyncio.sleep(self.seconds * share)
        else:
            self._passed += self.seconds * share


@dataclass
class Reach:
    """What the pod can reach. `token` reads the Redis access token from Vault, `redis` opens a connection with it,
    `put` writes an object to the L3 bucket; `serialise` gives the file that holds a built group's frame."""

    token: Callable[[], Awaitable[str]]
    redis: Callable[[str], Any]
    put: Callable[[str, Path, datetime], None]
    serialise: Callable[[BuiltGroup, str], Awaitable[Path]]


@dataclass
class Run:
    """One run over `groups` (what phenoservice has built, the newest first). `log` takes the pod's log line by line.

    `wrote` is told how many frames are written, after each; `tag` is that of the image that it runs.
    """

    place: Place
    groups: Sequence[BuiltGroup]
    reach: Reach
    clock: Clock
    log: Callable[[str], None]
    wrote: Callable[[int], None] = lambda _: None
    tag: str = IMAGE_TAG
    written: int = field(default=0, init=False)

    async def run(self) -> int:
        """Do it all; gives back the process's exit code: 0, or 1 after an exception."""
        logger = self._logger()
        try:
            await self._rebuild(logger)
        except asyncio.CancelledError:
            logger.warning("Received SIGTERM, stopping")
            raise
        except Exception:
            logger.exception("Cache manager failed")
            return 1
        return 0

    def _logger(self) -> logging.Logger:
        logger = logging.Logger("phenoapp.cache_manager", logging.INFO)
        handler = _PodLog(self.log, self.clock)
        logger.addHandler(handler)
        return logger

    async def _rebuild(self, logger: logging.Logger) -> None:
        started = self.clock.now()
        cached, kept = self.groups[:GROUPS_IN_REDIS], self.groups[GROUPS_IN_REDIS:]
        logger.info("Cache manager %s starting for %s", self.tag, self.place.argocd_application)
        logger.info("Reading the Redis token from Vault at secret/%s", self.place.vault_path)
        token = await self.reach.token()
        logger.info("Found %d built groups; caching the newest %d", len(self.groups), len(cached))
        with contextlib.closing(self.reach.redis(token)) as redis:
            await _carried_out(redis.ping)
            logger.info("Connected to Redis")
            await self._drop(redis, logger)
            await self.clock.pause(0.1)
            for rank, group in enumerate(cached, 1):
                logger.info(
                    "Group %d of %d: %s, built at %s", rank, len(cached), group.name, f"{group.built_at:%F %T}Z"
                )
                await self._cache(redis, group, logger)
        for group in kept:
            await self._store(group, logger)
        seconds = (self.clock.now() - started).total_seconds()
        logger.info("Done: %d groups in Redis, %d in the bucket, in %.1f s", len(cached), len(self.groups), seconds)

    async def _drop(self, redis: Any, logger: logging.Logger) -> None:
        members = [name.decode() for name in await _carried_out(redis.zrange, INDEX_KEY, 0, -1)]
        logger.info("Dropping %d groups from Redis", len(members))
        for group in members:
            await _carried_out(redis.zrem, INDEX_KEY, group)
        keys = await _carried_out(lambda: list(redis.scan_iter(match="*:*", count=1000)))
        for start in range(0, len(keys), CHUNK):
            await _carried_out(redis.unlink, *keys[start : start + CHUNK])
        logger.info("Dropped %d keys", len(keys))

    async def _cache(self, redis: Any, group: BuiltGroup, logger: logging.Logger) -> None:
        """One group to Redis and to the bucket; it becomes available when all of its frames are there."""
        total = 0
        for frame in FRAMES:
            file = await self.reach.serialise(group, frame)
            size = file.stat().st_size
            await _carried_out(_set, redis, f"{group.name}:{frame}", file)
            await _carried_out(self.reach.put, f"{group.name}/{frame}.parquet", file, self.clock.now())
            logger.info("Wrote %s:%s (%d bytes) to Redis and to the bucket", group.name, frame, size)
            total += size
            await self._written()
        await _carried_out(redis.zadd, INDEX_KEY, {group.name: group.built_at.timestamp()})
        logger.info("Group %s is available: %d frames, %.1f MB", group.name, len(FRAMES), total / 1e6)

    async def _store(self, group: BuiltGroup, logger: logging.Logger) -> None:
        """One of the older groups: it is kept in the bucket alone."""
        for frame in FRAMES:
            file = await self.reach.serialise(group, frame)
            await _carried_out(self.reach.put, f"{group.name}/{frame}.parquet", file, self.clock.now())
            await self._written()
        logger.info("Group %s is in the bucket alone", group.name)

    async def _written(self) -> None:
        self.written += 1
        await self.clock.pause(0.9 / (len(self.groups) * len(FRAMES)))
        self.wrote(self.written)


async def _carried_out(function: Callable[..., T], *arguments: object) -> T:
    """What `function` gives, run in a thread. Whoever cancels this waits until it is done: nothing goes on behind."""
    await asyncio.sleep(0)  # who is cancelled by now begins nothing more
    work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        raise


def _set(redis: Any, key: str, file: Path) -> None:
    """SET a value from a file without reading it into memory: it may have half a gigabyte."""
    with (
        file.open("rb") as source,
        mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content,
        memoryview(content) as view,
    ):
        redis.set(key, view)


class _PodLog(logging.Handler):
    """Records to the pod's log, with the run's own time, as `logging.basicConfig` would write them."""

    def __init__(self, log: Callable[[str], None], clock: Clock) -> None:
        super().__init__()
        self._log, self._clock = log, clock
        self.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        record.created = self._clock.now().timestamp()
        record.msecs = int(record.created % 1 * 1000)
        for line in self.format(record).split("\n"):
            self._log(line)


_HERE = Path(__file__).resolve().parent
_PYTHON = Path(traceback.__file__).resolve().parent


class _Formatter(logging.Formatter):
    """Tracebacks with the paths that the program's files have in its image."""

    converter = staticmethod(time.gmtime)

    def formatException(  # noqa: N802 - logging's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        if ei[1] is None:
            return ""
        told = traceback.TracebackException.from_exception(ei[1])
        seen: set[int] = set()
        part: traceback.TracebackException | None = told
        while part is not None and id(part) not in seen:
            seen.add(id(part))
            for frame in part.stack:
                frame.filename = _in_image(frame.filename)
            part = part.__cause__ or part.__context__
        return "".join(told.format()).rstrip("\n")


def _in_image(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(_HERE):
        return f"/app/phenoapp/{path.relative_to(_HERE)}"
    if "site-packages" in path.parts:
        below = path.parts[path.parts.index("site-packages") + 1 :]
        return "/usr/local/lib/python3.11/site-packages/" + "/".join(below)
    if path.is_relative_to(_PYTHON):
        return f"/usr/local/lib/python3.11/{path.relative_to(_PYTHON)}"
    return filename
