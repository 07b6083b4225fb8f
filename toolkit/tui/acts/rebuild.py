"""Page 4."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "rebuild",
    "Rebuild",
    (Act("rebuild.start", "b", "rebuild", "Rebuild …", "Start the cache manager now, through the gate.", footer=True),),
    page_act("rebuild", "4", "Rebuild", "The cache manager: its last runs, and starting one."),
)
