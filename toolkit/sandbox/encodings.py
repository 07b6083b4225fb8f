"""What a built group's frames are written as: Parquet, Feather, a pickled dataframe, and one packed with zstd.

All of them stream: some thousand rows are in memory at a time. What a frame holds does not depend on it.
"""

from __future__ import annotations

from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from toolkit.sandbox import data, dataframe_pickle
from toolkit.sandbox.builds import BuiltGroup, Encoding


def write(group: BuiltGroup, frame: str, sink: IO[bytes] | Any) -> None:
    """Write one frame into `sink` as the group's build did. Raises ArrowInvalid where a vector of it is too short."""
    match group.encoding:
        case Encoding.PARQUET:
            _parquet(group, frame, sink)
        case Encoding.FEATHER:
            _feather(group, frame, sink)
        case Encoding.PICKLE:
            _pickle(group, frame, sink)
        case Encoding.PACKED_PICKLE:
            with pa.CompressedOutputStream(sink, "zstd") as packed:
                _pickle(group, frame, packed)


def _parquet(group: BuiltGroup, frame: str, sink: IO[bytes] | Any) -> None:
    """A row group at a time. Perturbations' names are dictionary-encoded."""
    options = {"use_dictionary": ["pert", "kind", "experiment", "concentration"], "compression": "zstd"}
    with pq.ParquetWriter(sink, data.schema(frame), **options) as writer:
        for batch in data.record_batches(group, frame):
            writer.write_batch(batch, row_group_size=group.size.rows_per_row_group)


def _feather(group: BuiltGroup, frame: str, sink: IO[bytes] | Any) -> None:
    """Feather V2, which is an Arrow IPC file: as pyarrow.feather writes it, a batch at a time."""
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_file(sink, data.schema(frame), options=options) as writer:
        for batch in data.record_batches(group, frame):
            writer.write_batch(batch)


def _pickle(group: BuiltGroup, frame: str, sink: IO[bytes] | Any) -> None:
    names = data.schema(frame).names
    dataframe_pickle.write(data.record_batches(group, frame), names, data.rows(group, frame), sink)
