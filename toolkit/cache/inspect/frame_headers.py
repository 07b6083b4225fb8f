"""What the frames of a group are, told by their headers alone: format, rows, columns. A few kB of each are read.

A frame that is packed, or a pickle, tells its rows only to whoever reads all of it: of such a one the format is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from toolkit.cache import layers, stored
from toolkit.cache.formats import told
from toolkit.cache.formats.frame import UnreadableFrame
from toolkit.cache.inspect.frame_report import ColumnInfo
from toolkit.cache.inspect.group_frames import GroupFrames
from toolkit.errors import ToolkitError
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown
from toolkit.systems.side_by_side import side_by_side

if TYPE_CHECKING:
    from toolkit.cache.stored import StoredFrame
    from toolkit.systems.connections import Connections

_AT_ONCE: Final = 6
_IN_PART: Final = ("parquet", "arrow", "arrow-stream")  # formats whose headers can be read without the rest


@dataclass(frozen=True)
class FrameHeader:
    """A frame in one layer. `rows` None: not told by its header. `why` says what is wrong with it, if anything."""

    frame: str
    layer: str
    bytes: int
    format: str = ""
    rows: int | None = None
    columns: tuple[ColumnInfo, ...] = ()
    bytes_read: int = 0
    why: str = ""


def headers(connections: Connections, group: str, progress: Progress = SILENT) -> Iterator[FrameHeader]:
    """The headers of `group`'s frames in both layers, each as it is read.

    Raises NotFound for an unknown group, the error of L2 where neither layer can be read, Interrupted.
    """
    read = layers.read_either(connections)
    raw = stored.named(read, group, connections.environment.name)
    there = GroupFrames.of(connections, read, raw)
    for name in sorted(there.wrong):
        yield FrameHeader(shown(name), "L2", 0, why="Redis holds another kind of data there")
    frames = [*there.l2.values(), *there.l3.values()]
    for _, header in side_by_side(
        frames, lambda frame: _header(connections, frame, progress), workers=_AT_ONCE, stop=progress.stop.is_set
    ):
        yield header
    progress.check_stop()


def _header(connections: Connections, frame: StoredFrame, progress: Progress) -> FrameHeader:
    reader = stored.reader_of(connections, frame)
    header = FrameHeader(shown(frame.place.frame), frame.place.layer, frame.bytes)
    try:
        size = reader.size
        head = reader.fetch_many([(0, min(size, told.HEAD))])[0]
        if told.wraps(told.kind(head)):
            head = reader.fetch_many([(0, min(size, told.WRAPPED))])[0]
        form = told.told(head)
        if form and form not in _IN_PART:
            return replace(header, format=form, bytes_read=reader.bytes_read)
        with stored.opened(reader, progress) as opened:
            columns = tuple(ColumnInfo(shown(name), kind) for name, kind in opened.columns)
            header = replace(header, format=opened.format, rows=opened.rows, columns=columns)
    except UnreadableFrame as problem:
        header = replace(header, format=problem.kind, why=shown(problem.why))
    except ToolkitError as problem:
        header = replace(header, why=shown(problem.message))
    return replace(header, bytes_read=reader.bytes_read)
