"""Stands in for redis-server where this Python has none: fakeredis' commands behind a listener with AUTH.

    python redis/stand_in.py SOCKET|HOST:PORT PASSWORD_FILE

fakeredis' own listener neither asks for the password nor survives a large reply, so the wire (RESP2) is spoken here.
It ends when its standard input does, that is, when the process that started it ends.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

_VERSION = (6, 2)
_WITHOUT_AUTH = (b"AUTH", b"QUIT", b"HELLO")


async def _serve(where: str, password: str) -> None:
    from fakeredis import FakeServer

    store = FakeServer(version=_VERSION, config={b"requirepass": password.encode()})

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Session(store, reader, writer).run()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    host, colon, port = where.rpartition(":")
    if colon and port.isdigit():
        server = await asyncio.start_server(on_connection, host, int(port))
    else:
        server = await asyncio.start_unix_server(on_connection, where)
        Path(where).chmod(0o700)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_parent() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_parent, daemon=True).start()
    await stop.wait()
    server.close()


class _Session:
    """One client's connection: its own authentication, database and transaction."""

    def __init__(self, store: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from fakeredis import FakeRedisConnection

        self._connection: Any = FakeRedisConnection(server=store, protocol=2, driver_info=None)
        self._store = store
        self._reader = reader
        self._writer = writer
        self._known = False

    async def run(self) -> None:
        try:
            while words := await self._request():
                self._writer.write(self._reply(words))
                await self._writer.drain()
                if words[0].upper() == b"QUIT":
                    return
        finally:
            self._connection.disconnect()

    async def _request(self) -> list[bytes]:
        line = await self._reader.readline()
        if not line.startswith(b"*"):
            return line.split()
        words = []
        for _ in range(int(line[1:])):
            length = int((await self._reader.readline())[1:])
            words.append((await self._reader.readexactly(length + 2))[:-2])
        return words

    def _reply(self, words: list[bytes]) -> bytes:
        name = words[0].upper()
        if name == b"QUIT":
            return b"+OK\r\n"
        if not self._known and name not in _WITHOUT_AUTH:
            return b"-NOAUTH Authentication required.\r\n"
        if name == b"INFO":
            return _encoded(self._info())
        answer = self._carried_out(words)
        if name == b"AUTH":
            self._known = not isinstance(answer, Exception)
        return _encoded(answer)

    def _carried_out(self, words: list[bytes]) -> Any:
        try:
            self._connection.send_command(*words)
            return self._connection.read_response(disable_decoding=True)
        except Exception as error:  # noqa: BLE001  a server answers with the error, whatever it is
            return error

    def _info(self) -> bytes:
        used = {number: len(database) for number, database in self._store.dbs.items() if len(database)}
        lines = ["# Server", "redis_version:" + ".".join(map(str, _VERSION)) + ".0", "redis_mode:standalone"]
        lines += ["# Memory", "used_memory:0", "maxmemory:0", "# Replication", "role:master", "# Keyspace"]
        lines += [f"db{number}:keys={count},expires=0,avg_ttl=0" for number, count in sorted(used.items())]
        return "\r\n".join(lines).encode()


def _encoded(value: Any) -> bytes:
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, Exception):
        code = getattr(value, "status_code", None)
        text = f"{code} {value}" if code else str(value)
        if not text.split(" ")[0].isupper():
            text = "ERR " + text
        return b"-" + text.replace("\r", " ").replace("\n", " ").encode() + b"\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, float):
        value = repr(value).encode()
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        if value in (b"OK", b"PONG", b"QUEUED"):
            return b"+" + value + b"\r\n"
        return b"$%d\r\n%s\r\n" % (len(value), value)
    return b"*%d\r\n" % len(value) + b"".join(map(_encoded, value))


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2]).read_text("utf-8")))
