"""A group-created event as it stands in its topic: a message's place and time, and what its JSON says of the group."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

_SCHEMA_HEADER: Final = 5  # a zero byte and the schema's number, as serializers with a schema registry write
_CREATED_BY_PRODUCER: Final = 1
_STAMPED_BY_BROKER: Final = 2


@dataclass(frozen=True, slots=True)
class Event:
    """`time` is the message's: when it was made, or (`stamped_by` broker) written; None where it has none.

    `group` is "" where the message names none; `document` is its JSON object, or None (`problem` says so).
    """

    time: datetime | None
    stamped_by: str
    partition: int
    offset: int
    key: str
    group: str
    document: Mapping[str, Any] | None
    bytes: int
    problem: str = ""

    @property
    def place(self) -> str:
        """Partition and offset, as Kafka's tools write them."""
        return f"{self.partition}:{self.offset}"

    @property
    def order(self) -> tuple[float, int, int]:
        """By time; those without one come first."""
        return self.time.timestamp() if self.time else 0.0, self.partition, self.offset


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the connection while events are followed: it is lost, or was refused, and is tried again; or that
    is `over`."""

    text: str
    over: bool = False


def read_event(
    partition: int, offset: int, stamp: tuple[int, int], key: bytes | None, value: bytes | None, group_field: str
) -> Event:
    """A message as an Event. `stamp` is its kind of time, and milliseconds since the epoch."""
    name = (key or b"").decode("utf-8", "replace")
    document, problem = _document(value)
    group = name
    if document is not None and group_field:
        found = _inside(document, group_field)
        group = found if isinstance(found, str) else name
        if not isinstance(found, str):
            problem = f"has no text at {group_field}"
    return Event(
        time=_time(stamp),
        stamped_by={_CREATED_BY_PRODUCER: "producer", _STAMPED_BY_BROKER: "broker"}.get(stamp[0], ""),
        partition=partition,
        offset=offset,
        key=name,
        group=group,
        document=document,
        bytes=len(value or b""),
        problem=problem,
    )


def _time(stamp: tuple[int, int]) -> datetime | None:
    kind, milliseconds = stamp
    if kind not in (_CREATED_BY_PRODUCER, _STAMPED_BY_BROKER) or milliseconds < 0:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _document(value: bytes | None) -> tuple[dict[str, Any] | None, str]:
    if value is None:
        return None, "is a tombstone: it has no value"
    for text in (value, value[_SCHEMA_HEADER:] if value[:1] == b"\0" else b""):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found, ""
    return None, f"is no JSON object ({len(value)} bytes)"


def _inside(document: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    found: Any = document
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
