"""Drills without a sandbox: which case is picked, what an answer means, which commands lead where."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta

import pytest
from typer.main import get_command

from toolkit.checks.diagnosis.causes import CAUSES
from toolkit.checks.questions import QUESTIONS
from toolkit.cli.root import COMMANDS as ROOT
from toolkit.drills import choice, score, ways, world
from toolkit.drills.drill import Answer, Drill, Look, Phase, Symptom, Typed, Verdict
from toolkit.errors import Failed, UsageError
from toolkit.sandbox.scenarios import SCENARIOS

AGAINST = {name: [other for other, _ in scenario.against] for name, scenario in SCENARIOS.items()}
SYMPTOM = Symptom("ana@example.com", "It is not there.", "BRCA1", "rp006_a")
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.mark.parametrize("level", choice.LEVELS)
def test_what_is_picked_can_be_told(level: int) -> None:
    cases = {choice.pick(level, seed, AGAINST, "sandbox") for seed in range(300)}
    assert all(len(set(case)) == choice.causes_at(level) for case in cases)
    assert not [case for case in cases if any(other in AGAINST[name] for name in case for other in case)]
    assert ("token-rotated", "vault-sealed") not in cases
    assert len({name for case in cases for name in case}) == len(SCENARIOS)


def test_a_seal_opens_to_what_was_sealed_and_does_not_tell_it() -> None:
    sealed = choice.seal(("redis-flushed", "proxy-moved"), "salt")
    assert set(choice.unseal(sealed, "salt")) == {"redis-flushed", "proxy-moved"}
    assert choice.seal(("redis-flushed", "proxy-moved"), "other") != sealed
    with pytest.raises(Failed, match="not known"):
        choice.unseal("no seal", "salt")


@pytest.mark.parametrize("typed", ["redis-flushed", "Redis Flushed", "redis_flushed", "redis-flush", "redis-flushd"])
def test_a_name_that_is_nearly_right_is_taken(typed: str) -> None:
    assert choice.meant([typed]) == ("redis-flushed",)


def test_a_name_that_could_be_another_is_not() -> None:
    with pytest.raises(UsageError, match="does not count") as caught:
        choice.meant(["rebuild"])
    assert "Did you mean 'rebuild-" in caught.value.hint
    assert choice.meant(["vault-sealed,proxy-moved"]) == ("vault-sealed", "proxy-moved")


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_the_shortest_way_shows_all_that_tells_a_cause(cause: ways.Cause) -> None:
    way = ways.shortest((cause,), (SYMPTOM,), "sandbox", frozenset(), frozenset())
    typed = {step.command.removeprefix("toolkit ").removesuffix(" --env sandbox") for step in way}
    words = {
        one.words
        for one in ways.COMMANDS
        if one.typed.format(pert="BRCA1", group="rp006_a", who="ana@example.com") in typed
    }
    shown = {check for one in words for check in ways.shows(one)}
    assert set(ways.needed((cause,), (SYMPTOM,))) <= shown
    assert ways.needed((cause,), (SYMPTOM,)) == cause.needs
    assert len([step for step in way if step.why != ways.AFTERWARDS]) <= 3
    mends = any(step.why == ways.MENDS for step in way)
    assert ways.mended_here(cause, (cause,)) == mends != bool(ways.advice((cause,)))


@pytest.mark.parametrize("other", ["rebuild-running", "vault-sealed", "wrong-cluster"])
def test_where_no_rebuild_can_be_had_none_is_asked_for(other: str) -> None:
    together = ways.causes(("rebuild-failed", other))
    assert not [step for step in ways.shortest(together, (SYMPTOM,), "s", frozenset(), frozenset())
                if step.why == ways.MENDS]  # fmt: skip
    assert world.mended(together, Look()) is None


def test_every_command_of_a_way_is_there() -> None:
    for one in ways.COMMANDS:
        assert set(one.checks) <= set(QUESTIONS)
        group, *rest = one.words.removesuffix(" --dry-run").split()
        command = get_command(importlib.import_module(f"toolkit.cli.{ROOT[group].module}").app)
        if rest:
            assert rest[0] in command.list_commands(None), one.words  # type: ignore[attr-defined]


def test_what_counts_and_what_does_not() -> None:
    true = ways.causes(("redis-flushed",))
    commands = tuple(
        Typed(words, code, NOW)
        for words, code in (
            ("doctor", 1),  # everybody begins with it
            ("groups find", 0),  # it was about a pert
            ("groups list", 2),  # typed wrongly: shows nothing
            ("redis token", 0),  # shows nothing of it
            ("redis token", 0),  # a detour once
            ("cache rebuild", 0),  # mends it: shows nothing
        )
    )
    drill = Drill(
        id="a", phase=Phase.ON, environment="sandbox", level=2, seed=1, salt="", sealed="", started=NOW,
        symptoms=(SYMPTOM,), commands=commands, answers=(Answer(("redis-flushed",), Verdict.RIGHT, NOW),),
    )  # fmt: skip
    found = score.score(drill, true, NOW + timedelta(minutes=4), True, ())
    assert found.detours == ("redis token",)
    assert found.checks_seen == ()
    assert (found.points, found.seconds) == (100 - 3 - 10, 240)
    assert [step.looked for step in found.way] == [False, False, True, False]


def test_what_is_gone_from_the_bucket_is_damage() -> None:
    true = ways.causes(("pert-misspelled",))
    before, now = Look(in_bucket=("a", "b")), Look(in_bucket=("a",))
    assert world.damage(true, "sandbox", (), before, now) == ("the world: the bucket does not hold b any more",)
    assert world.damage(true, "sandbox", (), before, Look(in_bucket=None)) == ()
