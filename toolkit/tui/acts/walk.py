"""A walk through a runbook, on top of page 6."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "walk",
    "A walk through a runbook",
    (
        Act(
            "walk.done",
            "enter",
            "screen.done",
            "Next",
            "The step is done: go on where it leads; of an action, its plan.",
            True,
            palette=False,
        ),
        Act("walk.again", "a", "again", "Again", "Ask the step's checks again.", footer=True, palette=False),
        Act("walk.skip", "s", "skip", "Skip", "Skip the step, and say why.", footer=True, palette=False),
        Act("walk.stuck", "x", "stuck", "Stuck", "Say what is in the way; the case waits here.", True, palette=False),
        Act("walk.back", "b", "go_back", "Back", "Back to the step before.", footer=True, palette=False),
        Act("walk.note", "n", "note", "Note", "Done, with a note for the record.", footer=True, palette=False),
        Act("walk.jump", "g", "jump", "Jump", "To the step chosen on the left.", footer=True, palette=False),
        Act("walk.report", "p", "report", "Report", "The case so far, as Markdown.", palette=False),
        Act("walk.leave", "escape", "leave", "Leave", "Leave; the case waits and can be resumed.", True, palette=False),
        Act("walk.up", "up", "scroll_page(-1)", "Up", "Scroll the page.", palette=False),
        Act("walk.down", "down", "scroll_page(1)", "Down", "Scroll the page.", palette=False),
        Act("walk.page-up", "pageup", "scroll_page(-10)", "Page up", "Scroll by a page.", palette=False),
        Act("walk.page-down", "pagedown", "scroll_page(10)", "Page down", "Scroll by a page.", palette=False),
    ),
)
