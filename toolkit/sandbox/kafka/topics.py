"""The topics of the sandbox's broker, and the offsets that consumer groups have committed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from toolkit.sandbox.kafka import wire

if TYPE_CHECKING:
    from toolkit.sandbox.builds import BuiltGroup
    from toolkit.sandbox.places import Place

PARTITIONS = 3


@dataclass(frozen=True, slots=True)
class Message:
    """`milliseconds` since the epoch, as its producer stamped it."""

    milliseconds: int
    key: bytes | None
    value: bytes | None


@dataclass
class Topic:
    """Messages by partition; an offset is a message's place in it."""

    partitions: list[list[Message]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])

    def append(self, message: Message) -> None:
        """To the partition that its key says."""
        self.partitions[zlib.crc32(message.key or b"") % len(self.partitions)].append(message)

    def read(self, partition: int, offset: int, most: int) -> bytes:
        """Record batches from `offset` on, of about `most` bytes; at least one, where there is one."""
        out, size = [], 0
        for number, message in enumerate(self.partitions[partition][offset:], offset):
            out.append(wire.batch(number, message.milliseconds, message.key, message.value))
            size += len(out[-1])
            if size >= most:
                break
        return b"".join(out)

    def at(self, partition: int, milliseconds: int) -> tuple[int, int]:
        """Time and offset of the first message not older; (-1, -1): all are. -2: the first one's, -1: the end."""
        messages = self.partitions[partition]
        if milliseconds == -2:
            return -1, 0
        if milliseconds == -1:
            return -1, len(messages)
        for offset, message in enumerate(messages):
            if message.milliseconds >= milliseconds:
                return message.milliseconds, offset
        return -1, -1


@dataclass
class Topics:
    """All topics by name; `committed` by consumer group, topic and partition."""

    by_name: dict[str, Topic] = field(default_factory=dict)
    committed: dict[str, dict[str, dict[int, int]]] = field(default_factory=dict)

    def reset(self, places: Iterable[Place]) -> None:
        """Each environment's topic, empty, and its consumers at the beginning."""
        self.by_name.clear()
        self.committed.clear()
        for place in places:
            self.by_name[place.topic] = Topic()
            for group in place.consumer_groups:
                self.committed[group] = {place.topic: {}}
        self.catch_up()

    def announce(self, place: Place, group: BuiltGroup) -> None:
        """phenoservice-api has created a group, and tells it. The consumers take note of it at once."""
        document = {
            "event": "group-created",
            "group": group.name,
            "created_at": group.built_at.isoformat(),
            "created_by": "group-auto-loader",
            "source": "phenoservice-api",
        }
        key = group.name.encode()
        self.by_name[place.topic].append(Message(_milliseconds(group.built_at), key, json.dumps(document).encode()))
        self.catch_up()

    def catch_up(self) -> None:
        """Every consumer commits the end of its topic."""
        for topics in self.committed.values():
            for name in topics:
                ends = enumerate(map(len, self.by_name[name].partitions))
                topics[name] = {partition: end for partition, end in ends if end}


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
