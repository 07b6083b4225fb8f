"""The terminal app on the sandbox: from the choice of an environment to a rebuild seen through to its end."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from tui_driving import Driver
from tui_stand_ins import World

from toolkit import opening
from toolkit.actions.journal import Journal
from toolkit.environments.preferences import Tui
from toolkit.sandbox import client
from toolkit.stage import SandboxStage
from toolkit.systems.connections import Connections
from toolkit.tui.app import ToolkitApp
from toolkit.tui.opener import Choice


class SandboxOpener:
    """Opens the running sandbox's environments."""

    def choices(self) -> Sequence[Choice]:
        return [Choice(name, title, kind="sandbox") for name, title in opening.SANDBOXES.items()]

    def preferences(self) -> Tui:
        return Tui()

    def open(self, name: str) -> Connections:
        return opening.choose(name, lambda _: None).connect()

    def stage(self, narrate: Callable[[str], None]) -> SandboxStage:
        return SandboxStage(narrate)


@pytest.fixture(scope="module")
def world_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("tui-sandbox")
    before = os.environ.get("TOOLKIT_HOME")
    os.environ["TOOLKIT_HOME"] = str(home)
    try:
        client.start()
        yield home
        os.environ["TOOLKIT_HOME"] = str(home)
        client.stop()
    finally:
        if before is None:
            os.environ.pop("TOOLKIT_HOME", None)
        else:
            os.environ["TOOLKIT_HOME"] = before


@pytest.fixture(autouse=True)
def _healthy(world_home: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_HOME", str(world_home))
    client.apply_scenario(["healthy"])


@asynccontextmanager
async def on_sandbox(environment: str | None = "sandbox", size: tuple[int, int] = (80, 24)) -> AsyncIterator[Driver]:
    app = ToolkitApp(SandboxOpener(), environment)
    async with app.run_test(size=size, notifications=True) as pilot:
        pilot: Pilot[int]
        driver = Driver(app, pilot, World())
        driver.patience = 60.0
        yield driver
        if app.session is not None:
            app.session.connections.close()


async def test_from_the_environment_to_a_rebuild_with_its_log_and_outcome() -> None:
    async with on_sandbox(None) as app:
        await app.see("sandbox", "sandbox-mapapp", "SANDBOX")
        await app.press("enter")
        await app.see("▞▞ SANDBOX ▞▞", "nothing needs you", "✓ ok      vault", "prod-cluster / ")
        await app.see("★ rp006_", "3/3 8/8 8/8", "✗ 21m")
        await app.until(lambda: re.search(r" \d{3} ✓", app.text), "counts of perts")
        await app.press("2")
        await app.see("number 1 of the dropdown, the default", "2.5 MB")
        await app.press("enter")
        await app.see("genes_split_by_normalized", "✓ 143 kB", "gs://sandbox-rp006-neuro-cache/")
        await app.press("3")
        await app.see("5 folders, 40 objects")
        await app.press("enter")
        await app.see("compounds.parquet")
        await app.press("4")
        await app.see("○ waiting  rp006-neuro-cache-manager-rxrx-cronjob", "…-manual-", "dash-phe")
        await app.press("b")
        await app.see("Rebuild the cache of", "Type 'prod-cluster' to carry this out:")
        await app.answer("rp006-prod")
        await app.see("'rp006-prod' is not 'prod-cluster'; nothing was changed")
        await app.answer("prod-cluster")
        await app.see("● carrying it out", "Made Job rp006-neuro-cache-manager-rxrx-cronjob-manual-")
        await app.see("INFO phenoapp.cache_manager: Wrote")
        await app.see("✓ done  Job rp006-neuro-cache-manager", "✓ ok      L2:", "is complete after")
        await app.press("escape", "4")
        await app.see("…-manual-", "last     ✓ complete, by hand")
        await app.press("7")
        await app.see("cache.rebuild", "✓ done")
    assert Journal().operations()[-1].result == "done"


async def test_a_rebuild_that_fails_shows_its_last_words() -> None:
    client.apply_scenario(["rebuild-failed"])
    async with on_sandbox(size=(120, 40)) as app:
        await app.see("▞▞ SANDBOX ▞▞", "✗ fail  The last rebuild failed: ", "→ rebuild-failed")


async def test_vault_sealed_takes_what_hangs_on_it_and_leaves_the_rest() -> None:
    client.apply_scenario(["vault-sealed"])
    async with on_sandbox(size=(120, 50)) as app:
        await app.see("✗ fail    vault", "- skipped redis", "✓ ok      bucket", "✗ fail  Vault is sealed")
        await app.see("Cache manager  ", "prod-cluster / ")
        await app.press("2")
        await app.see("? L2:", "8/8")
        await app.press("3")
        await app.see("5 folders, 40 objects")


async def test_a_flushed_redis_needs_attention() -> None:
    client.apply_scenario(["redis-flushed"])
    async with on_sandbox(size=(120, 40)) as app:
        await app.see("L2 is empty: the app has no group to offer", "→ reload-the-groups")


async def test_the_wrong_cluster_is_refused_and_the_right_one_is_named() -> None:
    client.apply_scenario(["wrong-cluster"])
    async with on_sandbox(size=(120, 40)) as app:
        await app.see("✗ not in prod-cluster, as configured", "The CronJob is in rp006-prod, not in prod-cluster")
        await app.press("4", "b")
        await app.see("✗ refused", "prod-cluster")


async def test_read_only_refuses_a_rebuild_on_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_READ_ONLY", "1")
    before = len(Journal().operations())
    async with on_sandbox(size=(120, 40)) as app:
        await app.see("READ-ONLY")
        await app.press("4", "b")
        await app.see("✗ refused", "is read-only here", "Below is what it would do", "→ create a Job from CronJob")
    assert len(Journal().operations()) == before
