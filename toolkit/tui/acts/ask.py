"""A line to type."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "ask",
    "A line to type",
    (
        Act("ask.take", "enter", "screen.take", "Take it", "Go on with what was typed.", footer=True, palette=False),
        Act("ask.help", "f1", "app.show_help", "Help", "What the keys do here.", footer=True, palette=False),
        Act("ask.close", "escape", "close", "Leave", "Leave all as it is.", footer=True, palette=False),
        Act("ask.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False,
            priority=True),
    ),
)  # fmt: skip
