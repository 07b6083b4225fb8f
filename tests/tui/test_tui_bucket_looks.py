"""What the bucket's page looks like, in three sizes and three themes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import tui_stand_ins
from tui_snapshots import SIZES, Still, still  # noqa: F401 - a fixture
from tui_stand_ins import NAMES, World

from toolkit.errors import Unreachable
from toolkit.systems.bucket import ObjectInfo


async def test_how_the_bucket_looks_with_marks(still: Still) -> None:
    world = World(in_l3={NAMES[1]: 5})
    world.broken[f"folder {NAMES[3]}/"] = Unreachable("Could not list it: it still answers 503 after several tries.")
    async with still.driven(world=world) as app:
        await app.see("L3 short", "vault 43m left")
        await app.press("3")
        await app.see("in all")
        await app.press("right")
        await app.see("genes.parquet")
        await app.press("down", "space", "space", "end", "space", "up", "up", "up", "right")
        await app.see("the listing broke")
        await app.see("■ 1 folder and 2 objects marked: 10 objects, 2.6 GB")
        await still.looks(app, "bucket")


async def test_how_what_was_deleted_looks(still: Still) -> None:
    now = tui_stand_ins.NOW
    world = World(
        deleted=[
            ObjectInfo(f"{NAMES[4]}/genes{n}.parquet", 1764 + n, 264_000_000, now, "yZRlqg==",
                       now - timedelta(hours=n), now + timedelta(days=7, hours=-n if n < 4 else -150))
            for n in range(5)
        ]
    )  # fmt: skip
    async with still.driven(world=world) as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("3")
        await app.see("in all")
        await app.press("z")
        await app.see("The bucket keeps what is deleted for 7d. 5 objects")
        await app.press("down", "space")
        await app.see("■ 1 object marked")
        await still.looks(app, "bucket-deleted")


async def test_how_a_download_is_asked_for_looks(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "cwd", classmethod(lambda _: Path("/home/anna/maps")))
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("3")
        await app.see("in all")
        await app.press("g")
        await app.see("Download gs://", "/home/anna/maps")
        await still.looks(app, "bucket-ask", sizes=SIZES[:2])
