"""BioHive's page: what ssh and a look around came to."""

from __future__ import annotations

import pytest
from tui_driving import driven
from tui_stand_ins import BROKEN, World, environment

from toolkit.environments.biohive import BioHive


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_key_shows_both_findings_and_what_to_type(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await app.press("S")
        await app.see("Home › BioHive" if "›" in app.text else "BioHive", "✓ ok", "! warn", "no toolkit there")
        await app.see("toolkit biohive install", "toolkit biohive run --", "toolkit biohive jupyter --env rp006")
        await app.press("enter")
        await app.see("esc Close", "look --at biohive-toolkit")
        await app.press("escape", "escape")
        await app.see("Health")


async def test_the_palette_leads_there() -> None:
    async with driven() as app:
        await app.press("ctrl+p")
        await app.type("biohive")
        await app.see("Does ssh get me into BioHive")
        await app.press("enter")
        await app.see("in as ana on bh-login001")


async def test_what_cannot_be_asked_is_said_in_its_place() -> None:
    async with driven(world=World(broken={"biohive": BROKEN})) as app:
        await app.press("S")
        await app.see("does not answer")
        app.world.broken.clear()
        await app.press("r")
        await app.see("in as ana on bh-login001")


async def test_where_there_is_none_nothing_is_offered_to_type() -> None:
    without = environment(biohive=BioHive(host=""))
    async with driven(world=World(environment=without)) as app:
        await app.press("S")
        await app.see("no toolkit there")
        assert "toolkit biohive run" not in app.text
