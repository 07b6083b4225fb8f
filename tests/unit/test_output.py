"""What is printed: four forms of the same data, and nothing that could hurt a terminal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit import figures
from toolkit.cli import diagnostics, output
from toolkit.cli.output import Column, Format
from toolkit.errors import NotAllowed
from toolkit.secret import Secret


@dataclass(frozen=True)
class Item:
    name: str
    bytes: int | None
    at: datetime | None = None


ITEMS = [Item("a", 2_100_000_000, datetime(2026, 11, 19, 1, tzinfo=UTC)), Item("b\tc", None)]
COLUMNS = [
    Column("name", lambda i: i.name),
    Column("size", lambda i: figures.size(i.bytes), plain=lambda i: str(i.bytes or ""), right=True),
]


def test_the_four_forms(capsys: pytest.CaptureFixture[str]) -> None:
    output.rows(ITEMS, COLUMNS, Format.PLAIN)
    assert capsys.readouterr().out == "a\t2100000000\nb c\t\n"
    output.rows(ITEMS, COLUMNS, Format.JSONL)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        {"name": "a", "bytes": 2_100_000_000, "at": "2026-11-19T01:00:00Z"},
        {"name": "b\tc", "bytes": None, "at": None},
    ]
    output.rows(ITEMS, COLUMNS, Format.JSON)
    assert json.loads(capsys.readouterr().out) == lines
    output.rows(ITEMS, COLUMNS, Format.TABLE)
    table = capsys.readouterr().out
    assert "2.1 GB" in table
    assert "\x1b" not in table


def test_nothing_is_said_in_words_to_people_and_as_an_empty_list_to_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.rows([], COLUMNS, Format.TABLE, empty="No groups.")
    assert capsys.readouterr().out == "No groups.\n"
    output.rows([], COLUMNS, Format.JSON)
    assert json.loads(capsys.readouterr().out) == []


def test_a_secret_in_data_is_a_fingerprint(capsys: pytest.CaptureFixture[str]) -> None:
    output.document({"token": Secret("hidden-value")}, Format.JSON, lambda: "")
    printed = capsys.readouterr().out
    assert "hidden-value" not in printed
    assert "sha256:" in printed


def test_an_error_goes_to_stderr_with_its_next_step_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    secret = Secret("hidden-value")
    diagnostics.error(NotAllowed(f"no to {secret.reveal()}", hint="log in", by_hand=("vault login",)))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error: no to ••••••\n next: log in\nby hand: vault login\n"


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "?"), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_100_000_000, "2.1 GB"), (10**15, "1000 TB")],
)
def test_sizes(count: int | None, text: str) -> None:
    assert figures.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.9, "59s"), (61, "1m 1s"), (3600, "1h"), (3900, "1h 5m"), (90000, "1d 1h"), (86400, "1d")],
)
def test_durations(seconds: float, text: str) -> None:
    assert figures.duration(seconds) == text


def test_ages() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert figures.age(now - timedelta(hours=2), now) == "2h ago"
    assert figures.age(now + timedelta(hours=2), now) == "in 2h"


@given(st.text())
def test_no_control_character_of_a_foreign_log_reaches_the_terminal(text: str) -> None:
    shown = diagnostics.printable(text)
    assert not any((ord(c) < 32 and c != "\t") or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert len(shown) == len(text)


def test_bytes_are_told_with_rate_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 104.0, 120.0])
    monkeypatch.setattr(diagnostics.time, "monotonic", lambda: next(clock))
    with diagnostics.watching() as progress:
        for done in (1_000_000_000, 1_200_000_000, 2_000_000_000):  # the first of them came another time
            progress.advance("downloaded", done, 2_000_000_000, "bytes")
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  downloaded: 1.2 GB of 2.0 GB, 50.0 MB/s, 16s left",
        "  downloaded: 2.0 GB of 2.0 GB, 50.0 MB/s",
    ]
