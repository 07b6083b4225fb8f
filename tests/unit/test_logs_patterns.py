"""A log in few lines: templates, what is new, and how much there was when."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from toolkit.logs.entry import Entry, Line, Severity, Stream
from toolkit.logs.histogram import WIDTHS, Counting, drawn, spark
from toolkit.logs.patterns import Patterns
from toolkit.logs.reading import read
from toolkit.logs.templates import Drain

POD = Stream("pods", "prod-cluster/rp006/pod-x/main", "pod-x")
SECOND = 1_000_000_000
START = 1_795_514_400 * SECOND  # 2026-11-24 10:00 UTC


def entry(text: str, seconds: int = 0, **more: object) -> Entry:
    return msgspec.structs.replace(read(Line(START + seconds * SECOND, text, POD)), **more)


def test_what_a_rebuild_says() -> None:
    log = [
        *(f"INFO a.b: Wrote g{at % 3}:frame_{at} ({at * 1001} bytes) to Redis in 0.{at}s" for at in range(30)),
        *(f"INFO a.b: Group g{at} is available: 8 frames, {at}.5 MB" for at in range(3)),
        *(
            f"INFO a.b: Loaded {name} from /app/data/{name}.csv at 10.0.0.{len(name)}:6379"
            for name in ("genes", "sites")
        ),
        "WARNING a.b: Slow answer",
        "ERROR a.b: Cache manager failed",
    ]
    patterns = Patterns(["g0", "g1", "g2"])
    patterns.add(entry(text, at) for at, text in enumerate(log))
    for exception in ("redis.exceptions.ConnectionError: Error 111", "ValueError: no"):
        patterns.add([entry(log[-1], 60, exception=exception)])
    ranked = patterns.ranked(new_since=START + 33 * SECOND)
    assert [(one.template, one.new) for one in ranked] == [
        ("Cache manager failed", True),
        ("Cache manager failed (ValueError)", True),
        ("Cache manager failed (redis.exceptions.ConnectionError)", True),
        ("Slow answer", True),
        ("Loaded <*> from <path> at <ip>", True),
        ("Wrote <group>:frame_<n> (<number> bytes) to Redis in <duration>", False),
        ("Group <group> is available: <number> frames, <number> MB", False),
    ]
    found = {one.template: one for one in ranked}
    wrote = found["Wrote <group>:frame_<n> (<number> bytes) to Redis in <duration>"]
    assert (wrote.count, wrote.first, wrote.last, wrote.new) == (30, START, START + 29 * SECOND, False)
    assert wrote.example.raw == log[0]
    assert found["Cache manager failed"].new
    assert found["Cache manager failed"].severity is Severity.ERROR


@given(st.lists(st.text(max_size=20), max_size=60))
def test_every_entry_is_counted_once(messages: list[str]) -> None:
    patterns = Patterns()
    patterns.add(entry(text) for text in messages)
    found = patterns.ranked()
    assert sum(one.count for one in found) == len(messages)
    assert len({one.template for one in found}) <= len(found)


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5), max_size=40))
def test_a_template_fits_all_of_its_messages(messages: list[list[str]]) -> None:
    drain = Drain()
    given_to = [(drain.template(words), words) for words in messages]
    for template, words in given_to:
        assert len(template.words) == len(words)
        assert all(one in ("<*>", other) for one, other in zip(template.words, words, strict=True))


def test_too_many_kinds_are_counted_together() -> None:
    drain = Drain(most=3)
    templates = [str(drain.template([chr(97 + at), chr(97 + at)])) for at in range(5)]
    assert templates == ["a a", "b b", "c c", "<other lines>", "<other lines>"]


def test_a_histogram() -> None:
    counting = Counting()
    counting.add([entry("x", at) for at in (0, 1, 1, 61, 299)])
    counting.add([entry("ERROR: y", 62), entry("z", time=0)])
    histogram = counting.histogram(10)
    assert histogram.seconds == 30
    assert [bucket.total for bucket in histogram.buckets] == [3, 0, 2, 0, 0, 0, 0, 0, 0, 1]
    assert histogram.buckets[2].at_least(Severity.ERROR) == 1
    lines = drawn(histogram, 60, ZoneInfo("America/Denver"))
    assert lines[0].startswith("2026-11-24 03:00")
    assert lines[2].endswith("2  1 error")
    assert lines[-1] == "a line is 30s; 1 without a time are not in it"
    assert all(len(line) <= 60 for line in lines)


def test_days_begin_at_midnight_where_one_is() -> None:
    counting = Counting()
    counting.add([entry("x", 0), entry("x", 3 * 86_400)])
    histogram = counting.histogram(5, ZoneInfo("America/Denver"))
    assert drawn(histogram, 80, ZoneInfo("America/Denver"))[0].startswith("2026-11-24 00:00")


@given(st.lists(st.integers(0, 400 * 86_400), max_size=50), st.integers(1, 80))
def test_no_entry_is_missing_from_the_histogram(seconds: list[int], most: int) -> None:
    counting = Counting()
    counting.add(entry("x", at) for at in seconds)
    histogram = counting.histogram(most)
    assert sum(bucket.total for bucket in histogram.buckets) == len(seconds)
    assert len(histogram.buckets) <= most
    drawn(histogram, 80)


def test_a_long_time_is_counted_more_coarsely_not_in_more_memory() -> None:
    counting = Counting()
    one = entry("x")
    counting.add(msgspec.structs.replace(one, time=START + at * 777 * SECOND) for at in range(20_000))
    assert len(counting._cells) <= 4_100
    histogram = counting.histogram(60)
    assert sum(bucket.total for bucket in histogram.buckets) == 20_000
    assert histogram.seconds in WIDTHS


def test_spark() -> None:
    assert spark([0, 1, 50, 100]) == " ▁▄█"
    assert spark([]) == ""
