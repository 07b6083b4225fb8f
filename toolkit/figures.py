"""Figures for people, the same everywhere: bytes, durations, ages, times."""

from __future__ import annotations

from datetime import UTC, datetime


def size(count: int | None) -> str:
    """Bytes in decimal units, as the cloud console counts them: 2.1 GB. None is unknown."""
    if count is None:
        return "?"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.0f} TB" if value >= 100 else f"{value:.1f} TB"


def duration(seconds: float) -> str:
    """Seconds in their largest unit or two: 3d 4h, 1h 5m, 12m, 40s."""
    days, rest = divmod(max(int(seconds), 0), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}d {hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    if minutes:
        return f"{minutes}m {left}s" if minutes < 10 and left else f"{minutes}m"
    return f"{left}s"


def age(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, or ahead: `3d 4h ago`, `in 12m`; `-` for no moment at all."""
    if moment is None:
        return "-"
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    return f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(-seconds)}"


def when(moment: datetime | None) -> str:
    """A time to the minute in UTC, with its age; `-` for none."""
    return "-" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z ({age(moment)})"


def rfc3339(moment: datetime | None) -> str:
    """RFC 3339 in UTC, to the second; empty for None."""
    return "" if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
