"""What the journal looks like, and a change of it in full; kept in tests/tui/snapshots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest
import tui_snapshots
from tui_driving import Driver
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import NAMES, Rebuild, World

import toolkit.actions.journal
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Outcome, Result

NOW = tui_snapshots.NOW


@pytest.fixture
def written(still: Still, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A journal with a change of each kind of outcome."""
    ids = (SimpleNamespace(hex=f"{number:032x}") for number in count(0x7F3A_91C2_0001 << 80, 0x1_1D_0000_0101 << 80))
    monkeypatch.setattr(toolkit.actions.journal, "uuid", SimpleNamespace(uuid4=lambda: next(ids)))
    monkeypatch.setattr("toolkit.actions.journal.getpass", SimpleNamespace(getuser=lambda: "anna"))
    monkeypatch.setattr("toolkit.actions.journal.socket", SimpleNamespace(gethostname=lambda: "desk"))
    journal = Journal()
    plan = Rebuild(World().environment).plan()

    def at(moment: datetime) -> None:
        monkeypatch.setattr(tui_snapshots, "NOW", moment)

    _write(journal, at, plan)
    at(NOW)
    return journal


def _write(journal: Journal, at: Callable[[datetime], None], plan: toolkit.actions.plan.Plan) -> None:
    began = NOW - timedelta(days=17, hours=3)
    at(began)
    flush = replace(plan, action="groups flush", title="Empty Redis of all groups", environment="sandbox")
    operation = journal.opened(flush)
    at(began + timedelta(seconds=2))
    undo = ("toolkit cache rebuild --env sandbox",)
    journal.closed(operation, flush, Outcome(Result.DONE, "3 groups deleted, 6.4 GB freed.", undo))

    at(began + timedelta(days=7))
    delete = replace(plan, action="bucket rm", title=f"Delete gs://rp006-l3-cache/{NAMES[4]}/")
    operation = journal.opened(delete)
    at(began + timedelta(days=7, seconds=40))
    left = tuple(f"{NAMES[4]}/{frame}.parquet" for frame in ("genes", "compounds"))
    undo = (f"toolkit bucket restore gs://rp006-l3-cache/{NAMES[4]}/ --since 2025-11-14T09:30:00Z --env rp006",)
    said = "6 of 8 objects deleted; 2 were left as they were, since somebody wrote them meanwhile."
    journal.closed(operation, delete, Outcome(Result.PARTIAL, said, undo, left))

    at(began + timedelta(days=14))
    restart = replace(plan, action="app restart", title="Restart dash-phenoapp-v2")
    journal.failed(journal.opened(restart), restart, PermissionError("you may not patch deployments in phenoapp"))

    at(NOW - timedelta(minutes=61))
    operation = journal.opened(plan)
    at(NOW - timedelta(minutes=4))
    journal.closed(operation, plan, Outcome(Result.FAILED, "The Job failed: BackoffLimitExceeded."))
    at(NOW - timedelta(minutes=2))
    cut_off = journal.opened(plan)
    (journal.file.parent / "journal.open" / cut_off).write_text("of a process that is gone", "utf-8")


async def _opened(app: Driver) -> None:
    await app.see("vault 43m left", "Needs attention  just now")
    await app.press("7")
    await app.see("5 changes", "! interrupted", "! partial", "✗ error")


async def test_how_the_journal_looks(still: Still, written: Journal) -> None:
    async with still.driven() as app:
        await _opened(app)
        await app.press("v")
        await app.see("9 entries, unbroken")
        await still.looks(app, "journal")


async def test_how_a_change_of_the_journal_looks_in_full(still: Still, written: Journal) -> None:
    async with still.driven() as app:
        await _opened(app)
        await app.press("home", *["down"] * 3, "enter")
        await app.see("left as they were (2)")
        await still.looks(app, "journal-entry")


async def test_how_a_journal_looks_that_was_changed(still: Still, written: Journal) -> None:
    text = written.file.read_text("utf-8")
    written.file.write_text(text.replace("6.4 GB freed", "6.5 GB freed"), "utf-8")
    async with still.driven() as app:
        await _opened(app)
        await app.press("v")
        await app.see("line 2: this line was changed")
        await still.looks(app, "journal-changed", sizes=((80, 24), (120, 40)))
