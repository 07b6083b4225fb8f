"""Home: health as it comes in, the layers, the cache manager, and what needs attention."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tui_driving import Driver, driven
from tui_stand_ins import BROKEN, HOPS, NAMES, World, finding

from toolkit.actions.journal import Operation
from toolkit.checks.finding import Status
from toolkit.secret import Secret


def copied(app: Driver) -> str:
    return app.app.clipboard


async def test_every_hop_is_named_and_judged_in_words_and_signs() -> None:
    world = World()
    world.findings["vault"] = finding("vault", Status.WARN, "standby")
    world.findings["tcp"] = finding("tcp", Status.FAIL, "The proxy does not answer.", "Is your VPN up?")
    world.findings["redis"] = finding("redis", Status.SKIPPED, "not asked: it needs tcp")
    world.findings["groups"] = finding("groups", Status.UNKNOWN, "no answer")
    async with driven(world=world, size=(100, 31)) as app:
        await app.see(
            "✓ ok      configuration", "! warn    vault", "✗ fail    tcp", "- skipped redis", "? unknown groups"
        )
        await app.see("✗ fail  first broken hop: tcp (and 1 more hop after it): The proxy does not answer.")
        await app.see("next Is your VPN up?")  # the first broken hop is in focus, and said in full


async def test_hops_appear_one_after_the_other_while_one_still_hangs() -> None:
    world = World()
    world.hanging.add("hop bucket")
    async with driven(world=world) as app:
        await app.see("✓ ok      groups", "· …       bucket", "Health  asking …")
        assert "nothing needs you" not in app.text
        world.release.set()
        await app.see("✓ ok      bucket", "nothing needs you")


async def test_details_of_a_hop_open_copy_and_close() -> None:
    async with driven() as app:
        await app.see("✓ ok      rebuild-permissions")
        await app.press("down", "enter")
        await app.see("by hand", "look --at vault", "took     0.12 s")
        await app.press("y")
        assert "look --at vault" in copied(app)
        await app.press("escape")
        await app.gone("by hand")
        await app.press("y")
        assert copied(app).startswith("vault: ok: vault is as it should be")


async def test_a_system_that_is_down_takes_only_its_panel() -> None:
    world = World()
    world.broken["cache_manager"] = BROKEN
    async with driven(world=world, size=(120, 40)) as app:
        await app.see("Cache manager  down", "✗ cannot be reached", "nc -vz 10.20.30.40 6379", "Is your VPN")
        await app.see("✗ fail  cache manager: The Redis proxy does not answer")
        await app.see(f"★ {NAMES[0]}", "r tries again")
        app.app.screen.query_one("#manager ProblemView").focus()
        await app.press("y")
        await app.until(lambda: "nc -vz 10.20.30.40 6379" in copied(app))
        world.broken.clear()
        await app.press("r")
        await app.see("✓ complete 2d 23h ago, took 57m")
        await app.gone("cannot be reached")


async def test_an_exception_of_an_sdk_is_shown_and_the_app_goes_on() -> None:
    world = World()
    world.broken["overview"] = ValueError("[bold]unexpected[/] answer")
    async with driven(world=world, size=(160, 40)) as app:
        await app.see("A bug in the toolkit: ValueError: [bold]unexpected[/] answer", "The report is in")
        await app.press("2")
        await app.see("2 Groups", "A bug in the toolkit")
        await app.press("1")
        await app.see("✗ fail  layers: A bug in the toolkit", "✓ complete 2d 23h ago")


async def test_no_secret_is_shown_or_copied() -> None:
    secret = Secret("hvs.CAESIJ-very-secret")
    world = World()
    told = finding("vault-token", Status.FAIL, f"refused {secret.reveal()}", f"try {secret.reveal()}")
    world.findings["vault-token"] = replace(told, evidence=(f"it was {secret.reveal()}",))
    world.broken["overview"] = type(BROKEN)(f"no answer to {secret.reveal()}", hint=f"not {secret.reveal()}")
    async with driven(world=world, size=(120, 50)) as app:
        await app.see("✗ fail    vault-token", "Layers  down", "refused ••••••")
        await app.press("y")
        await app.press("enter")
        await app.see("evidence")
        for text in (app.text, copied(app)):
            assert secret.reveal() not in text
        await app.press("y")
        assert secret.reveal() not in copied(app)


async def test_an_interrupted_change_needs_attention() -> None:
    world = World()
    world.operations = [_operation("interrupted")]
    async with driven(world=world) as app:
        await app.see("! warn  groups flush in rp006 was interrupted")


async def test_layers_that_disagree_need_attention() -> None:
    world = World()
    world.in_l2 = 0
    world.in_l3 = {NAMES[2]: 5}
    async with driven(world=world, size=(120, 40)) as app:
        await app.see("L2 is empty: MapApp has no group to show. A rebuild fills it (b).")
        await app.see(f"{NAMES[2]}: incomplete in the bucket: 5 of 8 frames", "5/8!")


async def test_leaving_the_screen_waits_for_nothing_and_coming_back_asks_anew() -> None:
    world = World()
    world.hanging.add("overview")
    async with driven(world=world) as app:
        await app.until(lambda: world.asked.count("overview") == 1)
        await app.press("7")
        await app.see("Journal")
        world.hanging.clear()
        await app.press("1")
        await app.see(f"★ {NAMES[0]}")
        assert world.asked.count("overview") == 2


async def test_figures_say_how_old_they_are() -> None:
    async with driven() as app:
        await app.see("Layers  just now")
        panel = app.app.screen.query_one("#layers")
        panel._answered_at -= 75  # type: ignore[attr-defined]
        await app.until(lambda: re.search(r"Layers  1m 1\d s|Layers  1m 1\ds ago", app.text), "an age")


async def test_r_asks_for_everything_anew() -> None:
    async with driven() as app:
        await app.see("nothing needs you", "Layers  just now")
        await app.press("r")
        await app.until(
            lambda: all(app.world.asked.count(what) == 2 for what in ("overview", "hop_names", "unfinished"))
        )
        await app.until(lambda: app.world.asked.count(f"hop {HOPS[-1]}") == 2)


def _operation(result: str, **changes: Any) -> Operation:
    operation = Operation(
        operation="3fa9c01b77de", started=datetime(2025, 11, 20, 8, tzinfo=UTC), ended=None, who="anna@desk",
        environment="rp006", action="groups flush", title="Empty Redis", plan="00ff", result=result, summary="",
        undo=(), left=(),
    )  # fmt: skip
    return replace(operation, **changes)
