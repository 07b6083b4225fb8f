"""The frames of a group."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "frames",
    "The frames of a group",
    (
        Act("frames.perts", "enter", "screen.perts", "Perts",
            "All perturbations of the frame in focus.", footer=True, palette=False),
        Act("frames.find", "f", "find", "Find pert",
            "Where a perturbation is, over all groups.", footer=True, palette=False),
        Act("frames.inspect", "i", "inspect", "Inspect",
            "Look into the group: what it holds, whether its vectors are sound.", footer=True, palette=False),
        Act("frames.heatmap", "h", "picture('heatmap')", "Heatmap",
            "The cosine similarity of perts of the group, as a picture.", footer=True, palette=False),
        Act("frames.projection", "p", "picture('projection')", "Projection",
            "Compounds over their concentrations, as seen from a target.", palette=False),
        Act("frames.consistency", "c", "picture('consistency')", "Consistency",
            "Do the replicates of perts agree between experiments?", palette=False),
        Act("frames.download", "g", "download", "Get",
            "Download the group, checked; it goes on in the background.", footer=True, palette=False),
        Act("frames.show-download", "G", "show_download", "Downloads",
            "The downloads that go on, or were last: in full, and what can be done still.", palette=False),
    ),
)  # fmt: skip
