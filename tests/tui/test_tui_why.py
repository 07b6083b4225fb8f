"""Why? in the terminal app: findings as they come, causes with their evidence, what mends them one key away."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_tui_sandbox import _healthy, on_sandbox, world_home  # noqa: F401 - fixtures
from tui_diagnosis import diagnosis
from tui_driving import driven
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import BROKEN, NAMES, World

from toolkit.actions.journal import Journal
from toolkit.sandbox import client
from toolkit.tui.screens.walk import WalkPage


async def test_a_group_is_asked_about_where_it_is_looked_at() -> None:
    async with driven(world=World(diagnosis=diagnosis("redis-flushed"))) as app:
        await app.press("2")
        await app.see("number 1 of the dropdown")
        await app.press("w")
        await app.see(f"Why is {NAMES[0]} missing?", "✗ redis-flushed 95%", "The cause, with its evidence")
        await app.see("toolkit cache rebuild --env rp006", "m Mend", "b Runbook", "2 Groups › why")
        await app.press("escape")
        await app.see("number 1 of the dropdown")


async def test_a_pert_is_asked_about_from_its_own_page() -> None:
    async with driven() as app:
        await app.press("slash")
        await app.see("names shown")
        await app.type("BRCA1")
        await app.see("in rp006")
        await app.press("enter")
        await app.see("Where BRCA1 is")
        await app.press("W")
        await app.see("Why is BRCA1 missing?", "✓ healthy")


async def test_what_is_asked_is_filled_in_and_with_nothing_is_anything_wrong() -> None:
    async with driven() as app:
        await app.see("nothing needs you")
        await app.press("w")
        await app.see("Fill in what you know", "enter Ask")
        assert not [name for name in app.world.asked if name.startswith("why")]
        await app.press("enter")
        await app.see("Is anything wrong?", "No cause: everything could be told")
        await app.press("c")
        await app.type("TP53")
        await app.press("tab", "tab")
        await app.type("ana")
        await app.press("tab", "space")
        await app.see("map ✓ odd")
        await app.press("enter")
        await app.see("Why is TP53 missing?")
        assert "why TP53//ana/True" in app.world.asked


async def test_findings_come_while_another_hangs_and_nothing_is_offered_before_all_are_there() -> None:
    world = World(diagnosis=diagnosis("redis-flushed"), hanging={"why vectors-healthy"})
    async with driven(world=world) as app:
        await app.see("nothing needs you")
        await app.press("w", "enter")
        await app.see("✗ redis-flushed 95%", "suspected so far", "11 of 12")
        assert "m Mend" not in app.text
        await app.press("m")
        assert "Type" not in app.text
        world.release.set()
        await app.see("The cause, with its evidence", "m Mend")


async def test_a_check_that_has_no_answer_is_said_and_not_guessed() -> None:
    async with driven(world=World(diagnosis=diagnosis("vault-down")), size=(120, 40)) as app:
        await app.see("nothing needs you")
        await app.press("w", "enter")
        await app.see("? could not tell", "vault-sealed (vault has no answer)")
        assert "✓ healthy" not in app.text


async def test_a_diagnosis_that_cannot_begin_is_a_panel_with_its_next_step() -> None:
    async with driven(world=World(broken={"why //": BROKEN})) as app:
        await app.see("nothing needs you")
        await app.press("w", "enter")
        await app.see("✗ cannot be reached", "Is your VPN up?")
        app.world.broken.clear()
        await app.press("r")
        await app.see("No cause: everything could be told")


async def test_enter_shows_the_evidence_and_the_commands_by_hand() -> None:
    async with driven(world=World(diagnosis=diagnosis("redis-flushed"))) as app:
        await app.see("nothing needs you")
        await app.press("w", "enter")
        await app.see("The cause, with its evidence")
        await app.press("enter")
        await app.see("by hand", "look --at groups-complete", "found    rebuild-running")
        await app.press("escape", "tab", "enter")
        await app.see("esc Close", "took", "look --at recent-changes")


async def test_on_the_sandbox_it_finds_the_cause_and_the_gate_mends_it() -> None:
    client.apply_scenario(["redis-flushed"])
    async with on_sandbox() as app:
        await app.see("L2 is empty")
        await app.press("w")
        await app.see("Fill in what you know")
        await app.type("BRCA1")
        await app.press("enter")
        await app.see("Why is BRCA1 missing?", "✗ redis-flushed 95%", "m Mend")
        await app.press("m")
        await app.see("Type 'prod-cluster'")
        await app.answer("prod-cluster")
        await app.see("✓ done")
        await app.press("escape")
        await app.see("✗ l1-stale")  # it asked again by itself
        assert "✗ redis-flushed" not in app.text
    assert Journal().operations()[-1].action == "cache.rebuild"


async def test_the_runbook_of_a_cause_begins_with_what_was_asked(tmp_path: Path) -> None:
    client.apply_scenario(["pert-misspelled"])
    async with on_sandbox(size=(120, 40)) as app:
        await app.see("nothing needs you")
        await app.press("w")
        await app.see("Fill in what you know")
        await app.type("BRAC1")
        await app.press("enter")
        await app.see("✗ pert-misspelled", "b Runbook")
        await app.press("b")
        await app.until(lambda: isinstance(app.app.screen, WalkPage), "the walk")
        walk = app.app.screen
        assert isinstance(walk, WalkPage)
        await app.until(lambda: walk.walking.items, "a finding")
        assert walk.walking.case.runbook == "why-is-a-pert-missing"
        await app.until(lambda: "BRAC1" in app.text, "the pert, without being asked for it")
        await app.press("escape")
        await app.see("✗ pert-misspelled")


@pytest.mark.parametrize("case", ["redis-flushed", ""])
async def test_how_why_looks(still: Still, case: str) -> None:
    world = World(diagnosis=diagnosis(case) if case else {})
    async with still.driven(world=world) as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("w")
        await app.see("Fill in what you know")
        await app.type("BRCA1")
        await app.press("enter")
        await app.see("ruled out", "with its evidence" if case else "No cause")
        await still.looks(app, f"why-{case or 'healthy'}")
