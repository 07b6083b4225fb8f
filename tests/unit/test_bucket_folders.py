"""What a folder of the bucket is to the app."""

from __future__ import annotations

from toolkit.cache.bucket_folders import FolderCount, Index, Use, standing
from toolkit.cache.frame_names import FrameNames

NAMES = FrameNames("{group}/{frame}.parquet", "cache.frame_object")
COUNTED = FolderCount(1, 10, frames={"old": frozenset({"genes"})}, whole=True)


def test_a_group_that_the_index_does_not_name_was_left_behind() -> None:
    assert standing(COUNTED, Index(NAMES, ranks={"new": 1})).use is Use.LEFT_BEHIND


def test_after_a_flush_nothing_is_called_left_behind() -> None:
    found = standing(COUNTED, Index(NAMES))
    assert found.use is Use.UNKNOWN
    assert "available-groups is empty" in found.why
