"""The small dialogues of the logs: an expression, a source, patterns, links."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "logs-on-top",
    "The logs' small dialogues",
    (
        Act("logs-on-top.close", "escape", "screen.close", "Close", "Close it, change nothing.", True, palette=False),
        Act("logs-on-top.take", "enter", "screen.take", "Take", "Take what is in focus.", footer=True, palette=False),
        Act("logs-on-top.copy", "y", "screen.copy", "Copy", "Copy what is in focus.", footer=True, palette=False),
        Act("logs-on-top.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False),
    ),
)
