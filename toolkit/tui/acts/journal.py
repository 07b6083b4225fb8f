"""Page 7."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "journal",
    "Journal",
    (
        Act(
            "journal.details", "enter", "screen.details", "Details", "The plan, the outcome and the undo.", footer=True
        ),
        Act("journal.verify", "v", "verify", "Verify", "Is the journal as it was written?", footer=True),
    ),
    page_act("journal", "7", "Journal", "What was changed, by whom, with what outcome."),
)
