"""An environment for a command: chosen, narrated on stderr, opened, and closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolkit import opening, paths
from toolkit.cli import diagnostics
from toolkit.opening import SANDBOXES, Chosen

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

__all__ = ["SANDBOXES", "Chosen", "choose", "opened"]


def choose(name: str | None) -> Chosen:
    """The environment called `name`, or the one that is meant without a name."""
    return opening.choose(name, lambda text: diagnostics.narrate(text, "dim"))


@contextmanager
def opened(name: str | None) -> Iterator[Connections]:
    """The chosen environment's systems, opened lazily, closed at the end."""
    chosen = choose(name)
    _remind_of_unfinished(chosen.environment.name)
    connections = chosen.connect()
    try:
        yield connections
    finally:
        connections.close()


def _remind_of_unfinished(environment: str) -> None:
    """Say that an earlier change was cut off, as long as nobody said that it was looked after."""
    if not (paths.state() / "journal.open").is_dir():
        return
    from toolkit.actions.journal import Journal

    for operation in Journal().unfinished():
        if operation.environment == environment:
            diagnostics.warn(
                f"{operation.action} of {operation.started:%Y-%m-%d %H:%M}Z was cut off before its end. "
                f"`toolkit journal show {operation.operation}` has its plan; when it is looked after: "
                f"`toolkit journal settle {operation.operation}`."
            )
