"""Many sources in one timeline: none is lost, none holds the others up, and a slow reader loses nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from toolkit.errors import Interrupted, ToolkitError, Unreachable
from toolkit.logs.entry import Kind, Line, Notice, Stream
from toolkit.logs.source import Sink, Window
from toolkit.logs.timeline import Following, past
from toolkit.progress import SILENT, Progress

NOW = 1_790_000_000 * 10**9


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.systems.pace._SHORTEST", 0.01)


def lines(source: str, count: int, *, begin: int = 0, pod: str = "") -> list[Line]:
    stream = Stream(source, f"{source}/{pod or 'x'}", pod)
    return [Line(NOW + number * 10**6, f"{number}", stream) for number in range(begin, begin + count)]


@dataclass
class Written:
    """A source that gives `own` and then whatever `then` does."""

    name: str
    own: Sequence[Line]
    then: Callable[[Sink, threading.Event], None] = lambda _, stop: None
    asked: list[int] = field(default_factory=list)
    batch: int = 10
    given: int = 0

    def past(self, window: Window, progress: Progress) -> Iterator[Line | Notice]:
        yield from (line for line in self.own if window.holds(line.time))
        self.then(None, progress.stop)  # type: ignore[arg-type]

    def follow(self, since: int, sink: Sink, stop: threading.Event) -> None:
        self.asked.append(since)
        for at in range(0, len(self.own), self.batch):
            batch = [line for line in self.own[at : at + self.batch] if line.time >= since]
            sink.lines(batch)
            self.given = at + self.batch
            if stop.is_set():
                return
        self.then(sink, stop)


def all_of(following: Following) -> list[Line | Notice]:
    return [item for batch in following.batches(0.05) for item in batch]


def wait(sink: Sink | None, stop: threading.Event) -> None:
    stop.wait(20)


def test_sources_that_end_end_it_with_all_their_lines_in_order() -> None:
    first, second = Written("a", lines("a", 100)), Written("b", lines("b", 100))
    with Following([first, second], 0) as following:
        found = all_of(following)
    assert [item.time for item in found] == sorted(item.time for item in found)
    assert len(found) == 200
    assert set(following.heard) == {"a/x", "b/x"}


def test_a_slow_reader_holds_the_source_up_and_loses_nothing() -> None:
    source = Written("a", lines("a", 2000))
    with Following([source], 0, reorder=0.01, most_waiting=50) as following:
        batches = following.batches(0.01)
        first = next(batches)
        while not following._inbox.full:
            time.sleep(0.001)
        assert source.given <= len(first) + 50 + source.batch
        rest = [item for batch in batches for item in batch]
    assert [*first, *rest] == list(source.own)


def test_a_quiet_timeline_gives_empty_batches_for_a_heartbeat() -> None:
    with Following([Written("a", [], wait)], 0) as following:
        assert next(following.batches(0.01)) == []


def test_a_source_that_fails_is_said_and_asked_again_and_the_others_go_on() -> None:
    failures: list[ToolkitError] = [Unreachable("It broke."), Unreachable("It broke.")]

    def fail(sink: Sink, stop: threading.Event) -> None:
        if failures:
            raise failures.pop()

    source, other = Written("a", lines("a", 30, begin=90_000), fail), Written("b", lines("b", 5))
    with Following([source, other], 7, reorder=0.01) as following:
        found = all_of(following)
    texts = [item.text for item in found if isinstance(item, Line) and item.stream.source == "a"]
    assert texts == [line.text for line in source.own]
    assert len(source.asked) == 3
    problems = [item.text for item in found if isinstance(item, Notice) and item.kind is Kind.PROBLEM]
    assert problems
    assert "It broke. It is tried again" in problems[0]
    assert sum(isinstance(item, Line) and item.stream.source == "b" for item in found) == 5


def test_a_bug_in_one_source_is_said_and_ends_nothing() -> None:
    def crash(sink: Sink, stop: threading.Event) -> None:
        if len(source.asked) == 1:
            raise KeyError("oops")

    source = Written("a", lines("a", 3), crash)
    with Following([source], 0, reorder=0.01) as following:
        found = all_of(following)
    assert [item.text for item in found if isinstance(item, Line)] == ["0", "1", "2"]
    assert any("KeyError: 'oops'" in item.text for item in found if isinstance(item, Notice))


def test_the_same_line_of_two_sources_is_shown_once_while_following() -> None:
    ours, theirs = lines("pods", 50, pod="app-1"), lines("loki", 60, pod="app-1")
    with Following([Written("loki", theirs), Written("app", ours)], 0) as following:
        found = [item for item in all_of(following) if isinstance(item, Line)]
    assert sorted(int(line.text) for line in found) == list(range(60))


def test_marks_stand_between_the_lines_of_one_source_that_says_the_same_twice() -> None:
    twice = [line for line in lines("a", 3, pod="pod-1") for _ in range(2)]
    mark = Notice(NOW + 10**6 + 1, Kind.EVENT, Stream("journal", "journal"), "flush: begun")
    journal = Written("journal", [], lambda sink, _: sink.notice(mark))

    with Following([Written("a", twice)], NOW, marks=journal, reorder=5) as following:
        assert all_of(following) == [*twice[:4], mark, *twice[4:]]


def test_closing_ends_it_at_once_although_sources_are_held_up() -> None:
    source = Written("a", lines("a", 1000))
    following = Following([source], 0, most_waiting=10)
    with following:
        batches = following.batches(60)
        next(batches)
        threading.Timer(0.05, following.close).start()
        assert sum(len(batch) for batch in batches) < 1000
    assert all(not feed.thread.is_alive() for feed in following._feeds)


# -- the past


def test_the_past_of_many_sources_is_one_timeline_with_each_line_once() -> None:
    ours, theirs = lines("pods", 500, begin=100, pod="app-1"), lines("loki", 600, pod="app-1")
    found = [*past([Written("loki", theirs), Written("app", ours)], Window(NOW, NOW + 590 * 10**6), SILENT)]
    kept = [item for item in found if isinstance(item, Line)]
    assert [int(line.text) for line in kept] == list(range(590))
    assert {line.stream.source for line in kept[100:]} == {"pods"}


def broken(sink: Sink, stop: threading.Event) -> None:
    raise Unreachable("It broke.")


def test_a_source_whose_past_fails_is_a_notice_behind_its_lines() -> None:
    found = [*past([Written("a", lines("a", 2), broken), Written("b", lines("b", 5))], Window(), SILENT)]
    said = [item.text for item in found if isinstance(item, Notice)]
    assert said == ["a: It broke. The rest of its lines is missing."]
    assert sum(isinstance(item, Line) for item in found) == 7


def test_where_no_source_can_say_anything_the_error_is_raised() -> None:
    with pytest.raises(Unreachable, match="It broke"):
        [*past([Written("a", [], broken), Written("b", [], broken)], Window(), SILENT)]
    found = [*past([Written("a", [], broken), Written("b", lines("b", 1))], Window(), SILENT)]
    assert [item.text for item in found] == ["a: It broke. Its lines are missing.", "0"]


def test_reading_the_past_stops_on_request_although_a_source_hangs() -> None:
    progress = Progress()
    reading = past([Written("a", lines("a", 1), wait), Written("b", lines("b", 1))], Window(), progress)
    threading.Timer(0.05, progress.stop.set).start()
    with pytest.raises(Interrupted):
        list(reading)
