"""A download from the bucket, measured: where it would be quicker is noted before it begins, by what was measured; and
the rate at which it came is remembered for the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolkit.progress import Advanced, Event, Progress
from toolkit.systems import rates

if TYPE_CHECKING:
    from toolkit.environments.model import Environment


@contextmanager
def measured(environment: Environment, command: str, progress: Progress) -> Iterator[Progress]:
    """A progress to hand to a download from the environment's bucket. Once it is known how much is to come, where that
    is quicker is noted (`command`, without `toolkit`, is what to type there); the rate is remembered at the end."""
    came: list[tuple[int, float]] = []

    def tell(event: Event) -> None:
        if isinstance(event, Advanced) and event.unit == "bytes":
            came.append((event.done, time.monotonic()))
            if len(came) == 1:
                note_quicker(environment, command, (event.total or 0) - event.done, progress)
            elif len(came) > 2:
                del came[1:-1]
        progress.tell(event)

    try:
        yield Progress(tell, progress.stop)
    finally:
        if len(came) > 1:
            (before, began), (after, ended) = came
            rates.remember(link(environment), after - before, ended - began)


def note_quicker(environment: Environment, command: str, count: int, progress: Progress) -> None:
    """Note where `count` bytes would come quicker, if that is known."""
    host = environment.biohive.host
    if not host or count <= 0:
        return
    here, there = rates.recall(link(environment)), rates.recall(rates.on_biohive(host))
    text = rates.elsewhere(count, here, there, host, f"toolkit biohive run -- {command}")
    if text:
        progress.note(text)


def link(environment: Environment) -> str:
    """The way from the environment's bucket to here. An emulator's rate says nothing of Google's."""
    endpoint = environment.bucket.endpoint
    return f"{endpoint} to here" if endpoint else rates.HERE
