"""The end of an app that nobody looks at any more: its terminal was closed, or the tab of its browser.

Textual would go on for ever on a terminal that ended without a signal, at the cost of a whole core.
"""

from __future__ import annotations

import asyncio
import select
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from toolkit.tui.app import ToolkitApp
    from toolkit.tui.operation import Operation

_OFTEN: Final = 0.1  # seconds between looks at a change that is waited for


def watch_terminal(app: ToolkitApp) -> Callable[[], bool]:
    """End `app` when its terminal is closed, or it is told to end. Gives back what is to be called now and then: a
    terminal can end without a signal (a container's, or another session's). Not for Windows, which has neither."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGTERM):
        loop.add_signal_handler(number, partial(app.exit, 128 + number))
    return partial(end_with_terminal, app)


def end_with_terminal(app: ToolkitApp) -> bool:
    """End `app` if its terminal has ended; whether it has."""
    poll = select.poll()
    poll.register(sys.stdin, 0)  # the end is told in any case
    ended = any(event & select.POLLHUP for _, event in poll.poll(0))
    if ended:
        app.exit(128 + signal.SIGHUP)
    return ended


def let_end(operation: Operation | None) -> None:
    """Wait for a change that is being carried out; one that is only asked about is declined."""
    if operation is None:
        return
    operation.decline()
    while operation.ongoing:
        time.sleep(_OFTEN)
