"""Home: health as it comes in, the layers, the cache manager, and what needs attention."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from textual.widgets import OptionList
from tui_driving import Driver, driven
from tui_snapshots import Still, still  # noqa: F401 - a fixture
from tui_stand_ins import BROKEN, HOPS, NAMES, World, finding

from toolkit.actions.journal import Operation
from toolkit.checks.finding import Finding, Status
from toolkit.secret import Secret
from toolkit.tui.core import Manager


def copied(app: Driver) -> str:
    return app.app.clipboard


async def focus(app: Driver, which: str) -> OptionList:
    """Tab to that list."""
    wanted = app.app.screen.query_one(which, OptionList)
    for _ in range(6):
        if app.app.focused is wanted:
            break
        await app.press("tab")
    assert app.app.focused is wanted
    return wanted


def _manager(**cronjob: Any) -> Callable[[Manager], Manager]:
    return lambda manager: replace(manager, cronjob=replace(manager.cronjob, **cronjob))


def _running(minutes: int) -> Callable[[Manager], Manager]:
    def change(manager: Manager) -> Manager:
        began = datetime.now(UTC) - timedelta(minutes=minutes, seconds=5)
        job = replace(manager.jobs[0], state="running", reason="", created=began, started=began, finished=None)
        return replace(manager, jobs=(job, *manager.jobs[1:]))

    return change


async def test_every_hop_is_named_and_judged_in_words_and_signs() -> None:
    world = World()
    world.findings["vault"] = finding("vault", Status.WARN, "standby")
    world.findings["tcp"] = finding("tcp", Status.FAIL, "The proxy does not answer.", "Is your VPN up?")
    world.findings["redis"] = finding("redis", Status.SKIPPED, "not asked: it needs tcp")
    world.findings["groups"] = finding("groups", Status.UNKNOWN, "no answer")
    async with driven(world=world, size=(120, 40)) as app:
        await app.see(
            "✓ ok      configuration", "! warn    vault", "✗ fail    tcp", "- skipped redis", "? unknown groups"
        )
        await app.see("✗ fail  tcp (and 1 more hop after it): The proxy does not answer.", "→ connect-to-redis")
        await app.see("! warn  vault: standby", "Health ✗ 2 broken", "Needs attention 2")
        await app.see("next     Is your VPN up?")  # the first broken hop is in focus, and said in full


async def test_hops_appear_one_after_the_other_while_one_still_hangs() -> None:
    world = World()
    world.hanging.add("hop bucket")
    async with driven(world=world, size=(120, 40)) as app:
        await app.see("✓ ok      groups", "· …       bucket", "asking …", "looking … at health")
        assert "nothing needs you" not in app.text
        world.release.set()
        await app.see("✓ ok      bucket", "✓ ok  nothing needs you; journal, health, layers, L1, cache manager, image")
        await app.see("looked at within the last")


async def test_details_of_a_hop_open_copy_and_close() -> None:
    async with driven() as app:
        await app.see("✓ ok      vault", "nothing needs you")
        await focus(app, "FindingList")
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
        await app.see("Cache manager  down", ", again in ", "✗ cannot be reached", "nc -vz 10.20.30.40 6379")
        await app.see("Is your VPN")
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
        assert "refused" in copied(app)
        assert secret.reveal() not in copied(app)
        await app.press("v")
        await app.see("evidence")
        for text in (app.text, copied(app)):
            assert secret.reveal() not in text
        await app.press("y")
        assert secret.reveal() not in copied(app)


async def test_an_interrupted_change_needs_attention() -> None:
    world = World()
    world.operations = [_operation("interrupted")]
    async with driven(world=world) as app:
        await app.see("! warn  groups flush in rp006 was interrupted", "→ journal")
        await app.press("enter")
        await app.see("7 Journal", "groups flush")


async def test_layers_that_disagree_need_attention() -> None:
    world = World()
    world.in_l2 = 0
    world.in_l3 = {NAMES[2]: 5}
    facts = {
        "usual": 3, "expected": 8, "index": [], "l2_empty": True, "l2_short": {}, "l3_groups": list(NAMES),
        "l3_short": {NAMES[2]: 5},
    }  # fmt: skip
    world.findings["groups-complete"] = Finding("groups-complete", Status.FAIL, "Redis is empty", facts=facts)
    world.findings["rebuild-running"] = Finding("rebuild-running", Status.OK, "none", facts={"running": []})
    async with driven(world=world, size=(120, 40)) as app:
        await app.see("✗ fail  L2 is empty: the app has no group to offer", "→ reload-the-groups")
        await app.see(f"✗ fail  Half written: 5 of 8 frames in the bucket of {NAMES[2]}", "→ rebuild-failed")
        await app.see("5/8!", "! L3 short", f"{NAMES[2]}: L3 short: 5 of 8 frames are in the bucket: its")


async def test_leaving_the_screen_waits_for_nothing_and_coming_back_later_asks_anew() -> None:
    world = World()
    world.hanging.add("overview")
    async with driven(world=world) as app:
        await app.until(lambda: world.asked.count("overview") == 1)
        layers: Any = app.app.screen.query_one("#layers")
        await app.press("7")
        await app.see("Journal")
        world.hanging.clear()
        layers._asked_at -= 10
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
        await app.until(lambda: app.world.asked.count("image") == 1)
        await app.press("r")
        await app.until(lambda: app.world.asked.count("image") == 2)
        await app.until(
            lambda: all(app.world.asked.count(what) == 2 for what in ("overview", "hop_names", "unfinished"))
        )
        await app.until(lambda: app.world.asked.count(f"hop {HOPS[-1]}") == 2)


async def test_layers_say_l1_age_size_perts_and_what_disagrees() -> None:
    world = World(stale_pods=1)
    async with driven(world=world) as app:
        await app.see("L1   L2  L3   age  size  perts disagrees")
        await app.see(f"★ {NAMES[0]} 3/4! 8/8 8/8   9h 2.1GB 17,204 ! L1 old")
        await app.see(f"  {NAMES[1]} -    8/8 8/8   7d 2.1GB 16,893 ✓", f"{NAMES[3]} -    -   8/8 ~21d 2.1GB")
        await app.see("L1 old: 1 of 4 pods loaded the one before it: users see that until a restart")
        world.stale_pods = 0
        await app.press("r")
        await app.see(f"★ {NAMES[0]} 4/4 8/8 8/8")
        await focus(app, "LayerList")
        await app.press("down", "down", "down")
        await app.see("in L3 but not in L2: the app will not offer it")


async def test_perts_are_counted_in_the_background_and_hold_nothing_up() -> None:
    world = World(hanging={"perts 1"})
    async with driven(world=world) as app:
        await app.see("17,204", "Layers  counting perts 1/5", "nothing needs you")
        await app.see("2.1GB      … ✓")
        world.release.set()
        await app.see("16,893", "15,960", "Layers  just now")


async def test_pods_that_cannot_be_asked_cost_the_layers_one_column() -> None:
    world = World(hanging={"memory"})
    async with driven(world=world) as app:
        await app.see(f"★ {NAMES[0]} …  8/8 8/8", "looking … at L1")
        world.release.set()
        await app.see(f"★ {NAMES[0]} 4/4 8/8 8/8", "nothing needs you")


async def test_enter_on_a_group_shows_it_on_its_page() -> None:
    async with driven() as app:
        await app.see(NAMES[2], "nothing needs you")
        await focus(app, "LayerList")
        await app.press("down", "down", "enter")
        await app.see("2 Groups", "number 3 of the dropdown")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_forty_groups_scroll_and_leave_the_other_panels_their_room(size: tuple[int, int]) -> None:
    world = World(groups=[f"rp006_2025w{week:02}_prox_bias_reduced" for week in range(40, 0, -1)])
    async with driven(world=world, size=size) as app:
        await app.see("★ rp006_2025w40", "rp006_2025w37", "✗ 4m", "✓ ok      vault", "in    prod-cluster / phenoapp")
        await focus(app, "LayerList")
        await app.press("end")
        await app.see("rp006_2025w01")


async def test_a_run_that_goes_on_is_measured_against_the_usual_one() -> None:
    world = World(change=_running(29), says="12:00:01 INFO Wrote frame 7 of 24 to Redis")
    async with driven(world=world) as app:
        await app.see("now   ● running 29m of about 1h", "█", "%", "says  12:00:01 INFO Wrote frame 7 of 24", "● 29m")
        panel = app.app.screen.query_one("#manager")
        assert panel.every == 10  # type: ignore[attr-defined]
        world.change = _running(95)
        await app.press("r")
        await app.see("● running 1h 35m, usually 1h: overdue")


async def test_a_suspended_cache_manager_says_so() -> None:
    world = World(change=lambda manager: replace(_manager(suspended=True)(manager), next_run=None))
    world.findings["cache-manager-place"] = Finding(
        "cache-manager-place", Status.WARN, "x is in prod-cluster, but suspended", "Ask why.",
        facts={"in_place": True, "suspended": True},
    )  # fmt: skip
    async with driven(world=world) as app:
        await app.see("next  ! suspended: no run starts by itself", "! warn  Suspended: the cache manager starts")


async def test_a_cache_manager_that_never_ran_says_so() -> None:
    async with driven(world=World(change=lambda manager: replace(manager, jobs=()))) as app:
        await app.see("runs  no run kept: the cluster has forgotten")
        assert "last  " not in app.text


async def test_the_next_run_counts_down_in_both_zones() -> None:
    async with driven() as app:
        await app.see("next  in 3d ", " UTC", "= ", " M")
        before = re.search(r"in 3d \d\d:\d\d:\d\d", app.text)
        assert before
        await app.until(lambda: before.group() not in app.text, "a tick")
        after = re.search(r"in 3d \d\d:\d\d:\d\d", app.text)
        assert after
        assert after.group() < before.group()


async def test_a_cronjob_in_another_cluster_is_shown_where_it_is() -> None:
    world = World(place="rp006-prod")
    facts = {
        "in_place": False, "configured": {"cluster": "rp006-prod", "namespace": "a"},
        "found": {"cluster": "prod-cluster", "namespace": "a"}, "unasked": [], "suspended": False,
    }  # fmt: skip
    world.findings["cache-manager-place"] = Finding("cache-manager-place", Status.FAIL, "elsewhere", facts=facts)
    async with driven(world=world, size=(120, 40)) as app:
        await app.see("in    prod-cluster / phenoapp", "✗ not in rp006-prod, as configured")
        await app.see("✗ fail  The CronJob is in prod-cluster, not in rp006-prod as configured", "→ reload-the-groups")


async def test_a_failed_run_comes_first_and_v_shows_its_evidence() -> None:
    world = World()
    run = {
        "job": "x", "state": "failed", "reason": "BackoffLimitExceeded", "pod_reason": "", "log": True,
        "exception": "MemoryError: 24 GB", "finished": None, "manual": False,
    }  # fmt: skip
    failed = Finding("last-rebuild", Status.FAIL, "x failed", evidence=("MemoryError: [red]24 GB",),
         by_hand=("kubectl logs",), facts=run)  # fmt: skip
    world.findings |= {"last-rebuild": failed, "vault-token": finding("vault-token", Status.WARN, "expires in 9 min")}
    world.operations = [_operation("interrupted")]
    async with driven(world=world) as app:
        await app.see("Needs attention 3", "! warn  vault-token: expires in 9 min", "was interrupted")
        first = next(line for line in app.text.splitlines() if "fail" in line or "warn" in line)
        assert "✗ fail  The last rebuild failed: MemoryError: 24 GB" in first
        assert "→ rebuild-faile" in first
        await app.press("v")
        await app.see("runbook  rebuild-failed", "evidence MemoryError: [red]24 GB", "by hand  kubectl logs")
        await app.press("y")
        assert "kubectl logs" in copied(app)


LOOKS = ((80, 24), (120, 40), (200, 60))


async def test_how_a_bad_day_looks(still: Still) -> None:  # noqa: F811
    world = World(stale_pods=2, says="12:29:58 INFO Wrote frame 7 of 24 to Redis", in_l3={NAMES[1]: 5})
    world.change = _running(30)
    pods = {
        "deployment": "dash-phenoapp-v2", "stale": ["a", "b"], "told": True, "pods": 4,
        "rebuilt": "2025-11-21T13:27:00Z",
    }  # fmt: skip
    image = {
        "match": "drifted", "wanted": ["r/cache-manager:v3.42.0"], "running": ["r/cache-manager:v3.41.2"],
        "since": None, "sync": "OutOfSync",
    }  # fmt: skip
    world.findings |= {
        "app-pods": Finding("app-pods", Status.FAIL, "2 of 4 pods of dash-phenoapp-v2 are stale", "Restart them.",
                            evidence=("a is ready",), by_hand=("kubectl get pods",), facts=pods),
        "image": Finding("image", Status.FAIL, "drifted", "Sync it in Argo CD by hand.", facts=image),
        "vault-token": finding("vault-token", Status.WARN, "oidc-anna from VAULT_TOKEN, expires in 9 min"),
        "bucket": finding("bucket", Status.FAIL, "gs://rp006-l3-cache does not answer.", "Is the VPN up?"),
    }  # fmt: skip
    async with still.driven(world=world) as app:
        await app.see("Needs attention 4", "43m left", "15,960", "says")
        await app.until(lambda: "image" in app.world.asked and "asking" not in app.text)
        await still.looks(app, "home-bad-day", sizes=LOOKS)


def _operation(result: str, **changes: Any) -> Operation:
    operation = Operation(
        operation="3fa9c01b77de", started=datetime(2025, 11, 20, 8, tzinfo=UTC), ended=None, who="anna@desk",
        environment="rp006", action="groups flush", title="Empty Redis", plan="00ff", result=result, summary="",
        undo=(), left=(),
    )  # fmt: skip
    return replace(operation, **changes)
