"""Quitting while a change or a download goes on."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "leave",
    "Quitting while a change or a download goes on",
    (
        Act("leave.stay", "escape,n", "stay", "Stay", "Stay, and let it go on.", footer=True, palette=False),
        Act(
            "leave.stop",
            "s",
            "stop_and_quit",
            "Stop and quit",
            "Ask it to stop, wait for that, and quit.",
            True,
            palette=False,
        ),
        Act("leave.now", "q", "quit_now", "Quit at once", "Quit without waiting.", footer=True, palette=False),
        Act("leave.interrupt", "ctrl+c", "quit_now", "Quit at once", "Quit without waiting.", palette=False),
    ),
)
