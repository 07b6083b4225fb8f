"""The registry of read-only questions: every one by its stable name. Each is written beside what it asks about."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from toolkit.checks import (
    access,
    app_pods,
    biohive,
    cache_manager,
    cached_groups,
    cached_perts,
    cached_vectors,
    group_events,
    hops,
    images,
    loader,
    loader_groups,
    recent_changes,
    shared,
    side_panel,
)
from toolkit.checks.question import Question, checked
from toolkit.checks.runner import Check
from toolkit.errors import UsageError
from toolkit.progress import SILENT, Progress

if TYPE_CHECKING:
    from toolkit.checks.finding import Finding
    from toolkit.systems.connections import Connections

QUESTIONS: Mapping[str, Question] = {
    question.name: question
    for module in (
        hops,
        cached_groups,
        cached_perts,
        cached_vectors,
        cache_manager,
        images,
        app_pods,
        access,
        group_events,
        side_panel,
        loader,
        loader_groups,
        recent_changes,
        biohive,
    )
    for question in module.QUESTIONS
}


def question(name: str) -> Question:
    """The question of that name. Raises UsageError, with the nearest one."""
    found = QUESTIONS.get(name)
    if found is None:
        near = difflib.get_close_matches(name, QUESTIONS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "`toolkit runbook lint` lists them."
        raise UsageError(f"There is no check {name!r}.", hint=hint)
    return found


def check(
    name: str,
    connections: Connections,
    given: Mapping[str, str],
    progress: Progress = SILENT,
    run: shared.Run | None = None,
) -> Check:
    """The question as a Check that the runner runs; those of one `run` share what they ask. Raises UsageError for wrong
    inputs."""
    found = question(name)
    inputs = checked("check", name, found.inputs, given)
    from toolkit.checks.finding import Status

    ask = partial(_within, run, partial(found.ask, connections, inputs, progress))
    return Check(name, ask, limit=found.limit, when_broken=Status.UNKNOWN)


def _within(run: shared.Run | None, ask: Callable[[], Finding]) -> Finding:
    with shared.within(run):
        return ask()
