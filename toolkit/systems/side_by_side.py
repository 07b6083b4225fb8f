"""Many small pieces of work side by side in threads, with their results as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(
    items: Iterable[T], work: Callable[[T], R], *, workers: int, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[T, R]]:
    """(item, work(item)) in the order in which they end.

    `items` is read only as there is room, so it may be a listing under way. Once `stop()` is true nothing new begins,
    and it ends with what was running. What `work` raises comes out here.
    """
    source = iter(items)
    running: dict[Future[R], T] = {}
    more = True
    with ThreadPoolExecutor(workers, thread_name_prefix="side-by-side") as pool:
        try:
            while True:
                while more and len(running) < 2 * workers and not stop():
                    try:
                        item = next(source)
                    except StopIteration:
                        more = False
                        break
                    running[pool.submit(work, item)] = item
                    if any(future.done() for future in running):
                        break
                if not running:
                    return
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield running.pop(future), future.result()
        finally:
            for future in running:
                future.cancel()
