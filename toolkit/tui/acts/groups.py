"""Page 2."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "groups",
    "Groups",
    (
        Act("groups.frames", "enter", "screen.frames", "Frames", "The frames of the group in focus.", footer=True),
        Act("groups.mark", "space", "mark", "Mark",
            "Mark the group in focus, or take its mark (for diff and delete).", footer=True),
        Act("groups.find", "f", "find", "Find", "Where a perturbation is, over all groups.", footer=True),
        Act("groups.events", "v", "events", "Events", "When groups were created (Kafka), as it is told."),
        Act("groups.why", "w", "app.why", "Why?", "Why is the group in focus missing?", footer=True),
        Act("groups.inspect", "i", "inspect", "Inspect",
            "Look into the group: what it holds, whether its vectors are sound."),
        Act("groups.diff", "d", "diff", "Diff",
            "Compare two marked groups, or the marked one with that in focus."),
        Act("groups.heatmap", "h", "picture('heatmap')", "Heatmap",
            "The cosine similarity of perts of the group, as a picture."),
        Act("groups.projection", "p", "picture('projection')", "Projection",
            "Compounds over their concentrations, as seen from a target."),
        Act("groups.consistency", "c", "picture('consistency')", "Consistency",
            "Do the replicates of perts agree between experiments?"),
        Act("groups.download", "g", "download", "Get",
            "Download the group in focus, checked; it goes on in the background.", footer=True),
        Act("groups.show-download", "G", "show_download", "Downloads",
            "The downloads that go on, or were last: in full, and what can be done still."),
        Act("groups.delete", "x", "delete", "Delete",
            "Delete the marked groups (or that in focus) from Redis, through the gate."),
        Act("groups.flush", "X", "flush", "Flush", "Empty Redis altogether, through the gate."),
    ),
    page_act("groups", "2", "Groups", "The groups in the cache: frames, perts, pictures, diff, download."),
)  # fmt: skip
