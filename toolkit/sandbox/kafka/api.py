"""A Kafka broker for those who read, after the Apache Kafka protocol guide (4.0): one node that leads all partitions.

It has: ApiVersions 0, Metadata 4, ListOffsets 1 and 2 (by time too), Fetch 4 (with waiting), FindCoordinator 0 and 1,
OffsetFetch 1 to 3, SASL/PLAIN by SaslHandshake 1 and SaslAuthenticate 0, TLS. Its account may read the topics and what
the known consumer groups have committed. Produce, OffsetCommit, JoinGroup and a coordinator for any other group are
refused with the error that an ACL gives; they are counted in `refused`. It leaves out: all else, compression, SCRAM,
transactions, retention. Topics are filled by the sandbox itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.sandbox.kafka import wire
from toolkit.sandbox.kafka.topics import Topics
from toolkit.sandbox.kafka.wire import Reader

_PRODUCE, _FETCH, _LIST_OFFSETS, _METADATA, _COMMIT, _OFFSET_FETCH, _COORDINATOR, _JOIN = 0, 1, 2, 3, 8, 9, 10, 11
_HANDSHAKE, _VERSIONS, _AUTHENTICATE = 17, 18, 36
_SPOKEN = {
    _PRODUCE: (3, 3),
    _FETCH: (4, 4),
    _LIST_OFFSETS: (1, 2),
    _METADATA: (4, 4),
    _COMMIT: (2, 2),
    _OFFSET_FETCH: (1, 3),
    _COORDINATOR: (0, 1),
    _JOIN: (0, 0),
    _HANDSHAKE: (0, 1),
    _VERSIONS: (0, 0),
    _AUTHENTICATE: (0, 0),
}
_OUT_OF_RANGE, _UNKNOWN_TOPIC, _NO_LEADER, _NOT_FOR_TOPIC, _NOT_FOR_GROUP = 1, 3, 5, 29, 30
_NO_MECHANISM, _VERSION, _NOT_AUTHENTICATED = 33, 35, 58
_BIGGEST = 1 << 20


@dataclass
class Faults:
    """What is wrong with the broker at the moment; set these freely while it runs.

    refuse: connections are closed at once. hang: nothing is answered. nonsense: what answers is a web server.
    forbidden: the account may not read the topics. no_leader: the partitions have none. no_topics: there is none.
    groups_forbidden: what consumers committed may not be read. behind: they are so many messages behind, in each
    partition.
    """

    refuse: bool = False
    hang: bool = False
    nonsense: bool = False
    forbidden: bool = False
    no_leader: bool = False
    no_topics: bool = False
    groups_forbidden: bool = False
    behind: int = 0


class _Over(Exception):
    """The connection is to be closed."""


@dataclass
class KafkaBroker:
    """Serves `topics` to whoever knows `user` and `password`."""

    user: str
    password: str
    certificate: Path | None = None
    topics: Topics = field(default_factory=Topics)
    faults: Faults = field(default_factory=Faults)
    requests_seen: int = 0
    refused: list[str] = field(default_factory=list)
    port: int = 0
    open_connections: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        context = None
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    # -- a connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this in one
        self._tasks.add(task)
        self.open_connections += 1
        try:
            with contextlib.suppress(_Over, ConnectionError, asyncio.IncompleteReadError, struct.error, ssl.SSLError):
                await self._talk(reader, writer, _Session(self))
        except asyncio.CancelledError:
            pass  # the broker stops
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: _Session) -> None:
        while True:
            if self.faults.refuse:
                raise _Over
            size = struct.unpack(">i", await reader.readexactly(4))[0]
            self.requests_seen += 1
            while self.faults.hang:
                await asyncio.sleep(0.02)
            if self.faults.nonsense:
                writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                raise _Over
            if not 0 < size <= _BIGGEST:
                raise _Over
            request = Reader(await reader.readexactly(size))
            api, version, correlation, _ = request.int16(), request.int16(), request.int32(), request.text_or_none()
            answer = await session.answer(api, version, request)
            writer.write(wire.blob(wire.int32(correlation) + answer))
            await writer.drain()


class _Session:
    """What one client may do, and the answers it gets."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._broker = broker
        self._known = False
        self._apis: dict[int, Callable[[int, Reader], bytes]] = {
            _LIST_OFFSETS: self._list_offsets,
            _METADATA: self._metadata,
            _OFFSET_FETCH: self._offset_fetch,
            _COORDINATOR: self._coordinator,
            _COMMIT: self._no_commit,
            _JOIN: self._no_join,
            _PRODUCE: self._no_produce,
        }

    async def answer(self, api: int, version: int, request: Reader) -> bytes:
        low, high = _SPOKEN.get(api, (1, 0))
        if api == _VERSIONS:
            spoken = [wire.int16(key) + wire.int16(least) + wire.int16(most) for key, (least, most) in _SPOKEN.items()]
            return wire.int16(0 if version == 0 else _VERSION) + wire.array(spoken)
        if not low <= version <= high:
            raise _Over
        if api == _HANDSHAKE:
            known = request.text() == "PLAIN"
            return wire.int16(0 if known else _NO_MECHANISM) + wire.array([wire.text("PLAIN")])
        if api == _AUTHENTICATE:
            return self._authenticate(request)
        if not self._known:
            raise _Over
        if api == _FETCH:
            return await self._fetch(request)
        return self._apis[api](version, request)

    def _authenticate(self, request: Reader) -> bytes:
        _, _, rest = request.blob().partition(b"\0")
        user, _, password = rest.partition(b"\0")
        self._known = (user.decode(), password.decode()) == (self._broker.user, self._broker.password)
        if self._known:
            return wire.int16(0) + wire.text(None) + wire.blob(b"")
        said = "Authentication failed: Invalid username or password"
        return wire.int16(_NOT_AUTHENTICATED) + wire.text(said) + wire.blob(b"")

    # -- topics

    def _wrong(self, topic: str, partition: int = 0) -> int:
        """The error code of a topic, or 0."""
        faults, found = self._broker.faults, self._broker.topics.by_name.get(topic)
        if faults.forbidden:
            return _NOT_FOR_TOPIC
        if found is None or faults.no_topics or not 0 <= partition < len(found.partitions):
            return _UNKNOWN_TOPIC
        return 0

    def _metadata(self, _: int, request: Reader) -> bytes:
        names = request.array_or_none(request.text)
        request.int8()
        broker = wire.int32(1) + wire.text("127.0.0.1") + wire.int32(self._broker.port) + wire.text(None)
        wanted = sorted(self._broker.topics.by_name) if names is None else names
        topics = [self._topic(name) for name in wanted]
        head = wire.int32(0) + wire.array([broker]) + wire.text("sandbox") + wire.int32(1)
        return head + wire.array(topics)

    def _topic(self, name: str) -> bytes:
        wrong = self._wrong(name)
        partitions = []
        if not wrong:
            leader = -1 if self._broker.faults.no_leader else 1
            code = _NO_LEADER if self._broker.faults.no_leader else 0
            copies = wire.array([wire.int32(1)])
            partitions = [
                wire.int16(code) + wire.int32(number) + wire.int32(leader) + copies + copies
                for number in range(len(self._broker.topics.by_name[name].partitions))
            ]
        return wire.int16(wrong) + wire.text(name) + wire.int8(0) + wire.array(partitions)

    def _list_offsets(self, version: int, request: Reader) -> bytes:
        request.int32()
        if version >= 2:
            request.int8()
        wanted = request.array(lambda: (request.text(), request.array(lambda: (request.int32(), request.int64()))))
        topics = []
        for name, partitions in wanted:
            found = []
            for partition, at in partitions:
                wrong = self._wrong(name, partition)
                time, offset = (-1, -1) if wrong else self._broker.topics.by_name[name].at(partition, at)
                found.append(wire.int32(partition) + wire.int16(wrong) + wire.int64(time) + wire.int64(offset))
            topics.append(wire.text(name) + wire.array(found))
        return (wire.int32(0) if version >= 2 else b"") + wire.array(topics)

    async def _fetch(self, request: Reader) -> bytes:
        request.int32()
        wait, least, _, _ = request.int32(), request.int32(), request.int32(), request.int8()
        wanted = request.array(
            lambda: (request.text(), request.array(lambda: (request.int32(), request.int64(), request.int32())))
        )
        end = asyncio.get_running_loop().time() + wait / 1000
        while True:
            total, topics = 0, []
            for name, partitions in wanted:
                found = []
                for partition, offset, most in partitions:
                    size, written = self._fetched(name, partition, offset, most)
                    total += size
                    found.append(written)
                topics.append(wire.text(name) + wire.array(found))
            # A negative size is an error, which is told at once.
            if total >= least or total < 0 or asyncio.get_running_loop().time() >= end or self._broker.faults.refuse:
                return wire.int32(0) + wire.array(topics)
            await asyncio.sleep(0.02)

    def _fetched(self, name: str, partition: int, offset: int, most: int) -> tuple[int, bytes]:
        wrong, records, end = self._wrong(name, partition), b"", -1
        if not wrong:
            topic = self._broker.topics.by_name[name]
            end = len(topic.partitions[partition])
            if not 0 <= offset <= end:
                wrong = _OUT_OF_RANGE
            else:
                records = topic.read(partition, offset, most)
        head = wire.int32(partition) + wire.int16(wrong) + wire.int64(end) + wire.int64(end) + wire.int32(-1)
        return (-(1 << 40) if wrong else len(records)), head + wire.blob(records)

    # -- consumer groups

    def _coordinator(self, version: int, request: Reader) -> bytes:
        group = request.text()
        wrong = self._group_wrong(group)
        where = wire.int32(-1) + wire.text("") + wire.int32(-1)
        if not wrong:
            where = wire.int32(1) + wire.text("127.0.0.1") + wire.int32(self._broker.port)
        if version == 0:
            return wire.int16(wrong) + where
        return wire.int32(0) + wire.int16(wrong) + wire.text(None) + where

    def _offset_fetch(self, version: int, request: Reader) -> bytes:
        group = request.text()
        asked = request.array_or_none(lambda: (request.text(), request.array(request.int32)))
        wrong = self._group_wrong(group)
        committed = {} if wrong else self._broker.topics.committed.get(group, {})
        if asked is None:
            asked = [(name, sorted(offsets)) for name, offsets in committed.items()]
        topics = []
        for name, partitions in asked:
            found = []
            for partition in partitions:
                offset = committed.get(name, {}).get(partition, -1)
                if offset >= 0:
                    offset = max(0, offset - self._broker.faults.behind)
                found.append(wire.int32(partition) + wire.int64(offset) + wire.text("") + wire.int16(0))
            topics.append(wire.text(name) + wire.array(found))
        head, tail = (wire.int32(0) if version >= 3 else b""), (wire.int16(wrong) if version >= 2 else b"")
        return head + wire.array(topics) + tail

    def _group_wrong(self, group: str) -> int:
        known = group in self._broker.topics.committed and not self._broker.faults.groups_forbidden
        return 0 if known else _NOT_FOR_GROUP

    # -- what the account may not do

    def _no_commit(self, _: int, request: Reader) -> bytes:
        self._broker.refused.append(f"OffsetCommit {request.text()}")
        raise _Over

    def _no_join(self, _: int, request: Reader) -> bytes:
        group = request.text()
        self._broker.refused.append(f"JoinGroup {group}")
        empty = wire.text("")
        return wire.int16(_NOT_FOR_GROUP) + wire.int32(-1) + empty + empty + empty + wire.array([])

    def _no_produce(self, _: int, __: Reader) -> bytes:
        self._broker.refused.append("Produce")
        raise _Over
