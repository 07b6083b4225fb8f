"""A group, looked into."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "groups-inspect",
    "A group, looked into",
    (
        Act("groups-inspect.details", "enter", "screen.details", "Details",
            "All of the finding in focus.", footer=True, palette=False),
        Act("groups-inspect.names", "n", "again(False, False)", "Names only",
            "Look again, without the vectors: quick, a few MB.", footer=True, palette=False),
        Act("groups-inspect.vectors", "v", "again(True, False)", "Vectors",
            "Look again, at the vectors of all frames.", footer=True, palette=False),
        Act("groups-inspect.full", "b", "again(True, True)", "All bytes",
            "Look again, and compare the checksums of Redis and bucket.", footer=True, palette=False),
    ),
)  # fmt: skip
