"""What runbooks, cases and a walk look like; kept in tests/tui/snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_driving import Driver
from tui_runbooks import made_up_runbooks
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import World


@pytest.fixture
def world(still: Still, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made_up_runbooks(tmp_path / "runbooks", made, monkeypatch)
    return made


async def _catalogue(app: Driver) -> None:
    await app.see("nothing needs you", "vault 43m left")
    await app.press("6")
    await app.see("A user says that a gene", "Cases")


async def _begin(app: Driver) -> None:
    """The walk about a missing pert, with its input still to be typed."""
    await _catalogue(app)
    rows = app.text.splitlines()
    first = next(number for number, line in enumerate(rows) if "when somebody says" in line)
    at = next(number for number, line in enumerate(rows) if "gene or compound" in line)
    await app.press(*["down"] * (at - first - 1), "enter")
    await app.see("Which pert, as the user spells it?")


async def _choice(app: Driver) -> None:
    await _begin(app)
    await app.type("BRAC1")
    await app.press("enter")
    await app.see("1 Found under another name")


async def test_how_the_catalogue_looks_with_cases(still: Still, world: World) -> None:
    async with still.driven(world=world) as app:
        await _choice(app)
        await app.press("1")
        await app.see("Tell them in which group")
        await app.press("enter")
        await app.see("has ended")
        await app.press("escape")
        await app.see("✗ something is wrong")
        await app.press("enter")
        await app.see("Which pert, as the user spells it?")
        await app.type("TP53")
        await app.press("enter")
        await app.see("1 Found under another name")
        await app.press("escape")
        await app.see("2, 1 waits")
        app.app.clear_notifications()
        await app.gone("waits at this step")
        await still.looks(app, "runbooks")


async def test_how_an_input_looks(still: Still, world: World) -> None:
    async with still.driven(world=world) as app:
        await _begin(app)
        await still.looks(app, "walk-input")


async def test_how_a_walk_looks_at_a_choice(still: Still, world: World) -> None:
    async with still.driven(world=world) as app:
        await _choice(app)
        await still.looks(app, "walk-choice")


async def test_how_a_walk_looks_at_an_action_and_at_its_end(still: Still, world: World) -> None:
    async with still.driven(world=world) as app:
        await _choice(app)
        await app.press("2")
        await app.see("▶ cache rebuild")
        await still.looks(app, "walk-action")
        await app.press("enter")
        await app.see("Type 'prod-cluster' to carry this out")
        await app.answer("prod-cluster")
        await app.see("Ended")
        await app.press("escape")
        await app.see("enter: done")
        await app.until(lambda: app.app._told is app.app.operation, "the toast, unless the gate was still shown")
        app.app.clear_notifications()
        await app.gone("o shows it")
        await still.looks(app, "walk-done")
        await app.press("enter")
        await app.see("last-rebuild")
        await app.press("s")
        await app.see("Why is it skipped?")
        await app.type("it was seen already")
        await app.press("enter")
        await app.see("Tell them in which group")
        await app.press("enter")
        await app.see("has ended")
        await still.looks(app, "walk-end")


async def test_how_a_report_looks(still: Still, world: World) -> None:
    async with still.driven(world=world) as app:
        await _choice(app)
        await app.press("1")
        await app.see("Tell them in which group")
        await app.press("enter")
        await app.see("has ended")
        await app.press("p")
        await app.see("Report of case")
        await still.looks(app, "report")
