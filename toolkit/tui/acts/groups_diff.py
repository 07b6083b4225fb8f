"""Two groups side by side."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "groups-diff",
    "Two groups side by side",
    (
        Act("groups-diff.open", "enter", "screen.open", "Where else",
            "Where the pert in focus is, over all groups.", footer=True, palette=False),
        Act("groups-diff.vectors", "v", "vectors", "Vectors",
            "Compare the vectors too: which moved, and how far. Reads both groups.", footer=True, palette=False),
        Act("groups-diff.swap", "w", "swap", "Swap", "The other one is what was before.", footer=True, palette=False),
    ),
)  # fmt: skip
