"""What is in a group, and is it sound? Over real servers: each ailment is found, named, and nothing else is said."""

from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from bucket_fixtures import NAME, server  # noqa: F401
from groups_fixtures import COMPOUNDS, GENES, Layers, parquet, split, table, vectors
from redis_fixtures import Proxied, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.cache.frame_report import FrameReport
from toolkit.cache.inspection import Inspection, inspect
from toolkit.errors import Interrupted, NotFound, Unreachable
from toolkit.progress import Advanced, Progress, Step
from toolkit.sandbox.redis.tcp_proxy import Refuse
from toolkit.sandbox.storage.api import StorageServer
from toolkit.systems.redis_proxy import RedisProxy

if TYPE_CHECKING:
    from conftest import Sandbox

ON = ("--env", "sandbox")
SPLIT, MEANS = split(GENES, vectors(len(GENES), 1))
SOUND = {
    "genes": parquet(table(GENES, MEANS)),
    "genes_normalized": parquet(table(GENES, vectors(len(GENES), 2))),
    "genes_split_by": parquet(SPLIT),
    "compounds": parquet(table(COMPOUNDS, vectors(len(COMPOUNDS), 3))),
}


@pytest.fixture
def layers(redis: Proxied, server: StorageServer) -> Iterator[Layers]:  # noqa: F811
    layers = Layers(redis, server)
    for name, content in SOUND.items():
        layers.both("g", name, content)
    yield layers
    layers.close()


def report(found: Inspection, frame: str, layer: str = "L2") -> FrameReport:
    (one,) = [one for one in found.frames if (one.frame, one.layer) == (frame, layer)]
    return one


def lines(found: Inspection) -> dict[str, str]:
    return {line.check: line.status for line in found.checklist}


def problems(found: Inspection) -> set[tuple[str, str, str]]:
    return {(frame.frame, frame.layer, problem.problem) for frame in found.frames for problem in frame.problems}


class TestSound:
    def test_all_is_well_and_told_in_full(self, layers: Layers) -> None:
        events: list[object] = []
        found = inspect(layers.connections(), "g", Progress(tell=events.append))
        assert found.well
        assert set(lines(found).values()) == {"ok"}
        assert (found.layer, len(found.frames)) == ("L2", 8)
        genes, compounds, by_experiment = (report(found, name) for name in ("genes", "compounds", "genes_split_by"))
        assert (genes.rows, genes.perts, genes.format, genes.experiments) == (64, {"gene": 64}, "parquet", None)
        assert [(column.name, column.type) for column in genes.columns][:2] == [("pert", "string"), ("kind", "string")]
        assert compounds.perts == {"compound": 20}
        assert [(step.concentration, step.perts) for step in compounds.concentrations] == [(0.3, 20), (1, 20), (3, 20)]
        assert (by_experiment.rows, by_experiment.experiments) == (192, 3)
        assert genes.vectors is not None
        assert genes.vectors.norm_median == pytest.approx(1)
        assert {agreement.verdict for agreement in found.layers} == {"same-samples"}
        copy = report(found, "genes", "L3")
        assert (copy.same_as, copy.rows, copy.vectors) == ("L2", 64, None)
        step, *advanced = [event for event in events if isinstance(event, Step | Advanced)]
        assert isinstance(step, Step)
        assert "4 frames of g from Redis" in step.text
        assert all(isinstance(event, Advanced) and event.unit == "bytes" for event in advanced)
        assert found.bytes_read < found.bytes_total

    def test_names_alone_cost_little_and_leave_vectors_unknown(self, layers: Layers) -> None:
        found = inspect(layers.connections(), "g", vectors=False)
        assert found.well
        assert found.bytes_read < found.bytes_total / 3
        status = lines(found)
        assert {status[check] for check in ("unit-length", "no-nan", "mean-of-split")} == {"unknown"}
        assert {status[check] for check in ("raw-normalized", "aggregated-split", "layers")} == {"ok"}

    def test_some_frames_of_the_bucket(self, layers: Layers) -> None:
        found = inspect(layers.connections(), "g", frames=["genes"], layer="L3")
        assert found.layer == "L3"
        assert {frame.frame for frame in found.frames} == {"genes"}
        assert report(found, "genes", "L3").vectors is not None
        assert lines(found)["raw-normalized"] == "unknown"
        with pytest.raises(NotFound, match="no frame 'gene'"):
            inspect(layers.connections(), "g", frames=["gene"])

    def test_any_format(self, layers: Layers) -> None:
        frame = pd.DataFrame({"pert": list(GENES), "kind": "gene", "vector": [list(map(float, row)) for row in MEANS]})
        layers.both("g", "genes", pickle.dumps(frame))
        layers.both("g", "genes_normalized", gzip.compress(SOUND["genes_normalized"]))
        found = inspect(layers.connections(), "g")
        assert found.well
        assert report(found, "genes").format == "pickle"
        assert report(found, "genes_normalized").format == "gzip+parquet"
        assert set(lines(found).values()) == {"ok"}

    def test_group_that_only_the_bucket_has(self, layers: Layers) -> None:
        for name, content in SOUND.items():
            layers.l3("old", name, content)
        found = inspect(layers.connections(), "old")
        assert (found.layer, found.well) == ("L3", True)
        assert {agreement.verdict for agreement in found.layers} == {"only-l3"}
        with pytest.raises(NotFound, match="Redis holds no such frame of old"):
            inspect(layers.connections(), "old", layer="L2")


class TestVectors:
    def test_each_ailment_is_named_with_its_rows(self, layers: Layers) -> None:
        values = MEANS.copy()
        values[0] *= 1.5
        values[1, 7] = np.nan
        values[2] = 0
        values[3] = values[4]
        layers.both("g", "genes", parquet(table(GENES, values)))
        found = inspect(layers.connections(), "g")
        said = {problem.problem: problem for problem in report(found, "genes").problems}
        assert said.keys() == {"not-unit-length", "nan", "zero", "duplicate-vector"}
        assert {name: problem.rows for name, problem in said.items()} == {
            "not-unit-length": 1, "nan": 1, "zero": 1, "duplicate-vector": 2,
        }  # fmt: skip
        assert said["not-unit-length"].examples == ("BRCA1",)
        assert "1 of 64 vectors (1.6%) are not of length 1" in said["not-unit-length"].text
        assert (said["nan"].examples, said["zero"].examples) == (("BRCA2",), ("TP53",))
        assert said["duplicate-vector"].examples == ("MTOR = GENE0",)
        assert problems(found) == {("genes", "L2", name) for name in said}
        status = lines(found)
        assert {check for check, one in status.items() if one == "warn"} == {
            "unit-length", "no-nan", "no-zero", "no-duplicates", "mean-of-split",
        }  # fmt: skip

    @pytest.mark.parametrize("wide", [False, True])
    def test_wrong_dimension(self, layers: Layers, wide: bool) -> None:
        short = table(GENES, MEANS[:, :100])
        if wide:
            short = short.drop_columns(["vector"])
            for at in range(100):
                short = short.append_column(f"v{at}", pa.array(MEANS[:, at]))
        layers.both("g", "genes", parquet(short))
        found = inspect(layers.connections(), "g")
        (problem,) = report(found, "genes").problems
        assert (problem.problem, problem.rows, problem.of) == ("wrong-dimension", 64, 64)
        assert lines(found)["dimension"] == "warn"

    def test_rows_about_the_same(self, layers: Layers) -> None:
        layers.both("g", "compounds", parquet(table([*COMPOUNDS, COMPOUNDS[4]], vectors(len(COMPOUNDS) + 1, 3))))
        found = inspect(layers.connections(), "g", vectors=False)
        (problem,) = report(found, "compounds").problems
        assert (problem.problem, problem.rows, problem.examples) == ("duplicate-row", 2, ("REC-0000001 at 1 µM",))
        assert lines(found)["no-duplicate-rows"] == "warn"

    def test_aggregated_vectors_that_are_not_the_means(self, layers: Layers) -> None:
        layers.both("g", "genes", parquet(table(GENES, vectors(len(GENES), 8))))
        found = inspect(layers.connections(), "g")
        assert problems(found) == set()
        (line,) = [line for line in found.checklist if line.check == "mean-of-split"]
        assert line.status == "warn"
        assert "a sample of 64" in line.evidence

    def test_frames_that_disagree_about_perts_and_concentrations(self, layers: Layers) -> None:
        layers.both("g", "genes_normalized", parquet(table(GENES[1:])))
        other = [(pert, 10.0 if at == 0.3 else at) for pert, at in COMPOUNDS]
        layers.both("g", "compounds_normalized", parquet(table(other, vectors(len(other), 3))))
        found = inspect(layers.connections(), "g", vectors=False)
        by_check = {line.check: line for line in found.checklist}
        assert by_check["raw-normalized"].status == "warn"
        assert "genes has 1 pert that genes_normalized has not: BRCA1" in by_check["raw-normalized"].evidence
        assert by_check["concentrations"].status == "warn"
        assert not found.well


class TestLayers:
    def test_other_vectors_in_the_bucket(self, layers: Layers) -> None:
        values = MEANS.copy()
        values[20] = -values[20]
        layers.l3("g", "genes", parquet(table(GENES, values)))
        found = inspect(layers.connections(), "g", vectors=False)
        assert problems(found) == {("genes", "L2", "differs-from-l3")}
        (agreement,) = [one for one in found.layers if one.frame == "genes"]
        assert agreement.verdict == "other-vectors"
        assert "the same perts and concentrations" in agreement.text
        assert lines(found)["layers"] == "warn"

    def test_other_perts_in_the_bucket(self, layers: Layers) -> None:
        layers.l3("g", "genes", parquet(table(GENES[:-1], MEANS[:-1])))
        found = inspect(layers.connections(), "g", vectors=False)
        (agreement,) = [one for one in found.layers if one.frame == "genes"]
        assert agreement.verdict == "other-perts"
        assert "1 only in Redis: GENE59" in agreement.text
        assert report(found, "genes", "L3").rows == 63

    def test_only_a_checksum_sees_what_lies_between_the_samples(self, layers: Layers) -> None:
        content = bytearray(SOUND["genes_split_by"])
        content[5_000] ^= 1
        layers.l3("g", "genes_split_by", bytes(content))
        quick = inspect(layers.connections(), "g", vectors=False)
        assert quick.well
        assert "--full compares checksums" in quick.checklist[-1].evidence
        found = inspect(layers.connections(), "g", vectors=False, full=True)
        assert problems(found) == {("genes_split_by", "L2", "differs-from-l3")}
        assert {one.verdict for one in found.layers if one.frame != "genes_split_by"} == {"same-checksum"}

    def test_missing_frames_are_named(self, layers: Layers) -> None:
        layers.redis.run("DEL", "g:genes")
        found = inspect(layers.connections(frames_per_group=4), "g", vectors=False)
        assert problems(found) == {("genes", "L2", "missing")}
        assert report(found, "genes", "L3").rows == 64
        (line,) = [line for line in found.checklist if line.check == "all-frames"]
        assert (line.status, line.evidence) == ("warn", "missing in Redis: genes")


class TestBadDays:
    @pytest.mark.parametrize(
        "content", [b"nonsense", SOUND["genes"][:-100], parquet(pa.table({"x": [1.0]})), b""], ids=range(4)
    )
    def test_frame_that_cannot_be_read_is_its_own_problem(self, layers: Layers, content: bytes) -> None:
        layers.both("g", "genes", content)
        found = inspect(layers.connections(), "g")
        assert problems(found) == {("genes", "L2", "unreadable"), ("genes", "L3", "unreadable")}
        assert report(found, "compounds").vectors is not None
        status = lines(found)
        assert status["all-frames"] == "warn"
        assert status["unit-length"] == "unknown"

    def test_other_kind_of_data_under_a_frames_key(self, layers: Layers) -> None:
        layers.redis.run("DEL", "g:genes")
        layers.redis.run("SADD", "g:genes", "x")
        found = inspect(layers.connections(), "g", vectors=False)
        assert problems(found) == {("genes", "L2", "unreadable")}
        assert lines(found)["all-frames"] == "warn"

    def test_without_redis_the_bucket_is_read(self, layers: Layers) -> None:
        layers.redis.fault(Refuse())
        found = inspect(layers.connections(), "g", vectors=False)
        assert found.layer == "L3"
        assert [error.exit_code for error in found.errors] == [3]
        assert lines(found)["layers"] == "unknown"

    def test_layer_that_falls_silent_is_asked_once(self, layers: Layers, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def silent(redis: RedisProxy, key: str, start: int, end: int) -> bytes:
            asked.append(key)
            raise Unreachable("Redis does not answer.")

        monkeypatch.setattr(RedisProxy, "get_range", silent)
        found = inspect(layers.connections(), "g")
        assert set(asked) == {"g:compounds"}
        assert [error.message for error in found.errors] == ["Redis does not answer."]
        assert {one for one in problems(found) if one[1] == "L2"} == {(name, "L2", "unreadable") for name in SOUND}
        assert report(found, "genes", "L3").rows == 64

    def test_stops_on_request(self, layers: Layers) -> None:
        progress = Progress()
        progress.stop.set()
        with pytest.raises(Interrupted):
            inspect(layers.connections(), "g", progress)

    def test_names_never_steer_a_terminal(self, layers: Layers) -> None:
        values = vectors(2)
        values[0] = 0
        layers.both("g", "genes", parquet(table(["\x1b[31mEVIL", "B"], values)))
        found = inspect(layers.connections(), "g", frames=["genes"])
        assert "\x1b" not in "".join(problem.text for problem in report(found, "genes").problems)


class TestCommand:
    def test_json_is_what_scripts_rely_on(self, sandbox: Sandbox) -> None:
        group = sandbox.run("groups", "list", *ON, "-o", "json").json()[0]["name"]
        found = sandbox.run("groups", "inspect", group, *ON, "-o", "json").json()
        keys = {"group", "layer", "frames", "layers", "checklist", "bytes_read", "bytes_total"}
        assert found.keys() == keys
        each = {"frame", "layer", "rows", "columns", "bytes", "format", "problems"}
        assert all(each <= frame.keys() for frame in found["frames"])
        assert len(found["frames"]) == 16
        assert {line["status"] for line in found["checklist"]} == {"ok"}
        (line,) = sandbox.run("groups", "inspect", group, *ON, "-o", "jsonl", "--names-only").out.splitlines()
        assert json.loads(line)["group"] == group
        plain = sandbox.run("groups", "inspect", group, *ON, "-o", "plain", "--names-only").out.splitlines()
        assert {len(row.split("\t")) for row in plain} == {6}

    def test_table(self, sandbox: Sandbox) -> None:
        group = sandbox.run("groups", "list", *ON, "-o", "json").json()[0]["name"]
        ran = sandbox.run("groups", "inspect", group, *ON, "--frame", "genes", "--full")
        assert "why does the map look funny?" in ran.out
        assert "Reading 1 frame of" in ran.err
        assert "that both layers hold of it" in ran.err

    def test_unknown_group(self, sandbox: Sandbox) -> None:
        assert "No group is called" in sandbox.run("groups", "inspect", "nobody", *ON, code=1).err

    def test_half_written_group(self, sandbox: Sandbox) -> None:
        sandbox.scenario("rebuild-failed")
        groups = sandbox.run("groups", "list", *ON, "-o", "json").json()
        (half,) = [group["name"] for group in groups if group["l2"]["present"] and group["l2"]["frames"] < 8]
        ran = sandbox.run("groups", "inspect", half, *ON, "--names-only", code=1)
        assert "is missing in Redis" in ran.out
