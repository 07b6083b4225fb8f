"""Looking for a perturbation."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "find-pert",
    "Looking for a perturbation",
    (
        Act("find-pert.go", "enter", "screen.go", "Look",
            "Where what was typed is (or the name that was chosen below).", footer=True, palette=False),
        Act("find-pert.take", "tab", "take", "Take",
            "Take the name in focus into the line.", footer=True, palette=False),
        Act("find-pert.down", "down,ctrl+n", "move(1)", "Down", "The next name.", palette=False),
        Act("find-pert.up", "up", "move(-1)", "Up",
            "The name before; above the first stands what was typed.", palette=False),
        Act("find-pert.help", "f1", "app.show_help", "Help", "What the keys do here.", footer=True, palette=False),
        Act("find-pert.close", "escape", "close", "Close", "Stay where you are.", footer=True, palette=False),
        Act("find-pert.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False),
    ),
)  # fmt: skip
