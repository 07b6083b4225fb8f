"""Two groups against each other: what came, what went, what moved; and one group in both layers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bucket_fixtures import server  # noqa: F401
from groups_fixtures import COMPOUNDS, GENES, Layers, parquet, split, table, vectors
from redis_fixtures import Proxied, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.cache.comparison import Difference, diff
from toolkit.cache.differences import FrameDifference
from toolkit.cache.name_index import NameIndex
from toolkit.errors import Interrupted, NotFound, Unreachable, UsageError
from toolkit.progress import Progress
from toolkit.sandbox.redis.tcp_proxy import Refuse
from toolkit.sandbox.storage.api import StorageServer

if TYPE_CHECKING:
    from conftest import Sandbox

ON = ("--env", "sandbox")
SPLIT, MEANS = split(GENES, vectors(len(GENES), 1))
OLD = {
    "genes": parquet(table(GENES, MEANS)),
    "genes_split_by": parquet(SPLIT),
    "compounds": parquet(table(COMPOUNDS, vectors(len(COMPOUNDS), 3))),
}


class Pair(Layers):
    """Groups `old` and `new`, the same to begin with, both in Redis; and an index of names of their own."""

    index: NameIndex

    def diff(self, a: str = "old", b: str = "new", **options: object) -> Difference:
        return diff(self.connections(), a, b, index=self.index, **options)  # type: ignore[arg-type]


@pytest.fixture
def pair(redis: Proxied, server: StorageServer, tmp_path: Path) -> Iterator[Pair]:  # noqa: F811
    pair = Pair(redis, server)
    pair.index = NameIndex(tmp_path)
    for group in ("old", "new"):
        for name, content in OLD.items():
            pair.l2(group, name, content)
    yield pair
    pair.close()


def frame(found: Difference, name: str) -> FrameDifference:
    (one,) = [one for one in found.frames if one.frame == name]
    return one


class TestNames:
    def test_the_same(self, pair: Pair) -> None:
        found = pair.diff()
        assert found.same
        assert [one.frame for one in found.frames] == ["compounds", "genes"]
        genes = frame(found, "genes")
        assert (genes.perts, genes.vectors, genes.moved, genes.median) == (64, 64, 0, 1.0)

    def test_perts_added_and_removed_by_kind(self, pair: Pair) -> None:
        pair.l2("new", "genes", parquet(table([*GENES[2:], "NEW1"], vectors(len(GENES) - 1, 1))))
        pair.l2("new", "compounds", parquet(table([*COMPOUNDS, ("REC-9999999", 1.0)])))
        found = pair.diff(vectors=False)
        assert [(one.kind, one.pert) for one in found.added] == [("compound", "REC-9999999"), ("gene", "NEW1")]
        assert [(one.kind, one.pert) for one in found.removed] == [("gene", "BRCA1"), ("gene", "BRCA2")]
        assert not found.same

    def test_concentrations(self, pair: Pair) -> None:
        other = [(pert, 10.0 if (pert, at) == ("REC-0000003", 0.3) else at) for pert, at in COMPOUNDS]
        pair.l2("new", "compounds", parquet(table([*other, ("REC-0000004", 30.0)])))
        found = pair.diff(vectors=False)
        assert [(one.pert, one.added, one.removed) for one in found.concentrations] == [
            ("REC-0000003", (10.0,), (0.3,)),
            ("REC-0000004", (30.0,), ()),
        ]
        assert found.added == found.removed == ()

    def test_names_are_read_once(self, pair: Pair) -> None:
        assert pair.diff(vectors=False).bytes_read > 0
        assert pair.diff(vectors=False).bytes_read == 0

    def test_frames_that_one_side_lacks(self, pair: Pair) -> None:
        pair.l2("new", "compounds_normalized", OLD["compounds"])
        found = pair.diff(vectors=False)
        assert (found.only_a, found.only_b) == ((), ("compounds_normalized",))
        assert not found.same


class TestVectors:
    def test_what_moved_worst_first(self, pair: Pair) -> None:
        values = MEANS.copy()
        values[5] = -values[5]
        values[6] = vectors(1, 77)[0]
        values[7] *= 3  # longer, but it points where it did
        values[8, 0] = np.nan
        pair.l2("new", "genes", parquet(table(GENES, values)))
        found = pair.diff()
        genes = frame(found, "genes")
        assert (genes.moved, genes.vectors, genes.not_comparable) == (2, 63, 1)
        assert [(one.pert, one.kind, one.concentration) for one in genes.worst] == [
            ("GENE1", "gene", None),
            ("GENE2", "gene", None),
        ]
        assert genes.worst[0].cosine == pytest.approx(-1)
        assert genes.quantiles["p0"] == pytest.approx(-1)
        assert genes.quantiles["p50"] == genes.median == 1.0
        assert frame(found, "compounds").moved == 0
        assert not found.same
        (worst,) = frame(pair.diff(limit=1), "genes").worst
        assert worst.pert == "GENE1"
        assert frame(pair.diff(moved_below=-1.0), "genes").moved == 0

    def test_compounds_by_concentration_whatever_the_order(self, pair: Pair) -> None:
        values = vectors(len(COMPOUNDS), 3)
        values[4] = -values[4]
        order = np.random.default_rng(5).permutation(len(COMPOUNDS))
        pair.l2("new", "compounds", parquet(table([COMPOUNDS[at] for at in order], values[order])))
        (moved,) = frame(pair.diff(), "compounds").worst
        assert (moved.pert, moved.concentration) == COMPOUNDS[4]

    def test_split_frames_are_averaged(self, pair: Pair) -> None:
        backwards = parquet(SPLIT.take(list(reversed(range(SPLIT.num_rows)))))
        pair.l2("new", "genes_split_by", backwards)
        found = pair.diff(frames=["genes_split_by"])
        assert found.same
        (only,) = found.frames
        assert (only.split, only.vectors, only.median) == (True, 64, 1.0)

    def test_one_group_in_both_layers(self, pair: Pair) -> None:
        values = MEANS.copy()
        values[9] = -values[9]
        pair.l3("new", "genes", parquet(table(GENES, values)))
        found = pair.diff("new", "new", sides=("L2", "L3"))
        assert (found.a.layer, found.b.layer) == ("L2", "L3")
        assert [one.pert for one in frame(found, "genes").worst] == ["GENE5"]
        assert found.only_a == ("compounds", "genes_split_by")


class TestBadDays:
    def test_nothing_to_compare(self, pair: Pair) -> None:
        with pytest.raises(UsageError, match="with itself"):
            pair.diff("new", "new")
        with pytest.raises(NotFound, match="No group is called 'nwe'"):
            pair.diff("old", "nwe")
        with pytest.raises(NotFound, match="Neither side has a frame"):
            pair.diff(frames=["nothing"])
        with pytest.raises(NotFound, match="The bucket holds no such frame of new"):
            pair.diff(sides=("L2", "L3"))

    def test_frame_that_cannot_be_read_is_named(self, pair: Pair) -> None:
        pair.l2("new", "genes", OLD["genes"][:-100])
        found = pair.diff()
        assert "new in Redis" in frame(found, "genes").unreadable
        assert frame(found, "compounds").vectors == 60
        assert not found.same

    def test_vectors_that_cannot_be_read(self, pair: Pair) -> None:
        pair.l2("new", "genes", parquet(table(GENES, MEANS).drop_columns(["vector"])))
        assert "no column of vectors" in frame(pair.diff(), "genes").unreadable

    def test_without_redis(self, pair: Pair) -> None:
        for group in ("old", "new"):
            pair.l3(group, "genes", OLD["genes"])
        pair.redis.fault(Refuse())
        found = pair.diff()
        assert {found.a.layer, found.b.layer} == {"L3"}
        assert [error.exit_code for error in found.errors] == [3]
        with pytest.raises(Unreachable):
            pair.diff(sides=("L2", "L3"))

    def test_stops_on_request(self, pair: Pair) -> None:
        progress = Progress()
        progress.stop.set()
        with pytest.raises(Interrupted):
            pair.diff(progress=progress)


class TestCommand:
    def test_two_groups(self, sandbox: Sandbox) -> None:
        newer, older, *_ = (group["name"] for group in sandbox.run("groups", "list", *ON, "-o", "json").json())
        found = sandbox.run("groups", "diff", older, newer, *ON, "-o", "json", code=1).json()
        keys = {"a", "b", "frames", "added", "removed", "concentrations", "only_a", "only_b", "moved_below"}
        assert found.keys() == keys | {"bytes_read", "bytes_total", "notes"}
        assert {one["frame"] for one in found["frames"]} == {
            "genes", "genes_normalized", "compounds", "compounds_normalized",
        }  # fmt: skip
        (line,) = sandbox.run("groups", "diff", older, newer, *ON, "-o", "jsonl", code=1).out.splitlines()
        assert json.loads(line) == {**found, "bytes_read": json.loads(line)["bytes_read"]}
        ran = sandbox.run("groups", "diff", older, newer, *ON, "--limit", "3", code=1)
        moved = sum(one["moved"] for one in found["frames"])
        assert f"3 of {moved:,} shown" in ran.out
        plain = sandbox.run("groups", "diff", older, newer, *ON, "--limit", "3", "-o", "plain", code=1).out
        assert {len(row.split("\t")) for row in plain.splitlines()} == {6}
        same = sandbox.run("groups", "diff", older, newer, *ON, "--names-only")
        assert "the same perts and concentrations" in same.out

    def test_one_group_is_held_against_its_copy_in_the_bucket(self, sandbox: Sandbox) -> None:
        group = sandbox.run("groups", "list", *ON, "-o", "json").json()[0]["name"]
        found = sandbox.run("groups", "diff", group, *ON, "-o", "json").json()
        assert (found["a"]["layer"], found["b"]["layer"]) == ("L2", "L3")
        sandbox.run("groups", "diff", group, *ON, "--layer", "l4", code=2)
        sandbox.run("groups", "diff", group, *ON, "--layer", "l2", code=2)
