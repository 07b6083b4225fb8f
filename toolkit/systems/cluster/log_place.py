"""Where in a log we are, so that a new stream of it can be joined to what we have: no line lost, none twice.

A server gives the lines from a whole second on, in the order in which they were written. So a new stream that is asked
for from a second on begins with all that we have of it, and goes on with what we do not have. Where the server has
forgotten the beginning meanwhile, it begins further on; where it has forgotten all that we have, lines may be missing.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence
from typing import Final

_SECOND: Final = 10**9
_BACKWARDS: Final = 250_000_000  # ns: so far stamps may run backwards, as between standard output and error
MOST_REMEMBERED: Final = 1 << 20  # lines, 16 bytes each


class Place:
    """What we have of a log's last seconds. Give it each line of each stream of that log, with `take`.

    `torn`: the present stream has nothing in common with what we have; nothing of it was taken, see `go_on`.
    `newest` is the youngest time in nanoseconds, `last` the mark of the line that was written last (None: no line yet).
    """

    def __init__(self, since: int = 0, *, tail: bool = False) -> None:
        """`since`: the second from which on the log is read. `tail`: only its last lines were asked for."""
        self.torn = False
        self.newest = 0
        self.last: int | None = None
        self._since = since
        self._tail = tail
        self._strange_until = -1  # up to this time a stream may give lines that we do not remember
        self._remembered: deque[tuple[int, array[int], array[int]]] = deque()  # newest, times, marks of some lines
        self._count = 0
        self._expected: array[int] = array("q")
        self._agreed = 0  # so many of `_expected` the stream has given so far
        self._held: list[tuple[int, str, int]] = []

    @property
    def since(self) -> int:
        """The second (since the epoch) from which on a new stream has to be asked for; 0: from the beginning."""
        return max(self._since, (self.newest - _BACKWARDS) // _SECOND) if self.last is not None else self._since

    def resume(self) -> None:
        """A new stream begins, at the second `since`."""
        floor = self.since * _SECOND
        self.torn, self._agreed, self._held = False, 0, []
        self._expected = array("q")
        for newest, times, marks in self._remembered:
            if newest >= floor:
                self._expected.extend(mark for at, mark in zip(times, marks, strict=True) if at >= floor)

    def take(self, times: list[int], texts: list[str], raws: Sequence[str]) -> tuple[list[int], list[str]]:
        """The lines that we did not have: times and texts. `raws` are the lines with their stamps.

        Lines are held back until it is sure which of them we have. A line without a time is always new.
        """
        marks = [*map(hash, raws)]
        if not self._expected:
            return self._taken(times, texts, marks)
        lines = [*zip(times, texts, marks, strict=True)]
        self._held += (line for line in lines if line[0])
        new = self._joined()
        loose = [text for at, text, _ in lines if not at]
        return ([0] * len(loose) + new[0], loose + new[1]) if loose else new

    def go_on(self) -> tuple[list[int], list[str]]:
        """Take the torn stream as it is: the lines that were held back."""
        self.torn = False
        return self._let_go(0)

    @property
    def joined(self) -> bool:
        """Whether it is known how the present stream and what we have fit together."""
        return not self._expected

    def is_newer(self, at: int, raw: str) -> bool:
        """Whether the line `raw` of the time `at`, the last that the server has, is one that we still have to get."""
        if self.last is None and self._tail:
            return False
        return hash(raw) != self.last and at >= self._since * _SECOND

    def _joined(self) -> tuple[list[int], list[str]]:
        expected = self._expected
        if not self._agreed:
            del self._held[: self._strangers()]
        marks = array("q", [mark for _, _, mark in self._held[self._agreed :]])
        if not marks or self.torn:
            return [], []
        if expected[self._agreed : self._agreed + len(marks)] == marks[: len(expected) - self._agreed]:
            self._agreed += len(marks)
            return self._let_go(len(expected)) if self._agreed >= len(expected) else ([], [])
        common = overlap(expected, [mark for _, _, mark in self._held])
        self._agreed = 0
        self.torn = common == 0
        return self._let_go(common) if common else ([], [])

    def _strangers(self) -> int:
        """How many lines stand before the first one that we remember."""
        first, until = self._expected[0], self._strange_until
        for number, (at, _, mark) in enumerate(self._held):
            if at > until or mark == first:
                return number
        return len(self._held)

    def _let_go(self, known: int) -> tuple[list[int], list[str]]:
        """The stream is joined: all that was held, but for the first `known` lines."""
        new, self._held, self._expected = self._held[known:], [], array("q")
        return self._taken([line[0] for line in new], [line[1] for line in new], [line[2] for line in new])

    def _taken(self, times: list[int], texts: list[str], marks: list[int]) -> tuple[list[int], list[str]]:
        newest = max(times, default=0)
        if newest:
            stamped, own = times, marks
            if 0 in times:
                stamped = [at for at in times if at]
                own = [mark for at, mark in zip(times, marks, strict=True) if at]
            if self.last is None and self._tail:
                self._strange_until = stamped[0] + _BACKWARDS
            self.newest, self.last = max(self.newest, newest), own[-1]
            self._remember(newest, array("q", stamped), array("q", own))
        return times, texts

    def _remember(self, newest: int, times: array[int], marks: array[int]) -> None:
        remembered, floor = self._remembered, self.since * _SECOND
        remembered.append((newest, times, marks))
        self._count += len(marks)
        while remembered[0][0] < floor or (self._count > MOST_REMEMBERED and len(remembered) > 1):
            gone = remembered.popleft()
            self._count -= len(gone[2])
            if gone[0] >= floor:
                self._strange_until = max(self._strange_until, gone[0])


def overlap(ours: array[int], given: Sequence[int]) -> int | None:
    """With how many of the last of `ours` the sequence `given` begins; None: that cannot be told before more is given.

    The search is Knuth's, Morris' and Pratt's: linear, whatever repeats.
    """
    pattern = array("q", given[: len(ours)])
    borders = [0] * len(pattern)
    matched = 0
    for at in range(1, len(pattern)):
        while matched and pattern[at] != pattern[matched]:
            matched = borders[matched - 1]
        matched += pattern[at] == pattern[matched]
        borders[at] = matched
    matched = 0
    for at, mark in enumerate(ours):
        while matched and pattern[matched] != mark:
            matched = borders[matched - 1]
        matched += pattern[matched] == mark
        if matched == len(pattern):
            return None if at + 1 < len(ours) else matched
    return matched
