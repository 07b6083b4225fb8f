"""A change through the gate as a dialogue: the plan, the typed word, the log, the outcome, and every way out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tui_driving import Driver, driven
from tui_stand_ins import Rebuild, World, environment

from toolkit.actions.journal import Journal
from toolkit.actions.plan import Damage, Plan
from toolkit.errors import Refused, Unreachable
from toolkit.secret import Secret
from toolkit.tui.operation import KEPT_LINES


def made(**changes: Any) -> tuple[World, Rebuild]:
    world = World(environment=environment(**changes))
    world.action = Rebuild(world.environment)
    return world, world.action


async def to_the_question(app: Driver) -> None:
    await app.press("4")
    await app.see("rp006-neuro-cache-manager-rxrx-cronjob", "took 57m")
    await app.press("b")
    await app.see("Type 'prod-cluster' to carry this out:")


async def test_a_rebuild_from_the_plan_to_the_outcome() -> None:
    world, action = made()
    action.go.clear()
    async with driven(world=world, size=(120, 40)) as app:
        await to_the_question(app)
        await app.see(
            "Start rp006-neuro-cache-manager-rxrx-cronjob now",
            "cluster prod-cluster, namespace phenoapp",
            "→ replace the groups in Redis: 3 groups, 6.4 GB",
            "! image      warn: 2025.11.3, eng-infrastructure says 2025.11.4",
            "undo     none: the groups are built anew",
            "by hand  kubectl --context prod-cluster -n phenoapp create job",
            "PROTECTED",
        )
        assert not action.applied
        await app.type("prod-cluster")
        await app.press("enter")
        await app.see("● carrying it out", "✓ Created the Job", "● Waiting for its pod", "12 of 40 frames")
        await app.see("Wrote frame 29 of a group to Redis", "30 lines")
        action.go.set()
        await app.see(
            "✓ done  The Job completed after 3 s.", "✓ ok      groups in L2", "! warn    pods hold the old L1"
        )
        await app.see("undo     toolkit groups restore --from x", "journal  operation")
        await app.press("y")
        assert "toolkit groups restore --from x" in app.app.clipboard
        await app.press("escape", "7")
        await app.see("cache rebuild", "✓ done")
    assert [item.result for item in Journal().operations()] == ["done"]


async def test_what_was_shown_is_asked_for_anew_after_a_change() -> None:
    world, _ = made()
    async with driven(world=world) as app:
        await app.press("2")
        await app.see("rp006_2025w47")
        seen = world.asked.count("overview")
        await to_the_question(app)
        await app.answer("prod-cluster")
        await app.see("✓ done")
        await app.press("escape", "2")
        await app.until(lambda: world.asked.count("overview") > seen)


async def test_a_wrong_word_changes_nothing() -> None:
    world, action = made()
    async with driven(world=world) as app:
        await to_the_question(app)
        for wrong in ("prod", "PROD-CLUSTER", "y", ""):
            await app.answer(wrong)
            said = f"'{wrong}' is not 'prod-cluster'" if wrong else "Type 'prod-cluster' to agree"
            await app.see(f"{said}; nothing was changed")
        await app.press("escape")
        await app.see("Not confirmed; nothing was changed.")
        await app.until(lambda: app.app.operation is not None and app.app.operation.over)
    assert not action.applied
    assert not list(Journal().entries())


async def test_small_damage_is_a_y() -> None:
    world, action = made()
    plan = action.plan
    action.plan = lambda: replace(plan(), damage=Damage.SMALL)  # type: ignore[method-assign]
    async with driven(world=world) as app:
        await app.press("b") if app.app.page == "jobs" else await app.press("4", "b")
        await app.see("Carry this out? [y/N]")
        await app.press("n", "enter")
        await app.see("'n' is not y; nothing was changed")
        await app.press("y", "enter")
        await app.see("✓ done")
    assert action.applied == 1


async def test_read_only_is_refused_with_the_reason_and_the_plan_is_shown() -> None:
    world, action = made(read_only=True)
    async with driven(world=world, size=(100, 40)) as app:
        await app.see("READ-ONLY")
        await app.press("4", "b")
        await app.see("✗ refused", "is read-only here: cache rebuild was not carried out", "Below is what it would do")
        await app.see("→ replace the groups in Redis")
        assert "Type 'prod-cluster'" not in app.text
    assert not action.applied
    assert not list(Journal().entries())


async def test_a_plan_that_is_refused_says_why() -> None:
    world, action = made()

    def plan() -> Plan:
        raise Refused("The cache manager is running already: Job x.", hint="Wait until it is over.")

    action.plan = plan  # type: ignore[method-assign]
    async with driven(world=world) as app:
        await app.press("4", "b")
        await app.see("✗ refused", "running already", "next     Wait until it is over.")


async def test_a_world_that_moved_meanwhile_shows_the_new_plan() -> None:
    world, action = made()
    async with driven(world=world, size=(100, 50)) as app:
        await to_the_question(app)
        action.moved = True
        await app.answer("prod-cluster")
        await app.see("The world changed while the plan was being confirmed", "Below is the plan as the world is now")
        assert not action.applied
        action.moved = False
        await app.press("a")
        await app.see("Type 'prod-cluster' to carry this out:")
        await app.answer("prod-cluster")
        await app.see("✓ done")


async def test_stopping_says_what_was_done() -> None:
    world, action = made()
    action.go.clear()
    async with driven(world=world, size=(100, 30)) as app:
        await to_the_question(app)
        await app.answer("prod-cluster")
        await app.see("Waiting for its pod", "s Stop")
        await app.press("s")
        await app.see("! partial  Stopped watching; the Job runs on.", "kubectl delete job x")
    assert [item.result for item in Journal().operations()] == ["partial"]


async def test_closing_the_dialogue_does_not_end_the_change() -> None:
    world, action = made()
    action.go.clear()
    async with driven(world=world, size=(100, 30)) as app:
        await to_the_question(app)
        await app.answer("prod-cluster")
        await app.see("Waiting for its pod")
        await app.press("escape")
        await app.see("● cache rebuild", "(o)", "goes on; o shows it again")
        await app.press("1")
        await app.see("Layers")
        await app.press("e")
        await app.see("A change is being carried out here")
        await app.press("o")
        await app.see("Waiting for its pod", "Wrote frame 29")
        await app.press("escape")
        action.go.set()
        await app.see("The Job completed after 3 s.")  # a toast
        await app.press("o")
        await app.see("✓ done")


async def test_a_change_that_fails_shows_it_and_can_be_planned_anew() -> None:
    world, action = made()
    action.fails = True
    async with driven(world=world, size=(100, 40)) as app:
        await to_the_question(app)
        await app.answer("prod-cluster")
        await app.see("✗ failed  The Job failed: BackoffLimitExceeded.", "a Again")
        action.fails = False
        await app.press("a")
        await app.see("Type 'prod-cluster'")


async def test_an_error_while_applying_is_in_the_dialogue_and_in_the_journal() -> None:
    world, action = made()

    def apply(*_: Any) -> Any:
        raise Unreachable("prod-cluster hung up.", hint="Is your VPN up?", by_hand=("kubectl get jobs",))

    action.apply = apply  # type: ignore[method-assign]
    async with driven(world=world) as app:
        await to_the_question(app)
        await app.answer("prod-cluster")
        await app.see("✗ cannot be reached", "prod-cluster hung up.", "kubectl get jobs")
    assert [item.result for item in Journal().operations()] == ["error"]


async def test_quitting_while_a_change_goes_on_asks_first() -> None:
    world, action = made()
    action.go.clear()
    async with driven(world=world) as app:
        await to_the_question(app)
        await app.answer("prod-cluster")
        await app.see("Waiting for its pod")
        await app.press("ctrl+q")
        await app.see("A change is going on", "Stop and quit")
        await app.press("escape")
        await app.see("Waiting for its pod")
        await app.press("escape", "q")
        await app.see("Stop and quit")
        await app.press("s")
        await app.until(lambda: app.app.return_value == 0, "the end")
    assert [item.result for item in Journal().operations()] == ["partial"]


async def test_quitting_at_once_leaves_an_open_entry() -> None:
    world, action = made()
    action.go.clear()
    async with driven(world=world) as app:
        await to_the_question(app)
        await app.answer("prod-cluster")
        await app.see("Waiting for its pod")
        await app.press("ctrl+q")
        await app.see("Quit at once")
        await app.press("q")
        await app.until(lambda: app.app.return_value == 0, "the end")
    assert [item.result for item in Journal().operations()] == ["running"]  # its process still lives: this one
    action.go.set()


async def test_a_log_is_bounded_scrubbed_and_harmless(home: Path) -> None:
    secret = Secret("hvs.CAESIJ-in-a-log")
    world, action = made()
    apply = action.apply

    def chatty(plan: Any, permit: Any, progress: Any) -> Any:
        for number in range(KEPT_LINES + 1000):
            progress.line("pod-a", f"line {number}")
        progress.line("pod-b", f"\x1b[2J\x07[red]token[/red] {secret.reveal()}")
        return apply(plan, permit, progress)

    action.apply, action.lines = chatty, 0  # type: ignore[method-assign]
    async with driven(world=world, size=(100, 40)) as app:
        await to_the_question(app)
        await app.answer("prod-cluster")
        await app.see("✓ done", "[red]token[/red] ••••••", "6,001 lines")
        assert secret.reveal() not in app.text
        assert "\x1b" not in app.text
        assert len(app.app.screen.query_one("#log").lines) <= 2000  # type: ignore[attr-defined]


async def test_a_plan_longer_than_the_screen_can_be_read_while_the_question_stands() -> None:
    world, _ = made()
    async with driven(world=world) as app:
        await to_the_question(app)
        assert "damage" not in app.text
        await app.press("pagedown", "pagedown")
        await app.see("damage   large", "Type 'prod-cluster' to carry this out:")
        await app.press("pageup", "pageup", "up")
        await app.see("Start rp006-neuro-cache-manager-rxrx-cronjob now")


async def test_number_keys_and_q_are_typed_not_obeyed_in_the_question() -> None:
    world, _ = made()
    async with driven(world=world) as app:
        await to_the_question(app)
        await app.type("12q")
        await app.see("12q", "Type 'prod-cluster'")
