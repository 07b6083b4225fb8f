"""What a line says, in each of the formats; and that no line, whatever is in it, is too much."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.logs.entry import Known, Line, Severity, Stream
from toolkit.logs.reading import read

POD = Stream("pods", "prod-cluster/rp006/pod-x/main", "pod-x")
AT = int(datetime(2026, 11, 24, 10, 59, 12, tzinfo=UTC).timestamp()) * 1_000_000_000

READ = [
    ("plain words", "DEFAULT", "plain words", {}, 0),
    ("", "DEFAULT", "", {}, 0),
    ("Error opening a file", "DEFAULT", "Error opening a file", {}, 0),
    ("error: cannot open it", "ERROR", "cannot open it", {}, 0),
    # Python's logging
    (
        "2026-11-24 10:59:12,123 ERROR phenoapp.cache_manager: Cache manager failed",
        "ERROR",
        "Cache manager failed",
        {"logger": "phenoapp.cache_manager"},
        AT + 123_000_000,
    ),
    ("2026-11-24 10:59:12,123 INFO Done: 3 groups", "INFO", "Done: 3 groups", {}, AT + 123_000_000),
    ("ERROR:root:boom", "ERROR", "boom", {"logger": "root"}, 0),
    ("[2026-11-24 10:59:12 +0000] [7] [INFO] Booting worker", "INFO", "Booting worker", {"pid": "7"}, AT),
    (
        "[2026-11-24 10:59:12,000] ERROR in app: Exception on / [GET]",
        "ERROR",
        "Exception on / [GET]",
        {"logger": "app"},
        AT,
    ),
    ("2026-11-24 10:59:12 - a.b - WARNING - careful - now", "WARNING", "careful - now", {"logger": "a.b"}, AT),
    ("2026-11-24 03:59:12.000-07:00 | INFO     | a.b:f:12 - hello", "INFO", "hello", {"logger": "a.b:f:12"}, AT),
    (
        "\x1b[2m2026-11-24 10:59:12\x1b[0m [\x1b[32minfo     \x1b[0m] \x1b[1mloaded it \x1b[0m \x1b[36mgroup\x1b[0m=g0",
        "INFO",
        "loaded it",
        {"group": "g0"},
        AT,
    ),
    # as containerd keeps it on the node, and Docker
    (
        "2026-11-24T10:59:12.000000005Z stderr F 2026-11-24 10:59:11,000 ERROR a.b: x",
        "ERROR",
        "x",
        {"logger": "a.b"},
        AT + 5,
    ),
    ('{"log":"ERROR:a:x\\n","stream":"stderr","time":"2026-11-24T10:59:12Z"}', "ERROR", "x", {"logger": "a"}, AT),
    # klog
    (
        "I1124 10:59:12.000001       1 file.go:12] starting",
        "INFO",
        "starting",
        {"caller": "file.go:12", "thread": "1"},
        None,
    ),
    (
        'E1124 10:59:12.000001 1 file.go:12] "no \\"pod\\"" pod="a/b c" n=1',
        "ERROR",
        'no "pod"',
        {"caller": "file.go:12", "thread": "1", "pod": "a/b c", "n": "1"},
        None,
    ),
    # logfmt
    (
        'ts=2026-11-24T10:59:12Z level=warn msg="slow \\"query\\"" took=3s',
        "WARNING",
        'slow "query"',
        {"ts": "2026-11-24T10:59:12Z", "took": "3s"},
        AT,
    ),
    ("a=b is not what it looks like", "DEFAULT", "a=b is not what it looks like", {}, 0),
    # JSON
    (
        '{"severity":"ERROR","message":"m","timestamp":"2026-11-24T10:59:12Z","labels":{"a":"b"}}',
        "ERROR",
        "m",
        {"timestamp": "2026-11-24T10:59:12Z", "labels": {"a": "b"}},
        AT,
    ),
    ('{"level":"info","event":"e","logger":"l"}', "INFO", "e", {"logger": "l"}, 0),
    ('{"levelname":"WARNING","message":"m","exc_info":"x"}', "WARNING", "m", {"exc_info": "x"}, 0),
    ('{"level":50,"time":1795517952000,"msg":"pino"}', "ERROR", "pino", {"time": 1795517952000}, AT),
    ('{"level":"error","ts":1795517952.0,"msg":"zap"}', "ERROR", "zap", {"ts": 1795517952.0}, AT),
    ('{"levelno":40,"msg":"python"}', "ERROR", "python", {}, 0),
    ('{"jsonPayload":{"message":"m","k":1},"severity":"NOTICE"}', "NOTICE", "m", {"jsonPayload": {"k": 1}}, 0),
    ('{"msg":"one","msg":"two"}', "DEFAULT", "two", {}, 0),
    ('{"msg":"big","n":' + "9" * 40 + "}", "DEFAULT", "big", {"n": "9" * 40}, 0),
    ('{"not":"closed"', "DEFAULT", '{"not":"closed"', {}, 0),
    # web servers
    (
        '10.0.0.1 - - [24/Nov/2026:10:59:12 +0000] "GET /map?x HTTP/1.1" 502 12',
        "ERROR",
        '"GET /map?x HTTP/1.1" 502 12',
        {"client": "10.0.0.1", "method": "GET", "path": "/map?x", "status": 502},
        AT,
    ),
    (
        'INFO:     127.0.0.1:5 - "GET /x HTTP/1.1" 200 OK',
        "INFO",
        '127.0.0.1:5 - "GET /x HTTP/1.1" 200 OK',
        {"method": "GET", "path": "/x", "status": 200},
        0,
    ),
]


@pytest.mark.parametrize(("text", "severity", "message", "fields", "time"), READ, ids=lambda value: str(value)[:30])
def test_a_line(text: str, severity: str, message: str, fields: dict[str, object], time: int | None) -> None:
    entry = read(Line(0, text, POD))
    assert (entry.severity.name, entry.message, entry.fields) == (severity, message, fields)
    assert entry.raw == text
    if time is not None:
        assert entry.time == time


def test_what_the_source_knows_wins() -> None:
    known = Known(Severity.NOTICE, {"k": "source"})
    entry = read(
        Line(5, '{"severity":"ERROR","message":"m","timestamp":"2026-11-24T10:59:12Z","k":"line"}', POD, known)
    )
    assert (entry.time, entry.severity, entry.fields["k"]) == (5, Severity.NOTICE, "source")
    assert read(Line(0, "ERROR:a:b", POD, Known(Severity.DEFAULT))).severity is Severity.ERROR


def test_not_all_that_goes_to_stderr_is_an_error() -> None:
    stderr = Stream("cloud-logging", "x", labels={"log": "stderr"})
    known = Known(Severity.ERROR)
    assert read(Line(5, "2026-11-24 10:59:12,123 INFO a.b: all is well", stderr, known)).severity is Severity.INFO
    assert read(Line(5, "Segmentation fault", stderr, known)).severity is Severity.ERROR


def test_klog_is_of_the_year_that_lies_nearest() -> None:
    now = datetime.now(UTC)
    entry = read(Line(0, f"I{now:%m%d %H:%M:%S}.000000 1 f.go:1] x", POD))
    assert abs(entry.time / 1e9 - now.timestamp()) < 2


MILLION = 10_000_000
HUGE = {
    "words": "x" * MILLION,
    "json": '{"msg":"' + "x" * MILLION + '"}',
    "brackets": "[" * MILLION,
    "nested": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "logfmt": 'level=info msg="' + "\\" * MILLION,
    "pairs": "level=x " + "a=" * 5_000_000,
    "escapes": "\x1b[" * 1_000_000 + "\x1b]" + "x" * MILLION,
    "no UTF-8": "\udcff" * MILLION,
    "klog": 'I1124 10:59:12.000001 1 f.go:1] "' + "y" * MILLION,
    "spaces": "2026-11-24 10:59:12 " + " " * MILLION,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE.keys())
def test_a_huge_line_is_read_and_kept(text: str) -> None:
    assert read(Line(0, text, POD)).raw == text


@given(st.text(st.characters(exclude_categories=()), max_size=200))
@example("\x00\x1b]0;title\x07\x9b31m")
@example('{"message":"\\ud800","severity":3}')
@example('{"severity":1e400,"timestamp":{"seconds":1e30},"msg":null,"x":NaN}')
@example("9999-99-99 99:99:99 +99:99 ERROR x")
@example("0001-01-01T00:00:00+23:59 x")
@example("I0229 10:59:12.000001 1 f.go:1] leap")
@example('1.1.1.1 - - [99/Xxx/0000:99:99:99 +9999] "GET / HTTP/1.1" 200')
@example("１２３４-11-11 11:11:11 x")
def test_any_text_is_an_entry(text: str) -> None:
    entry = read(Line(0, text, POD))
    assert entry.raw == text
    assert "\x1b[" not in entry.message or "\x1b[" in text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["msg", "level", "time", "log", "x"]), inner),
        max_leaves=10,
    )
)
def test_any_json_is_an_entry(value: object) -> None:
    text = json.dumps(value)
    assert read(Line(0, text, POD)).raw == text


def test_reading_imports_nothing_heavy() -> None:
    """The face imports these at its start; an SDK or RE2 among them would be felt at every command."""
    modules = ("reading", "tracebacks", "grouping", "times", "zones", "filters", "patterns", "histogram")
    program = f"import sys; import {', '.join(f'toolkit.logs.{name}' for name in modules)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"re2", "numpy", "pyarrow", "rich", "typer", "urllib3", "kubernetes", "google"} & set(loaded)
