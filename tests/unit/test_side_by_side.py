"""Work side by side: all of it once, read as there is room, ended on request, its errors not lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from toolkit.systems.side_by_side import side_by_side


def test_every_item_once_with_its_result() -> None:
    found = dict(side_by_side(range(200), lambda number: number * 2, workers=8))
    assert found == {number: number * 2 for number in range(200)}


def test_nothing_to_do() -> None:
    assert list(side_by_side([], str, workers=2)) == []


def test_items_are_read_only_as_there_is_room() -> None:
    read: list[int] = []
    go = threading.Event()

    def items() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            if number == 7:
                go.set()  # only now may work end: so many were read before any was done
            yield number

    def work(number: int) -> int:
        go.wait(10)
        return number

    results = side_by_side(items(), work, workers=4)
    next(results)
    assert 8 <= len(read) <= 16
    assert len(list(results)) == 999


def test_it_really_is_side_by_side() -> None:
    together = threading.Barrier(4, timeout=10)
    assert len(list(side_by_side(range(4), lambda _: together.wait(), workers=4))) == 4


def test_on_request_it_ends_with_what_was_running() -> None:
    stop = threading.Event()
    source = iter(range(1000))
    done = []
    for number, _ in side_by_side(source, lambda number: number, workers=2, stop=stop.is_set):
        done.append(number)
        stop.set()
    rest = list(source)
    assert sorted(done + rest) == list(range(1000))
    assert len(rest) > 900


def test_what_goes_wrong_comes_out() -> None:
    def work(number: int) -> int:
        if number == 5:
            raise ValueError("five")
        return number

    with pytest.raises(ValueError, match="five"):
        list(side_by_side(range(100), work, workers=3))


def test_what_goes_wrong_in_the_source_comes_out() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("source")

    with pytest.raises(ValueError, match="source"):
        list(side_by_side(items(), str, workers=3))
