"""The journal on the screen, and whether its chain holds."""

from __future__ import annotations

from pathlib import Path

from tui_driving import driven
from tui_stand_ins import Rebuild, World

from toolkit.actions.journal import Journal
from toolkit.actions.plan import Outcome, Result


def _written(times: int) -> World:
    world = World()
    journal, action = Journal(), Rebuild(world.environment)
    for number in range(times):
        plan = action.plan()
        outcome = Outcome(Result.PARTIAL if number else Result.DONE, f"run {number}", ("undo it",), ("left over",))
        journal.closed(journal.opened(plan), plan, outcome)
    return world


async def test_operations_the_latest_first_with_their_outcome(home: Path) -> None:
    async with driven(world=_written(2)) as app:
        await app.press("7")
        await app.see("! partial", "✓ done", "run 1", "run 0")
        assert app.text.index("run 1") < app.text.index("run 0")
        await app.press("enter")
        await app.see("undo it", "left as they were (1)", "left over", "Start rp006-neuro")


async def test_an_unbroken_chain_and_a_changed_line(home: Path) -> None:
    async with driven(world=_written(2)) as app:
        await app.press("7", "v")
        await app.see("✓ ok  4 entries, unbroken.")
        file = Journal().file
        file.write_text(file.read_text("utf-8").replace("run 0", "run 9"), "utf-8")
        await app.press("v")
        await app.see("✗ fail", "line 2: this line was changed after it was written")


async def test_an_empty_journal_says_so(home: Path) -> None:
    async with driven() as app:
        await app.press("7")
        await app.see("Nothing was changed through this toolkit yet.")
        await app.press("v")
        await app.see("0 entries, unbroken")
