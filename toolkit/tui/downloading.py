"""A download on its way: it runs in a thread and keeps how far it is, so that one can look at other pages meanwhile.

Screens look at it by a timer; it never touches a widget.
"""

from __future__ import annotations

import difflib
import shlex
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from toolkit.errors import Interrupted, ToolkitError, UsageError
from toolkit.progress import Advanced, Event, Progress, Step
from toolkit.tui import background
from toolkit.tui.clock import ticks
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
    from toolkit.cache.download import GroupDownload

LayerName = Literal["L2", "L3"]
_OPTIONS: Final = ("--layer", "--frame")
_WINDOW: Final = 10.0  # seconds over which the rate is taken


@dataclass(frozen=True)
class DownloadQuery:
    """What to bring, and where to: a folder of the group's name is made in `to`."""

    group: str
    to: Path
    layer: LayerName = "L3"
    frames: tuple[str, ...] = ()
    overwrite: bool = False

    def command(self, environment: str) -> str:
        """The command that does the same."""
        words = ["toolkit", "groups", "download", self.group, "--to", str(self.to), "--layer", self.layer.lower()]
        for frame in self.frames:
            words += ["--frame", frame]
        return shlex.join([*words, *(["--overwrite"] if self.overwrite else []), "--env", environment])


def read(group: str, text: str) -> DownloadQuery:
    """What a typed line asks for: `DIR --layer l2 --frame genes`. Raises UsageError."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError("A quotation mark is not closed.") from None
    places: list[str] = []
    frames: list[str] = []
    layer: LayerName = "L3"
    rest = iter(words)
    for word in rest:
        option, given, value = word.partition("=")
        if not option.startswith("--"):
            places.append(word)
            continue
        if option not in _OPTIONS:
            near = difflib.get_close_matches(option, _OPTIONS, n=1, cutoff=0.5)
            raise UsageError(f"There is no {option} here" + (f"; did you mean {near[0]}?" if near else "."))
        value = value if given else next(rest, "")
        if option == "--frame" and value:
            frames.append(value)
        elif option == "--layer" and value.upper() in ("L2", "L3"):
            layer = "L2" if value.upper() == "L2" else "L3"
        else:
            raise UsageError("--layer is l2 (Redis) or l3 (the bucket)." if option == "--layer" else "Name a frame.")
    if len(places) != 1:
        raise UsageError("Name one folder." if not places else "A folder whose name holds a space is put in quotes.")
    to = Path(places[0]).expanduser()
    if to.exists() and not to.is_dir():
        raise UsageError(f"{foreign(str(to))} is a file, no folder.")
    return DownloadQuery(group, to, layer, tuple(frames))


class Download:
    """`bring` run once. `result` or `problem` is set when it has ended."""

    def __init__(self, query: DownloadQuery, bring: Callable[[DownloadQuery, Progress], GroupDownload]) -> None:
        self.query = query
        self.result: GroupDownload | None = None
        self.problem: ToolkitError | None = None
        self.step = ""
        self.advanced: Advanced | None = None
        self.over = False
        self._bring = bring
        self._progress = Progress(tell=self._tell)
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, int]] = deque()

    @property
    def stopping(self) -> bool:
        return self._progress.stop.is_set() and not self.over

    @property
    def stopped(self) -> bool:
        """Whether it ended because somebody asked it to."""
        return isinstance(self.problem, Interrupted)

    @property
    def rate(self) -> float | None:
        """Bytes a second, lately; None as long as that cannot be said."""
        with self._lock:
            if len(self._seen) < 2:
                return None
            (first, before), (last, after) = self._seen[0], self._seen[-1]
        return (after - before) / (last - first) if last > first and after > before else None

    @property
    def seconds_left(self) -> float | None:
        rate, advanced = self.rate, self.advanced
        if rate is None or advanced is None or advanced.total is None:
            return None
        return max(0.0, (advanced.total - advanced.done) / rate)

    async def run(self) -> None:
        """Bring it; ends when it has ended, well or not."""
        try:
            self.result = await background.in_thread(lambda: self._bring(self.query, self._progress), "download")
        except ToolkitError as problem:
            self.problem = problem
        self.over = True

    def stop(self) -> None:
        """Ask it to end soon. What came stays, and the same download goes on from there."""
        self._progress.stop.set()

    def _tell(self, event: Event) -> None:
        if isinstance(event, Step):
            self.step = foreign(event.text)
        elif isinstance(event, Advanced) and event.unit == "bytes":
            now = ticks()
            with self._lock:
                self.advanced = event
                self._seen.append((now, event.done))
                while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
                    self._seen.popleft()
