"""The auto-loader's page: both sides' settings, what differs, and what cannot be asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_tui_sandbox import _healthy, on_sandbox, world_home  # noqa: F401 - fixtures
from tui_driving import driven
from tui_stand_ins import BROKEN, World

from toolkit.sandbox import client


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_a_key_shows_both_sides_with_what_differs(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await app.press("A")
        await app.see("Auto-loader", "✗ fail", "configome lacks hit_rescaled", "Tell those who build the groups.")
        await app.see("✗ hit_rescaled  (production alone)", "configome: True", "toolkit loader plan --env rp006")
        await app.press("enter")
        await app.see("look --at loader-settings")
        await app.press("escape", "escape")
        await app.see("Health")


async def test_the_palette_leads_there() -> None:
    async with driven() as app:
        await app.press("ctrl+p")
        await app.type("auto-loader")
        await app.see("settings beside production")
        await app.press("enter")
        await app.see("configome lacks hit_rescaled")


async def test_what_cannot_be_asked_is_said_in_its_place() -> None:
    async with driven(world=World(broken={"loader": BROKEN})) as app:
        await app.press("A")
        await app.see("does not answer")
        app.world.broken.clear()
        await app.press("r")
        await app.see("configome lacks hit_rescaled")


async def test_on_the_sandbox_home_names_it_and_the_page_shows_the_lists(world_home: Path) -> None:  # noqa: F811
    client.apply_scenario(["transformation-missing"])
    async with on_sandbox(size=(120, 40)) as app:
        await app.see("loader-settings: configome lacks hit_rescaled")
        await app.press("A")
        await app.see("phenoservice API", "✗ hit_rescaled  (production alone)", "✓ ok      loader-groups")
