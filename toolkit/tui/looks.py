"""What somebody looks at in the app while a drill goes on, kept under the words of the command that shows the same: the
score weighs both faces alike. Without a drill nothing is kept, and nothing is imported for it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from toolkit.errors import ExitCode
from toolkit.tui import background

if TYPE_CHECKING:
    from toolkit.tui.operation import Operation


def a_drill_goes_on() -> bool:
    """Whether there is the file of one: the cheapest look."""
    from toolkit import paths

    return (paths.state() / "drill.json").exists()


def note(environment: str, words: str, code: int, *, by_itself: bool = False) -> None:
    """Keep that this was looked at in `environment`; returns at once. `code` is the exit code that the command would
    have had."""
    if words and a_drill_goes_on():
        background.start(partial(_note, environment, words, code, by_itself), "note a look")


def note_change(environment: str, operation: Operation) -> None:
    """Keep what came of a change at the gate: a plan that was only looked at is a dry run."""
    if not a_drill_goes_on():
        return
    from toolkit.drills import ways

    words, code = ways.changing_words(operation.name), int(ExitCode.OK)
    if operation.started is None:
        words += " --dry-run"
        if operation.plan is None and operation.problem is not None:
            code = operation.problem.exit_code
    elif operation.done is None or not operation.done.well:
        code = operation.problem.exit_code if operation.problem is not None else ExitCode.FOUND_WRONG
    note(environment, words, int(code))


def _note(environment: str, words: str, code: int, by_itself: bool) -> None:
    from toolkit.drills import store

    store.note_look(words, int(code), environment, by_itself=by_itself)
