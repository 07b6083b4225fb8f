"""A download in words: what came, whether it is what the bucket has, how it is opened. Not made safe to be shown."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from toolkit import figures

if TYPE_CHECKING:
    from toolkit.cache.download import GroupDownload

_READERS: Final = {"parquet": "read_parquet", "arrow": "read_feather", "pickle": "read_pickle"}
_PACKED_FOR_PANDAS: Final = ("gzip+", "zstd+")  # around a pickle, told by the file's name


def headline(result: GroupDownload) -> str:
    """3 files downloaded, 1.2 GB; 5 there already; 0 failed: in DIR"""
    counted = Counter(file.outcome for file in result.frames)
    size = figures.size(sum(file.bytes for file in result.frames if file.outcome in ("to come", "downloaded")))
    said = []
    if counted["to come"]:
        said.append(f"{files(counted['to come'])} would come, {size}")
    if counted["downloaded"]:
        said.append(f"{files(counted['downloaded'])} downloaded, {size}")
    if counted["already there"]:
        said.append(f"{files(counted['already there'])} there already, with the same content")
    if counted["failed"]:
        said.append(f"{files(counted['failed'])} failed")
    return f"{'; '.join(said)}: in {result.folder}"


def compared(result: GroupDownload) -> list[tuple[bool, str]]:
    """How files from Redis compare with the bucket's: whether that is as it should be, and in words."""
    found = []
    for said, count in Counter(file.in_bucket for file in result.frames).items():
        if said == "differs":
            text = f"{files(count)} differ from the bucket's, which have as many bytes: they are not of one build"
            found.append((False, text))
        elif said not in ("", "equal"):
            found.append((True, f"{files(count)} {said}"))
    return found


def how_to_open(result: GroupDownload) -> str:
    """One line, for the first file that pandas opens as it is; empty where there is none."""
    for file in result.frames:
        inner = file.format
        for wrapper in _PACKED_FOR_PANDAS:
            inner = inner.removeprefix(wrapper) if inner.endswith("pickle") else inner
        if inner in _READERS and file.outcome != "failed":
            return f"In pandas: pd.{_READERS[inner]}({str(Path(result.folder) / file.file)!r})"
    return ""


def can_go_on(result: GroupDownload) -> bool:
    """Whether the same download again may bring what is missing."""
    return any(file.outcome == "failed" and not file.differs for file in result.frames)


def files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"
