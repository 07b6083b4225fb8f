"""A log that is cut anywhere and asked for again shows every line once, and says so where the server has forgotten."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from toolkit.systems.cluster.log_place import Place, overlap
from toolkit.systems.cluster.log_text import Stamps

BEGIN = 1_790_000_000_000_000_000

# What a log looks like: steps of time (stamps of standard output and error run backwards a little), and texts.
steps = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 400_000_000, 1_000_000_000, 7_000_000_000]), st.sampled_from([0, 0, 200_000_000])
    ),
    max_size=60,
)
texts = st.lists(st.sampled_from(["same", "same", "other", ""]), min_size=60, max_size=60)
cuts = st.lists(st.integers(0, 20), max_size=12)


def stamped(times: list[tuple[int, int]], texts: list[str]) -> list[str]:
    """Lines each some nanoseconds after the one before; the second number sets one back, but not those after it."""
    lines, at = [], BEGIN
    for (step, back), text in zip(times, texts, strict=False):
        at += step
        seconds, rest = divmod(at - back, 1_000_000_000)
        lines.append(f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z {text}")
    return lines


def served(lines: list[str], since: int) -> list[str]:
    """What a kubelet gives for `sinceTime`: every line from that second on."""
    return [line for line in lines if Stamps().read([line])[0][0] >= since * 10**9]


def given_in_blocks(place: Place, lines: list[str], size: int) -> list[tuple[int, str]]:
    """What the place takes of a stream that comes in blocks of so many lines."""
    found: list[tuple[int, str]] = []
    for at in range(0, len(lines), size):
        block = lines[at : at + size]
        found += zip(*place.take(*Stamps().read(block), block), strict=True)
    return found


def read(lines: list[str]) -> list[tuple[int, str]]:
    return [*zip(*Stamps().read(lines), strict=True)]


@given(steps, texts, cuts, st.integers(1, 7), st.integers(0, 60))
def test_every_line_once_in_its_order_whatever_the_cuts(
    steps: list[tuple[int, int]], texts: list[str], cuts: list[int], size: int, tail: int
) -> None:
    lines = stamped(steps, texts)
    wanted = lines[-tail:] if tail else lines
    # A line older than the tail that is the very same as its first line, to the nanosecond, cannot be told from it.
    doubtful = bool(tail) and bool(wanted) and wanted[0] in lines[: len(lines) - len(wanted)]
    place = Place(tail=bool(tail))
    seen: list[tuple[int, str]] = []
    for number, cut in enumerate([*cuts, len(lines)]):
        place.resume()
        offered = served(lines, place.since) if place.last is not None else wanted
        seen += given_in_blocks(place, offered if number == len(cuts) else offered[:cut], size)
        assert doubtful or not place.torn
    if not doubtful:
        assert seen == read(wanted)


@given(steps, texts, st.integers(1, 59), st.integers(0, 59), st.integers(1, 7))
def test_a_server_that_forgot_lines_is_found_out(
    steps: list[tuple[int, int]], texts: list[str], had: int, forgotten: int, size: int
) -> None:
    lines = stamped(steps, [f"{number} {text}" for number, text in enumerate(texts)])
    ours = lines[:had]
    place = Place()
    given_in_blocks(place, ours, size)
    place.resume()
    left = [line for line in served(lines, place.since) if line in lines[forgotten:]]
    seen = given_in_blocks(place, left, size)
    if place.torn:
        assert not set(left) & set(ours)
        seen += zip(*place.go_on(), strict=True)
    assert seen == read([line for line in left if line not in ours])


@given(st.lists(st.integers(0, 2), min_size=1), st.lists(st.integers(0, 2), min_size=1))
def test_the_overlap_is_the_longest_end_that_is_a_beginning(ours: list[int], given: list[int]) -> None:
    found = overlap(array("q", ours), given)
    ends = [count for count in range(1, len(ours) + 1) if ours[-count:] == given[:count]]
    inside = [at for at in range(len(ours) - len(given)) if ours[at : at + len(given)] == given]
    assert found == (None if inside else max(ends, default=0))


def test_a_line_without_a_time_is_new_each_time_and_holds_nothing_up() -> None:
    place = Place()
    lines = stamped([(0, 0), (1, 0)], ["one", "two"])
    given_in_blocks(place, lines, 9)
    place.resume()
    assert given_in_blocks(place, ["no stamp here", *lines, *stamped([(5, 0)], ["three"])], 1) == [
        (0, "no stamp here"),
        (BEGIN + 5, "three"),
    ]
