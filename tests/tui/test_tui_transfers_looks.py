"""What the downloads look like, wherever each of them stands; kept in tests/tui/snapshots."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from tui_driving import Driver
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import FRAMES, NAMES

from toolkit.errors import Unreachable
from toolkit.progress import Progress
from toolkit.tui.screens.transfers import TransfersPage
from toolkit.tui.transfer import Arrived, Came, Transfer

TO = Path("/data/maps")
HINT = "Is the VPN up? What has come is kept, and is not brought again."


class Works:
    """What transfers do, by a clock that a work moves."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        patch.setattr("toolkit.tui.transfer.time", SimpleNamespace(monotonic=lambda: self.now))

    def under_way(self, progress: Progress, overwrite: bool) -> Arrived:
        """Goes on until it is stopped."""
        del overwrite
        progress.step("Downloading 8 frames")
        progress.advance("downloaded", 0, 2_110_000_000, "bytes")
        self.now += 4
        progress.note("2.1 GB at 150 MB/s = 14s here; on BioHive (bh) 4s at 600 MB/s")
        progress.advance("downloaded", 633_000_000, 2_110_000_000, "bytes")
        while not progress.stop.wait(0.01):
            pass
        progress.check_stop()
        raise AssertionError("it was stopped")

    def well(self, progress: Progress, overwrite: bool) -> Arrived:
        del progress, overwrite
        self.now += 75
        files = tuple(Came(f"{frame}.parquet", "downloaded", 264_000_000, "q5DsXA==") for frame in FRAMES)
        here = Came("manifest.json", "already there", 1_204, "yZRlqg==")
        how = f'pandas.read_parquet("{TO}/{NAMES[1]}/genes.parquet")'
        return Arrived("8 files downloaded, 1 was here, 2.1 GB", f"{TO}/{NAMES[1]}", (*files, here), how=how)

    def in_part(self, progress: Progress, overwrite: bool) -> Arrived:
        del progress, overwrite
        came = [Came(f"{frame}.parquet", "downloaded", 264_000_000, "q5DsXA==") for frame in FRAMES[:5]]
        differs = Came(f"{FRAMES[5]}.parquet", "failed", why="another file is there; --overwrite replaces it",
                       differs=True)  # fmt: skip
        broke = Came(f"{FRAMES[6]}.parquet", "failed", why="the bucket still answers 503 after several tries")
        corrupt = Came(f"{FRAMES[7]}.parquet", "failed", 264_000_000, why="its CRC32C is q5DsXA==, should be yZRlqg==")
        said = "5 files downloaded, 1.3 GB; 3 files did not come"
        warned = "genes.parquet: 17,480 rows here, 17,402 in Redis"
        return Arrived(said, f"{TO}/{NAMES[2]}", (*came, differs, broke, corrupt), warnings=(warned,))

    def broken(self, progress: Progress, overwrite: bool) -> Arrived:
        del progress, overwrite
        raise Unreachable(
            "The bucket rp006-l3-cache does not answer.", hint=HINT, by_hand=("gcloud storage ls gs://rp006-l3-cache",)
        )


async def begun(app: Driver, name: str, work: Callable[[Progress, bool], Arrived], to: str) -> Transfer:
    """Begin it, and wait until it has come as far as it comes by itself."""
    command = f"toolkit groups download {to} --to {TO} --layer l3 --env rp006"
    transfer = Transfer(name, work, TO / to, command=command)
    assert app.app.session is not None
    app.app.session.begin(transfer)
    transfer.told = True  # no toast
    await app.until(lambda: transfer.over or transfer.note, f"{name} as far as it comes")
    return transfer


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Works:
    return Works(monkeypatch)


async def _all(app: Driver, works: Works) -> dict[str, Transfer]:
    await app.see("nothing needs you", "vault 43m left")
    made = {
        "well": await begun(app, f"{NAMES[1]} from the bucket", works.well, NAMES[1]),
        "in_part": await begun(app, f"{NAMES[2]} from the bucket", works.in_part, NAMES[2]),
        "broken": await begun(app, f"gs://rp006-l3-cache/{NAMES[3]}/", works.broken, NAMES[3]),
        "stopped": await begun(app, f"{NAMES[4]} from Redis, genes", works.under_way, NAMES[4]),
        "going": await begun(app, f"{NAMES[0]} from the bucket", works.under_way, NAMES[0]),
    }
    made["stopped"].stop()
    await app.until(lambda: made["stopped"].over, "the end of what was stopped")
    await app.press("2", "G")
    await app.until(lambda: isinstance(app.app.screen, TransfersPage), "the downloads")
    await app.see("30%", "not all came", "stopped", "failed")
    return made


async def test_how_several_downloads_look(still: Still, works: Works) -> None:
    async with still.driven() as app:
        await _all(app, works)
        await still.looks(app, "downloads")


async def test_how_one_that_ended_well_looks(still: Still, works: Works) -> None:
    async with still.driven() as app:
        await _all(app, works)
        await app.press("home")
        await app.see("8 files downloaded, 1 was here")
        await still.looks(app, "downloads-done")


async def test_how_one_looks_of_which_not_all_came(still: Still, works: Works) -> None:
    async with still.driven() as app:
        await _all(app, works)
        await app.press("home", "down")
        await app.see("3 files did not come")
        await still.looks(app, "downloads-in-part")


async def test_how_one_that_failed_looks(still: Still, works: Works) -> None:
    async with still.driven() as app:
        await _all(app, works)
        await app.press("home", "down", "down")
        await app.see("Is the VPN up?")
        await still.looks(app, "downloads-failed")


async def test_how_one_that_was_stopped_looks(still: Still, works: Works) -> None:
    async with still.driven() as app:
        await _all(app, works)
        await app.press("home", "down", "down", "down")
        await app.see("What came is kept")
        await still.looks(app, "downloads-stopped")


async def test_how_leaving_looks_while_they_go_on(still: Still, works: Works) -> None:
    async with still.driven() as app:
        await _all(app, works)
        await app.press("q")
        await app.see("Stop and quit (s)")
        await still.looks(app, "leave")
