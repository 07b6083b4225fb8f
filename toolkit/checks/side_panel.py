"""Questions about what the side panel shows: are the GO terms of the last Monday night, how old are benchmarks?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from toolkit import figures
from toolkit.cache.schedules import local
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Question
from toolkit.errors import ConfigurationError, Failed, ToolkitError
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from toolkit.environments.side_panel import BenchmarkDb, SidePanel
    from toolkit.progress import Progress
    from toolkit.systems.connections import Connections
    from toolkit.systems.postgres import Newest

_LONGEST_TIME: Final = 64  # bytes of a value that is a time
_MILLISECONDS: Final = 10**11  # seconds since the epoch are fewer until the year 5138


def go_terms(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Are the cached GO terms those of the last run that was due (Monday nights)?

    Facts: `where` they are; `generated` (RFC 3339; null: they are not there); `due`: when the run began that should
    have made them, `next`: when the next one begins; `stale`.
    """
    environment = connections.environment
    part, zone = environment.side_panel, environment.time_zone
    where, generated, by_hand = _generated(connections)
    now = datetime.now(UTC)
    due, following = due_times(part, zone, now)
    facts = {
        "where": where,
        "generated": figures.rfc3339(generated) or None,
        "due": figures.rfc3339(due),
        "next": figures.rfc3339(following),
        "stale": generated < due if generated is not None else None,
    }
    if generated is None:
        hint = (
            "side_panel.go_terms (and .kept_in, .bucket) say where they are looked for; the shipped value is assumed."
        )
        return Finding("", Status.UNKNOWN, f"there are no GO terms at {where}", hint, by_hand=by_hand, facts=facts)
    when = f"GO terms were generated {local(generated, zone)}, {figures.age(generated, now)}"
    run = f"the run of {local(due, zone)}"
    if generated < due:
        hint = "Look at the logs of the job that generates them on Monday nights; its owners can rerun it."
        return Finding("", Status.FAIL, f"{when}: {run} brought none", hint, by_hand=by_hand, facts=facts)
    return Finding("", Status.OK, f"{when}, by {run}", by_hand=by_hand, facts=facts)


def benchmark_db(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """How old is the newest row of the watched tables of the benchmark database?

    Facts: `configured`; `tables`: each `table`, `column`, `newest` (RFC 3339; null: no row), `days` (older is stale),
    `stale` (null: not known), `problem` ("" where there is none).
    """
    part = connections.environment.benchmark_db
    if not part.address:
        summary = "where the benchmark database is, is not configured (benchmark_db.address)"
        return Finding("", Status.SKIPPED, summary, facts={"configured": False, "tables": []})
    if not part.tables:
        raise ConfigurationError(
            "No table of the benchmark database is configured to be looked at: benchmark_db.tables is empty.",
            hint='Set it: tables = [{ table = "public.results", column = "created_at" }]',
        )
    database = connections.benchmark_db
    now = datetime.now(UTC)
    found = database.newest(part.tables)
    rows = [_row(part, number, found, now) for number in range(len(part.tables))]
    facts = {"configured": True, "tables": rows}
    by_hand = tuple(database.by_hand(one) for one in part.tables)
    evidence = tuple(f"{row['table']}: {_said(row, now)}" for row in rows)
    stale = [row for row in rows if row["stale"]]
    unread = [row for row in rows if row["problem"]]
    if stale:
        summary = "; ".join(f"{row['table']}: {_said(row, now)}" for row in stale)
        hint = "Ask those who fill the benchmark database: the rows come from their runs, not from the cache manager."
        return Finding("", Status.FAIL, summary, hint, evidence=evidence, by_hand=by_hand, facts=facts)
    if unread:
        error = next(one for one in found.values() if isinstance(one, ToolkitError))
        return Finding(
            "", Status.UNKNOWN, unread[0]["problem"], error.hint, evidence=evidence, by_hand=by_hand, facts=facts
        )
    summary = "; ".join(f"{row['table']}: {_said(row, now)}" for row in rows)
    return Finding("", Status.OK, summary, evidence=evidence, by_hand=by_hand, facts=facts)


def due_times(part: SidePanel, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """When the last run began that has had its time, and when the next one begins. Raises ConfigurationError."""
    from cronsim import CronSim, CronSimError

    try:
        here = ZoneInfo(zone or "UTC")
        done = now - timedelta(hours=part.hours)
        due = next(CronSim(part.schedule, done.astimezone(here), reverse=True))
        following = next(CronSim(part.schedule, now.astimezone(here)))
    except (CronSimError, StopIteration) as error:
        raise ConfigurationError(
            f"side_panel.schedule is {part.schedule!r}, which is no cron expression: {error}.",
            hint='Monday nights at ten are "0 22 * * 1".',
        ) from error
    except (KeyError, ValueError, OSError) as error:
        raise ConfigurationError(f"There is no time zone {zone!r}.", hint="Correct time_zone.") from error
    return due.astimezone(UTC), following.astimezone(UTC)


def _generated(connections: Connections) -> tuple[str, datetime | None, tuple[str, ...]]:
    """Where the GO terms are, when they were generated, and the command that asks the same."""
    part = connections.environment.side_panel
    if not part.go_terms:
        raise ConfigurationError(
            "Where the GO terms are cached is not configured: side_panel.go_terms is empty.",
            hint="Set it to an object of the bucket, or to a Redis key (kept_in).",
        )
    if part.kept_in == "redis":
        redis = connections.redis
        value = redis.get_range(part.go_terms, 0, _LONGEST_TIME)
        at = read_time(value, part.go_terms) if value else None
        return f"Redis, key {shown(part.go_terms)}", at, (redis.by_hand("get", part.go_terms),)
    bucket = connections.side_panel_bucket
    found = bucket.find(part.go_terms)
    url = bucket.url(part.go_terms)
    return shown(url), found.updated if found is not None else None, (f"gcloud storage objects describe {url}",)


def read_time(value: bytes, key: str) -> datetime:
    """A key's value as a time: seconds (or milliseconds) since the epoch, or RFC 3339. Raises Failed."""
    text = value.decode("utf-8", "replace").strip().strip('"')
    try:
        try:
            number = float(json.loads(text))
        except (ValueError, TypeError):
            found = datetime.fromisoformat(text)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        return datetime.fromtimestamp(number / 1000 if number > _MILLISECONDS else number, UTC)
    except (ValueError, OverflowError, OSError):
        raise Failed(
            f"The Redis key {shown(key)} holds no time: {shown(text[:40])!r}.",
            hint="side_panel.go_terms must name a key whose value says when the terms were generated.",
        ) from None


def _row(part: BenchmarkDb, number: int, found: Mapping[str, Newest | ToolkitError], now: datetime) -> dict[str, Any]:
    watched = part.tables[number]
    one = found[watched.table]
    row: dict[str, Any] = {"table": watched.table, "column": watched.column, "days": watched.days, "newest": None}
    if isinstance(one, ToolkitError):
        return {**row, "stale": None, "problem": one.message}
    stale = one.newest is None or now - one.newest > timedelta(days=watched.days)
    return {**row, "newest": figures.rfc3339(one.newest) or None, "stale": stale, "problem": ""}


def _said(row: Mapping[str, Any], now: datetime) -> str:
    if row["problem"]:
        return str(row["problem"])
    if row["newest"] is None:
        return "has no row"
    age = figures.age(datetime.fromisoformat(row["newest"]), now)
    return f"newest row {age}" + (f", more than {row['days']:g} days" if row["stale"] else "")


QUESTIONS = (
    Question("go-terms", "Are the side panel's GO terms those of the last Monday night?", go_terms),
    Question("benchmark-db", "How old is the newest row of the benchmark database?", benchmark_db, limit=30.0),
)
