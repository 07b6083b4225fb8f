"""The runner of checks: order, needs, limits, and that nothing a check does ends it."""

from __future__ import annotations

import threading

import pytest

from toolkit.checks.finding import Finding, Status
from toolkit.checks.runner import Check, run
from toolkit.errors import Unreachable


def ok() -> Finding:
    return Finding("", Status.OK, "fine")


def broken() -> Finding:
    raise Unreachable("down", hint="put it up", by_hand=("ping it",))


def test_what_needs_a_broken_one_is_skipped_and_says_so() -> None:
    found = {
        f.name: f for f in run([Check("a", broken), Check("b", ok, ("a",)), Check("c", ok, ("b",)), Check("d", ok)])
    }
    assert [found[name].status for name in "abcd"] == [Status.FAIL, Status.SKIPPED, Status.SKIPPED, Status.OK]
    assert "needs a" in found["b"].summary
    assert "needs a" in found["c"].summary  # not b, which is only skipped itself
    assert (found["a"].hint, found["a"].by_hand) == ("put it up", ("ping it",))


def test_a_warning_lets_others_go_on() -> None:
    found = list(run([Check("a", lambda: Finding("", Status.WARN, "hm")), Check("b", ok, ("a",))]))
    assert [f.status for f in found] == [Status.WARN, Status.OK]


def test_one_that_hangs_is_late_and_holds_nobody_up() -> None:
    never = threading.Event()

    def hang() -> Finding:
        never.wait(60)
        return ok()

    found = {f.name: f for f in run([Check("hangs", hang, limit=0.05), Check("b", ok), Check("c", ok, ("hangs",))])}
    never.set()
    assert found["hangs"].status is Status.FAIL
    assert "no answer within" in found["hangs"].summary
    assert found["b"].status is Status.OK
    assert found["c"].status is Status.SKIPPED


def test_a_bug_in_a_check_is_unknown_not_the_end() -> None:
    def bug() -> Finding:
        raise KeyError("oops")

    (finding,) = run([Check("a", bug)])
    assert finding.status is Status.UNKNOWN
    assert "oops" in finding.summary


def test_checks_run_side_by_side() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def meet() -> Finding:
        meeting.wait()
        return ok()

    assert all(f.status is Status.OK for f in run([Check(name, meet) for name in "abc"]))


def test_checks_that_need_each_other_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="need each other"):
        list(run([Check("a", ok, ("b",)), Check("b", ok, ("a",))]))
