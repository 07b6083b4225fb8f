"""Times at the beginning of a line, and times as fields say them. A time without a zone is UTC, as in a container."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

_SECOND: Final = 1_000_000_000
_STAMP: Final = re.compile(
    r"\[?(\d{4}[-/]\d\d[-/]\d\d[T _,]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?: ?(Z|UTC|[+-]\d\d:?\d\d))?\]?"
    r"(?=[\s|,;:-]|$)[ \t]*(?:std(?:out|err) [FP] )?"  # as containerd writes a container's log to its file
)
_LATEST: Final = 253_402_300_800  # the year 10,000, in seconds


def leading(text: str) -> tuple[int, int] | None:
    """The time at the beginning of a line, in nanoseconds, and where what follows it begins."""
    found = _STAMP.match(text)
    if found is None:
        return None
    whole, part, zone = found.groups()
    seconds = _seconds(whole, zone)
    if seconds is None:
        return None
    return seconds * _SECOND + (int(part.ljust(9, "0")) if part else 0), found.end()


@lru_cache(4096)
def _seconds(whole: str, zone: str | None) -> int | None:
    try:
        year, month, day = int(whole[:4]), int(whole[5:7]), int(whole[8:10])
        hour, minute, second = int(whole[11:13]), int(whole[14:16]), int(whole[17:19])
        at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=_zone(zone))
        return int(at.timestamp()) + (second == 60)
    except (ValueError, OverflowError):
        return None


def _zone(name: str | None) -> timezone:
    if name is None or name in ("Z", "UTC"):
        return UTC
    minutes = int(name[1:3]) * 60 + int(name[-2:])
    return timezone(timedelta(minutes=-minutes if name[0] == "-" else minutes))


def time_of(value: Any) -> int | None:
    """The nanoseconds of a field's time: RFC 3339, or a number since the epoch in s, ms, µs or ns by its size, or
    Cloud Logging's `{"seconds": …, "nanos": …}`; None for what is none."""
    if isinstance(value, str):
        found = leading(value[:64])
        return found[0] if found is not None and found[1] == len(value) else None
    if isinstance(value, dict):
        seconds, nanos = value.get("seconds"), value.get("nanos", 0)
        if type(seconds) is int and type(nanos) is int and 0 < seconds < _LATEST and 0 <= nanos < _SECOND:
            return seconds * _SECOND + nanos
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        return None
    for unit in (_SECOND, 1_000_000, 1_000, 1):
        if value < 1e11 * (_SECOND // unit):
            return value * unit if isinstance(value, int) else round(value * unit / 1000) * 1000
    return None
