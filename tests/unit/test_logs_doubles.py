"""A line that several sources have is shown once; what a pod wrote twice is shown twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from toolkit.logs.doubles import BOUND, Doubles
from toolkit.logs.entry import Kind, Line, Notice, Stream

NOW = 1_790_000_000 * 10**9
SECOND = 10**9
PODS = Stream("pods", "c/n/pod-1/main", "pod-1")
LOKI = Stream("loki", "c/n/pod-1/main", "pod-1")
GOOGLE = Stream("cloud-logging", "c/n/pod-1/main", "pod-1")

copies = st.lists(st.tuples(st.integers(0, 9_000), st.sampled_from(["same", "same", "other", "third"])), max_size=40)


def shown(
    views: Sequence[Sequence[Line]], *, hold: bool = True, most: int = 1000, batch: int = 7
) -> list[Line | Notice]:
    """What is left of the views, merged by time."""
    doubles = Doubles(len(views), hold=hold, most=most)
    for view in views:
        for line in view:
            doubles.seen_by(view, line.stream)
    lines = sorted((line for view in views for line in view), key=lambda line: line.time)
    out: list[Line | Notice] = []
    for at in range(0, len(lines), batch):
        out += doubles.once(lines[at : at + batch])
    return out + doubles.rest()


def lines_of(items: Sequence[Line | Notice]) -> list[Line]:
    return [item for item in items if isinstance(item, Line)]


@given(copies, st.data(), st.booleans(), st.integers(1, 20))
def test_sources_that_have_all_are_shown_as_one(
    real: list[tuple[int, str]], data: st.DataObject, hold: bool, batch: int
) -> None:
    """The others' times are off by up to half of the bound, each in its own way, but never out of order."""
    times = sorted(real)
    views = [[Line(NOW + at * 10**6, text, PODS) for at, text in times]]
    for stream in (LOKI, GOOGLE):
        off = data.draw(st.lists(st.integers(-BOUND // 2, BOUND // 2), min_size=len(times), max_size=len(times)))
        moved = sorted(line.time + by for line, by in zip(views[0], off, strict=True))
        views.append([Line(at, line.text, stream) for at, line in zip(moved, views[0], strict=True)])
    found = lines_of(shown(views, hold=hold, batch=batch))
    assert Counter(line.text for line in found) == Counter(text for _, text in times)
    if hold:
        assert {line.stream.source for line in found} <= {"pods"}


@given(copies, copies, st.booleans(), st.integers(2, 50))
def test_never_fewer_than_one_source_has_and_never_more_than_all(
    ours: list[tuple[int, str]], theirs: list[tuple[int, str]], hold: bool, most: int
) -> None:
    views = [
        [Line(NOW + at * 10**6, text, stream) for at, text in sorted(view)]
        for stream, view in ((PODS, ours), (LOKI, theirs))
    ]
    found = Counter(line.text for line in lines_of(shown(views, hold=hold, most=most)))
    counts = [Counter(line.text for line in view) for view in views]
    for text in {**counts[0], **counts[1]}:
        assert max(count[text] for count in counts) <= found[text] <= sum(count[text] for count in counts)


@given(st.lists(st.sampled_from(["pods", "loki", "both"]), max_size=30))
def test_what_one_source_lacks_the_other_gives(who: list[str]) -> None:
    spread = [(NOW + number * 2 * (BOUND + 1), one) for number, one in enumerate(who)]
    views = [
        [Line(at, "the same text", stream) for at, one in spread if one in (stream.source, "both")]
        for stream in (PODS, LOKI)
    ]
    assert [line.time for line in lines_of(shown(views))] == [at for at, _ in spread]


def test_a_clock_that_is_off_is_measured_and_told_and_reckoned_with() -> None:
    ours = [Line(NOW + number * SECOND, f"line {number}", PODS) for number in range(60)]
    theirs = [Line(line.time - 17 * SECOND, line.text, LOKI) for line in ours]
    found = shown([ours, theirs])
    (notice,) = [item for item in found if isinstance(item, Notice)]
    assert notice.kind is Kind.SKEW
    assert "loki's times are 17.0 s behind pods's" in notice.text
    texts = Counter(item.text for item in lines_of(found))
    assert set(texts) == {line.text for line in ours}
    assert sum(texts.values()) <= 60 + 5  # the first ones, on which it was measured, are there twice


def test_two_queries_of_one_server_are_two_sources() -> None:
    again = Stream("loki", LOKI.origin, LOKI.pod)
    views = [[Line(NOW, "one", LOKI), Line(NOW, "one", LOKI)], [Line(NOW, "one", again)]]
    assert len(lines_of(shown(views))) == 2


def test_lines_of_no_pod_are_never_doubles() -> None:
    first, second = Stream("file", "a.log"), Stream("file", "b.log")
    assert len(shown([[Line(NOW, "one", first)], [Line(NOW, "one", second)]])) == 2
