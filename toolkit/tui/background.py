"""Work that blocks, on threads that never keep the app from ending.

A question runs in a daemon thread and hands its answer over to the event loop; the thread touches no widget. Whoever
stops waiting (another screen, a newer question, the app's end) just does not get the answer: a server that hangs
holds up nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakKeyDictionary

from toolkit.errors import Failed, ToolkitError

if TYPE_CHECKING:
    from textual.dom import DOMNode

T = TypeVar("T")

_threads: set[threading.Thread] = set()
_owners: WeakKeyDictionary[asyncio.Task[Any] | None, DOMNode] = WeakKeyDictionary()


def busy(grace: float = 0.0) -> bool:
    """Whether some thread still waits for a system, `grace` seconds from now at the latest."""
    until = time.monotonic() + grace
    for thread in list(_threads):
        thread.join(max(0.0, until - time.monotonic()))
    return any(thread.is_alive() for thread in list(_threads))


def start(work: Callable[[], None], name: str) -> threading.Thread:
    """Run `work` in a daemon thread of its own. It has to deal with its own exceptions."""

    def run() -> None:
        try:
            work()
        finally:
            _threads.discard(threading.current_thread())

    thread = threading.Thread(target=run, name=name, daemon=True)
    _threads.add(thread)
    thread.start()
    return thread


async def in_thread(ask: Callable[[], T], name: str = "question") -> T:
    """What `ask()` gives back, asked in a thread. Raises nothing but ToolkitError, and CancelledError also where the
    widget that asked is being taken away: an answer would find it without its parts."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, problem: ToolkitError | None) -> None:
        if answer.done():
            return
        if problem is not None:
            answer.set_exception(problem)
        else:
            answer.set_result(value)  # type: ignore[arg-type]

    def work() -> None:
        try:
            value = ask()
        except BaseException as error:  # noqa: BLE001 - whatever an SDK raises becomes something to show
            _tell(loop, settle, None, as_problem(error))
        else:
            _tell(loop, settle, value, None)

    start(work, name)
    try:
        return await answer
    finally:
        _end_with_its_widget()


async def each(ask: Callable[[], Iterator[T]], name: str = "questions") -> AsyncIterator[T]:
    """The items of `ask()` as they come, iterated in a thread. Leaving the loop early ends it after its next item.
    Raises what `in_thread` raises."""
    loop = asyncio.get_running_loop()
    items: deque[T] = deque()
    ended: list[ToolkitError | None] = []
    left = threading.Event()
    news = asyncio.Event()

    def work() -> None:
        problem: ToolkitError | None = None
        try:
            for item in ask():
                if left.is_set():
                    return
                items.append(item)
                _tell(loop, news.set)
        except BaseException as error:  # noqa: BLE001 - as above
            problem = as_problem(error)
        ended.append(problem)
        _tell(loop, news.set)

    start(work, name)
    try:
        while True:
            _end_with_its_widget()
            over = bool(ended)  # looked at before the items: what came before the end is not lost
            while items:
                yield items.popleft()
            if over:
                if ended[0] is not None:
                    raise ended[0]
                return
            await news.wait()
            news.clear()
    finally:
        left.set()


def as_problem(error: BaseException) -> ToolkitError:
    """`error` as something to show. What is not ours is a bug: its traceback goes to a file."""
    if isinstance(error, ToolkitError):
        return error
    from toolkit import crash

    return Failed(
        f"A bug in the toolkit: {type(error).__name__}: {error}",
        hint=crash.save(error, sys.argv[1:]),
    )


def _end_with_its_widget() -> None:
    """End the work that is going on if whose it is has begun to be taken away."""
    owner = _owners.get(asyncio.current_task())
    if owner is not None and any(node._closing for node in owner.ancestors_with_self):  # there is no public word for it
        raise asyncio.CancelledError


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: the app has ended meanwhile
        loop.call_soon_threadsafe(callback, *arguments)


def work_for(
    owner: DOMNode,
    work: Callable[[], Coroutine[Any, Any, Any]],
    *,
    group: str = "default",
    exclusive: bool = False,
    exit_on_error: bool = True,
) -> None:
    """Run `work` as a worker of `owner`. It is called when the worker starts: one that is cancelled before leaves no
    coroutine that was never awaited. Textual ends a worker only after it has taken away what its widget is made of;
    ours ends before, at the next answer (`in_thread`, `each`)."""

    async def run() -> None:
        _owners[asyncio.current_task()] = owner
        await work()

    owner.run_worker(cast("Any", run), group=group, exclusive=exclusive, exit_on_error=exit_on_error)
