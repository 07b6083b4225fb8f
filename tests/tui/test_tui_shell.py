"""The way about: crumbs and back, focus that stays, and logging in to Vault without leaving."""

from __future__ import annotations

from tui_driving import driven
from tui_stand_ins import NAMES, World, replace_struct

from toolkit.environments import model
from toolkit.errors import NotAllowed
from toolkit.tui.screens.login import Field
from toolkit.tui.widgets.table import Rows

EXPIRED = NotAllowed("The Vault token expired at 2025-11-24 08:00Z.", hint="Log in: `toolkit vault login`.")


async def test_back_leads_the_way_one_came_and_the_cursor_is_where_it_was() -> None:
    async with driven() as app:
        await app.press("2")
        await app.see("number 1 of the dropdown")
        await app.press("down", "down", "enter")
        await app.see(f"2 Groups › {NAMES[2]}", "Frames of")
        await app.press("3", "7")
        await app.see("7 Journal")
        await app.press("escape")
        await app.until(lambda: app.app.page == "bucket", "the bucket")
        await app.press("escape")
        await app.see(f"2 Groups › {NAMES[2]}")
        await app.press("escape")
        await app.gone("Frames of")
        rows = app.app.screen.query_one(Rows)
        assert rows.has_focus
        assert rows.cursor == 2
        await app.press("escape")
        await app.until(lambda: app.app.page == "home", "home")
        await app.press("escape")
        assert app.app.page == "home"


async def test_the_header_names_the_clusters_and_fits_on_80_columns() -> None:
    world = World()
    world.environment = replace_struct(world.environment, app=model.App(cluster="rp006-prod", namespace="phenoapp"))
    async with driven(world=world) as app:
        await app.see("rp006  PROTECTED  rp006-prod prod-cluster", "oidc-anna · vault 42m left")
        assert len(app.text.splitlines()[0]) <= 80
        await app.pilot.resize_terminal(120, 40)
        await app.see("RP006 (Roche: neuro, GI-onc)  rp006-prod prod-cluster")
        await app.pilot.resize_terminal(48, 24)
        await app.see("rp006  PROTECTED", "vault 42m left")


async def test_an_expired_token_is_mended_in_place() -> None:
    world = World(login_method="userpass", token_ttl=0)
    world.broken["overview"] = EXPIRED
    async with driven(world=world) as app:
        await app.see("vault EXPIRED (L logs in)", "L logs in here")
        await app.press("L")
        await app.see("Log in to Vault", "configured: userpass", "toolkit vault login --env rp006")
        await app.type("anna")
        await app.press("tab")
        await app.type("wrong")
        assert "wrong" not in app.text
        await app.press("enter")
        await app.see("says no", "Is the password right?")
        assert app.app.screen.query_one("#secret", Field).value == ""
        world.broken.clear()
        await app.type("correct horse")
        assert "correct" not in app.text
        await app.press("enter")
        await app.see("Logged in", "anna is good for 8h", "vault 7h 59m left", f"★ {NAMES[0]}")
        assert [user for user, _ in world.logins] == ["anna", "anna"]
        assert "correct horse" not in repr(world.logins)


async def test_a_token_is_pasted_and_the_way_can_be_changed() -> None:
    world = World()
    async with driven(world=world) as app:
        await app.see("nothing needs you")
        await app.press("L")
        await app.see("configured: oidc", "Vault token")
        await app.press("ctrl+t")
        await app.see("user name in Vault")
        await app.press("ctrl+t")
        await app.type("correct horse")
        await app.press("enter")
        await app.see("Logged in")
        assert world.logins[0][0] == ""


async def test_a_vault_that_hangs_lets_one_leave_the_login() -> None:
    world = World()
    world.hanging.add("log_in")
    async with driven(world=world) as app:
        await app.see("nothing needs you")
        await app.press("L")
        await app.type("correct horse")
        await app.press("enter")
        await app.see("● logging in …")
        await app.press("escape")
        await app.gone("Log in to Vault")
        await app.press("2")
        await app.see("number 1 of the dropdown")
