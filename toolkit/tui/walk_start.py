"""Begins a case with a runbook, and shows its walk on top of the page that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.secret import scrub
from toolkit.tui.background import in_thread

if TYPE_CHECKING:
    from toolkit.tui.app import ToolkitApp
    from toolkit.walkthrough.case import Case


async def walk(app: ToolkitApp, name: str, given: Mapping[str, str]) -> None:
    """A new case of the open environment; `given` are inputs that are known already, and not asked for."""
    from toolkit.tui.screens.walk import WalkPage
    from toolkit.tui.walking import Walking
    from toolkit.walkthrough.library import library
    from toolkit.walkthrough.record import Record
    from toolkit.walkthrough.walk import begin

    def begun() -> Case:
        record, known = Record(), library()
        runbook = known.runbook(name)
        case = begin(record, runbook, known)
        inputs = {asked.name: given[asked.name] for asked in runbook.inputs if asked.name in given}
        return record.know(case, inputs) if inputs else case

    try:
        case = await in_thread(begun, "begin a case")
    except ToolkitError as error:
        app.notify(scrub(f"{error.message} {error.hint}"), title=name, severity="error", timeout=15)
        return
    session = app.opened()
    walking = Walking(Record(), case, library(), session.connections, read_only=session.read_only)
    walking.start()
    await app.push_screen(WalkPage(walking))
