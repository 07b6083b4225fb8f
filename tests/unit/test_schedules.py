"""When a CronJob runs next, in its own time zone, over daylight saving."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.cache.schedules import local, schedule_of
from toolkit.errors import Failed
from toolkit.systems.cluster.objects import CronJob, read_cronjob


def cronjob(schedule: str, zone: str | None = None, **spec: Any) -> CronJob:
    metadata = {"name": "cache-manager", "namespace": "phenoapp"}
    return read_cronjob(
        "prod-cluster", {"metadata": metadata, "spec": {"schedule": schedule, "timeZone": zone, **spec}}
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "wanted"),
    [
        ("0 1 * * 5", None, "2026-11-22T08:00", "2026-11-27T01:00"),
        ("0 18 * * 4", "America/Denver", "2026-11-22T08:00", "2026-11-27T01:00"),
        ("0 18 * * 4", "America/Denver", "2026-07-05T08:00", "2026-07-10T00:00"),
        ("CRON_TZ=America/Denver 0 18 * * 4", None, "2026-11-22T08:00", "2026-11-27T01:00"),
        ("@weekly", None, "2026-11-22T08:00", "2026-11-29T00:00"),
        ("*/30 * ? * *", None, "2026-11-22T08:00", "2026-11-22T08:30"),
    ],
)
def test_the_next_run_is_where_kubernetes_puts_it(schedule: str, zone: str | None, after: str, wanted: str) -> None:
    assert schedule_of(cronjob(schedule, zone), after=at(after)).next == (at(wanted),)


def test_the_week_of_a_clock_change_keeps_the_local_hour() -> None:
    found = schedule_of(cronjob("0 18 * * 4", "America/Denver"), 3, after=at("2026-10-25T00:00"))
    assert [time.isoformat() for time in found.next] == [
        "2026-10-30T00:00:00+00:00",
        "2026-11-06T01:00:00+00:00",
        "2026-11-13T01:00:00+00:00",
    ]


@pytest.mark.parametrize(("schedule", "zone"), [("@every 1h", None), ("0 1 * *", None), ("0 1 * * 5", "Mars/Base")])
def test_a_schedule_that_cannot_be_read_is_named(schedule: str, zone: str | None) -> None:
    with pytest.raises(Failed) as caught:
        schedule_of(cronjob(schedule, zone))
    assert schedule in caught.value.message


@given(st.text(max_size=30), st.text(max_size=12))
def test_no_schedule_ends_in_a_traceback(schedule: str, zone: str) -> None:
    with contextlib.suppress(Failed):
        schedule_of(cronjob(schedule, zone))


def test_times_are_told_in_both_zones() -> None:
    assert local(at("2026-11-27T01:00"), "America/Denver") == "Thu 2026-11-26 18:00 MST (01:00 UTC on Fri)"
    assert local(at("2026-11-27T20:00"), "America/Denver") == "Fri 2026-11-27 13:00 MST (20:00 UTC)"
    assert local(at("2026-11-27T01:00"), "UTC") == "Fri 2026-11-27 01:00 UTC"
    assert local(at("2026-11-27T01:00"), "Nowhere/At-all").endswith("UTC")
