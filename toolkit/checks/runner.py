"""Runs checks side by side, in the order their needs allow, each with a time limit; findings come as they are made.

A check that needs one that failed is `skipped`, and says why. Threads are daemons: one that hangs in a system's call
never keeps the program from ending.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from toolkit.checks.finding import Finding, Status
from toolkit.errors import ToolkitError


@dataclass(frozen=True)
class Check:
    """One read-only question. `ask` gives a Finding or raises ToolkitError, which counts as `when_broken`.

    `needs` are names of checks that must not fail first; `limit` is in seconds.
    """

    name: str
    ask: Callable[[], Finding]
    needs: tuple[str, ...] = ()
    limit: float = 20.0
    when_broken: Status = Status.FAIL


def run(checks: Sequence[Check]) -> Iterator[Finding]:
    """Each check's finding, as it becomes known. Every check gives exactly one."""
    answers: queue.SimpleQueue[Finding] = queue.SimpleQueue()
    waiting = {check.name: check for check in checks}
    known: dict[str, Finding] = {}
    running: dict[str, tuple[Check, float]] = {}
    roots: dict[str, str] = {}  # of each skipped one: the broken one it was skipped for

    while waiting or running:
        for check in list(waiting.values()):
            needed = [known.get(name) for name in check.needs if name in waiting or name in running or name in known]
            broken = [finding for finding in needed if finding is not None and not finding.well]
            if broken:
                del waiting[check.name]
                roots[check.name] = roots.get(broken[0].name, broken[0].name)
                known[check.name] = skipped = _skipped(check, roots[check.name])
                yield skipped
            elif None not in needed:
                del waiting[check.name]
                running[check.name] = (check, time.monotonic())
                threading.Thread(target=_answer, args=(check, answers), name=f"check {check.name}", daemon=True).start()
        if not running:
            if waiting and not any(set(check.needs) & known.keys() for check in waiting.values()):
                raise ValueError(f"these checks need each other: {', '.join(waiting)}")
            continue
        due = min(started + check.limit for check, started in running.values())
        try:
            finding = answers.get(timeout=max(0.0, due - time.monotonic()) + 0.01)
        except queue.Empty:
            for check, started in list(running.values()):
                if time.monotonic() - started >= check.limit:
                    del running[check.name]
                    known[check.name] = late = _late(check)
                    yield late
        else:
            if finding.name in running:  # else it came after its time limit, and was said to be late
                del running[finding.name]
                known[finding.name] = finding
                yield finding


def _answer(check: Check, answers: queue.SimpleQueue[Finding]) -> None:
    started = time.monotonic()
    try:
        finding = check.ask()
    except ToolkitError as error:
        finding = Finding(check.name, check.when_broken, error.message, hint=error.hint, by_hand=error.by_hand)
    except Exception as error:  # noqa: BLE001 - a check never ends the program
        finding = Finding(
            check.name,
            Status.UNKNOWN,
            f"The check itself failed: {type(error).__name__}: {error}",
            hint="This is a bug in the toolkit; please report it.",
        )
    answers.put(replace(finding, name=check.name, seconds=round(time.monotonic() - started, 3)))


def _skipped(check: Check, root: str) -> Finding:
    return Finding(check.name, Status.SKIPPED, f"not asked: it needs {root}")


def _late(check: Check) -> Finding:
    return Finding(
        check.name,
        check.when_broken,
        f"no answer within {check.limit:g} s",
        hint="It hangs rather than refuses: a firewall, a VPN that is down, or a server under load.",
        seconds=check.limit,
    )
