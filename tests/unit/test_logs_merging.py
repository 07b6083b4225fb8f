"""Merging loses nothing, keeps each stream's order, and orders by time whatever the input allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from toolkit.logs.entry import Kind, Line, Notice, Stream
from toolkit.logs.merging import Reordering, merged

NOW = 1_790_000_000 * 10**9
STREAMS = [Stream("pods", f"c/n/pod-{number}/main", f"pod-{number}") for number in range(4)]

# For each stream: steps of time between its lines, in milliseconds; some run backwards.
streams = st.lists(st.lists(st.sampled_from([0, 0, 1, 1, 7, 300, -40]), max_size=25), min_size=1, max_size=4)


def written(steps: Sequence[Sequence[int]]) -> list[list[Line]]:
    found = []
    for stream, own in zip(STREAMS, steps, strict=False):
        at, lines = NOW, []
        for number, step in enumerate(own):
            at += step * 10**6
            lines.append(Line(at, str(number), stream))
        found.append(lines)
    return found


def check(out: Sequence[Line | Notice], lines: list[list[Line]]) -> list[Line]:
    """Nothing lost, nothing doubled, each stream in its order; gives back the lines."""
    found = [item for item in out if isinstance(item, Line)]
    for own in lines:
        if own:
            assert [line for line in found if line.stream is own[0].stream] == own
    assert len(found) == sum(map(len, lines))
    return found


@given(streams)
def test_the_past_is_merged_by_time(steps: list[list[int]]) -> None:
    lines = written(steps)
    found = check([*merged([iter(own) for own in lines])], lines)
    if all(step >= 0 for own in steps for step in own):
        assert found == sorted((line for own in lines for line in own), key=lambda line: line.time)


def test_a_notice_stands_at_its_time_and_holds_no_line_up() -> None:
    first, second = STREAMS[:2]
    notice = Notice(NOW + 5, Kind.PROBLEM, first, "x")
    one: Iterator[Line | Notice] = iter([Line(NOW, "a", first), notice, Line(NOW + 2, "b", first)])
    out = [*merged([one, iter([Line(NOW + 4, "c", second), Line(NOW + 6, "d", second)])])]
    assert [item.text for item in out] == ["a", "b", "c", "x", "d"]


@given(streams, st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9), st.floats(0, 0.8)), max_size=40))
def test_live_lines_are_released_in_order_where_they_come_in_time(
    steps: list[list[int]], arrivals: list[tuple[int, int, float]]
) -> None:
    lines = written(steps)
    left = [[*own] for own in lines]
    reordering, clock, out = Reordering(0.5), 100.0, list[Line | Notice]()
    for which, count, pause in [*arrivals, *((number, 99, 0.0) for number in range(4))]:
        if which < len(left) and left[which]:
            batch, left[which] = left[which][:count], left[which][count:]
            reordering.add(batch, clock, NOW + 10**12)
        clock += pause
        out += reordering.due(clock)
    out += reordering.due(clock, everything=True)
    assert reordering.waiting == 0
    assert reordering.next_due() is None
    found = check(out, lines)
    late = {item.stream for item in out if isinstance(item, Notice)}
    assert all(item.kind is Kind.LATE for item in out if isinstance(item, Notice))
    newest, seen = dict[Stream, int](), 0
    for line in found:
        key = newest[line.stream] = max(line.time, newest.get(line.stream, 0))
        assert key >= seen or line.stream in late
        seen = max(seen, key)


def test_lines_wait_for_older_ones_no_longer_than_the_window() -> None:
    reordering = Reordering(0.5)
    first, second = STREAMS[:2]
    reordering.add([Line(NOW + 2, "younger", first)], 10.0, NOW)
    assert reordering.next_due() == 10.5
    assert reordering.due(10.4) == []
    reordering.add([Line(NOW + 1, "older", second)], 10.4, NOW)
    assert [item.text for item in reordering.due(10.5) if isinstance(item, Line)] == ["older", "younger"]


def test_a_late_line_is_shown_at_once_and_marked_once() -> None:
    reordering = Reordering(0.5)
    first, second = STREAMS[:2]
    reordering.add([Line(NOW + 3 * 10**9, "younger", first)], 10.0, NOW + 3 * 10**9)
    reordering.due(10.5)
    reordering.add([Line(NOW, "late", second)], 11.0, NOW + 4 * 10**9)
    notice, line = reordering.due(11.0)
    assert isinstance(notice, Notice)
    assert notice.kind is Kind.LATE
    assert "by 3.0 s" in notice.text
    assert line == Line(NOW, "late", second)
    reordering.add([Line(NOW + 1, "late too", second)], 11.1, NOW + 4 * 10**9)
    assert [type(item) for item in reordering.due(11.1)] == [Line]


def test_a_clock_that_is_ahead_makes_no_other_line_late() -> None:
    reordering = Reordering(0.5)
    first, second = STREAMS[:2]
    reordering.add([Line(NOW + 3600 * 10**9, "from the future", first)], 10.0, NOW)
    reordering.due(10.5)
    reordering.add([Line(NOW + 10**9, "now", second)], 11.0, NOW + 10**9)
    assert [type(item) for item in reordering.due(11.5)] == [Line]
