"""Choosing an environment."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "environments",
    "Choosing an environment",
    (Act("environments.open", "enter", "screen.open", "Open", "Open the environment in focus.", True, palette=False),),
)
