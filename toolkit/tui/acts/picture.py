"""A picture of the map."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "picture",
    "A picture of the map",
    (
        Act("picture.ask", "a", "ask", "Ask",
            "Other perts, another target, other options.", footer=True, palette=False),
        Act("picture.save", "s", "save", "Save", "Save it as a .png or .svg file.", footer=True, palette=False),
        Act("picture.command", "m", "command", "Command",
            "Copy the command that makes the same picture.", footer=True, palette=False),
    ),
)  # fmt: skip
