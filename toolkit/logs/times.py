"""Times as people type them (`--since`, `--until`): from words to nanoseconds since the epoch.

A time of day without a date is the last such time. A local time that came twice, or never, when the clocks were changed
is resolved, and said in the note.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from datetime import time as time_of_day
from typing import Final

from toolkit.errors import NotFound, UsageError
from toolkit.logs.source import Window
from toolkit.logs.zones import HALVES, date_and_clock, known_zone

_SECOND: Final = 1_000_000_000
_EXAMPLES: Final = (
    "For example: 90s, 15m, 1h30m, 3d, 18:00, '18:00 MT', today, yesterday, 'thursday 18:00', 2026-11-19, "
    "'2026-11-19 18:00 America/Denver', 2026-11-19T18:00:00Z, last-rebuild, last-rebuild-10m."
)
_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}
_UNIT: Final = r"(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|ms|s)"
_AMOUNT: Final = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,9}})?)\s?{_UNIT}\s?")
_REBUILD: Final = re.compile(r"last[- ]rebuild(?:\s?([+-])\s?(.+))?")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(am|pm)?|(\d{1,2})(am|pm)")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

LastRebuild = Callable[[], int | None]


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in nanoseconds since the epoch; `note` says how it was understood where that is not plain."""

    time: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads times at `now` (nanoseconds), in `zone` where none is typed. `last_rebuild` gives when the last rebuild
    began (nanoseconds; None: none is known); it is asked only where somebody names it."""

    now: int
    zone: tzinfo
    last_rebuild: LastRebuild | None = None

    def window(self, since: str = "", until: str = "") -> tuple[Window, tuple[str, ...]]:
        """The window, and notes for people. Raises UsageError. A day as `until` is meant whole; a time of day as
        `until` is the first such time after `since`."""
        start = self.moment(since, "--since") if since.strip() else None
        if start is not None and start.time > self.now:
            raise UsageError(f"--since {since!r} lies ahead: {date_and_clock(start.time, self.zone)}.", hint=_EXAMPLES)
        end = None
        if until.strip():
            end = self.moment(until, "--until", after=start.time if start is not None else None)
        if start is not None and end is not None and end.time <= start.time:
            raise UsageError(
                f"--until {until!r} ({date_and_clock(end.time, self.zone)}) is not after --since {since!r} "
                f"({date_and_clock(start.time, self.zone)}).",
                hint="Durations count back from now: --since 2h --until 1h is the hour that began two hours ago.",
            )
        notes = tuple(one.note for one in (start, end) if one is not None and one.note)
        return Window(start.time if start else None, end.time if end else None), notes

    def moment(self, text: str, option: str = "--since", *, after: int | None = None) -> Moment:
        """The time that `text` says; raises UsageError, NotFound where there was no rebuild."""
        words = " ".join(text.split())
        lower = words.lower()
        if lower == "now":
            return Moment(self.now)
        back = duration(lower.removesuffix(" ago").removeprefix("-"))
        if back is not None:
            return Moment(self.now - back)
        rebuild = _REBUILD.fullmatch(lower)
        if rebuild is not None:
            return self._rebuild(text, option, rebuild)
        if lower[:1] == "@" and re.fullmatch(r"@\d{1,12}(\.\d{1,9})?", lower):
            return Moment(_nanoseconds(lower[1:]))
        try:
            return self._date_and_time(words, option, after)
        except (ValueError, OverflowError) as error:
            why = f" ({error})" if _DATE.match(words) or _CLOCK.match(lower) else ""
            raise UsageError(f"{option} {text!r} is no time{why}.", hint=_EXAMPLES) from None

    def _rebuild(self, text: str, option: str, found: re.Match[str]) -> Moment:
        shift = duration(found[2]) if found[2] is not None else 0
        if shift is None:
            raise UsageError(f"{option} {text!r}: {found[2]!r} is no duration.", hint=_EXAMPLES)
        began = self.last_rebuild() if self.last_rebuild is not None else None
        if began is None:
            raise NotFound(f"{option} {text!r}: no rebuild is known here.", hint=f"Say a time instead. {_EXAMPLES}")
        time = began - shift if found[1] == "-" else began + shift
        return Moment(time, f"{option} {text}: the last rebuild began {date_and_clock(began, self.zone)}")

    def _date_and_time(self, words: str, option: str, after: int | None) -> Moment:
        """`[day] [time of day] [zone]`. Raises ValueError for anything else."""
        parts = re.sub(r"^(\d{4}-\d\d-\d\d)[Tt](?=\d)", r"\1 ", words).split(" ")
        day_word = parts.pop(0).lower() if parts and _is_day(parts[0].lower()) else ""
        if len(parts) > 1 and parts[1].lower() in ("am", "pm"):
            parts[:2] = [parts[0] + parts[1]]
        at: tuple[time_of_day, int] | None = None
        if parts and (clock := re.match(rf"(?:{_CLOCK.pattern})(?=$|[zZ+-])", parts[0].lower())) is not None:
            at = _time_of_day(clock)
            parts[0] = parts[0][clock.end() :]
            parts = [part for part in parts if part]
        if (not day_word and at is None) or len(parts) > 1:
            raise ValueError("expected a day, a time of day, a zone")
        where = self.zone if not parts else known_zone(parts[0])
        if where is None:
            raise UsageError(f"{option}: there is no time zone {parts[0]!r}.", hint=_EXAMPLES)
        found = self._resolved(day_word, at, where, option == "--until", after)
        half = HALVES.get(parts[0].lower()) if parts else None
        note = found.note or (_other_half(found.time, *half, parts[0].upper()) if half is not None else "")
        return Moment(found.time, f"{option} {words}: {note}" if note else "")

    def _resolved(
        self, word: str, at: tuple[time_of_day, int] | None, where: tzinfo, end: bool, after: int | None
    ) -> Moment:
        today = _wall(self.now, where).date()
        clock, part = at if at is not None else (time_of_day(), 0)
        if not word or word in _DAYS:
            step = 1 if not word else 7
            day = today if not word else today - timedelta(days=(today.weekday() - _DAYS.index(word)) % 7)
            whole_day = at is None and end
            found = _instant(day + timedelta(days=whole_day), clock, part, where, end)
            if after is not None and not whole_day:  # `until`: the first such time behind `since`
                day = _wall(after, where).date()
                day += timedelta(days=0 if not word else (_DAYS.index(word) - day.weekday()) % 7)
                found = _instant(day, clock, part, where, end)
                return found if found.time > after else _instant(day + timedelta(days=step), clock, part, where, end)
            if found.time > self.now and not whole_day:
                found = _instant(day - timedelta(days=step), clock, part, where, end)
            return found
        day = {"today": today, "yesterday": today - timedelta(days=1)}.get(word) or date.fromisoformat(word)
        if at is None and end:
            day += timedelta(days=1)
        return _instant(day, clock, part, where, end)


def duration(text: str) -> int | None:
    """The nanoseconds of `90s`, `1h30m`, `3 days`; None where it is no duration. A day is 24 hours."""
    text = text.strip().lower()
    total, at = 0, 0
    while at < len(text):
        found = _AMOUNT.match(text, at)
        if found is None:
            return None
        unit = found[2] if found[2] == "ms" else found[2][0]
        total += round(float(found[1]) * _UNITS[unit] * 1000) * (_SECOND // 1000)
        at = found.end()
    return total if text else None


def _is_day(word: str) -> bool:
    return word in ("today", "yesterday", *_DAYS) or _DATE.fullmatch(word) is not None


def _time_of_day(found: re.Match[str]) -> tuple[time_of_day, int]:
    """The time, and the nanoseconds below its second."""
    hour, half = int(found[1] or found[6]), found[5] or found[7]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("hour must be in 1..12")
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time_of_day(hour, int(found[2] or 0), int(found[3] or 0)), int((found[4] or "0").ljust(9, "0"))


def _instant(day: date, clock: time_of_day, part: int, where: tzinfo, end: bool) -> Moment:
    """A wall clock's time as an instant. One that came twice is the first as a beginning, the second as an end; one
    that never came is as far behind the change as it was meant to be."""
    wall = datetime.combine(day, clock)
    first, second = wall.replace(tzinfo=where), wall.replace(tzinfo=where, fold=1)
    note, taken = "", first
    if first.utcoffset() != second.utcoffset():
        back = first.astimezone(UTC).astimezone(where)
        if back.replace(tzinfo=None) != wall:
            note = f"{wall:%H:%M} never came on {wall:%Y-%m-%d} (the clocks went forward): taken as {back:%H:%M %Z}"
        else:
            taken = second if end else first
            note = f"{wall:%H:%M} came twice on {wall:%Y-%m-%d} (the clocks went back): taken as {taken:%H:%M %Z}"
    seconds = (taken - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return Moment(seconds * _SECOND + part, note)


def _other_half(time: int, place: str, hours: int, name: str) -> str:
    """A note where somebody says MST while Denver is on MDT."""
    there = known_zone(place)
    wall = _wall(time, there) if there is not None else None
    if wall is None or wall.utcoffset() == timedelta(hours=hours):
        return ""
    said = timezone(timedelta(hours=hours))
    return f"{name} is UTC{wall.astimezone(said):%z}, but {place} was on {wall:%Z} then: that was {wall:%H:%M} there"


def _wall(time: int, where: tzinfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time // _SECOND)).astimezone(where)


def _nanoseconds(text: str) -> int:
    seconds, _, part = text.partition(".")
    return int(seconds) * _SECOND + int(part.ljust(9, "0"))
