"""How figures and states are written in the terminal app: short, exact, and a sign AND a word for every state."""

from __future__ import annotations

from datetime import UTC, datetime

from toolkit.checks.finding import Status
from toolkit.secret import scrub

STYLES = {
    Status.OK: "$text-success",
    Status.WARN: "$text-warning",
    Status.FAIL: "bold $text-error",
    Status.UNKNOWN: "$text-warning",
    Status.SKIPPED: "$text-muted",
}


def state(status: Status) -> str:
    """A status as sign and word, padded so that columns align: `✓ ok     `."""
    return f"{status.sign} {status:<7}"


def moment(value: datetime | None, zone: str = "") -> str:
    """A time to the minute, `Thu 2026-01-08 01:00 UTC`; with a `zone` in that zone, under its own abbreviation."""
    if value is None:
        return "-"
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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
