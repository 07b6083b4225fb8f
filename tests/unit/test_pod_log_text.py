"""A log's bytes, however they are cut up on their way, are the same lines with the same times."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.systems.cluster import log_text
from toolkit.systems.cluster.log_text import Chunks, Lines, Stamps, nanoseconds


def blocks(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.lists(st.integers(0, 10**6)), st.booleans())
def test_chunks_are_taken_off(bodies: list[bytes], cuts: list[int], whole: bool) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (len(body), body) for body in bodies) + (b"0\r\n\r\n" if whole else b"")
    chunks = Chunks()
    assert b"".join(chunks.decoded(block) for block in blocks(data, cuts)) == b"".join(bodies)
    assert chunks.ended is whole


def test_what_is_no_chunk_is_refused() -> None:
    for nonsense in (b"hello\r\n", b"x" * 2000, b"-5\r\nhello"):
        with pytest.raises(ValueError, match=r"."):
            Chunks().decoded(nonsense)


@given(st.binary(max_size=200), st.lists(st.integers(0, 10**6)))
def test_lines_are_whole(data: bytes, cuts: list[int]) -> None:
    lines = Lines()
    found = [line for block in blocks(data, cuts) for line in lines.split(block)] + lines.rest()
    wanted = data.split(b"\n")
    if wanted[-1] == b"":
        wanted.pop()
    assert [line.encode("utf-8", "surrogateescape") for line in found] == wanted


def test_a_line_without_an_end_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_text, "LONGEST_LINE", 10)
    lines = Lines()
    found = [line for block in (b"12345678", b"90abcdef", b"\nnext\n") for line in lines.split(block)]
    assert found == ["1234567890", "next"]
    assert lines.shortened == [16]


def test_stamps_are_read_to_the_nanosecond_in_every_form() -> None:
    lines = [
        "2026-09-21T14:13:20.123456789Z text",
        "2026-09-21T14:13:20.000000001Z ",
        "2026-09-21T14:13:21Z no decimals",
        "2026-09-21T14:13:20.5Z few",
        "2026-09-21T16:13:20.123456789+02:00 elsewhere",
        "2026-09-21T14:13:20.12345x789Z broken",
        "no stamp at all",
        "",
    ]
    base = 1_790_000_000 * 10**9
    times, texts = Stamps().read(lines)
    assert times == [base + 123456789, base + 1, base + 10**9, base + 500_000_000, base + 123456789, 0, 0, 0]
    assert texts == ["text", "", "no decimals", "few", "elsewhere", lines[5], lines[6], ""]


@given(st.text())
def test_whatever_is_read_as_a_stamp_raises_nothing(text: str) -> None:
    Stamps().read(["2026-09-21T14:13:20.123456789Z x", text, f"2026-09-21T14:13:20.{text}", f"{text} {text}"])
    nanoseconds(text)
