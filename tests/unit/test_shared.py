"""What the checks of one run share: asked once, errors too, and never over runs."""

from __future__ import annotations

import threading

import pytest

from toolkit.checks import shared
from toolkit.checks.finding import Finding, Status
from toolkit.checks.runner import Check
from toolkit.checks.runner import run as run_checks
from toolkit.errors import Unreachable


class Asked:
    def __init__(self, error: Exception | None = None) -> None:
        self.times = 0
        self._error = error

    def __call__(self) -> int:
        self.times += 1
        if self._error is not None:
            raise self._error
        return self.times


def test_side_by_side_one_asks_and_all_have_the_answer() -> None:
    asked, together = Asked(), threading.Barrier(4)
    one_run = shared.Run()

    def ask() -> Finding:
        together.wait(10)
        with shared.within(one_run):
            return Finding("", Status.OK, str(shared.once("layers", asked)))

    found = list(run_checks([Check(name, ask) for name in "abcd"]))
    assert {one.summary for one in found} == {"1"}
    assert asked.times == 1


def test_an_error_is_an_answer_too() -> None:
    asked = Asked(Unreachable("down"))
    with shared.within(shared.Run()):
        for _ in range(2):
            with pytest.raises(Unreachable, match="down"):
                shared.once("layers", asked)
    assert asked.times == 1


def test_another_run_asks_anew_and_so_does_who_is_in_none() -> None:
    asked = Asked()
    for _ in range(2):
        with shared.within(shared.Run()):
            shared.once("layers", asked)
            shared.once("layers", asked)
    assert asked.times == 2
    shared.once("layers", asked)
    shared.once("layers", asked)
    assert asked.times == 4
