"""Frames that store the very same names are summed up once, and all others by themselves."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from formats_fixtures import opened
from hypothesis import given
from hypothesis import strategies as st

from toolkit.cache.perturbations import summed_up
from toolkit.cache.summing import Summing

Row = tuple[str | None, float | None, int]


def stored(rows: Sequence[Row], seed: float = 0.0, **options: object) -> bytes:
    """Parquet with vectors that depend on `seed`."""
    table = pa.table(
        {
            "pert": pa.array([row[0] for row in rows], pa.string()),
            "concentration": pa.array([row[1] for row in rows], pa.float64()),
            "vector": pa.array([[seed] * 4] * len(rows), pa.list_(pa.float32())),
            "replicates": pa.array([row[2] for row in rows], pa.int32()),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=3, **options)
    return sink.getvalue()


rows = st.lists(
    st.tuples(st.sampled_from([None, "BRCA1", "TP53"]), st.sampled_from([None, 0.1, 0.3]), st.integers(0, 2)),
    max_size=7,
)


@given(rows, rows, st.sampled_from(["none", "snappy", "zstd"]))
def test_never_another_frames_names(some: list[Row], others: list[Row], compression: str) -> None:
    summing = Summing()
    for content in (stored(some), stored(others, compression=compression), stored(some, 1.0)):
        assert list(summing.of(opened(content))) == list(summed_up(opened(content).names()))


def test_the_same_names_with_other_vectors_are_summed_up_once() -> None:
    some: list[Row] = [("BRCA1", None, 3), ("REC-0000123", 0.3, 4), ("REC-0000123", 1.0, 4), ("TP53", None, 3)]
    summing = Summing()
    first = summing.of(opened(stored(some, 0.0)))
    assert summing.of(opened(stored(some, 1.0))) is first
    assert summing.of(opened(stored(some[:3], 0.0))) is not first


def test_pandas_is_not_imported_for_it(tmp_path: Path) -> None:
    file = tmp_path / "genes.parquet"
    file.write_bytes(stored([("BRCA1", None, 3)]))
    program = (
        "import sys\nfrom pathlib import Path\nfrom toolkit.cache.formats import open_frame\n"
        "from toolkit.cache.ranged import LocalFile, RangedReader\nfrom toolkit.cache.summing import Summing\n"
        "assert len(Summing().of(open_frame(RangedReader(LocalFile(Path(sys.argv[1])))))) == 1\n"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(file)], check=False).returncode == 0
