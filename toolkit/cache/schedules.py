"""When a CronJob runs next: its schedule and time zone as Kubernetes reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from toolkit.errors import Failed
from toolkit.systems.cluster.objects import CronJob

_MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True)
class Schedule:
    """A CronJob's `expression` and `time_zone` (UTC where it names none, as on GKE), and when it runs `next` (UTC).

    A suspended one runs at none of these times.
    """

    expression: str
    time_zone: str
    next: tuple[datetime, ...]
    suspended: bool


def schedule_of(cronjob: CronJob, count: int = 1, *, after: datetime | None = None) -> Schedule:
    """Its next `count` runs after a time (default: now). Raises Failed where the schedule cannot be read."""
    expression, zone = cronjob.schedule.strip(), cronjob.time_zone
    for prefix in ("CRON_TZ=", "TZ="):
        if expression.startswith(prefix):
            zone, _, expression = expression.removeprefix(prefix).partition(" ")
    zone = zone or "UTC"
    times = islice(_times(_MACROS.get(expression, expression), zone, after or datetime.now(UTC), cronjob), count)
    return Schedule(cronjob.schedule, zone, tuple(times), cronjob.suspended)


def _times(expression: str, zone: str, after: datetime, cronjob: CronJob) -> Iterator[datetime]:
    from cronsim import CronSim, CronSimError

    try:
        here = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise _unreadable(cronjob, f"there is no time zone {zone!r}") from None
    try:
        for at in CronSim(expression.replace("?", "*"), after.astimezone(here)):
            yield at.astimezone(UTC)
    except CronSimError as error:
        raise _unreadable(cronjob, str(error)) from None


def _unreadable(cronjob: CronJob, why: str) -> Failed:
    return Failed(f"The schedule {cronjob.schedule!r} of CronJob {cronjob.name} cannot be read: {why}.")


def brief(time: datetime, zone: str) -> str:
    """A time for people, in the environment's time zone: Thu 2026-11-26 18:00 MST."""
    return f"{_in(time, zone):%a %Y-%m-%d %H:%M %Z}"


def local(time: datetime, zone: str) -> str:
    """The same, and in UTC too: Thu 2026-11-26 18:00 MST (01:00 UTC on Fri)."""
    here, utc = _in(time, zone), time.astimezone(UTC)
    if here.utcoffset() == utc.utcoffset():
        return f"{utc:%a %Y-%m-%d %H:%M} UTC"
    day = "" if here.date() == utc.date() else f" on {utc:%a}"
    return f"{here:%a %Y-%m-%d %H:%M %Z} ({utc:%H:%M} UTC{day})"


def _in(time: datetime, zone: str) -> datetime:
    try:
        return time.astimezone(ZoneInfo(zone or "UTC"))
    except (KeyError, ValueError, OSError):
        return time.astimezone(UTC)
