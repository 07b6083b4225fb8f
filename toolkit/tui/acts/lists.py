"""What can be done in every list."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "list",
    "In every list",
    (
        Act("list.down", "j", "cursor_down", "Down", "One row down (so does the arrow key).", palette=False),
        Act("list.up", "k", "cursor_up", "Up", "One row up (so does the arrow key).", palette=False),
    ),
)
