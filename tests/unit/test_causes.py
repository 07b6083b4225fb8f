"""The table of causes: each is a scenario's, has its page, and what it says to do can be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.actions.offers import OFFERS
from toolkit.checks.diagnosis.cause import Asked, Cause, Known, Word
from toolkit.checks.diagnosis.causes import CAUSES
from toolkit.checks.diagnosis.verdict import verdict
from toolkit.checks.finding import Finding, Status
from toolkit.checks.questions import QUESTIONS
from toolkit.sandbox.scenarios import SCENARIOS

PAGES = Path(__file__).parents[2] / "docs" / "causes"
HEADINGS = (
    "What it is",
    "How it comes about",
    "How to prove it",
    "How to mend it",
    "How to keep it from coming back",
)


def test_causes_are_named_as_the_scenarios_are() -> None:
    assert sorted(cause.name for cause in CAUSES) == sorted(SCENARIOS)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_each_can_be_asked_mended_and_read_about(cause: Cause) -> None:
    assert set(cause.needs) <= QUESTIONS.keys()
    assert cause.ours or cause.ask
    assert all(mend.kind == "runbook" or mend.name in OFFERS for mend in cause.mends)
    page = (PAGES / f"{cause.name}.md").read_text("utf-8")
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == list(HEADINGS)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_without_answers_nothing_is_claimed(cause: Cause) -> None:
    asked = Asked("BRCA1", "some_group", who="somebody@example.com")
    late = {name: Finding(name, Status.UNKNOWN, "no answer within 20 s") for name in QUESTIONS}
    assert cause.judge(asked, Known(late)).word is Word.UNTOLD
    assert not verdict(asked, late).healthy


def test_commands_are_ready_for_a_shell() -> None:
    asked = Asked(group="odd group; rm -rf /")
    ready = [mend.ready("my env", asked) for cause in CAUSES for mend in cause.mends]
    assert all(command.endswith("--env 'my env'") for command in ready)


def test_every_question_says_its_facts() -> None:
    assert all("Facts" in (question.ask.__doc__ or "") for question in QUESTIONS.values())
