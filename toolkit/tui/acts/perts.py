"""The perts of a frame."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "perts",
    "The perts of a frame",
    (
        Act("perts.open", "enter", "screen.open", "Where else",
            "Where the pert in focus is, over all groups.", footer=True, palette=False),
        Act("perts.other", "tab", "screen.other", "Filter/list",
            "From the filter to the list, and back.", footer=True, palette=False),
        Act("perts.mark", "space", "mark", "Mark",
            "In the list: mark the pert in focus, for a picture of the marked ones.", footer=True, palette=False),
        Act("perts.heatmap", "h", "picture('heatmap')", "Heatmap",
            "The cosine similarity of perts of the group, as a picture.", footer=True, palette=False),
        Act("perts.projection", "p", "picture('projection')", "Projection",
            "Compounds over their concentrations, as seen from a target.", palette=False),
        Act("perts.consistency", "c", "picture('consistency')", "Consistency",
            "Do the replicates of perts agree between experiments?", palette=False),
        Act("perts.find", "f", "find", "Find", "Where a perturbation is, over all groups.", palette=False),
        Act("perts.down", "down", "move(1)", "Down", "In the filter: the next pert of the list.", palette=False),
        Act("perts.up", "up", "move(-1)", "Up", "In the filter: the pert before.", palette=False),
        Act("perts.page-down", "pagedown", "page(1)", "Page down",
            "In the filter: a page further in the list.", palette=False),
        Act("perts.page-up", "pageup", "page(-1)", "Page up", "In the filter: a page back in the list.", palette=False),
        Act("perts.back", "escape", "clear_or_back", "Back",
            "Empty the filter; where it is empty, back to the frames.", palette=False),
    ),
)  # fmt: skip
