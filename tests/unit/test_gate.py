"""The gate: who gets through, with what, and what is left behind when somebody does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from actions_fixtures import ENVIRONMENT, PROTECTED, Empty

from toolkit import paths
from toolkit.actions import gate
from toolkit.actions.gate import Consent, Done, PlanMoved
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Damage
from toolkit.environments.model import Environment
from toolkit.errors import Failed, Refused
from toolkit.progress import SILENT


def go(action: Empty, consent: Consent, environment: Environment = ENVIRONMENT, read_only: bool = False) -> Done:
    return gate.carry_out(action, environment, consent, Journal(), SILENT, read_only=read_only)


def test_a_typed_name_lets_a_large_change_through() -> None:
    action = Empty({"a": "1"})
    done = go(action, Consent(ask=lambda plan: plan.confirm))
    assert done.well
    assert action.world == {}


@pytest.mark.parametrize("typed", ["", "y", "yes", "her", "HERE", "here "])
def test_anything_else_than_the_name_refuses_it(typed: str) -> None:
    action = Empty({"a": "1"})
    with pytest.raises(Refused, match="nothing was changed"):
        go(action, Consent(ask=lambda _: typed))
    assert action.world == {"a": "1"}
    assert not Journal().operations()


@pytest.mark.parametrize(("typed", "through"), [("y", True), ("yes", True), ("", False), ("n", False), ("here", False)])
def test_a_small_change_is_a_y(typed: str, through: bool) -> None:
    action = Empty({"a": "1"}, damage=Damage.SMALL)
    if through:
        assert go(action, Consent(ask=lambda _: typed)).well
    else:
        with pytest.raises(Refused):
            go(action, Consent(ask=lambda _: typed))


def test_read_only_refuses_before_anybody_is_asked() -> None:
    action = Empty({"a": "1"})
    asked: list[object] = []
    for environment, flag in ((ENVIRONMENT, True), (Environment(name="here", read_only=True), False)):
        with pytest.raises(Refused, match="read-only"):
            go(action, Consent(ask=lambda plan: asked.append(plan) or "here"), environment, read_only=flag)
    assert action.world
    assert not asked


def test_nobody_there_is_a_refusal_that_says_how_to_go_on() -> None:
    action = Empty({"a": "1"})
    with pytest.raises(Refused) as caught:
        go(action, Consent())
    assert action.plan().hash in caught.value.hint
    assert "--yes" in caught.value.hint
    assert caught.value.exit_code == 5


def test_yes_is_enough_unless_protected() -> None:
    assert go(Empty({"a": "1"}), Consent(yes=True)).well
    action = Empty({"a": "1"}, environment="prod")
    with pytest.raises(Refused, match="protected") as caught:
        go(action, Consent(yes=True), PROTECTED)
    assert action.world
    assert action.plan().hash in caught.value.hint


def test_the_plan_of_a_dry_run_is_carried_out_where_protected() -> None:
    action = Empty({"a": "1"}, environment="prod")
    plan = gate.prepare(action)
    assert action.world
    assert go(action, Consent(expected=plan.hash), PROTECTED).well


def test_a_plan_is_used_once() -> None:
    action = Empty({"a": "1"})
    plan = gate.prepare(action)
    go(action, Consent(expected=plan.hash))
    action.world["a"] = "1"
    with pytest.raises(Refused, match="No plan"):
        go(action, Consent(expected=plan.hash))


def test_a_plan_holds_ten_minutes() -> None:
    action = Empty({"a": "1"})
    plan = gate.prepare(action)
    file = paths.state() / "plans" / plan.hash
    file.write_text(json.dumps({"expires_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}), "utf-8")
    with pytest.raises(Refused, match="older than ten minutes"):
        go(action, Consent(expected=plan.hash))
    assert action.world


@pytest.mark.parametrize("hash_", ["", "0000000000000000", "../journal.jsonl", "/etc/passwd"])
def test_a_plan_that_was_never_shown_is_refused(hash_: str) -> None:
    with pytest.raises(Refused):
        go(Empty({"a": "1"}), Consent(expected=hash_))


def test_a_world_that_moved_since_the_dry_run_shows_the_new_plan() -> None:
    action = Empty({"a": "1"})
    plan = gate.prepare(action)
    action.world["a"] = "2"
    with pytest.raises(PlanMoved) as caught:
        go(action, Consent(expected=plan.hash))
    assert action.world == {"a": "2"}
    assert caught.value.plan.hash == action.plan().hash != plan.hash


def test_a_world_that_moves_while_somebody_types_is_noticed() -> None:
    action = Empty({"a": "1"})

    def slow(plan: object) -> str:
        action.world["b"] = "new"
        return "here"

    with pytest.raises(PlanMoved):
        go(action, Consent(ask=slow))
    assert action.world == {"a": "1", "b": "new"}


def test_nothing_to_do_is_done_without_a_question() -> None:
    done = go(Empty({}), Consent())
    assert done.well
    assert not Journal().operations()


def test_the_permit_ends_with_the_plan() -> None:
    action = Empty({"a": "1"})
    go(action, Consent(yes=True))
    with pytest.raises(Refused):
        action.permits[0].check()


def test_an_error_is_journalled_and_raised() -> None:
    action = Empty({"a": "1"})
    action.problem = Failed("the disk is full")
    with pytest.raises(Failed):
        go(action, Consent(yes=True))
    (operation,) = Journal().operations()
    assert operation.result == "error"
    assert "the disk is full" in operation.summary
    with pytest.raises(Refused):
        action.permits[0].check()


def test_while_it_is_applied_the_journal_has_it_open() -> None:
    action = Empty({"a": "1"})
    seen: list[str] = []
    action.during_apply = lambda: seen.extend(o.result for o in Journal().operations())
    go(action, Consent(yes=True))
    assert seen == ["running"]
    assert [o.result for o in Journal().operations()] == ["done"]


def test_a_journal_that_cannot_be_written_stops_the_change() -> None:
    action = Empty({"a": "1"})
    paths.state().joinpath("journal.jsonl").mkdir()
    with pytest.raises(Failed, match="journal"):
        go(action, Consent(yes=True))
    assert action.world


def test_the_hash_is_over_what_happens_and_not_over_the_time() -> None:
    first, second = Empty({"a": "1"}).plan(), Empty({"a": "1"}).plan()
    assert first.made_at != second.made_at
    assert first.hash == second.hash
    assert Empty({"a": "2"}).plan().hash != first.hash
    assert Empty({"a": "1"}, environment="other").plan().hash != first.hash
