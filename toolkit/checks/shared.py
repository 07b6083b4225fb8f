"""What several checks of one run need, and one of them asks: the layers, where the CronJob is, its runs.

A run of checks (`why`) has one Run, which is over with it; a check that is asked by itself asks anew. So the findings
of one run are of one moment, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar

from toolkit.cache import layers as cache_layers
from toolkit.cache import rebuilds

if TYPE_CHECKING:
    from toolkit.cache.layers import Layers
    from toolkit.systems.cluster.objects import CronJob, Job
    from toolkit.systems.connections import Connections

T = TypeVar("T")


class Run:
    """The answers of one run, by what was asked; an error is an answer too. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, Future[Any]] = {}

    def once(self, what: str, ask: Callable[[], T]) -> T:
        """The answer to `what`: whoever is first asks, the others wait for it. Raises what `ask` raises."""
        with self._lock:
            answer = self._answers.get(what)
            first = answer is None
            if answer is None:
                answer = self._answers[what] = Future()
        if first:
            try:
                answer.set_result(ask())
            except BaseException as error:  # noqa: BLE001  it is raised to everybody who waits
                answer.set_exception(error)
        found: T = answer.result()
        return found


_RUN: Final[ContextVar[Run | None]] = ContextVar("run", default=None)


@contextmanager
def within(run: Run | None) -> Iterator[None]:
    """What this thread asks inside is shared with all that are within the same `run`."""
    before = _RUN.set(run)
    try:
        yield
    finally:
        _RUN.reset(before)


def once(what: str, ask: Callable[[], T]) -> T:
    """The run's answer to `what`; without a run `ask` is asked."""
    run = _RUN.get()
    return ask() if run is None else run.once(what, ask)


def layers(connections: Connections) -> Layers:
    """See cache.layers.read_either."""

    def read() -> Layers:
        # What is read there is looked through with pyarrow: it is imported while the systems are waited for.
        threading.Thread(target=_import_pyarrow, name="import").start()
        return cache_layers.read_either(connections)

    return once("layers", read)


def cronjob(connections: Connections) -> rebuilds.Located:
    """See cache.rebuilds.locate."""
    return once("cronjob", lambda: rebuilds.locate(connections))


def runs_of(connections: Connections, of: CronJob) -> list[Job]:
    """See cache.rebuilds.runs_of."""
    return once("runs", lambda: rebuilds.runs_of(connections, of))


ONCE: Final = rebuilds.Asking(cronjob, runs_of)


def _import_pyarrow() -> None:
    import pyarrow.compute  # noqa: F401
