"""How figures and states are written in the terminal app: short, exact, and a sign AND a word for every state."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from toolkit.checks.finding import Status
from toolkit.secret import scrub

SIGNS = {Status.OK: "✓", Status.WARN: "!", Status.FAIL: "✗", Status.UNKNOWN: "?", Status.SKIPPED: "-"}
STYLES = {
    Status.OK: "$text-success",
    Status.WARN: "$text-warning",
    Status.FAIL: "bold $text-error",
    Status.UNKNOWN: "$text-warning",
    Status.SKIPPED: "$text-muted",
}


def state(status: Status) -> str:
    """A status as sign and word, padded so that columns align: `✓ ok     `."""
    return f"{SIGNS[status]} {status:<7}"


def size(count: int | None) -> str:
    """Bytes for people, in decimal units as the cloud console counts them: 2.1 GB. None is unknown."""
    if count is None:
        return "?"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


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


def moment(value: datetime | None, zone: str = "") -> str:
    """A time to the minute, `Thu 2026-01-08 01:00 UTC`; with a `zone` in that zone, under its own abbreviation."""
    if value is None:
        return "-"
    try:
        local = value.astimezone(ZoneInfo(zone)) if zone else value.astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError):
        local = value.astimezone(UTC)
    return f"{local:%a %Y-%m-%d %H:%M %Z}"


def elided(text: str, width: int) -> str:
    """`text` in at most `width` cells; a cut is marked and taken out before the last third, so both ends are seen."""
    if len(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    tail = (width - 1) // 3
    return text[: width - 1 - tail] + "…" + (text[-tail:] if tail else "")


def cut(text: str, width: int) -> str:
    """A sentence in at most `width` cells of one line; a cut is marked at its end."""
    line, more, _ = text.partition("\n")
    return line if len(line) <= width and not more else line[: max(width - 1, 0)].rstrip() + "…"


def foreign(text: str) -> str:
    """What another program wrote, made safe to show: no control characters, no secret this process has held."""
    return scrub("".join(c if c.isprintable() or c == "\n" else " " if c == "\t" else "�" for c in text))


def counted(number: int, one: str, many: str = "") -> str:
    """`1 object`, `1,204 objects`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
