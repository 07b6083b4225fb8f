"""Page 1."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "home",
    "Home",
    (
        Act("home.details", "enter", "screen.details", "Details", "All that was found for the row in focus.", True),
        Act("home.why", "w", "app.why", "Why?", "What is wrong, on what evidence, and what mends it?", True),
    ),
    page_act("home", "1", "Home", "Health hop by hop, the layers, what needs attention."),
)
