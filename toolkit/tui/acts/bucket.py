"""Page 3."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "bucket",
    "Bucket",
    (Act("bucket.unfold", "enter", "screen.unfold", "Open/close", "Open or close the folder in focus.", footer=True),),
    page_act("bucket", "3", "Bucket", "The folders of the L3 bucket, with their sizes."),
)
