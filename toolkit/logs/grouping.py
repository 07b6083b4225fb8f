"""The same traceback, counted: how often it came, when first and last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from toolkit.logs.entry import Entry


@dataclass(frozen=True, slots=True)
class Group:
    """Tracebacks of one fingerprint. `first` and `last` are nanoseconds since the epoch, 0 where no time was said;
    `example` is the latest of them."""

    fingerprint: str
    count: int
    first: int
    last: int
    example: Entry


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """Entries with a traceback, by fingerprint; the most frequent first. Others are passed over."""
    found: dict[str, Group] = {}
    for entry in entries:
        key = entry.fingerprint
        if not key:
            continue
        known = found.get(key)
        if known is None:
            found[key] = Group(key, 1, entry.time, entry.time, entry)
            continue
        first = min(known.first or entry.time, entry.time or known.first)
        latest = entry.time >= known.last
        found[key] = Group(key, known.count + 1, first, max(known.last, entry.time), entry if latest else known.example)
    return sorted(found.values(), key=lambda group: (-group.count, -group.last))
