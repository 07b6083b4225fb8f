"""The gate's dialogue."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "gate",
    "The gate",
    (
        Act("gate.close", "escape", "close", "Close", "Close; a change that is going on goes on.", True, palette=False),
        Act("gate.confirm", "enter", "screen.confirm", "Confirm", "Answer with what was typed.", True, palette=False),
        Act("gate.help", "f1", "app.show_help", "Help", "What the gate's keys do.", footer=True, palette=False),
        Act("gate.stop", "s", "stop", "Stop", "Ask the change that is going on to stop.", footer=True, palette=False),
        Act("gate.again", "a", "again", "Again", "Make a new plan, after one that ended.", footer=True, palette=False),
        Act("gate.copy", "y", "copy", "Copy", "Copy the plan, or the outcome with its undo.", True, palette=False),
        Act("gate.follow", "f", "follow", "Log", "Follow the log's end again.", footer=True, palette=False),
        Act("gate.up", "up", "scroll_plan(-1)", "Up", "Scroll the plan.", palette=False),
        Act("gate.down", "down", "scroll_plan(1)", "Down", "Scroll the plan.", palette=False),
        Act("gate.page-up", "pageup", "scroll_plan(-10)", "Page up", "Scroll the plan by a page.", palette=False),
        Act("gate.page-down", "pagedown", "scroll_plan(10)", "Page down", "Scroll the plan by a page.", palette=False),
        Act(
            "gate.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False, priority=True
        ),
    ),
)
