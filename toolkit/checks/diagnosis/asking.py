"""Which checks a question needs, the cheapest and most telling first, and their findings as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from toolkit.checks import questions
from toolkit.checks.diagnosis.cause import Asked
from toolkit.checks.finding import Finding
from toolkit.checks.runner import Check
from toolkit.checks.runner import run as run_checks
from toolkit.checks.shared import Run
from toolkit.progress import SILENT, Progress

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

_ALWAYS = (
    "recent-changes",
    "proxy-address",
    "vault",
    "redis-token",
    "redis",
    "rebuild-running",
    "last-rebuild",
    "cache-manager-place",
    "image",
    "app-pods",
    "groups-complete",
)


def names(asked: Asked) -> tuple[str, ...]:
    """The names of the checks for `asked`, in the order in which they are begun."""
    return tuple(name for name, _ in _wanted(asked))


def checks(connections: Connections, asked: Asked, progress: Progress = SILENT) -> list[Check]:
    """The checks for `asked`, in the order in which they are begun."""
    run = Run()
    return [questions.check(name, connections, inputs, progress, run) for name, inputs in _wanted(asked)]


def findings(connections: Connections, asked: Asked, progress: Progress = SILENT) -> Iterator[Finding]:
    """Each check's finding, as it becomes known."""
    return run_checks(checks(connections, asked, progress))


def _wanted(asked: Asked) -> list[tuple[str, dict[str, str]]]:
    wanted: list[tuple[str, dict[str, str]]] = [(name, {}) for name in _ALWAYS]
    if asked.group:
        wanted.append(("group-in-cache", {"group": asked.group}))
        wanted.append(("loader-transformation", {"group": asked.group}))
    if asked.group or asked.pert:
        wanted.append(("built-since-rebuild", {"group": asked.group}))
    if asked.pert:
        wanted.append(("pert-in-cache", {"pert": asked.pert, "group": asked.group}))
    if asked.group:
        wanted.append(("vectors-healthy", {"group": asked.group}))
    if asked.who:
        wanted.append(("access", {"who": asked.who}))
    wanted.append(("default-vectors-healthy" if asked.group else "vectors-healthy", {}))
    return wanted
