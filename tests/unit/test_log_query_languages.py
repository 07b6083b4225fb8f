"""The parts of LogQL and of Google's query language that the sandbox's servers understand."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.sandbox.cloud_logging import filters
from toolkit.sandbox.cloud_logging.entries import Entry, entry
from toolkit.sandbox.collected import Container
from toolkit.sandbox.loki import logql

LABELS = {"app": "x", "pod": "x-1"}
POD = Container("prod-cluster", "ns", "x-1", "main", "x")
AT = 1_790_000_000_123_456_789


def passes(query: str, line: str) -> bool:
    parsed = logql.parse(query)
    return parsed.selects(LABELS) and parsed.passes(line, dict(LABELS))


@pytest.mark.parametrize(
    ("query", "line", "expected"),
    [
        ('{app="x"}', "anything", True),
        ('{app="x", pod!~"x-.*"}', "anything", False),
        ('{app=~"x|y"} |= "ERROR" != "retry"', "an ERROR", True),
        ('{app=~"x|y"} |= "ERROR" != "retry"', "an ERROR, retry", False),
        ('{app="x"} |= "a" or "b"', "only b", True),
        (r'{app="x"} !~ "\\b(DEBUG|INFO)\\b"', "12:00 INFO said", False),
        ('{app="x"} |~ `(?i)slow \\w+`', "Slow request", True),
        ('{app="x"} | json | severity="ERROR"', '{"severity": "ERROR"}', True),
        ('{app="x"} | logfmt | level!="info"', 'level=info msg="a b"', False),
        ('{app="x"} # a comment', "anything", True),
    ],
)
def test_logql_that_is_understood(query: str, line: str, *, expected: bool) -> None:
    assert passes(query, line) is expected


@given(st.text(alphabet='{}="~!|,` abc()[]\\\n', max_size=30))
def test_logql_that_is_not_understood_is_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(logql.Unreadable):
        logql.parse(text)


def made(line: str) -> Entry:
    return entry("p", POD, 1, AT, AT, line, "id-1")


@pytest.mark.parametrize(
    ("filter_", "line", "expected"),
    [
        ("", "anything", True),
        ('resource.type="k8s_container" AND resource.labels.pod_name="x-1"', "anything", True),
        ('resource.labels.pod_name=("y" OR "x-1")', "anything", True),
        ("severity>=WARNING", '{"severity":"ERROR","message":"m"}', True),
        ("severity>=WARNING", "ERROR: but in plain text", False),
        ('textPayload:"Broken"', "it is broken", True),
        ("jsonPayload.a.b=1 jsonPayload.c:*", '{"a":{"b":1},"c":""}', True),
        ("jsonPayload.took>100", '{"took":99,"message":"m"}', False),
        ('"broken" OR other AND it', "it is broken", True),
        ("NOT broken", "it is broken", False),
        ("-broken", "it is broken", False),
        ('timestamp>="2026-09-21T13:33:20.123456789Z"', "exactly then", AT >= 1_789_997_600_123_456_789),
        ('logName:"/logs/stderr" -- a comment', "anything", True),
    ],
)
def test_filters_that_are_understood(filter_: str, line: str, *, expected: bool) -> None:
    assert filters.parse(filter_)(made(line)) is expected


def test_the_range_of_time_that_a_filter_allows_is_known_only_where_it_is_sure() -> None:
    def bounds(text: str) -> tuple[int, int]:
        found = filters.parse(text)
        return found.since, found.until

    second = 'timestamp>="1970-01-01T00:00:01Z"'
    assert bounds(f'(a) AND {second} AND timestamp<"1970-01-01T00:00:02Z"') == (10**9, 2 * 10**9 + 1)
    assert bounds(f"{second} OR a") == bounds(f"NOT {second}") == (0, filters.EVER)


@given(st.text(alphabet='()=:<>~!"\\\\- ANDORseverity.x1*\n', max_size=30))
def test_a_filter_that_is_not_understood_is_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(filters.Unreadable):
        filters.parse(text)(made("a line"))


def test_a_long_filter_is_refused_as_google_does() -> None:
    with pytest.raises(filters.Unreadable, match="20000"):
        filters.parse("a " * 20_000)
