"""Where a download goes."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "where-to",
    "Where to download",
    (
        Act("where-to.go", "enter", "screen.go", "Download", "Begin; it goes on in the background.", True,
            palette=False),
        Act("where-to.overwrite", "ctrl+o", "overwrite", "Replace/keep", "Replace files that differ, or keep them.",
            True, palette=False),
        Act("where-to.help", "f1", "app.show_help", "Help", "What the keys do here.", footer=True, palette=False),
        Act("where-to.close", "escape", "close", "Close", "Download nothing.", footer=True, palette=False),
        Act("where-to.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False,
            priority=True),
    ),
)  # fmt: skip
