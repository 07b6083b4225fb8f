"""Begins a case with a runbook, or goes on with one: its walk is shown on top of the page that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.secret import scrub
from toolkit.tui.background import in_thread

if TYPE_CHECKING:
    from toolkit.tui.app import ToolkitApp
    from toolkit.walkthrough.case import Case


async def begin(app: ToolkitApp, name: str, given: Mapping[str, str] | None = None) -> Case | None:
    """A new case of the open environment; `given` are inputs that are known already, and not asked for. None: it could
    not be begun, and that was said."""
    from toolkit.walkthrough import walk
    from toolkit.walkthrough.library import library
    from toolkit.walkthrough.record import Record

    def begun() -> Case:
        known = library()
        return walk.begin(Record(), known.runbook(name), known)

    try:
        case = await in_thread(begun, "begin a case")
    except ToolkitError as error:
        app.notify(scrub(f"{error.message} {error.hint}"), title=name, severity="error", timeout=15)
        return None
    await go_on(app, case, given)
    return case


async def go_on(app: ToolkitApp, case: Case, given: Mapping[str, str] | None = None) -> None:
    """The case, from where it is."""
    from toolkit.tui.screens.walk import WalkPage
    from toolkit.tui.walking import Walking
    from toolkit.walkthrough.library import library
    from toolkit.walkthrough.record import Record

    session = app.opened()
    session.looked(f"runbook run {case.runbook}")
    walking = Walking(Record(), case, library(), session.connections, read_only=session.read_only, given=given)
    walking.start()
    await app.push_screen(WalkPage(walking))
