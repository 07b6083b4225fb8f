"""Narration, on stderr: the only module that writes there. Progress, warnings, questions and errors.

Everything passes `scrub`: no secret that this process has held reaches a terminal.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from toolkit import figures
from toolkit.errors import ToolkitError
from toolkit.progress import Advanced, Event, Line, Note, Progress, Step
from toolkit.secret import scrub

if TYPE_CHECKING:
    from rich.progress import TaskID

_COLOURS = {"red": "31", "yellow": "33", "green": "32", "dim": "2", "bold": "1"}


def narrate(text: str, style: str = "") -> None:
    """One line about what is going on."""
    sys.stderr.write(_styled(scrub(text), style) + "\n")
    sys.stderr.flush()


def warn(text: str) -> None:
    narrate(f"warning: {text}", "yellow")


def error(problem: ToolkitError) -> None:
    """An error as a person needs it: what, then the next step, then the commands by hand."""
    first, *more = problem.message.split("\n")
    narrate(_styled("error: ", "red") + scrub(first))
    for line in more:
        narrate("       " + line)
    if problem.hint:
        narrate(_styled(" next: ", "bold") + scrub(problem.hint))
    for command in problem.by_hand:
        narrate(_styled("by hand: ", "dim") + scrub(command))


def _styled(text: str, style: str) -> str:
    plain = not style or not sys.stderr.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"


def can_ask() -> bool:
    """Whether a person sits there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """What somebody answers to `question`; Ctrl-D is an empty answer."""
    return (ask_line(question) or "").strip()


def ask_line(question: str) -> str | None:
    """Ask on stderr (stdout may be piped), read a line from stdin; None for Ctrl-D. Ctrl-C and SIGTERM end the command,
    also while work is being watched: it waits for this answer."""
    import signal

    sys.stderr.write(scrub(question) + " ")
    sys.stderr.flush()
    with _handling({signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}):
        answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stderr.write("\n")
    return answer or None


def ask_secret(question: str) -> str:
    """Ask without echo."""
    import getpass

    return getpass.getpass(question + " ", stream=sys.stderr)


@contextmanager
def watching() -> Iterator[Progress]:
    """A Progress whose events are shown: live bars on a terminal, plain lines (a few) where stderr is piped.

    Ctrl-C, and SIGTERM, ask the work to stop in an orderly way; a second one ends it at once.
    """
    import signal

    shown = _Bars() if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else _Lines()
    progress = Progress(tell=shown.tell)

    def on_interrupt(_signal: int, _frame: object) -> None:
        if progress.stop.is_set():
            raise KeyboardInterrupt
        progress.stop.set()
        shown.tell(Step("Stopping … (Ctrl-C again ends at once)"))

    with _handling({signal.SIGINT: on_interrupt, signal.SIGTERM: on_interrupt}), shown:
        yield progress


@contextmanager
def _handling(handlers: Mapping[int, Any]) -> Iterator[None]:
    """These handlers of signals, until the end of the block. In the main thread alone: elsewhere others handle them."""
    import signal

    in_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items() if in_main}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Heartbeat:
    """Says on one line of the terminal that followed sources are alive, and when they were last heard of."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = False
        self._last = 0.0

    def told(self, heard: Mapping[str, float]) -> None:
        """Seconds since each stream was last heard of; said anew once a second."""
        now = time.monotonic()
        if not self._shows or now - self._last < 1:
            return
        self._last = now
        text = "waiting for the first line"
        if heard:
            origin, seconds = min(heard.items(), key=lambda item: item[1])
            quiet = max(heard.values())
            text = f"{len(heard)} streams; last heard {seconds:.0f} s ago ({printable(origin)})"
            if quiet >= 30:
                text += f"; the quietest {quiet:.0f} s ago"
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[K\x1b[2m… {scrub(text)[: width - 2]}\x1b[0m")
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away: something else is printed."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


@contextmanager
def heartbeat() -> Iterator[Heartbeat]:
    """A heartbeat, gone at the end."""
    beat = Heartbeat()
    try:
        yield beat
    finally:
        beat.clear()


class _Lines:
    """Events as plain lines; an advancing count at most every two seconds, of bytes with rate and time left."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._first: dict[str, tuple[float, int]] = {}

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def tell(self, event: Event) -> None:
        match event:
            case Step(text):
                narrate(f"- {text}")
            case Note(text):
                narrate(f"- {text}", "dim")
            case Line(origin, text):
                narrate(f"{origin} | {printable(text)}")
            case Advanced(what, done, total, unit, note):
                now = time.monotonic()
                began, before = self._first.setdefault(what, (now, done))
                if done == total or now - self._last.get(what, 0.0) >= 2:
                    self._last[what] = now
                    if unit == "bytes":
                        narrate(f"  {what}: {_bytes(done, total, done - before, now - began)}")
                    else:
                        of = f" of {total:,}" if total is not None else ""
                        narrate(f"  {what}: {done:,}{of} {unit}{f', {note}' if note else ''}")


def _bytes(done: int, total: int | None, lately: int, seconds: float) -> str:
    """1.2 GB of 2.0 GB, 45 MB/s, 18s left: the rate is that of the `lately` bytes of the last `seconds`."""
    text = figures.size(done) + (f" of {figures.size(total)}" if total is not None else "")
    if lately <= 0 or seconds <= 0:
        return text
    text += f", {figures.size(round(lately / seconds))}/s"
    if total is None or done >= total:
        return text
    return f"{text}, {figures.duration((total - done) * seconds / lately)} left"


class _Bars:
    """Events as live progress bars, with lines above them."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as RichProgress

        self._console = Console(stderr=True, highlight=False, markup=False)
        name = TextColumn("  {task.description}", markup=False)
        note = TextColumn("{task.fields[note]}", markup=False)
        counts = (name, BarColumn(bar_width=30), MofNCompleteColumn(), TimeElapsedColumn(), note)
        left = TimeRemainingColumn(elapsed_when_finished=True)
        sizes = (name, BarColumn(bar_width=20), DownloadColumn(), TransferSpeedColumn(), left)
        self._counts = RichProgress(*counts, console=self._console)
        self._sizes = RichProgress(*sizes, console=self._console)
        self._tasks: dict[str, tuple[RichProgress, TaskID]] = {}
        self._live: RichProgress | None = None

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, event: Event) -> None:
        match event:
            case Step(text):
                self._console.print("• " + scrub(text), style="bold")
            case Note(text):
                self._console.print("- " + scrub(text), style="dim", soft_wrap=True)
            case Line(origin, text):
                self._console.print(f"{origin} │ {scrub(printable(text))}", style="dim", soft_wrap=True)
            case Advanced(what, done, total, unit, note):
                bars = self._sizes if unit == "bytes" else self._counts
                if self._live is not bars:
                    if self._live is not None:
                        self._live.stop()
                    bars.start()
                    self._live = bars
                if what not in self._tasks:
                    self._tasks[what] = (bars, bars.add_task(scrub(what), total=total, note=note))
                held, task = self._tasks[what]
                held.update(task, completed=done, total=total, note=note)


def printable(text: str) -> str:
    """`text` without control characters: what a foreign log says must not steer the terminal."""
    if text.isprintable():  # nearly always, and far quicker than looking at each
        return text
    return "".join(c if c == "\t" or (c.isprintable()) else "\N{REPLACEMENT CHARACTER}" for c in text)
