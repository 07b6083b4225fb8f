"""Tracebacks become one entry each, nothing is lost or doubled on the way, and the same cause has one fingerprint."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.logs.entry import Entry, Kind, Line, Notice, Severity, Stream
from toolkit.logs.grouping import grouped
from toolkit.logs.tracebacks import MOST_LINES, Folding, place_of

OWN = ("phenoapp", "/app/")
ONE, TWO = Stream("pods", "c/n/one/main", "one"), Stream("pods", "c/n/two/main", "two")
SECOND = 1_000_000_000
HEAD = "2026-11-24 10:59:12,123 ERROR phenoapp.cache_manager: Cache manager failed"
TRACEBACK = """\
Traceback (most recent call last):
  File "/app/phenoapp/cache_manager.py", line 80, in run
    await self._rebuild(logger)
  File "/app/phenoapp/cache_manager.py", line 99, in _rebuild
    await redis.ping()
          ^^^^^^^^^^^^
  File "/usr/local/lib/python3.11/site-packages/redis/client.py", line 7, in execute
    raise error
redis.exceptions.ConnectionError: Error 111 connecting to 10.0.0.5:6379."""
CHAINED = f"""\
Traceback (most recent call last):
  File "/app/phenoapp/a.py", line 1, in first
KeyError: 'g0'

During handling of the above exception, another exception occurred:

{TRACEBACK}"""
NEXT = "2026-11-24 10:59:13,000 INFO phenoapp.cache_manager: Next"


def folded(text: str, stream: Stream = ONE) -> list[Entry]:
    folding = Folding(OWN)
    out = folding.add([Line(SECOND, line, stream) for line in text.split("\n")]) + folding.flush()
    return [entry for entry in out if isinstance(entry, Entry)]


@pytest.mark.parametrize("trace", [TRACEBACK, CHAINED], ids=["one", "chained"])
def test_a_record_and_its_traceback_are_one_entry(trace: str) -> None:
    entry, after = folded(f"{HEAD}\n{trace}\n{NEXT}")
    assert (entry.message, entry.severity) == ("Cache manager failed", Severity.ERROR)
    assert entry.exception == "redis.exceptions.ConnectionError: Error 111 connecting to 10.0.0.5:6379."
    assert [frame.function for frame in entry.frames] == ["run", "_rebuild", "execute"]
    assert entry.frames[1].code == "await redis.ping()"
    place = place_of(entry)
    assert place is not None
    assert (place.file, place.line) == ("/app/phenoapp/cache_manager.py", 99)
    assert entry.raw == f"{HEAD}\n{trace}"
    assert after.message == "Next"


def test_a_traceback_alone() -> None:
    (entry, blank, after) = folded(TRACEBACK + "\n\ndone")
    assert entry.message == entry.exception
    assert entry.severity is Severity.ERROR
    assert (blank.raw, after.raw) == ("", "done")


def test_a_traceback_with_the_time_before_each_line() -> None:
    stamped = "\n".join(f"2026-11-24T10:59:12.{at:09}Z stderr F {line}" for at, line in enumerate(CHAINED.split("\n")))
    entry, after = folded(f"{stamped}\n2026-11-24T10:59:13.0Z stderr F {NEXT}")
    assert entry.fingerprint == folded(CHAINED)[0].fingerprint
    assert entry.raw == stamped
    assert after.message == "Next"


def test_times_as_kubectl_writes_them() -> None:
    """Without zeros at the end, and without a space behind the time of an empty line."""
    parts = ("", ".1", ".942227430")
    stamped = "\n".join(
        f"2026-11-24T10:59:12{parts[at % 3]}Z {line}".rstrip()
        for at, line in enumerate(f"{HEAD}\n{CHAINED}".split("\n"))
    )
    entry, after = folded(f"{stamped}\n2026-11-24T10:59:13Z {NEXT}")
    assert (entry.message, entry.raw, after.message) == ("Cache manager failed", stamped, "Next")
    assert entry.fingerprint == folded(CHAINED)[0].fingerprint


def a_group() -> None:
    try:
        raise ExceptionGroup("inner", [ValueError("v"), KeyError("k")])
    except ExceptionGroup as error:
        raise ExceptionGroup("outer", [error, TypeError("t")]) from error


def a_syntax_error() -> None:
    compile("a b", "/app/x.py", "exec")


def a_recursion() -> None:
    a_recursion()


def a_note() -> None:
    error = ValueError("first line\nsecond line")
    error.add_note("a note\nof two lines")
    raise error


@pytest.mark.parametrize(
    ("broken", "exception", "function"),
    [
        (a_group, "ExceptionGroup: outer (2 sub-exceptions)", "a_group"),
        (a_syntax_error, "SyntaxError: invalid syntax", "<module>"),
        (a_recursion, "RecursionError: maximum recursion depth exceeded", "a_recursion"),
        (a_note, "ValueError: first line", "a_note"),
    ],
)
def test_what_python_really_writes(broken: Callable[[], None], exception: str, function: str) -> None:
    try:
        broken()
    except Exception:
        text = traceback.format_exc().rstrip("\n")
    entry, after = folded(f"{HEAD}\n{text}\n{NEXT}")
    assert entry.exception.startswith(exception)
    assert entry.frames[-1].function == function
    assert (entry.raw, after.raw) == (f"{HEAD}\n{text}", NEXT)


def test_a_group_shows_the_calls_of_its_first_exception() -> None:
    text = """\
  + Exception Group Traceback (most recent call last):
  |   File "/app/a.py", line 1, in main
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/b.py", line 2, in task
    | ValueError: 1
    +---------------- 2 ----------------
    | TypeError: 2
    +------------------------------------"""
    entry, after = folded(text + "\nnext")
    assert [frame.function for frame in entry.frames] == ["main", "task"]
    assert entry.raw == text
    assert entry.fingerprint != folded(text.replace("TypeError", "KeyError"))[0].fingerprint
    assert after.raw == "next"


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"event": "failed", "level": "error", "exception": TRACEBACK}),
        json.dumps({"severity": "ERROR", "message": f"failed\n{TRACEBACK}"}),
        json.dumps({"severity": "ERROR", "jsonPayload": {"message": "failed", "exc_info": TRACEBACK}}),
        f"failed\n{TRACEBACK}",
    ],
    ids=["structlog", "message", "payload", "textPayload"],
)
def test_a_traceback_within_one_line(line: str) -> None:
    folding = Folding(OWN)
    (entry,) = folding.add([Line(SECOND, line, ONE)]) + folding.flush()
    assert isinstance(entry, Entry)
    assert (entry.message, entry.severity, entry.raw) == ("failed", Severity.ERROR, line)
    assert entry.fingerprint == folded(TRACEBACK)[0].fingerprint


def test_structlogs_own_form() -> None:
    frames = [{"filename": "/app/a.py", "lineno": 3, "name": "run"}]
    line = json.dumps(
        {"event": "x", "level": "error", "exception": [{"exc_type": "KeyError", "exc_value": "g0", "frames": frames}]}
    )
    (entry,) = folded(line)
    assert entry.exception == "KeyError: g0"
    assert place_of(entry) == entry.frames[0]
    assert entry.frames[0].ours


def test_a_go_panic() -> None:
    text = (
        "panic: boom\n\ngoroutine 1 [running]:\nmain.run(0x1)\n\t/app/main.go:12 +0x1d\nmain.main()\n\t/app/main.go:20"
    )
    entry, after = folded(text + "\nnext")
    assert (entry.exception, entry.raw, after.raw) == ("panic: boom", text, "next")
    assert [(frame.function, frame.line) for frame in entry.frames] == [("main.main", 20), ("main.run", 12)]


def test_the_fingerprint_is_of_the_cause_alone() -> None:
    same = CHAINED.replace("line 99", "line 101").replace("10.0.0.5", "10.9.9.9").replace("python3.11", "python3.14")
    prints = {folded(text)[0].fingerprint for text in (CHAINED, same, f"{HEAD}\n{CHAINED}")}
    assert len(prints) == 1
    for other in (TRACEBACK, CHAINED.replace("_rebuild", "_drop"), CHAINED.replace("ConnectionError", "TimeoutError")):
        assert folded(other)[0].fingerprint not in prints


def test_grouped() -> None:
    entries = folded("\n".join([TRACEBACK, NEXT, CHAINED, NEXT, TRACEBACK.replace("line 80", "line 81"), NEXT]))
    first, second = grouped(entries)
    assert (first.count, second.count) == (2, 1)
    assert "line 81" in first.example.raw


def test_a_record_long_before_is_not_its_head() -> None:
    lines = [Line(SECOND, HEAD, ONE), *(Line(3 * SECOND, line, ONE) for line in TRACEBACK.split("\n"))]
    folding = Folding(OWN)
    head, alone = folding.add(lines) + folding.flush()
    assert isinstance(head, Entry)
    assert isinstance(alone, Entry)
    assert (head.raw, alone.raw) == (HEAD, TRACEBACK)


def test_another_stream_waits_only_while_a_traceback_is_open() -> None:
    folding = Folding(OWN)
    first, *rest = TRACEBACK.split("\n")
    other = Line(SECOND, "other", TWO)
    assert folding.add([Line(SECOND, first, ONE), other]) == []
    assert folding.flush(before=2 * SECOND) == []  # it went on since the last flush
    out = folding.add([Line(SECOND, line, ONE) for line in rest])
    assert out == []
    out = folding.flush(before=2 * SECOND) + folding.flush(before=2 * SECOND)
    assert [entry.raw for entry in out if isinstance(entry, Entry)] == [TRACEBACK, "other"]
    assert len(folding.add([other])) == 1
    folding.add([Line(SECOND, HEAD, ONE)])
    assert len(folding.add([Line(9 * SECOND, "much later", TWO)])) == 2


def test_a_gap_ends_a_traceback() -> None:
    folding = Folding(OWN)
    first, second, *_ = TRACEBACK.split("\n")
    gap = Notice(SECOND, Kind.GAP, ONE, "lines are missing")
    out = folding.add([Line(SECOND, first, ONE), gap, Line(SECOND, second, ONE)]) + folding.flush()
    assert [one.raw if isinstance(one, Entry) else one for one in out] == [first, gap, second]


def test_an_endless_traceback_is_closed() -> None:
    entries = folded("\n".join([TRACEBACK.split("\n")[0], *["  more"] * (2 * MOST_LINES)]))
    assert entries[0].raw.count("\n") == MOST_LINES - 1
    assert len(entries) == 2 * MOST_LINES + 2 - MOST_LINES


PIECES = [
    *{line for text in (CHAINED, HEAD, NEXT) for line in text.split("\n")},
    "  + Exception Group Traceback (most recent call last):",
    "  | ValueError: x",
    "    +---------------- 2 ----------------",
    "2026-11-24 10:59:12,123 ERROR Traceback (most recent call last):",
    '2026-11-24 10:59:12,123 ERROR   File "a.py", line 1, in <module>',
    "2026-11-24 10:59:12,123 ERROR MemoryError",
    json.dumps({"event": "failed", "level": "error", "exception": TRACEBACK}),
    "panic: boom",
    "goroutine 1 [running]:",
    "\t/app/main.go:12",
    "",
    "   ",
    "\x1b[31mred\x1b[0m \udcff",
]
lines = st.lists(
    st.tuples(
        st.sampled_from([ONE, TWO]),
        st.one_of(st.sampled_from(PIECES), st.text(max_size=8)),
        st.sampled_from([0, 0, 0, 0, 1_000_000, SECOND, 7 * SECOND]),
    ),
    max_size=40,
)


@given(lines, st.lists(st.integers(0, 40), max_size=5))
def test_no_line_is_lost_or_doubled(written: list[tuple[Stream, str, int]], cuts: list[int]) -> None:
    now, given_lines = SECOND, []
    for stream, text, step in written:
        now += step
        given_lines.append(Line(now, text, stream))
    whole = Folding(OWN)
    at_once = whole.add(given_lines) + whole.flush()
    for stream in (ONE, TWO):
        out = [one.raw for one in at_once if isinstance(one, Entry) and one.origin == stream.origin]
        assert "\n".join(out) == "\n".join(line.text for line in given_lines if line.stream == stream)
    cut, in_batches = Folding(OWN), []
    places = sorted({0, len(given_lines), *(at for at in cuts if at < len(given_lines))})
    for start, end in pairwise(places):
        in_batches += cut.add(given_lines[start:end])
    assert in_batches + cut.flush() == at_once
