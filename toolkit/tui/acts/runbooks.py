"""Page 6."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "runbooks",
    "Runbooks",
    (
        Act("runbooks.open", "enter", "screen.open", "Walk", "Walk through the runbook, or go on with the case.", True),
        Act("runbooks.read", "v", "read", "Read", "Read the runbook as a page, without beginning a case.", footer=True),
        Act("runbooks.report", "p", "report", "Report", "The report of the case in focus, as Markdown.", footer=True),
        Act("runbooks.drill", "d", "app.drill", "Drill", "A case in the sandbox to find out, for training.", True),
        Act("runbooks.other", "tab", "app.focus_next", "Cases", "From the runbooks to the cases, and back.", True,
            palette=False),
    ),
    page_act("runbooks", "6", "Runbooks", "Guided walkthroughs by symptom, and the cases that were begun."),
)  # fmt: skip
