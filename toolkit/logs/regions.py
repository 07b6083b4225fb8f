"""Where in much raw text a needle is, and what belongs to it: the lines of the entry around each place.

Looking through raw bytes costs a thousandth of reading every line. What surrounds a place is cut out generously:
whoever wants exactly the entries that hold the needle looks at them once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

_MOST: Final = 256 * 1024  # bytes of an entry to either side of a place
_INNER: Final = (b" ", b"\t", b"}", b"Traceback (most", b"During handling of", b"The above exception", b"\n", b"\r\n")


class Needle(Protocol):
    """A compiled pattern over bytes, as google-re2 and re have it."""

    def finditer(self, text: bytes, /) -> Iterator[Any]: ...


def regions(chunks: Iterable[bytes], needle: Needle) -> Iterator[bytes]:
    """The entries around each place of `needle` in the text that `chunks` are together: whole lines each."""
    rest = b""
    for chunk in chunks:
        text = rest + chunk if rest else chunk
        last = _begin(text, text.rfind(b"\n"))  # the last entry may go on in the next chunk
        yield from _before(last, text, needle)
        rest = text[last:]
    yield from _before(len(rest), rest, needle)


def _before(limit: int, text: bytes, needle: Needle) -> Iterator[bytes]:
    """The entries that begin before `limit`, which is itself where one begins."""
    end = 0
    for found in needle.finditer(text):
        at = found.start()
        if at >= limit:
            return
        if at >= end:
            start = max(end, _begin(text, at))
            end = _end(text, max(at, found.end() - 1))
            yield text[start:end]


def _begin(block: bytes, at: int) -> int:
    """Where the entry that holds `at` begins: at the last line before it that does not go on from another."""
    start = block.rfind(b"\n", 0, at) + 1
    lowest = max(0, at - _MOST)
    while start > lowest and goes_on(block, start):
        start = block.rfind(b"\n", 0, start - 1) + 1
    return start


def _end(block: bytes, at: int) -> int:
    end = _next(block, at)
    highest = at + _MOST
    while end < min(len(block), highest) and goes_on(block, end):
        end = _next(block, end)
    return end


def _next(block: bytes, at: int) -> int:
    found = block.find(b"\n", at)
    return len(block) if found < 0 else found + 1


def goes_on(block: bytes, start: int) -> bool:
    """Whether the line at `start` belongs to the one before it: a call, a cause, the exception after its calls."""
    if block.startswith(_INNER, start):
        return True
    before = block.rfind(b"\n", 0, max(0, start - 1)) + 1
    return before < start and block.startswith((b"  ", b"\t"), before) and not block[start : start + 1].isdigit()
