"""Drills in the terminal app: begun, shown on every page, helped, answered; what is looked at in the app counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from test_tui_sandbox import _healthy, on_sandbox, world_home  # noqa: F401 - fixtures
from textual.widgets import Input
from tui_driving import Driver, driven
from tui_snapshots import NOW, Still, still  # noqa: F401 - a fixture
from tui_stand_ins import World

from toolkit.drills import choice, score, store, ways
from toolkit.drills.drill import Answer, Drill, Phase, Symptom, Typed, Verdict
from toolkit.errors import Failed
from toolkit.sandbox import client
from toolkit.sandbox.scenarios import SCENARIOS

msgspec.json.Decoder(Drill)  # its types are looked up now, before a test lets the clock stand still
AGAINST = {name: [other for other, _ in scenario.against] for name, scenario in SCENARIOS.items()}


@pytest.fixture(autouse=True)
def _no_drill(world_home: Path, _healthy: None) -> Iterator[None]:
    def clear() -> None:
        for file in (store.file(), store.over_file()):
            file.unlink(missing_ok=True)

    clear()
    yield
    clear()


def seed_of(case: tuple[str, ...], level: int) -> str:
    return str(next(seed for seed in range(10_000) if choice.pick(level, seed, AGAINST, "sandbox") == case))


async def begin(app: Driver, case: str, level: int = 1) -> None:
    """Begin the drill with that case, by its seed."""
    await app.see("nothing needs you")
    await app.press("D")
    await app.see("Choose a level", "enter Go on")
    await app.until(lambda: app.app.focused is not None and app.app.focused.id == "levels", "the levels")
    await app.press(*["down"] * (level - 1))
    app.app.screen.query_one("#seed", Input).value = seed_of((case,), level)
    await app.press("enter")
    await app.see("reports: “", f"Level {level}", f"drill, level {level}", "a Answer")


async def answer(app: Driver, name: str) -> None:
    await app.press("a")
    await app.see("What is it?", "→ vault-sealed:")
    await app.press(*["down"] * choice.NAMES.index(name))
    await app.see(f"→ {name}:")
    await app.press("enter")


def looked() -> dict[str, bool]:
    """What is kept of what was looked at: its words, and whether the app showed it by itself."""
    drill = store.going_on()
    assert drill is not None
    return {typed.words: typed.by_itself for typed in drill.commands}


async def test_a_drill_from_its_beginning_to_its_score() -> None:
    case = "group-evicted"
    async with on_sandbox() as app:
        await begin(app, case)
        assert case not in app.text
        await app.press("escape")
        await app.see("nothing needs you", "drill, level 1, 0 min", "8/8")
        await app.until(lambda: {"doctor", "groups list", "cache status"} <= set(looked()), "what home shows")
        assert all(looked().values())  # nobody asked for it
        for key, words, shown in (
            ("2", "groups list", "number 1 of the dropdown"),
            ("3", "bucket ls", "folders,"),
            ("4", "cache status", "prod-cluster"),
            ("5", "logs", "Wrote"),
            ("7", "journal list", "changes"),
        ):
            await app.press(key)
            await app.see(shown, "drill, level 1")
            await app.until(lambda words=words: looked().get(words) is False, words)
            assert case not in app.text
        await app.press("D")
        await app.see("a Answer", "7 Journal › drill")
        await answer(app, "redis-flushed")
        await app.see("✗ It is not that: -15", "redis-flushed  ✗ no")
        await answer(app, case)
        await app.see(f"✓ Right: {case}.", "points     79 of 100", "-15  answered redis-flushed", "cache status, logs")
        await app.press("enter")
        await app.see("nothing needs you", "★ rp006")
        await app.gone("drill, level")
    assert client.status()["scenarios"] == ["healthy"]  # type: ignore[index]


async def test_a_dry_run_and_a_change_at_the_gate_count_as_their_commands() -> None:
    async with on_sandbox() as app:
        await begin(app, "group-evicted")
        await app.press("escape", "4")
        await app.see("○ waiting", "b Rebuild")
        await app.press("b")
        await app.see("Type 'prod-cluster'")
        await app.press("escape")
        await app.until(lambda: "cache rebuild --dry-run" in looked(), "the dry run")
        assert "cache rebuild" not in looked()
        await app.press("b")
        await app.see("Type 'prod-cluster'")
        await app.answer("prod-cluster")
        await app.see("✓ done")
        await app.until(lambda: looked().get("cache rebuild") is False, "the rebuild")
        await app.press("escape", "D")
        await app.see("a Answer")
        await app.press("g")
        await app.see("g again ends the drill")
        await app.press("g")
        await app.see("✗ It was group-evicted.", "-20  cache.rebuild: Rebuild")  # that was damage


async def test_a_drill_outlives_the_app_and_its_sandbox() -> None:
    async with on_sandbox() as app:
        await begin(app, "image-drift")
    async with on_sandbox() as app:
        await app.see("A drill (level 1) is going on: D shows it.", "drill, level 1")
        client.apply_scenario(["healthy"])  # as after a sandbox that was stopped, and started again
        await app.press("D")
        await app.see("the sandbox is not in its case", "enter: its case is brought about")
        await app.press("enter")
        await app.see("reports: “", "a Answer")
        await app.press("h")
        await app.see("hint", "You have seen all that tells it")  # Home shows the image by itself
    assert len(store.needed().hints) == 1


async def test_asking_why_costs_from_level_two_on_and_says_so_first() -> None:
    async with on_sandbox() as app:
        await begin(app, "redis-flushed", level=2)
        await app.press("escape", "2")
        await app.see("available-groups is empty")
        await app.press("w")
        await app.see("In this drill that costs 10 points, once.")
        assert "why" not in looked()
        await app.press("enter")
        await app.see("✗ redis-flushed 95%")
        await app.until(lambda: looked().get("why") is False, "why")


async def test_on_a_real_environment_there_is_no_drill() -> None:
    async with driven() as app:
        await app.see("nothing needs you")
        await app.press("D")
        await app.see("Drills are in the sandbox alone")
        assert "Choose a level" not in app.text


# With a stage that is made up


SYMPTOM = Symptom("a scientist (ana@example.com)", "BRCA1 is in none of my maps.", "BRCA1")


class Stage:
    """The sandbox as far as the page looks at it."""

    def __init__(self, staged: str | None = None, broken: Exception | None = None) -> None:
        self.staged, self.broken = staged, broken

    def drill(self) -> str | None:
        if self.broken is not None:
            raise self.broken
        return self.staged


def drill(**changed: object) -> Drill:
    values = {
        "id": "d1", "phase": Phase.ON, "environment": "sandbox", "level": 2, "seed": 7, "salt": "s",
        "sealed": choice.seal(("redis-flushed",), "s"), "started": NOW.replace(hour=12, minute=26),
        "symptoms": (SYMPTOM,),
        "commands": (Typed("doctor", 0, NOW, True), Typed("groups list", 0, NOW)),
        "hints": ("Is a rebuild going on?  toolkit cache status --env sandbox",),
        "answers": (Answer(("vault-sealed",), Verdict.WRONG, NOW),),
    }  # fmt: skip
    return Drill(**{**values, **changed})  # type: ignore[arg-type]


def keep(kept: Drill) -> None:
    store._write(kept, store.over_file() if kept.over else store.file())


def over() -> Drill:
    true = ways.causes(("redis-flushed",))
    right = Answer(("redis-flushed",), Verdict.RIGHT, NOW)
    whole = drill(commands=(*drill().commands, Typed("redis token", 0, NOW)), answers=(*drill().answers, right))
    end = score.score(whole, true, NOW, True, ("groups.delete: Delete 1 group (done); the case did not need it",))
    return drill(phase=Phase.OVER, ended=NOW, scenario=("redis-flushed",), score=end, answers=whole.answers)


async def test_a_stage_that_cannot_be_reached_is_said_with_the_next_step() -> None:
    async with driven("sandbox", world=World(stage=Stage(broken=Failed("It failed.", hint="Start it again.")))) as app:
        await app.see("nothing needs you")
        await app.press("D")
        await app.see("✗ failed", "It failed.", "Start it again.")


async def test_a_damaged_file_of_a_drill_says_what_to_do() -> None:
    store.file().write_text("{", "utf-8")
    async with driven("sandbox", world=World(stage=Stage())) as app:
        await app.see("nothing needs you")
        await app.press("D")
        await app.see("Remove that file")


async def test_what_was_looked_at_in_another_environment_is_not_kept() -> None:
    keep(drill(environment="sandbox-mapapp"))
    async with driven("sandbox", world=World(stage=Stage("d1"))) as app:
        await app.see("drill in sandbox-mapapp")
        await app.press("2")
        await app.see("number 1 of the dropdown")
    assert [typed.words for typed in store.needed().commands] == ["doctor", "groups list"]


async def test_how_a_drill_looks(still: Still) -> None:
    keep(drill())
    async with still.driven("sandbox", world=World(stage=Stage("d1"))) as app:
        await app.see("nothing needs you", "vault 43m left", "drill, level 2, 4 min")
        app.app.clear_notifications()
        await app.press("D")
        await app.see("reports: “BRCA1", "-15")
        await still.looks(app, "drill-on")
        await app.press("a")
        await app.see("What is it?")
        await app.press("down", "down", "space")
        await app.see("✓ redis-flushed")
        await still.looks(app, "drill-answer")


async def test_how_the_levels_look(still: Still) -> None:
    keep(over())
    async with still.driven("sandbox", world=World(stage=Stage())) as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("D")
        await app.see("Choose a level", "The last one: Right: redis-flushed.")
        await still.looks(app, "drill-levels")


async def test_how_a_score_looks(still: Still) -> None:
    keep(over())
    async with still.driven("sandbox", world=World(stage=Stage("d1"))) as app:
        await app.see("nothing needs you", "vault 43m left")
        await app.press("D")
        await app.see("✓ Right: redis-flushed.", "enter: make the sandbox healthy")
        await still.looks(app, "drill-score")
