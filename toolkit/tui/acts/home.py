"""Page 1."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "home",
    "Home",
    (
        Act("home.open", "enter", "screen.open", "Open", "Walk the runbook of what needs attention; show that group.",
            footer=True),
        Act("home.details", "v", "screen.details", "Details", "All that was found for the row in focus.", footer=True),
        Act("home.why", "w", "app.why", "Why?", "What is wrong, on what evidence, and what mends it?", True),
        Act("home.next", "tab", "app.focus_next", "Next panel", "From one panel's list to the next.", palette=False),
    ),
    page_act("home", "1", "Home", "Health hop by hop, the layers, what needs attention."),
)  # fmt: skip
