"""How Go writes a panic: what it was, then the goroutines with their calls, innermost first."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from toolkit.logs.entry import Frame
from toolkit.logs.traceback_text import Found, is_ours

_BEGINS: Final = ("panic: ", "fatal error: ")
_GOROUTINE: Final = re.compile(r"goroutine \d{1,12} \[")
_CALL: Final = re.compile(r"(?:created by )?([\w./*()\[\]{}…·-]{1,300}?)(?:\(.{0,4096}\)|(?: in goroutine \d{1,12}))$")
_PLACE: Final = re.compile(r"\t(.{1,2048}?):(\d{1,9})(?: \+0x[0-9a-f]+)?$")
_BETWEEN: Final = ("\t", "[signal ", "exit status ", "created by ", "panic: ")


class GoPanic:
    """A panic whose lines come one by one."""

    def __init__(self, first: str) -> None:
        self._lines = [first]

    @property
    def blank_at_end(self) -> int:
        count = 0
        while not self._lines[-1 - count].strip():
            count += 1
        return count

    def takes(self, text: str, goes_on: Callable[[str], bool]) -> bool:  # noqa: ARG002 - as a Python traceback is asked
        goes_on_here = not text.strip() or text.startswith(_BETWEEN) or _GOROUTINE.match(text) or _CALL.match(text)
        if goes_on_here:
            self._lines.append(text)
        return bool(goes_on_here)

    def read(self, own_code: Sequence[str]) -> Found:
        """The frames are those of the first goroutine that is written, which is the one that panicked."""
        frames: list[Frame] = []
        goroutines, function = 0, ""
        for line in self._lines:
            if _GOROUTINE.match(line) is not None:
                goroutines += 1
                if goroutines > 1:
                    break
            elif (place := _PLACE.match(line)) is not None:
                if function:
                    frames.append(Frame(place[1], int(place[2]), function, ours=is_ours(place[1], own_code)))
                function = ""
            else:
                call = _CALL.match(line)
                function = call[1] if call is not None else ""
        exception = self._lines[0].rstrip() if self._lines[0].startswith(_BEGINS) else "goroutine"
        return Found(exception, tuple(reversed(frames)), (exception.partition(":")[0],))


def begins_panic(text: str) -> GoPanic | None:
    if "\n" in text or not (text.startswith(_BEGINS) or _GOROUTINE.match(text) is not None):
        return None
    return GoPanic(text)
