"""A perturbation over all groups."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "pert",
    "A perturbation over all groups",
    (
        Act("pert.open", "enter", "screen.open", "Open",
            "Its frame's perts; or, in the list of names like it, that one.", footer=True, palette=False),
        Act("pert.find", "f", "find", "Find another",
            "Where another perturbation is, over all groups.", footer=True, palette=False),
        Act("pert.heatmap", "h", "picture('heatmap')", "Heatmap",
            "The cosine similarity of perts of the group, as a picture.", footer=True, palette=False),
        Act("pert.projection", "p", "picture('projection')", "Projection",
            "Compounds over their concentrations, as seen from a target.", palette=False),
        Act("pert.consistency", "c", "picture('consistency')", "Consistency",
            "Do the replicates of perts agree between experiments?", palette=False),
    ),
)  # fmt: skip
