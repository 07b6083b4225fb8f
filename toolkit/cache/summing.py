"""Sums up what frames hold, once for all that store the very same names: variants of a group, copies in both layers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from toolkit.cache.perturbations import Perts, summed_up

if TYPE_CHECKING:
    from toolkit.cache.formats import Frame


class Summing:
    """For the frames of one search. Thread-safe: whoever comes second with the same names waits for the first."""

    def __init__(self) -> None:
        self._done: dict[str, Perts] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def of(self, frame: Frame) -> Perts:
        """What `frame` holds. Raises UnreadableFrame, or the source's ToolkitError."""
        mark = frame.names_mark()
        if not mark:
            return summed_up(frame.names())
        with self._lock:
            lock = self._locks.setdefault(mark, threading.Lock())
        with lock:  # where the first fails, the second tries by itself: an error names its own frame
            if mark not in self._done:
                self._done[mark] = summed_up(frame.names())
            return self._done[mark]
