"""Log files: read whole, from the end, from a time, around a needle; followed over cuts and replacements."""

from __future__ import annotations

import gzip
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import Failed, NotFound, UsageError
from toolkit.logs import files, regions
from toolkit.logs.entry import Kind, Line, Notice
from toolkit.logs.files import FileSource, StdinSource
from toolkit.logs.source import Window

SECOND = 10**9


def own_time(text: str) -> int:
    """Lines of these tests begin with their second."""
    head = text.split(" ", 1)[0]
    return int(head) * SECOND if head.isdecimal() and len(head) < 15 else 0


def texts(source: FileSource, since: int | None = None, until: int | None = None) -> list[str]:
    return [item.text for item in source.past(Window(since, until)) if isinstance(item, Line)]


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


class TestPast:
    @pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
    def test_whole_and_exact(self, tmp_path: Path, packing: str) -> None:
        content = b"1 first\n\n2 \xff\x00 not UTF-8\r\n" + b"x" * 10_000_000 + b"\nwithout an end"
        packed = {"plain": bytes, "gzip": gzip.compress, "zstd": lambda c: pa.compress(c, "zstd", asbytes=True)}
        found = texts(FileSource(written(tmp_path / "app.log", packed[packing](content))))
        assert found[:3] == ["1 first", "", "2 \udcff\x00 not UTF-8"]
        assert (len(found[3]), found[4:]) == (10_000_000, ["without an end"])

    @settings(max_examples=60)
    @given(lines=st.lists(st.sampled_from([b"", b"a", b"bc", b"\r"]), max_size=40), tail=st.integers(1, 50))
    def test_tail_is_the_end(self, tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], tail: int) -> None:
        path = written(tmp_path_factory.mktemp("tail") / "a.log", b"".join(line + b"\n" for line in lines))
        everything = texts(FileSource(path))
        assert texts(FileSource(path, tail=tail)) == everything[-tail:]

    def test_from_a_time_by_bisection(self, tmp_path: Path) -> None:
        lines = [f"{second} line {second} {'x' * 200}" for second in range(1000, 9000)]
        path = written(tmp_path / "big.log", "\n".join(lines).encode())
        looked = 0

        def counted(text: str) -> int:
            nonlocal looked
            looked += 1
            return own_time(text)

        found = texts(FileSource(path, own_time=counted), 8000 * SECOND, 8003 * SECOND)
        assert [line.split()[0] for line in found] == ["8000", "8001", "8002"]
        assert looked < 1000

    def test_lines_without_a_time_go_with_the_line_before(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.log", b"100 a\nTraceback (most recent call last):\n200 b\n")
        assert texts(FileSource(path, own_time=own_time), 100 * SECOND, 150 * SECOND) == [
            "100 a",
            "Traceback (most recent call last):",
        ]

    def test_what_cannot_be_read_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match="no file"):
            FileSource(tmp_path / "none.log")
        with pytest.raises(UsageError, match="folder"):
            FileSource(tmp_path)
        with pytest.raises(UsageError, match="xz"):
            FileSource(written(tmp_path / "a.xz", b"\xfd7zXZ\x00..."))
        cut = written(tmp_path / "cut.gz", gzip.compress(os.urandom(100_000))[:50_000])
        with pytest.raises(Failed, match="damaged or cut off"):
            texts(FileSource(cut))


class TestNeedle:
    ERROR = (
        "9 ERROR Cache manager failed\nTraceback (most recent call last):\n"
        '  File "/app/x.py", line 3, in run\n    write(frame)\nValueError: needle is short\n'
    )

    def test_the_whole_entry_around_it(self, tmp_path: Path) -> None:
        content = "".join(f"{n} INFO fine\n" for n in range(50)) + self.ERROR + "10 INFO fine\n"
        source = FileSource(written(tmp_path / "a.log", content.encode()), needle=re2.compile(b"needle"))
        assert texts(source) == self.ERROR.splitlines()

    @pytest.mark.parametrize("block", [64, 100, 333])
    def test_blocks_do_not_cut_entries(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
        monkeypatch.setattr(files, "BLOCK", block)
        content = ("1 INFO fine\n" * 7 + self.ERROR) * 5
        source = FileSource(written(tmp_path / "a.log", content.encode()), needle=re2.compile(b"needle"))
        assert texts(source) == self.ERROR.splitlines() * 5

    @given(lines=st.lists(st.sampled_from(["1 a", "  in", "needle", "Traceback (most", "E: x", ""]), max_size=30))
    def test_every_line_with_it_comes_once(self, lines: list[str]) -> None:
        text = "".join(f"{line}\n" for line in lines).encode()
        found = b"".join(regions.regions(iter([text]), re2.compile(b"needle")))
        assert found.count(b"needle") == lines.count("needle")


class Heard:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.notices: list[Notice] = []

    def lines(self, batch: Sequence[Line]) -> None:
        self.texts += [line.text for line in batch]

    def notice(self, notice: Notice) -> None:
        self.notices.append(notice)

    def alive(self, stream: str) -> None:
        pass

    def wait_for(self, *expected: str) -> None:
        deadline = time.monotonic() + 20
        while self.texts != list(expected) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.texts == list(expected)


@contextmanager
def followed(source: FileSource | StdinSource, since: int = 0) -> Iterator[Heard]:
    heard, stop = Heard(), threading.Event()
    thread = threading.Thread(target=source.follow, args=(since, heard, stop))
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


class TestFollow:
    def test_what_is_appended(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.log", b"1 old\n")
        with followed(FileSource(path)) as heard:
            heard.wait_for("1 old")
            with path.open("ab") as file:
                file.write(b"2 ha")
                file.flush()
                file.write(b"lf\n3 more\n")
            heard.wait_for("1 old", "2 half", "3 more")

    def test_cut_short_and_replaced(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.log", b"1 a long first line\n")
        with followed(FileSource(path)) as heard:
            heard.wait_for("1 a long first line")
            written(path, b"2 new\n")
            heard.wait_for("1 a long first line", "2 new")
            path.rename(tmp_path / "a.log.1")
            written(path, b"3 next\n")
            heard.wait_for("1 a long first line", "2 new", "3 next")
        assert [notice.kind for notice in heard.notices if notice.kind is not Kind.PROBLEM] == [Kind.GAP, Kind.AGAIN]

    def test_from_a_time_on(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.log", b"100 old\n200 new\n")
        with followed(FileSource(path, own_time=own_time), 150 * SECOND) as heard:
            heard.wait_for("200 new")

    def test_packed_files_do_not_grow(self, tmp_path: Path) -> None:
        source = FileSource(written(tmp_path / "a.gz", gzip.compress(b"x\n")))
        with pytest.raises(UsageError, match="cannot be followed"):
            source.follow(0, Heard(), threading.Event())

    def test_standard_input_ends(self) -> None:
        read, write = os.pipe()
        with followed(StdinSource(file=read)) as heard:
            os.write(write, b"one\ntw")
            heard.wait_for("one")
            os.write(write, b"o")
            os.close(write)
            heard.wait_for("one", "two")
        os.close(read)
