"""Grafana Loki's HTTP API, as the documentation of Loki 3 describes it: what was written in a range of time
(query_range), page by page, and what is being written (tail, a WebSocket).

The line to it stands in loki/line.py, the live stream in loki/tail.py, what its refusals mean in loki/errors.py. LogQL
is passed through. HTTP proxies of the environment are not used.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import Failed
from toolkit.systems.loki.answer import Chunk, Labels, read_streams
from toolkit.systems.loki.errors import by_hand
from toolkit.systems.loki.line import LokiLine
from toolkit.systems.loki.tail import Tail

if TYPE_CHECKING:
    from toolkit.environments import model
    from toolkit.secret import Secret

MOST_ENTRIES: Final = 5000  # in one answer; a server may be configured to give fewer, and says so
LONGEST_RANGE: Final = 30 * 86_400 * 10**9  # of one question, in nanoseconds; Loki's default limit is 30 d 1 h
_AHEAD: Final = 600 * 10**9  # stamps of a clock that is ahead of ours are found too


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, without what was on the page before. `stuck` is a time with more entries than Loki gives in one
    answer: those beyond cannot be had."""

    chunks: list[Chunk]
    stuck: int | None = None


class Loki:
    """One Loki, as `part` configures it. `token` reads its token, which is asked for once; None: none is needed.
    `token_by_hand` is the command that prints it. Thread-safe; every question has connections of its own."""

    def __init__(self, part: model.Loki, token: Callable[[], Secret] | None = None, *, token_by_hand: str = "") -> None:
        self.part = part
        self._line = LokiLine(part, token, token_by_hand)

    def entries(
        self,
        query: str,
        since: int,
        until: int | None = None,
        *,
        backward: bool = False,
        stop: threading.Event | None = None,
        most: int = MOST_ENTRIES,
    ) -> Iterator[Page]:
        """What `query` finds from `since` up to, not including, `until` (nanoseconds; None: now): the oldest first, or
        the newest first if `backward`. Setting `stop` ends a waiting question with Interrupted.

        Raises ToolkitError: Failed with Loki's own words where the query is wrong.
        """
        end = time.time_ns() + _AHEAD if until is None else until
        ranges = [(low, min(low + LONGEST_RANGE, end)) for low in range(since, end, LONGEST_RANGE)]
        with self._line.opened(stop) as ask:
            for low, high in reversed(ranges) if backward else ranges:
                for page in _pages(_Question(ask, query, low, high, backward, most)):
                    most = min(most, page.most)
                    yield Page(page.chunks, page.stuck)

    def tail(self, query: str, since: int, *, stop: threading.Event | None = None) -> Tail:
        """What is being written from now on, after at most 5000 entries since `since`; already connected."""
        return Tail(self._line, query, since, MOST_ENTRIES, stop)

    def by_hand(self, query: str, since: int | None = None, until: int | None = None, *, follow: bool = False) -> str:
        """The `logcli` command that asks the same; the token is read by a command in it, where one is needed."""
        return by_hand(self._line.where, query, since, until, follow=follow)

    def close(self) -> None:
        """Forget the token; questions that are open end by themselves."""
        self._line.close()


@dataclass
class _Question:
    """A range that is asked for page by page; `low` and `high` move on."""

    ask: Callable[[str, Mapping[str, str], str], bytes]
    query: str
    low: int
    high: int
    backward: bool
    most: int


@dataclass(frozen=True, slots=True)
class _Answer:
    chunks: list[Chunk]
    most: int
    stuck: int | None = None


def _pages(question: _Question) -> Iterator[_Answer]:
    """Page after page. Loki has no page tokens: the next page begins at the last time seen, and leaves out what was
    already seen at just that time. (In Loki a stream holds the same line at the same time only once.)"""
    border: int | None = None
    seen: set[tuple[Any, str]] = set()
    while question.low < question.high:
        chunks = _asked(question)
        count = sum(len(chunk.entries) for chunk in chunks)
        fresh = _without(chunks, border, seen) if border is not None else chunks
        if count < question.most:
            yield _Answer(fresh, question.most)
            return
        times = [entry.time for chunk in chunks for entry in chunk.entries]
        last = min(times) if question.backward else max(times)
        if not any(chunk.entries for chunk in fresh):
            yield _Answer([], question.most, stuck=last)
            border, seen = None, set()
            last = last - 1 if question.backward else last + 1
        else:
            yield _Answer(fresh, question.most)
            seen = {
                (_key(chunk.labels), entry.text) for chunk in chunks for entry in chunk.entries if entry.time == last
            } | (seen if last == border else set())
            border = last
        if question.backward:
            question.high = last + 1
        else:
            question.low = last


def _key(labels: Labels) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def _without(chunks: list[Chunk], border: int, seen: set[tuple[Any, str]]) -> list[Chunk]:
    fresh = []
    for chunk in chunks:
        key = _key(chunk.labels)
        entries = [entry for entry in chunk.entries if entry.time != border or (key, entry.text) not in seen]
        if entries:
            fresh.append(Chunk(chunk.labels, entries))
    return fresh


def _asked(question: _Question) -> list[Chunk]:
    """One page; where the server gives fewer entries at a time than we ask for, we ask for as many as it gives."""
    while True:
        asked = {
            "query": question.query,
            "start": str(question.low),
            "end": str(question.high),
            "limit": str(question.most),
            "direction": "backward" if question.backward else "forward",
        }
        try:
            return read_streams(question.ask("query_range", asked, question.query))
        except Failed as error:
            limit = re.search(r"max entries limit per query exceeded[^()]*\((\d+) > (\d+)\)", error.message)
            if limit is None or not 0 < int(limit[2]) < question.most:
                raise
            question.most = int(limit[2])
