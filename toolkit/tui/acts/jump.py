"""Going somewhere by a part of its name."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "jump",
    "Jumping to something",
    (
        Act("jump.go", "enter", "screen.go", "Go there", "Show it, on the page where it lives.", True, palette=False),
        Act("jump.down", "down,ctrl+n", "move(1)", "Down", "The next one.", palette=False),
        Act("jump.up", "up", "move(-1)", "Up", "The one before.", palette=False),
        Act("jump.help", "f1", "app.show_help", "Help", "What the keys do here.", footer=True, palette=False),
        Act("jump.close", "escape", "close", "Close", "Stay where you are.", footer=True, palette=False),
    ),
)
