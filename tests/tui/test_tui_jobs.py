"""The jobs page: what runs, in which cluster, and what one does with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from test_tui_sandbox import _healthy, on_sandbox, world_home  # noqa: F401 - fixtures
from tui_driving import driven
from tui_snapshots import SIZES, THEMES, Still, still  # noqa: F401 - a fixture
from tui_stand_ins import APP_PODS, NOW, World

from toolkit.errors import Unreachable
from toolkit.sandbox import client
from toolkit.systems.cluster.events import ObjectEvent

DOWN = Unreachable(
    "Cluster rp006-prod (context rp006-prod) cannot be reached at https://10.0.0.3: connection refused.",
    hint="The way in is Pomerium; is your VPN up?",
    by_hand=("kubectl --context rp006-prod version",),
)
CRONJOB = "rp006-neuro-cache-manager-rxrx-cronjob"


def event(kind: str, name: str, reason: str, message: str, minutes: int, **changes: Any) -> ObjectEvent:
    at = NOW - timedelta(minutes=minutes)
    return ObjectEvent(kind, name, changes.get("warning", False), reason, message, changes.get("count", 1),
                       at - timedelta(minutes=changes.get("spread", 0)), at, "job-controller")  # fmt: skip


async def test_every_row_says_its_cluster_and_the_one_in_focus_is_told_in_both_zones() -> None:
    async with driven(size=(120, 40)) as app:
        await app.press("4")
        await app.see("Jobs  14", f"○ waiting  {CRONJOB}", "in       prod-cluster/phenoapp  (cache manager)")
        rows = [line for line in app.text.splitlines() if line.startswith(("  ○", "  ✓", "  ✗", "  ●"))]
        assert len(rows) == 14
        assert all(("prod-cluster" in row or "rp006-prod" in row) and "phenoapp" in row for row in rows)
        await app.see("UTC, ", " MST, in ", "last     ✓ complete, by schedule, 3d ago, took 57m", "kubectl --context")
        await app.press("down", "down", "down", "down")
        await app.see("why      BackoffLimitExceeded: Job has reached the specified backoff limit", "took 4m")


async def test_the_filter_and_the_kinds_narrow_the_list() -> None:
    async with driven() as app:
        await app.press("4")
        await app.see("Jobs  14")
        await app.press("ctrl+f")
        await app.type("failed 29372")
        await app.see("2 of 14 shown", "✗ failed", "…-29372 ", "…-29372-x7k2p")
        await app.press("enter")
        await app.press("s")
        await app.see("cronjobs, 0 of 14 shown", "No row fits")
        await app.press("ctrl+f", "escape", "s", "s")
        await app.see("pods, 7 of 14 shown")
        await app.press("s")
        await app.see("Nothing is in trouble.")


async def test_a_pod_that_crashes_is_trouble_and_says_why() -> None:
    world = World(app_reason="CrashLoopBackOff")
    async with driven(world=world) as app:
        await app.press("4")
        await app.see("✗ CrashLoopBackOff", "1 in trouble")
        await app.press("s", "s", "s", "s")
        await app.see("trouble, 1 of 14 shown", "restarts app 7 times, its run before ended with OOMKilled")


async def test_a_cluster_that_is_down_takes_its_rows_alone_and_comes_back() -> None:
    async with driven(size=(120, 40)) as app:
        await app.press("4")
        await app.see("● running")
        app.world.broken["workloads rp006-prod"] = DOWN
        await app.press("r")
        await app.see("✗ down", "1 down", "? running", "✓ complete", "○ waiting")
        await app.press("home")
        await app.see("connection refused", "is your VPN up?", "kubectl --context rp006-prod version", "r tries again")
        await app.press("Y")
        await app.see("This cluster is down")
        del app.world.broken["workloads rp006-prod"]
        await app.press("r")
        await app.gone("? running")
        await app.see("● running", "Jobs  14  ")


async def test_a_cluster_that_hangs_does_not_hold_up_the_others() -> None:
    world = World()
    world.hanging.add("workloads rp006-prod")
    async with driven(world=world) as app:
        await app.press("4")
        await app.see("asking …", "✓ complete")
        world.release.set()
        await app.see("● running", "dash-pheno")


async def test_the_details_compare_what_runs_with_what_should() -> None:
    async with driven(size=(120, 50)) as app:
        await app.press("4")
        await app.see("Jobs  14")
        await app.press("enter")
        await app.see(
            "this runs phenoapp/cache-manager:2025.11.3, eng-infrastructure asks for", "cache-manager:2025.11.4"
        )
        await app.see("! differs", "Fri 2025-11-21 09:12 UTC", "argocd app sync", "✓ elsewhere", "! image")
        await app.press("escape", "ctrl+f")
        await app.type("abcde")
        await app.press("enter", "enter")
        await app.see("L1: what the app's pods hold", "started after the last rebuild")


async def test_events_the_newest_first_and_yaml_to_copy() -> None:
    job = f"{CRONJOB}-29370"
    world = World()
    world.events = [
        event("Job", job, "BackoffLimitExceeded", "Job has reached the specified backoff limit", 1, warning=True),
        event("Pod", f"{job}-x7k", "BackOff", "Back-off restarting\x1b[31m", 3, warning=True, count=4, spread=2),
    ]
    async with driven(world=world, size=(120, 40)) as app:
        await app.press("4")
        await app.see("Jobs  14")
        await app.press("down", "down", "v")
        await app.see("! warning", "BackoffLimitExceeded", "(4 times in 2m)", f"pod {job}-x7k: Back-off")
        assert app.text.index("BackoffLimitExceeded") < app.text.index("(4 times in 2m)")
        await app.see("kubectl --context prod-cluster -n phenoapp events", "--for=job/")
        assert "\x1b" not in app.text
        await app.press("escape", "Y")
        await app.see("kind: job", "apiVersion: batch/v1", "-o yaml")
        await app.press("y")
        await app.until(lambda: f"  name: {job}\n" in app.app.clipboard + "\n", "the YAML")


async def test_another_cronjob_is_not_started_from_here_but_it_is_said_how() -> None:
    async with driven(size=(120, 40)) as app:
        await app.press("4")
        await app.see("side-panel-go-terms")
        await app.press("down", "b")
        await app.see("Only the cache manager is started from here", "--from=cronjob/side-panel-go-terms")
        assert app.world.action is None
        await app.press("up", "b")
        await app.see("Type 'prod-cluster'")


@pytest.mark.parametrize(("typed", "seen"), [("cronjob-29372", "✗ failed  rp006-neuro"), ("fghij", APP_PODS[1])])
async def test_a_jump_points_at_the_row_whatever_was_filtered(typed: str, seen: str) -> None:
    async with driven() as app:
        await app.press("4")
        await app.see("Jobs  14")
        await app.press("s")
        await app.see("cronjobs, 2 of 14")
        await app.press("slash")
        await app.until(lambda: "asking for" not in app.text and "shown" in app.text, "every source")
        await app.type(typed)
        await app.until(lambda: typed in app.text.splitlines()[5].lower(), "a hit on top")
        await app.press("enter")
        await app.see("Jobs  14", seen)


async def test_a_copied_row_has_the_name_in_full() -> None:
    async with driven() as app:
        await app.press("4")
        await app.see("Jobs  14")
        await app.press("down", "down", "y")
        await app.until(lambda: f"{CRONJOB}-29370" in app.app.clipboard and "prod-cluster" in app.app.clipboard)


async def test_triggered_through_the_gate_then_followed_with_its_events_on_the_sandbox() -> None:
    async with on_sandbox(size=(120, 45)) as app:
        await app.see("Needs attention")
        await app.press("4")
        await app.see("○ waiting", CRONJOB, "● running", "rp006-prod", "…-manual-", "✗ failed")
        await app.press("b")
        await app.see("Type 'prod-cluster' to carry this out:")
        await app.answer("prod-cluster")
        await app.see("✓ done  Job rp006-neuro-cache-manager")
        await app.press("escape")
        await app.see("last     ✓ complete, by hand")
        await app.press("down", "v")
        await app.see("SuccessfulCreate", "Created pod: ", "Completed", "Started container cache-manager", "Scheduled")
        await app.press("escape", "Y")
        await app.see("kind: Job", "cronjob.kubernetes.io/instantiate: manual")
        await app.press("escape", "f")
        await app.see("5 Logs", "pods:prod-cluster/rp006-neuro/job-name=", "Done: 3 groups in Redis")


async def test_a_failed_run_and_its_events_on_the_sandbox() -> None:
    client.apply_scenario(["rebuild-failed"])
    async with on_sandbox(size=(120, 45)) as app:
        await app.see("Needs attention")
        await app.press("4")
        await app.see("in trouble", "✗ failed", "last     ✗ failed")
        await app.press("down", "v")
        await app.see("BackoffLimitExceeded", "Job has reached the specified backoff limit")


async def test_a_cronjob_in_another_cluster_is_listed_there_and_it_is_said_on_the_sandbox() -> None:
    client.apply_scenario(["wrong-cluster"])
    async with on_sandbox(size=(120, 45)) as app:
        await app.see("Needs attention")
        await app.press("4")
        await app.see("cronjob  rp006-neuro-cache-manager", "where it is configured")


async def test_how_the_jobs_look(still: Still) -> None:  # noqa: F811
    world = World(app_reason="CrashLoopBackOff")
    async with still.driven(world=world) as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("4")
        await app.see("Jobs  14, 1 in trouble")
        await still.looks(app, "jobs", themes=THEMES[:1])
        await still.looks(app, "jobs-themes", sizes=SIZES[:1], themes=THEMES[1:])


async def test_how_a_cluster_that_is_down_looks(still: Still) -> None:  # noqa: F811
    async with still.driven() as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("4")
        await app.see("Jobs  14")
        app.world.broken["workloads rp006-prod"] = DOWN
        await app.press("r")
        await app.see("1 down")
        await app.press("home")
        await app.see("connection refused")
        await still.looks(app, "jobs-down", themes=THEMES[:1], sizes=SIZES[:2])
