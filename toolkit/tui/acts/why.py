"""The diagnosis, on top of any page."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "why",
    "Why?",
    (
        Act("why.details", "enter", "screen.details", "Details", "All of the cause or finding in focus.", True,
            palette=False),
        Act("why.mend", "m", "mend", "Mend …", "Take what mends the cause in focus to the gate.", True, palette=False),
        Act("why.runbook", "b", "runbook", "Runbook", "Walk through the runbook for the cause in focus.", True,
            palette=False),
        Act("why.change", "c", "change", "Ask other", "Change what is asked: pert, group, who, map.", True,
            palette=False),
        Act("why.other", "tab", "app.focus_next", "Next", "Between the fields, the causes and the findings.",
            palette=False),
    ),
)  # fmt: skip
