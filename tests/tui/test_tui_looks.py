"""What the shell's screens look like, in three sizes and three themes; kept in tests/tui/snapshots."""

from __future__ import annotations

from test_tui_events import world as with_events
from tui_snapshots import SIZES, THEMES, Still, still  # noqa: F401 - a fixture
from tui_stand_ins import BROKEN, HOPS, World


async def test_how_the_environments_look(still: Still) -> None:
    async with still.driven(None) as app:
        await app.press("down")
        await app.see("cache manager in  prod-cluster")
        await still.looks(app, "environments")


async def test_how_home_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see(f"✓ ok      {HOPS[-1]}", "nothing needs you", "vault 43m left")
        await still.looks(app, "home")


async def test_how_the_help_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("question_mark")
        await app.see("Help: keys")
        await still.looks(app, "help")


async def test_how_the_palette_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        for theme in THEMES:  # Textual draws it in the theme that it was opened in
            app.app.theme = theme
            await app.press("ctrl+p")
            await app.see("Search for commands", "Home: Details")
            await still.looks(app, f"palette-{theme}", themes=[theme], sizes=SIZES[:2])
            await app.press("escape")
            await app.gone("Search for commands")


async def test_how_the_gate_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("4", "b")
        await app.see("Type 'prod-cluster'")
        await still.looks(app, "gate")


async def test_how_the_jump_looks(still: Still) -> None:
    world = World()
    world.broken["pert_names"] = BROKEN
    async with still.driven(world=world) as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("slash")
        await app.see("✗ perts: The Redis proxy does not answer", "names shown")
        await app.type("w45")
        await still.looks(app, "jump")


async def test_how_the_login_looks(still: Still) -> None:
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("L")
        await app.see("Log in to Vault", "Any other way")
        await app.type("hvs.secret")
        await still.looks(app, "login")


async def test_how_the_events_look(still: Still) -> None:
    async with still.driven(world=with_events()) as app:
        await app.press("2", "v")
        await app.see("the last 3", "created_by", "vault 43m left")
        await still.looks(app, "events")
