"""A log that is cut anywhere and asked for again shows every line once."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from toolkit.systems.cluster.log import Place


def stamped(nanoseconds: list[int], texts: list[str]) -> list[str]:
    lines, at = [], 1_790_000_000_000_000_000
    for step, text in zip(nanoseconds, texts, strict=False):
        at += step
        seconds, rest = divmod(at, 1_000_000_000)
        lines.append(f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z {text}")
    return lines


def served(lines: list[str], since: str) -> list[str]:
    """What a kubelet gives for `sinceTime`: every line from that second on."""
    return [line for line in lines if not since or line[:19] >= since[:19]]


@given(
    st.lists(st.sampled_from([0, 1, 400_000_000, 1_000_000_000, 7_000_000_000]), min_size=1, max_size=60),
    st.lists(st.sampled_from(["same", "same", "other", ""]), min_size=60, max_size=60),
    st.lists(st.integers(0, 20), max_size=12),
    st.integers(0, 60),
)
def test_every_line_once_whatever_the_cuts(steps: list[int], texts: list[str], cuts: list[int], tail: int) -> None:
    lines = stamped(steps, texts)
    wanted = lines[-tail:] if tail else lines
    place = Place()
    seen: list[str] = []
    for number, cut in enumerate([*cuts, len(lines)]):
        place.resume()
        offered = served(lines, place.second) if place.second else wanted
        seen += [line for line in offered[: cut or None if number == len(cuts) else cut] if place.is_new(line)]
    # Lines older than the tail that carry the very same time as its first line cannot be told from it.
    begin = wanted[0].split(" ")[0]
    doubtful = [line for line in lines[: len(lines) - len(wanted)] if line.split(" ")[0] == begin]
    assert sorted(seen) == sorted(wanted) or (doubtful and set(seen) <= {*wanted, *doubtful})
