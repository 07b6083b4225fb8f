"""Where a download would be quicker is said before it begins, by what was measured; and it is measured for the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolkit.cli import diagnostics
from toolkit.progress import Advanced, Event, Progress
from toolkit.systems import rates

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


@contextmanager
def measured(connections: Connections, command: str, progress: Progress, *, real: bool) -> Iterator[Progress]:
    """A progress to hand to a download from the bucket: once it knows how much is to come, `said` says where that is
    quicker; the rate at which it came is remembered. Nothing of this where it is not `real` (a dry run, another layer).
    """
    if not real:
        yield progress
        return
    came: list[tuple[int, float]] = []

    def tell(event: Event) -> None:
        if isinstance(event, Advanced) and event.unit == "bytes":
            came.append((event.done, time.monotonic()))
            if len(came) == 1:
                said(connections, command, (event.total or 0) - event.done)
            elif len(came) > 2:
                del came[1:-1]
        progress.tell(event)

    try:
        yield Progress(tell, progress.stop)
    finally:
        if len(came) > 1:
            (before, began), (after, ended) = came
            rates.remember(_link(connections), after - before, ended - began)


def said(connections: Connections, command: str, count: int) -> None:
    """Say where `count` bytes would come quicker, if that is known."""
    host = connections.environment.biohive.host
    if not host or count <= 0:
        return
    here, there = rates.recall(_link(connections)), rates.recall(rates.on_biohive(host))
    text = rates.elsewhere(count, here, there, host, f"toolkit biohive run -- {command}")
    if text:
        diagnostics.narrate(f"- {text}", "dim")


def _link(connections: Connections) -> str:
    """An emulator's rate says nothing of Google's."""
    endpoint = connections.environment.bucket.endpoint
    return f"{endpoint} to here" if endpoint else rates.HERE
