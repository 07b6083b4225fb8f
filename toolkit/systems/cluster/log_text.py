"""A log's bytes as they come off the wire: HTTP's chunks taken off, whole lines split off, their stamps read.

All of it in blocks: a kubelet sends every line as a chunk of its own, and there may be 50,000 a second.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

LONGEST_LINE: Final = 1 << 24  # bytes; of a longer one only the beginning is kept, and that is said
_LONGEST_HEAD: Final = 1 << 10  # of a chunk: its size in hexadecimal, and extensions that nobody sends
_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")
_SECOND: Final = 10**9


class Chunks:
    """Takes the chunked transfer coding off (RFC 9112, 7.1). `ended`: the last chunk has come, so the body is whole."""

    def __init__(self) -> None:
        self.ended = False
        self._left = 0  # bytes of the present chunk that are still to come, with its line's end
        self._head = b""

    def decoded(self, block: bytes) -> bytes:
        """What is in the chunks of `block`. Raises ValueError where there are none."""
        data = self._head + block if self._head else block
        self._head = b""
        at, parts = 0, []
        while not self.ended:
            if self._left:
                piece = data[at : at + self._left]
                parts.append(piece[: max(0, self._left - 2)])
                at += len(piece)
                self._left -= len(piece)
                if self._left:
                    break
            end = data.find(b"\r\n", at)
            if end < 0:
                self._head = data[at:]
                if len(self._head) > _LONGEST_HEAD:
                    raise ValueError("that is no chunk")
                break
            size = int(data[at:end].partition(b";")[0], 16)
            if size < 0:
                raise ValueError("that is no chunk")
            self.ended = size == 0
            at, self._left = end + 2, size + 2
        return b"".join(parts)


class Lines:
    """Splits blocks into whole lines; the beginning of one waits for its end. Bytes that are no UTF-8 become surrogate
    escapes. `shortened` holds the sizes of lines of which only the first LONGEST_LINE bytes were kept."""

    def __init__(self) -> None:
        self.shortened: list[int] = []
        self._pieces: list[bytes] = []
        self._size = 0

    def split(self, block: bytes) -> list[str]:
        end = block.rfind(b"\n")
        if end < 0:
            self._hold(block)
            return []
        whole = block[:end]
        if self._pieces:
            first = block.find(b"\n")
            self._hold(block[:first])
            whole = self._let_go() + whole[first:]
        self._hold(block[end + 1 :])
        return whole.decode("utf-8", "surrogateescape").split("\n")

    def rest(self) -> list[str]:
        """The last line, where the log has ended without a line's end."""
        return [self._let_go().decode("utf-8", "surrogateescape")] if self._pieces else []

    def _hold(self, piece: bytes) -> None:
        if piece and self._size < LONGEST_LINE:
            self._pieces.append(piece[: LONGEST_LINE - self._size])
        self._size += len(piece)

    def _let_go(self) -> bytes:
        line = b"".join(self._pieces)
        if self._size > LONGEST_LINE:
            self.shortened.append(self._size)
        self._pieces, self._size = [], 0
        return line


class Stamps:
    """Reads the stamps at the lines' beginnings; most lines have the second of the one before."""

    def __init__(self) -> None:
        self._head = ""  # of the last stamp, up to its decimal point
        self._base = 0  # that second, in nanoseconds since the epoch

    def read(self, raws: list[str]) -> tuple[list[int], list[str]]:
        """Times in nanoseconds since the epoch (0: the line has no stamp), and the texts behind them."""
        head, base = self._head, self._base
        times, texts = [], []
        for raw in raws:
            if raw[:20] == head and raw[29:31] == "Z ":
                try:
                    times.append(base + int(raw[20:29]))
                except ValueError:
                    times.append(0)
                    texts.append(raw)
                else:
                    texts.append(raw[31:])
                continue
            stamp = raw[:64].partition(" ")[0]
            at = nanoseconds(stamp)
            times.append(at or 0)
            texts.append(raw if at is None else raw[len(stamp) + 1 :])
            if at is not None and len(stamp) == 30 and stamp[29] == "Z":
                head, base = stamp[:20], at - at % _SECOND
        self._head, self._base = head, base
        return times, texts


def nanoseconds(stamp: str) -> int | None:
    """An RFC 3339 time as nanoseconds since the epoch; None where it is none."""
    found = _STAMP.fullmatch(stamp)
    if found is None:
        return None
    day, clock, decimals, zone = found.groups()
    try:
        second = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError:
        return None
    return int(second.timestamp()) * _SECOND + int((decimals or "0").ljust(9, "0"))
