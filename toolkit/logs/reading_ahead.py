"""Reads an iterator in a thread of its own, some blocks ahead of whoever takes from it."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

from toolkit.errors import Interrupted, ToolkitError
from toolkit.progress import Progress

T = TypeVar("T")

_BLOCK: Final = 500  # items
_AHEAD: Final = 4  # blocks
_LOOKS_EVERY: Final = 0.1  # seconds


class Ahead(Generic[T]):
    """Iterate over it for what `read(progress)` gives; the progress that it is handed is stopped by `close()`.

    A ToolkitError is not raised: `error` has it after the end. `any`: whether anything came. Raises Interrupted where
    the outer progress asks to stop.
    """

    def __init__(self, read: Callable[[Progress], Iterator[T]], progress: Progress, name: str) -> None:
        self.error: ToolkitError | None = None
        self.any = False
        self._outer = progress
        self._progress = Progress(progress.tell, threading.Event())
        self._blocks: queue.Queue[list[T] | BaseException | None] = queue.Queue(_AHEAD)
        threading.Thread(target=self._read, args=(read,), name=f"reading {name}", daemon=True).start()

    def __iter__(self) -> Iterator[T]:
        while True:
            self._outer.check_stop()
            try:
                block = self._blocks.get(timeout=_LOOKS_EVERY)
            except queue.Empty:
                continue
            if block is None:
                return
            if isinstance(block, ToolkitError) and not isinstance(block, Interrupted):
                self.error = block
                return
            if isinstance(block, BaseException):
                raise block
            self.any = True
            yield from block

    def close(self) -> None:
        """Nobody takes any more; the reading is asked to stop."""
        self._progress.stop.set()

    def _read(self, read: Callable[[Progress], Iterator[T]]) -> None:
        block: list[T] = []
        try:
            for item in read(self._progress):
                block.append(item)
                if len(block) >= _BLOCK or self._blocks.empty():
                    if not self._put(block):
                        return
                    block = []
            if block:
                self._put(block)
            self._put(None)
        except Exception as error:  # noqa: BLE001  it is raised where it can be answered
            if block:
                self._put(block)
            self._put(error)

    def _put(self, block: list[T] | BaseException | None) -> bool:
        while not self._progress.stop.is_set():
            with contextlib.suppress(queue.Full):
                self._blocks.put(block, timeout=_LOOKS_EVERY)
                return True
        return False
