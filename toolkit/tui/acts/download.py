"""The downloads."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "download",
    "Downloads",
    (
        Act("download.stop", "s", "stop", "Stop",
            "Stop it; what came stays, and again goes on from there.", footer=True, palette=False),
        Act("download.again", "a", "again", "Again",
            "Bring what is missing; goes on where it stopped.", footer=True, palette=False),
        Act("download.replace", "w", "replace", "Replace",
            "Replace the files that are here and differ; asks first.", footer=True, palette=False),
        Act("download.folder", "m", "command", "Command",
            "Copy the command that does the same.", footer=True, palette=False),
    ),
)  # fmt: skip
