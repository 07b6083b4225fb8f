"""`toolkit logs` as it is typed: every source in one timeline, read, followed, summed up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Sandbox

ON = ("--env", "sandbox")
TORN = (
    b"2026-11-24 10:00:01,000 INFO phenoapp.web: fine\n"
    b"2026-11-24 10:00:02,000 ERROR phenoapp.web: Callback failed \x1b[2J\xff\n"
    b"Traceback (most recent call last):\n"
    b'  File "/app/phenoapp/web.py", line 12, in update\n    group = groups[name]\n'
    b"KeyError: 'rp006'\n"
    b"2026-11-24 10:00:03,000 INFO phenoapp.web: fine again\n"
)


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(TORN)
    return path


class TestRebuild:
    def test_without_a_source_it_is_the_last_rebuild_and_errors_around_it(self, sandbox: Sandbox) -> None:
        sandbox.scenario("rebuild-failed")
        ran = sandbox.run("logs", *ON, "-o", "jsonl")
        entries = objects(ran.out)
        failed = [entry for entry in entries if entry["message"] == "Cache manager failed"]
        assert len(failed) == 1, "the pod, Loki and Cloud Logging have it; it is shown once"
        assert failed[0]["severity"] == "ERROR"
        assert failed[0]["exception"].startswith("pyarrow.lib.ArrowInvalid")
        assert failed[0]["frames"][-1].keys() == {"file", "line", "function", "code", "ours"}
        assert any(frame["ours"] and frame["function"] == "record_batches" for frame in failed[0]["frames"])
        assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)
        assert {"time", "severity", "source", "origin", "message", "fields", "raw"} <= entries[0].keys()
        assert "the last rebuild: rp006-neuro-cache-manager" in ran.err

    def test_pods_that_are_gone_are_still_in_loki(self, sandbox: Sandbox) -> None:
        entries = objects(sandbox.run("logs", "cache-manager", "--since", "60d", *ON, "-o", "jsonl").out)
        assert {entry["source"] for entry in entries} == {"pods", "loki"}
        texts = [(entry["time"], entry["raw"]) for entry in entries if entry["raw"].endswith("Connected to Redis")]
        assert len(texts) == len(set(texts)), "no line of both sources comes twice"

    def test_causes_counted(self, sandbox: Sandbox) -> None:
        sandbox.scenario("rebuild-failed")
        found = sandbox.run("logs", "cache-manager", "--errors", *ON, "-o", "json").json()
        assert [one["count"] for one in found] == [1]
        assert found[0]["place"].endswith("in record_batches")

    def test_changes_of_the_journal_stand_between_the_lines(self, sandbox: Sandbox) -> None:
        sandbox.run("groups", "flush", "--yes", *ON)
        ran = sandbox.run("logs", "journal", "--since", "5m", *ON)
        assert "begun by" in ran.out


class TestSummaries:
    def test_patterns(self, sandbox: Sandbox) -> None:
        found = sandbox.run("logs", "cache-manager", "--patterns", "--new-since", "90d", *ON, "-o", "json").json()
        assert found[0].keys() == {"template", "count", "first", "last", "new", "severity"}
        wrote = [one for one in found if one["template"].startswith("Wrote")]
        assert wrote[0]["count"] == 24
        assert all(one["new"] for one in found)

    def test_histogram_adds_up(self, sandbox: Sandbox) -> None:
        count = len(objects(sandbox.run("logs", "cache-manager", *ON, "-o", "jsonl").out))
        buckets = sandbox.run("logs", "cache-manager", "--histogram", *ON, "-o", "json").json()
        assert sum(sum(bucket["counts"].values()) for bucket in buckets) == count

    def test_links(self, sandbox: Sandbox) -> None:
        ran = sandbox.run("logs", "errors", "--link", "--since", "2h", *ON)
        assert ran.out.startswith("https://console.cloud.google.com/logs/query;query=")
        names = [one["name"] for one in sandbox.run("logs", "--queries", *ON, "-o", "json").json()]
        assert {"cache-manager", "app-errors", "errors"} <= set(names)


class TestFiles:
    def test_no_control_character_reaches_people(self, sandbox: Sandbox, file: Path) -> None:
        ran = sandbox.run("logs", str(file), "--tz", "UTC")
        assert "10:00:02.000 ERROR Callback failed" in ran.out
        assert "KeyError: 'rp006'" in ran.out
        assert "/app/phenoapp/web.py:12 in update" in ran.out
        assert "\x1b" not in ran.out

    def test_raw_text_is_unchanged(self, sandbox: Sandbox, file: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "toolkit", "logs", str(file), "-o", "plain"], capture_output=True, check=True
        )
        assert done.stdout == TORN

    def test_what_is_searched_for_comes_with_its_traceback(self, sandbox: Sandbox, file: Path) -> None:
        (entry,) = objects(sandbox.run("logs", str(file), "--grep", "KeyError", "-o", "jsonl").out)
        assert entry["message"].startswith("Callback failed")
        assert entry["raw"].encode("utf-8", "surrogateescape").count(b"\n") == 4
        assert not sandbox.run("logs", str(file), "--grep", "KeyError", "--exclude", "rp006", "-o", "jsonl").out
        (entry,) = objects(sandbox.run("logs", str(file), "--level", "warning", "-o", "jsonl").out)
        assert entry["severity"] == "ERROR"

    def test_the_end_and_a_window(self, sandbox: Sandbox, file: Path) -> None:
        last = objects(sandbox.run("logs", str(file), "-n", "1", "-o", "jsonl").out)
        assert [entry["message"] for entry in last] == ["fine again"]
        day = ("--tz", "UTC", "--since", "2026-11-24 10:00:02", "--until", "2026-11-24 10:00:03", "-o", "jsonl")
        assert len(objects(sandbox.run("logs", str(file), *day).out)) == 1

    def test_piped_in(self, sandbox: Sandbox) -> None:
        ran = sandbox.spawn("logs", "-", "-o", "jsonl", stdin=TORN.decode("utf-8", "replace"))
        assert [entry["severity"] for entry in objects(ran.out)] == ["INFO", "ERROR", "INFO"]
        assert objects(ran.out)[0]["time"] == "2026-11-24T10:00:01.000000000Z"

    def test_local_files_need_no_environment(self, file: Path) -> None:
        code = f"import sys; from toolkit.__main__ import run; run(['logs', {str(file)!r}]); print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        loaded = set(done.stdout.split())
        assert not loaded & {"kubernetes", "redis", "hvac", "google.cloud.storage", "grpc", "pyarrow", "numpy", "rich"}


class TestFollow:
    def test_until_ctrl_c(self, sandbox: Sandbox) -> None:
        sandbox.spawn("sandbox", "noise", "--rate", "50", "--seconds", "30")
        process = subprocess.Popen(
            [sys.executable, "-m", "toolkit", "logs", "app", "--follow", *ON, "-o", "jsonl"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ},
        )
        assert process.stdout is not None
        seen = [json.loads(process.stdout.readline()) for _ in range(30)]
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        if "comes late" not in said:  # on a slow machine a source may come late, and that is said
            for origin in {entry["origin"] for entry in seen}:
                times = [entry["time"] for entry in seen if entry["origin"] == origin]
                assert times == sorted(times)
        assert len({(entry["raw"], entry["time"], entry["origin"]) for entry in seen}) == 30


class TestWrongUse:
    @pytest.mark.parametrize(
        ("typed", "code", "said"),
        [
            (("logs", "cach-manager", *ON), 2, "Did you mean 'cache-manager'?"),
            (("logs", "nothing.log", *ON), 1, "There is no file nothing.log"),
            (("logs", "app", "--grep", "(", *ON), 2, "no regular expression"),
            (("logs", "app", "--since", "soon", *ON), 2, "For example"),
            (("logs", "app", "--level", "loud", *ON), 2, "There are: debug"),
            (("logs", "app", "-f", "--patterns", *ON), 2, "--follow goes with"),
            (("logs", "pod:x", *ON), 2, "pod:CLUSTER/NAMESPACE/NAME"),
            (("logs", "loki:{", *ON), 2, "parse error"),
        ],
    )
    def test_it_is_said_what_is_wrong(self, sandbox: Sandbox, typed: tuple[str, ...], code: int, said: str) -> None:
        ran = sandbox.run(*typed, code=None)
        assert said in ran.err
        assert ran.code == code


def test_the_last_entry_of_a_file_is_a_whole_traceback(sandbox: Sandbox, file: Path) -> None:
    file.write_bytes(TORN.rsplit(b"2026", 1)[0])
    (entry,) = objects(sandbox.run("logs", str(file), "-n", "1", "-o", "jsonl").out)
    assert entry["exception"] == "KeyError: 'rp006'"
