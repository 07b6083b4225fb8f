"""Time zones by the names that people use, and nanoseconds since the epoch as times to read."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from toolkit.errors import UsageError

_SECOND: Final = 1_000_000_000
# What is said in the offices; a zone's two halves of the year are fixed offsets, as they say.
_NAMES: Final = {
    "mt": "America/Denver",
    "mountain": "America/Denver",
    "pt": "America/Los_Angeles",
    "ct": "America/Chicago",
    "et": "America/New_York",
    "z": "UTC",
    "utc": "UTC",
    "gmt": "UTC",
    "cet": "Europe/Zurich",
}
HALVES: Final = {
    "mst": ("America/Denver", -7),
    "mdt": ("America/Denver", -6),
    "pst": ("America/Los_Angeles", -8),
    "pdt": ("America/Los_Angeles", -7),
    "cst": ("America/Chicago", -6),
    "cdt": ("America/Chicago", -5),
    "est": ("America/New_York", -5),
    "edt": ("America/New_York", -4),
    "cest": ("Europe/Zurich", 2),
}


def zone(name: str) -> tzinfo:
    """The zone called `name`: local, UTC, MT (Mountain Time), America/Denver, +01:00 …; raises UsageError."""
    found = known_zone(name)
    if found is not None:
        return found
    raise UsageError(
        f"There is no time zone {name!r}.{_near(name)}", hint="For example: local, UTC, MT, Europe/Zurich."
    )


def known_zone(name: str) -> tzinfo | None:
    """The same; None for no zone's name."""
    word = name.strip()
    lower = word.lower()
    if lower == "local":
        return local()
    if lower in HALVES:
        return timezone(timedelta(hours=HALVES[lower][1]), word.upper())
    if lower in _NAMES:
        return UTC if _NAMES[lower] == "UTC" else ZoneInfo(_NAMES[lower])
    if word[:1] in ("+", "-"):
        try:
            return datetime.strptime(word, "%z").tzinfo
        except ValueError:
            return None
    parts = [part.upper() if len(part) <= 3 else part.title() for part in word.split("/")]
    for form in (word, "/".join(parts).replace("Of_", "of_")):
        try:
            return ZoneInfo(form)
        except (KeyError, ValueError, OSError):  # there is none; it is no possible name; it is a folder
            continue
    return None


def local() -> tzinfo:
    """This machine's zone, with its rules for other times of the year where they can be found."""
    name = os.environ.get("TZ", "").lstrip(":")
    if name:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            pass
    file = Path("/etc/localtime")
    try:
        parts = file.resolve().parts
        with file.open("rb") as content:
            key = "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else "local"
            return ZoneInfo.from_file(content, key=key)
    except (OSError, ValueError):
        return datetime.now().astimezone().tzinfo or UTC


def offset(time: int, where: tzinfo) -> int:
    """How many seconds `where` is ahead of UTC at `time` (nanoseconds)."""
    shift = _moment(time // _SECOND, where).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())


def rfc3339(time: int) -> str:
    """`time` in UTC, to the nanosecond: 2026-11-24T10:59:12.123456789Z."""
    seconds, part = divmod(time, _SECOND)
    return f"{_text(seconds, UTC, '%Y-%m-%dT%H:%M:%S')}.{part:09d}Z"


def clock(time: int, where: tzinfo) -> str:
    """`time` of day, to the millisecond: 10:59:12.123."""
    seconds, part = divmod(time, _SECOND)
    return f"{_text(seconds, where, '%H:%M:%S')}.{part // 1_000_000:03d}"


def date_and_clock(time: int, where: tzinfo) -> str:
    """Day and time with the zone's name: Tue 2026-11-24 10:59:12 MST."""
    return _text(time // _SECOND, where, "%a %Y-%m-%d %H:%M:%S %Z")


@lru_cache(1024)
def _text(seconds: int, where: tzinfo, form: str) -> str:
    return _moment(seconds, where).strftime(form)


def _moment(seconds: int, where: tzinfo) -> datetime:
    """Times beyond what a datetime can hold are shown as its first or last."""
    seconds = min(max(seconds, -62_135_510_400), 253_402_214_400)
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(where)


def _near(name: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    near = get_close_matches(name.title(), sorted(available_timezones()), n=1)
    return f" Is {near[0]} meant?" if near else ""
