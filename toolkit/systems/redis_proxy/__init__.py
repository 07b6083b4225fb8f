"""L2: the managed Redis, reached through the TCP proxy. Values are bytes; keys are text, any byte of which survives.

Reads are tried again when the connection is lost; a change is sent once.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.environments import model
from toolkit.errors import Failed, ToolkitError, Unreachable
from toolkit.permit import Permit
from toolkit.progress import SILENT, Progress
from toolkit.secret import Secret
from toolkit.systems.redis_proxy.address import Address, answers, by_hand, configured_address
from toolkit.systems.redis_proxy.client import open_client
from toolkit.systems.redis_proxy.errors import WrongType, explained, may_have_arrived, passing

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["Address", "RedisProxy", "ServerInfo", "WrongType", "answers", "configured_address"]

T = TypeVar("T")

CHUNK = (
    4 * 1024 * 1024
)  # bytes asked for or sent at a time: a few ms of a fast line, well within the timeout of a slow one
_AHEAD = 4  # pieces of a value that are asked for at once, so that a slow line is kept busy
_BATCH = 500  # commands in one pipeline
_SCAN = 5_000  # keys looked at in one step of SCAN: some ms of the server's time
_TRIES = 3


@dataclass(frozen=True)
class ServerInfo:
    """What INFO says. `keys` counts each database's keys, by number; bytes are None where it does not say."""

    version: str = ""
    role: str = ""
    used_bytes: int | None = None
    max_bytes: int | None = None
    keys: Mapping[int, int] = field(default_factory=dict)


class RedisProxy:
    """The Redis at `address`, authenticated with `token`. Connects when first used; thread-safe.

    Every method raises the family of ToolkitError: Unreachable, TimedOut, NotAllowed (token or ACL), Failed.
    """

    def __init__(self, part: model.Redis, address: Address, token: Secret) -> None:
        self.part = part
        self.address = address
        self._token = token
        self._lock = threading.Lock()
        self._opened: Redis | None = None

    def by_hand(self, *words: str) -> str:
        """The redis-cli command that does the same; the token comes from REDISCLI_AUTH."""
        return by_hand(self.part, self.address, *words)

    # Looking

    def ping(self) -> float:
        """Seconds that a PING and its answer take on an open connection."""
        self._read("saying PING", "PING")  # opens the connection
        started = time.monotonic()
        self._read("saying PING", "PING")
        return time.monotonic() - started

    def index(self, key: str) -> list[tuple[str, float]]:
        """The sorted set's members and scores, highest score first, equal scores in Redis' own order reversed.

        The first is the app's default group. Empty where there is no such key.
        """
        doing = f"reading the sorted set {key!r}"
        pairs = self._read(doing, "ZREVRANGE", _raw(key), 0, -1, "WITHSCORES", withscores=True)
        return [(_text(name), float(score)) for name, score in pairs]

    def lengths(self, keys: Iterable[str]) -> dict[str, int | None]:
        """Bytes of each key's value; None where there is no such key. Raises WrongType for a key that is no string."""
        wanted = list(dict.fromkeys(keys))
        replies = self._pipelined("asking for lengths", [("STRLEN", _raw(key)) for key in wanted])
        wrong = [key for key, reply in zip(wanted, replies, strict=True) if _is_wrong_type(reply)]
        lengths: dict[str, int | None] = {
            key: int(reply) for key, reply in zip(wanted, replies, strict=True) if not isinstance(reply, Exception)
        }
        empty = [key for key, length in lengths.items() if length == 0]
        there = self._pipelined("asking which keys exist", [("EXISTS", _raw(key)) for key in empty])
        for key, reply in zip(empty, there, strict=True):
            lengths[key] = 0 if reply else None
        if wrong:
            raise WrongType(wrong, lengths, [self.by_hand("type", key) for key in wrong[:3]])
        return lengths

    def expiries(self, keys: Iterable[str]) -> dict[str, int | None]:
        """Milliseconds until each key expires; None where it does not, or is not there."""
        wanted = list(dict.fromkeys(keys))
        replies = self._pipelined("asking when keys expire", [("PTTL", _raw(key)) for key in wanted])
        return {key: int(reply) if int(reply) >= 0 else None for key, reply in zip(wanted, replies, strict=True)}

    def scan(self, match: str = "*") -> list[str]:
        """Every key that matches the glob pattern, sorted, each once. Behind some proxies SCAN misses keys: compare
        `scan("*")` with `dbsize()`."""
        found: set[bytes] = set()
        cursor = 0
        steps = 0
        while True:
            words = ("SCAN", cursor, "MATCH", _raw(match), "COUNT", _SCAN)
            cursor, keys = self._read("listing keys (SCAN)", *words)
            found.update(keys)
            steps += 1
            if cursor == 0:
                return sorted(map(_text, found))
            if steps > 100_000:
                raise Failed(
                    f"SCAN at {self.address} does not come to an end.",
                    hint="Something between the toolkit and Redis mixes up its cursors: a proxy in front of several?",
                )

    def dbsize(self) -> int:
        """How many keys the database holds."""
        return int(self._read("counting keys (DBSIZE)", "DBSIZE"))

    def server_info(self) -> ServerInfo:
        """Version, role, memory and databases, as far as INFO says."""
        info = self._read("asking for INFO", "INFO")
        keys = {
            int(name[2:]): int(counts["keys"])
            for name, counts in info.items()
            if name.startswith("db") and name[2:].isdigit() and isinstance(counts, dict)
        }
        return ServerInfo(
            version=str(info.get("redis_version", "")),
            role=str(info.get("role", "")),
            used_bytes=_whole(info.get("used_memory")),
            max_bytes=_whole(info.get("maxmemory")) or None,
            keys=keys,
        )

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """The value's bytes from `start` up to, not including, `end`; fewer where it ends before."""
        if end <= start:
            return b""
        return bytes(self._read(f"reading {key!r}", "GETRANGE", _raw(key), start, end - 1))

    def get_ranges(self, wanted: Sequence[tuple[str, int, int]]) -> list[bytes]:
        """As `get_range` for many (key, start, end), all in one go. Empty for a key that is not there, or no string."""
        asked = [("GETRANGE", _raw(key), start, end - 1) for key, start, end in wanted]
        replies = self._pipelined("reading parts of values", asked)
        return [bytes(reply) if isinstance(reply, bytes) else b"" for reply in replies]

    def value(self, key: str) -> Iterator[bytes]:
        """The value in pieces of a few MB. Raises Failed where it is gone, or was replaced while it was read."""
        length = self.lengths([key])[key]
        if length is None:
            raise Failed(f"Redis has no key {key!r} any more.", hint="`toolkit groups list` shows what is there now.")
        ends = [(start, min(start + CHUNK, length)) for start in range(0, length, CHUNK)]
        for first in range(0, len(ends), _AHEAD):
            wanted = ends[first : first + _AHEAD]
            asked = [("GETRANGE", _raw(key), start, end - 1) for start, end in wanted]
            for (start, end), piece in zip(wanted, self._pipelined(f"reading {key!r}", asked), strict=True):
                if not isinstance(piece, bytes) or len(piece) != end - start:
                    raise _changed(key)
                yield piece
        if self.lengths([key])[key] != length:
            raise _changed(key)

    def command(self, words: Sequence[str]) -> Any:
        """The bare reply to a command; the caller vouches that it only reads."""
        raw = [_raw(word) for word in words]
        return self._tried(f"asking {words[0]}", lambda client: _bare(client, raw))

    # Changing

    def unlink(self, keys: Sequence[str], permit: Permit, progress: Progress = SILENT) -> int:
        """Remove keys, in pipelined batches, each a unit that is carried out whole. Gives back how many were there."""
        permit.check()
        removed = 0
        for start in range(0, len(keys), _BATCH):
            progress.check_stop()
            batch = keys[start : start + _BATCH]
            replies = self._change_pipelined("removing keys (UNLINK)", [("UNLINK", _raw(key)) for key in batch])
            removed += sum(map(int, replies))
            progress.advance("Redis keys", start + len(batch), len(keys), "keys")
        return removed

    def remove_members(self, index_key: str, names: Iterable[str], permit: Permit) -> int:
        """Take members out of the sorted set. Gives back how many were in it."""
        permit.check()
        members = [_raw(name) for name in names]
        if not members:
            return 0
        doing = f"removing members of {index_key!r} (ZREM)"
        return int(self._change(doing, "ZREM", _raw(index_key), *members))

    def set_members(self, index_key: str, scores: Mapping[str, float], permit: Permit) -> None:
        """Put members with their scores into the sorted set; existing ones get the new score."""
        permit.check()
        if scores:
            pairs = [word for name, score in scores.items() for word in (repr(score), _raw(name))]
            self._change(f"writing {index_key!r} (ZADD)", "ZADD", _raw(index_key), *pairs)

    def flush(self, permit: Permit) -> None:
        """FLUSHALL: remove every key of every database. The memory is freed in the background."""
        permit.check()
        self._change("emptying it (FLUSHALL)", "FLUSHALL", "ASYNC")

    def set_value(
        self,
        key: str,
        chunks: Iterable[bytes],
        permit: Permit,
        *,
        expires_ms: int | None = None,
        exist_ms: int = 3_600_000,
    ) -> int:
        """Write a value piece by piece under a temporary key, and give it its name only when it is whole.

        Gives back its bytes. Where `chunks` raises, or anything fails, the temporary key is removed (and expires by
        itself after `exist_ms`); what was under `key` stays.
        """
        permit.check()
        temporary = _raw(f"{key}.partial-{random.randrange(16**8):08x}")  # noqa: S311  a name, not a secret
        doing = f"writing {key!r}"
        length = 0
        self._change(doing, "SET", temporary, b"", "PX", exist_ms)
        try:
            for chunk in chunks:
                length += len(chunk)
                if int(self._change(doing, "APPEND", temporary, chunk)) != length:
                    raise Failed(f"Something else wrote to the temporary key of {key!r}; it was not restored.")
            if expires_ms is None:
                self._change(doing, "PERSIST", temporary)
            else:
                self._change(doing, "PEXPIRE", temporary, expires_ms)
            self._change(doing, "RENAME", temporary, _raw(key))
        except BaseException:
            self._forget(temporary)
            raise
        return length

    def close(self) -> None:
        with self._lock:
            client, self._opened = self._opened, None
        if client is not None:
            client.connection_pool.disconnect()
            client.close()

    def _forget(self, temporary: bytes) -> None:
        try:
            self._change("removing a temporary key", "UNLINK", temporary)
        except ToolkitError:
            return  # it expires by itself; what went wrong before is what matters

    def _client(self) -> Redis:
        with self._lock:
            if self._opened is None:
                self._opened = open_client(self.part, self.address, self._token)
            return self._opened

    def _read(self, doing: str, *words: Any, **options: Any) -> Any:
        return self._tried(doing, lambda client: _reply(client, words, options))

    def _change(self, doing: str, *words: Any) -> Any:
        return self._once(doing, lambda client: _reply(client, words, {}))

    def _pipelined(self, doing: str, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """The replies to many reads, in batches. WRONGTYPE is a reply; any other error is raised."""
        replies: list[Any] = []
        for start in range(0, len(commands), _BATCH):
            send = partial(_replies, commands[start : start + _BATCH])
            replies += self._tried(doing, send)
        for reply in replies:
            if isinstance(reply, Exception) and not _is_wrong_type(reply):
                raise self._explained(reply, doing)
        return replies

    def _change_pipelined(self, doing: str, batch: Sequence[Sequence[Any]]) -> list[Any]:
        replies = self._once(doing, partial(_replies, batch))
        for reply in replies:
            if isinstance(reply, Exception):
                raise self._explained(reply, doing)
        return replies

    def _tried(self, doing: str, do: Callable[[Redis], T]) -> T:
        """`do`, tried again when the connection was lost, while the part's timeout has not passed."""
        end = time.monotonic() + self.part.timeout_seconds
        pause = 0.05
        for attempt in range(1, _TRIES + 1):
            try:
                return do(self._client())
            except Exception as error:
                if attempt == _TRIES or not passing(error) or time.monotonic() + pause > end:
                    raise self._explained(error, doing) from error
            time.sleep(pause * (1 + random.random()))  # noqa: S311
            pause *= 3
        raise AssertionError  # the loop returns or raises

    def _once(self, doing: str, do: Callable[[Redis], T]) -> T:
        try:
            return do(self._client())
        except Exception as error:
            problem = self._explained(error, doing)
            if isinstance(problem, Unreachable) and may_have_arrived(error):
                problem.hint = f"Whether that was still carried out is not known; look first. {problem.hint}"
            raise problem from error

    def _explained(self, error: Exception, doing: str) -> ToolkitError:
        if isinstance(error, ToolkitError):
            return error
        return explained(error, doing, self.part, self.address, self._token)


def _reply(client: Redis, words: Sequence[Any], options: Mapping[str, Any]) -> Any:
    return client.execute_command(*words, **options)  # type: ignore[no-untyped-call]


def _replies(commands: Sequence[Sequence[Any]], client: Redis) -> list[Any]:
    with client.pipeline(transaction=False) as pipeline:
        for words in commands:
            pipeline.execute_command(*words)  # type: ignore[no-untyped-call]
        return pipeline.execute(raise_on_error=False)


def _bare(client: Redis, words: Sequence[bytes]) -> Any:
    connection = client.connection_pool.get_connection()
    try:
        connection.send_command(*words)  # type: ignore[no-untyped-call]
        return connection.read_response()
    finally:
        client.connection_pool.release(connection)


def _is_wrong_type(reply: object) -> bool:
    return isinstance(reply, Exception) and str(reply).startswith("WRONGTYPE")


def _changed(key: str) -> Failed:
    return Failed(
        f"The value of {key!r} was replaced while it was being read.",
        hint="A rebuild is probably running (`toolkit cache status`); try again when it has ended.",
    )


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value)
