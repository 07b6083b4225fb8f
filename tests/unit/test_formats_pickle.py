"""Pickled dataframes: those of any pandas are read without it; those that ask for anything else are refused."""

from __future__ import annotations

import os
import pickle
import pickletools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from formats_fixtures import PACKINGS, opened, reader_of, table, tables
from hypothesis import HealthCheck, given, settings

from toolkit.cache.formats import IDENTIFYING, UnreadableFrame
from toolkit.cache.formats.pickled_frame import PickledFrame
from toolkit.errors import ToolkitError

PROTOCOLS = (2, 3, 4, 5)


def _pandas(written: pa.Table) -> pd.DataFrame:
    """A frame as somebody makes it in pandas: vectors are numpy arrays in a column of objects."""
    frame = pd.DataFrame({name: written[name].to_pylist() for name in written.column_names if name != "vector"})
    frame["vector"] = pd.Series(
        [np.array(vector, np.float32) for vector in written["vector"].to_pylist()], dtype=object
    )
    return frame


def _read(content: bytes) -> pa.Table:
    return pa.Table.from_batches(opened(content).names())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(written=tables())
def test_what_was_pickled_is_read(protocol: int, written: pa.Table) -> None:
    frame = opened(pickle.dumps(_pandas(written), protocol))
    assert (frame.format, frame.rows) == ("pickle", written.num_rows)
    assert [name for name, _ in frame.columns] == written.column_names
    if written.num_rows:
        there = [name for name in IDENTIFYING if name in written.column_names]
        assert pa.Table.from_batches(frame.names()).equals(written.select(there))
        vectors = pa.Table.from_batches(frame.vectors(["vector"]))["vector"]
        assert vectors.to_pylist() == written["vector"].to_pylist()


@pytest.mark.parametrize("order", ["<", ">"])
def test_vectors_and_numbers_of_either_byte_order(order: str) -> None:
    numbers = np.array([1.5, np.nan], f"{order}f8")
    frame = pd.DataFrame({"pert": ["BRCA1", None], "concentration": numbers, "flag": np.array([True, False])})
    frame["vector"] = pd.Series([np.array([1, -2], f"{order}f4"), np.array([3], f"{order}f4")], dtype=object)
    read = pa.Table.from_batches(opened(pickle.dumps(frame)).vectors(["pert", "concentration", "flag", "vector"]))
    assert read["vector"].to_pylist() == [[1.0, -2.0], [3.0]]
    assert read["flag"].to_pylist() == [True, False]
    assert read["concentration"][0].as_py() == 1.5
    assert read["pert"].to_pylist() == ["BRCA1", None]


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "pickles").glob("*.pkl")), ids=lambda path: path.stem)
def test_pickles_of_older_pandas(path: Path) -> None:
    frame = opened(path.read_bytes())
    assert pa.Table.from_batches(frame.names()).to_pydict() == {
        "pert": ["BRCA1", "REC-0000123", "REC-0000123"],
        "kind": ["gene", "compound", "compound"],
        "concentration": [None, 0.1, 1.0],
        "experiment": ["E1", "E1", "E2"],
        "replicates": [3, 4, None],
    }
    assert next(frame.vectors(["vector"])).to_pydict() == {"vector": [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]}


VARIANTS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "its perts are the index": lambda frame: frame.set_index("pert"),
    "an index of two levels": lambda frame: frame.set_index(["pert", "concentration"]),
    "categories": lambda frame: frame.astype({"pert": "category", "kind": "category"}),
    "texts of pandas": lambda frame: frame.astype({"pert": "string[python]", "kind": "string[pyarrow]"}),
    "texts as objects": lambda frame: frame.astype({"pert": object, "kind": object, "experiment": object}),
    "numbers that may be missing": lambda frame: frame.astype({"replicates": "Int64", "concentration": "Float64"}),
    "a small type": lambda frame: frame.astype({"replicates": "int8", "concentration": "float16"}),
    "bytes the other way round": lambda frame: frame.astype({"concentration": ">f8"}),
    "dates beside it": lambda frame: frame.assign(when=pd.Timestamp("2024-01-01"), ok=True),
    "vectors as lists": lambda frame: frame.assign(vector=[list(map(float, vector)) for vector in frame["vector"]]),
    "vectors in columns": lambda frame: frame.drop(columns="vector").assign(
        **{f"v{at}": [vector[at] for vector in frame["vector"]] for at in range(4)}
    ),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_however_pandas_keeps_it(variant: str, protocol: int) -> None:
    written = table(20)
    frame = VARIANTS[variant](_pandas(written))
    assert _read(pickle.dumps(frame, protocol)).equals(written.select(IDENTIFYING))


def test_every_other_row() -> None:
    names = _read(pickle.dumps(_pandas(table(20))[::2]))
    assert names["pert"].to_pylist() == [f"GENE{row}" for row in range(0, 20, 2)]


def test_packed_by_pandas_itself(tmp_path: Path) -> None:
    _pandas(table(9)).to_pickle(tmp_path / "genes.pkl.gz")
    frame = opened((tmp_path / "genes.pkl.gz").read_bytes())
    assert (frame.format, frame.rows) == ("gzip+pickle", 9)
    frame.close()


class Evil:
    """Pickled, it is a call of `what` with `args`."""

    def __init__(self, what: object, *args: object) -> None:
        self.what, self.args = what, args

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.what, self.args


def _by_name(module: str, name: str, protocol: int) -> bytes:
    """A pickle that calls module.name("x")."""
    if protocol < 4:
        return pickle.PROTO + bytes([protocol]) + f"c{module}\n{name}\n".encode() + b"X\x01\x00\x00\x00x\x85R."
    words = b"".join(b"\x8c" + bytes([len(word.encode())]) + word.encode() for word in (module, name))
    return pickle.PROTO + bytes([protocol]) + words + b"\x93\x8c\x01x\x85R."


MALICIOUS = [
    ("os", "system"),
    ("posix", "system"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "getattr"),
    ("__builtin__", "eval"),
    ("builtins", "bytearray.fromhex"),
    ("subprocess", "Popen"),
    ("functools", "partial"),
    ("importlib", "import_module"),
    ("copyreg", "_reconstructor"),
    ("numpy", "load"),
    ("numpy.core.multiarray", "fromfile"),
    ("numpy.testing._private.utils", "runstring"),
    ("pandas", "eval"),
    ("pandas", "read_pickle"),
    ("pandas", "DataFrame.to_csv"),
    ("pandas.core.frame", "DataFrame.eval"),
    ("pandas.core.computation.eval", "eval"),
    ("pandas.io.common", "get_handle"),
    ("pandas.core.arrays.évil\t", "X"),
    ("pyarrow.lib", "memory_map"),
    ("pyarrow", "OSFile"),
    ("toolkit.cache.formats.pickles", "Made"),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("module", "name"), MALICIOUS)
def test_anything_else_is_refused_by_its_name(module: str, name: str, protocol: int) -> None:
    with pytest.raises(UnreadableFrame) as caught:
        opened(_by_name(module, name, protocol))
    assert f"{ascii(module)[1:-1]}.{name}" in caught.value.message
    assert "refused" in caught.value.message
    assert "Who can write to this cache?" in caught.value.hint


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("packing", [None, *PACKINGS])
def test_nothing_of_a_malicious_pickle_is_run(tmp_path: Path, packing: str | None, protocol: int) -> None:
    mark = tmp_path / "run"
    frame = _pandas(table(3))
    frame["pert"] = pd.Series([Evil(os.system, f"touch {mark}"), "B", "C"], dtype=object)
    content = pickle.dumps(frame, protocol)
    with pytest.raises(UnreadableFrame, match=r"system, which no dataframe needs: refused"):
        opened(PACKINGS[packing](content) if packing else content)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([1, 2, 3], "holds no DataFrame, but a list"),
        (np.zeros(3), "holds no DataFrame, but a numpy array"),
        (pd.Index(["A"]), "holds no DataFrame, but a _new_Index"),
        (pd.DataFrame(), "no column pert"),
        (pd.DataFrame({"pert": [{"a": 1}]}), "columns that hold a dict"),
        (pd.DataFrame({"pert": ["A" * 20_000]}, dtype=object), "a text of 20,000 letters"),
        (pd.DataFrame({"pert": [[["A"]]]}), "a vector of something that is no number"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "names of several levels"),
    ],
)
def test_what_is_no_frame_of_the_cache_is_named(value: object, why: str) -> None:
    with pytest.raises(UnreadableFrame, match=why):
        list(opened(pickle.dumps(value)).names())


def test_a_long_pickle_is_not_opened() -> None:
    content = pickle.dumps(_pandas(table(100)))
    with pytest.raises(UnreadableFrame, match="more than 1,000 bytes are not opened"):
        PickledFrame(reader_of(content), most=1000)


CLAIMS = {
    "a place in memory": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "bytes": b"\x80\x05\x8e" + b"\xff" * 7 + b"\x0f",
    "a bytearray": b"\x80\x05\x96" + b"\xff" * 5 + b"\x00" * 3,
    "a text": b"\x80\x05\x8d" + b"\xff" * 6 + b"\x00" * 2,
    "a number": b"\x80\x05\x8b\xff\xff\xff\x7f",
    "a frame": b"\x80\x04\x95" + b"\xff" * 6 + b"\x00" * 2,
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_a_pickle_only_claims_takes_no_memory(claim: str) -> None:
    with pytest.raises(ToolkitError):
        opened(CLAIMS[claim])


def test_lists_within_lists_are_not_unfolded() -> None:
    nested: list[object] = [0.0] * 10
    for _ in range(30):
        nested = [nested] * 10
    with pytest.raises(UnreadableFrame, match="no number"):
        opened(pickle.dumps(pd.DataFrame({"pert": ["A"], "vector": [nested]})))


@pytest.mark.parametrize(
    "opcodes",
    [
        b"}}b.",
        b"c_codecs\nencode\n}b.",
        b"c_codecs\nencode\nN}\x86b.",
        b"P1\n.",
        b"\x82\x01.",
        b"I1\n.",
        b"0.",
        b"R.",
        b".",
    ],
)
def test_opcodes_that_no_dataframe_needs(opcodes: bytes) -> None:
    with pytest.raises(UnreadableFrame, match=r"\(pickle\)"):
        opened(b"\x80\x02" + opcodes)


def test_only_what_is_needed_is_known() -> None:
    """Every name that this pandas writes into a dataframe's pickle is one of pandas', numpy's or pyarrow's."""
    frame = VARIANTS["texts of pandas"](_pandas(table(3)))
    names = {arg for op, arg, _ in pickletools.genops(pickle.dumps(frame, 2)) if op.name == "GLOBAL"}
    outside = {name for name in names if name.split()[0].split(".")[0] not in ("pandas", "numpy", "pyarrow")}
    assert outside <= {"_codecs encode", "__builtin__ slice", "__builtin__ bytearray", "__builtin__ bytes"}


def test_pandas_is_not_needed(tmp_path: Path) -> None:
    path = tmp_path / "genes"
    path.write_bytes(pickle.dumps(_pandas(table(3))))
    program = (
        "import importlib.abc, sys\n"
        "class Without(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.split('.')[0] == 'pandas': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from pathlib import Path;"
        "from toolkit.cache.formats import open_frame; from toolkit.cache.ranged import LocalFile, RangedReader;"
        f"frame = open_frame(RangedReader(LocalFile(Path({str(path)!r}))));"
        "print([name for batch in frame.names() for name in batch.to_pydict()['pert']])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "['GENE0', 'REC-0000001', 'GENE2']"
