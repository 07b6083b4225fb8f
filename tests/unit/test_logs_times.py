"""What people type as times, and how times are shown."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import NotFound, ToolkitError, UsageError
from toolkit.logs.times import Reader, duration
from toolkit.logs.zones import clock, date_and_clock, known_zone, local, rfc3339, zone

DENVER = ZoneInfo("America/Denver")


def at(text: str, where: ZoneInfo = DENVER) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=where).timestamp()) * 1_000_000_000


NOW = at("2026-11-24 10:30")  # a Tuesday
READER = Reader(NOW, DENVER, lambda: at("2026-11-19 18:00"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90s", "2026-11-24 10:28:30"),
        ("1h30m", "2026-11-24 09:00"),
        ("3d", "2026-11-21 10:30"),
        ("3 hours ago", "2026-11-24 07:30"),
        ("now", "2026-11-24 10:30"),
        ("09:00", "2026-11-24 09:00"),
        ("18:00", "2026-11-23 18:00"),
        ("6 pm", "2026-11-23 18:00"),
        ("12am", "2026-11-24 00:00"),
        ("18:00 UTC", "2026-11-23 11:00"),
        ("18:00 MT", "2026-11-23 18:00"),
        ("today", "2026-11-24"),
        ("yesterday 18:00", "2026-11-23 18:00"),
        ("thursday 18:00", "2026-11-19 18:00"),
        ("tuesday 12:00", "2026-11-17 12:00"),
        ("2026-11-19", "2026-11-19"),
        ("2026-11-19 18:00:30 America/New_York", "2026-11-19 16:00:30"),
        ("2026-11-19T18:00:00Z", "2026-11-19 11:00"),
        ("2026-11-19T18:00:00+01:00", "2026-11-19 10:00"),
        ("2026-11-19t18:00", "2026-11-19 18:00"),
        ("last-rebuild", "2026-11-19 18:00"),
        ("last-rebuild-10m", "2026-11-19 17:50"),
        ("last-rebuild+1h", "2026-11-19 19:00"),
    ],
)
def test_a_time(text: str, wanted: str) -> None:
    assert READER.moment(text).time == at(wanted)


def test_parts_of_a_second() -> None:
    assert rfc3339(READER.moment("2026-11-19T18:00:00.123456789Z").time) == "2026-11-19T18:00:00.123456789Z"
    assert READER.moment("@1795517952.5").time == 1_795_517_952_500_000_000


@pytest.mark.parametrize(
    ("since", "until", "wanted"),
    [
        ("2h", "1h", ("2026-11-24 08:30", "2026-11-24 09:30")),
        ("09:00", "11:00", ("2026-11-24 09:00", "2026-11-24 11:00")),
        ("18:00", "19:00", ("2026-11-23 18:00", "2026-11-23 19:00")),
        ("thursday 18:00", "20:00", ("2026-11-19 18:00", "2026-11-19 20:00")),
        ("yesterday", "yesterday", ("2026-11-23", "2026-11-24")),
    ],
)
def test_a_window(since: str, until: str, wanted: tuple[str, str]) -> None:
    window, notes = READER.window(since, until)
    assert (window.since, window.until) == (at(wanted[0]), at(wanted[1]))
    assert notes == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo", "--since 'foo' is no time"),
        ("25:00", "hour must be in 0..23"),
        ("2026-02-30", "day is out of range"),
        ("18:00 Foo/Bar", "no time zone 'Foo/Bar'"),
        ("last-rebuild-x", "'x' is no duration"),
        ("2027-01-01", "lies ahead"),
    ],
)
def test_what_is_no_time_is_said_with_examples(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")) as raised:
        READER.window(text)
    assert "thursday 18:00" in raised.value.hint


def test_an_end_before_the_beginning() -> None:
    with pytest.raises(UsageError, match="is not after --since"):
        READER.window("1h", "2h")


def test_without_a_rebuild() -> None:
    with pytest.raises(NotFound, match="no rebuild is known"):
        Reader(NOW, DENVER, lambda: None).moment("last-rebuild")


def test_when_the_clocks_are_changed() -> None:
    """In Denver 01:30 came twice on 1 November 2026, and 02:30 never on 8 March."""
    window, notes = READER.window("2026-11-01 01:30", "2026-11-01 01:30")
    assert window.until is not None
    assert window.since is not None
    assert window.until - window.since == 3_600_000_000_000
    assert "taken as 01:30 MDT" in notes[0]
    assert "taken as 01:30 MST" in notes[1]
    never = READER.moment("2026-03-08 02:30")
    assert never.time == at("2026-03-08 03:30")
    assert "never came" in never.note


def test_mst_in_summer_is_what_it_says_and_said() -> None:
    found = READER.moment("2026-07-01 18:00 MST")
    assert found.time == at("2026-07-01 19:00")
    assert "MDT" in found.note
    assert READER.moment("2026-12-01 18:00 MST").note == ""


@given(st.text(max_size=30) | st.from_regex(r"(\d{1,4}[-:/ dhmsTZ+.]?){1,6}", fullmatch=True))
def test_anything_is_a_time_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(ToolkitError):
        READER.window(text, text)


@given(st.integers(0, 10**6), st.sampled_from(["s", "m", "h", "d"]))
def test_durations(count: int, unit: str) -> None:
    assert duration(f"{count}{unit}") == count * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] * 10**9


def test_zones() -> None:
    assert zone("MT") == DENVER
    assert zone("europe/zurich") == ZoneInfo("Europe/Zurich")
    assert known_zone("../etc/passwd") is None
    with pytest.raises(UsageError, match="Is America/Denver meant"):
        zone("Amerika/Denver")


def test_the_local_zone_knows_both_halves_of_the_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Denver")
    assert date_and_clock(at("2026-07-01 12:00"), local()).endswith("12:00:00 MDT")


def test_shown() -> None:
    time = at("2026-11-24 10:59:12") + 123_456_789
    assert clock(time, DENVER) == "10:59:12.123"
    assert date_and_clock(time, UTC) == "Tue 2026-11-24 17:59:12 UTC"
    assert rfc3339(time) == "2026-11-24T17:59:12.123456789Z"
    assert date_and_clock(2**70, DENVER)
