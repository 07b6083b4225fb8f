"""Vectors that are not as they should be, and frames with names of their own: over a real Redis and a real bucket."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bucket_fixtures import NAME, part, server  # noqa: F401
from redis_fixtures import TOKEN, Proxied, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.cache.map.consistency import consistency
from toolkit.cache.map.heatmap import heatmap
from toolkit.cache.map.map_frames import Wanted
from toolkit.cache.map.projection import projection
from toolkit.environments import model
from toolkit.errors import Failed, NotFound, Unreachable
from toolkit.sandbox.redis.tcp_proxy import Refuse
from toolkit.sandbox.storage.api import StorageServer
from toolkit.secret import Secret
from toolkit.systems.connections import Connections

GENES = ("UP", "DOWN", "LONG", "ZERO", "NAN")


def frame(perts: tuple[str, ...], vectors: np.ndarray, experiments: list[str] | None = None) -> bytes:
    columns = {"pert": list(perts), "kind": ["gene"] * len(perts)}
    if experiments is not None:
        columns["experiment"] = experiments
    flat = pa.array(vectors.astype(np.float32).reshape(-1))
    table = pa.table({**columns, "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def vectors() -> np.ndarray:
    up = np.eye(128)[0]
    return np.array([up, -up, 3.5 * (up + np.eye(128)[1]), 0 * up, np.full(128, np.nan)])


@pytest.fixture
def world(redis: Proxied, server: StorageServer) -> Iterator[Connections]:  # noqa: F811
    redis.run("ZADD", "available-groups", "1700000000", "newer")
    redis.run("SET", "newer:genes_normalized", frame(GENES, vectors()))
    server.put(NAME, "newer/genes_normalized.parquet", frame(("UP",), vectors()[:1]))
    environment = model.Environment(name="test", redis=redis.part(), bucket=part(server), cache=model.Cache())
    connections = Connections(environment, model.Settings())
    connections._token = Secret(TOKEN)
    yield connections
    connections.close()


def test_what_is_wrong_with_vectors_is_said_and_does_not_bend_the_angles(world: Connections) -> None:
    found = heatmap(world, GENES, Wanted())
    assert found.matrix[0][:3] == (1.0, -1.0, pytest.approx(0.707107, abs=1e-5))
    assert found.matrix[3] == found.matrix[4] == (None,) * 5
    lengths = {one.pert: one.length for one in found.perts}
    assert lengths == {"UP": 1.0, "DOWN": 1.0, "LONG": pytest.approx(4.949747), "ZERO": 0.0, "NAN": None}
    said = "\n".join(found.warnings)
    for expected in ("another length than 1: LONG (4.95)", "points nowhere: ZERO", "no finite number): NAN"):
        assert expected in said


def test_projection_shows_a_wrong_length_and_refuses_a_target_that_points_nowhere(world: Connections) -> None:
    found = projection(world, ["LONG", "NAN"], "UP", Wanted())
    (long,), (nan,) = (line.points for line in found.lines)
    assert (long.projection, long.rejection, long.cosine) == pytest.approx((3.5, 3.5, 0.707107), abs=1e-5)
    assert (nan.projection, nan.rejection, nan.cosine) == (None, None, None)
    assert [line.heading for line in found.lines] == ["toward", "unknown"]
    with pytest.raises(Failed, match="points nowhere"):
        projection(world, ["UP"], "ZERO", Wanted())


def test_layers(world: Connections, redis: Proxied) -> None:
    assert heatmap(world, ["UP"], Wanted(layer="L3")).bytes_total < heatmap(world, ["UP"], Wanted()).bytes_total
    with pytest.raises(NotFound, match="aggregated, raw") as problem:
        heatmap(world, ["UP"], Wanted(normalized=False))
    assert "genes_normalized" in problem.value.hint
    redis.fault(Refuse())
    found = heatmap(world, ["UP"], Wanted(group="newer"))
    assert found.layer == "L3"
    assert "Redis could not be read" in found.warnings[0]
    with pytest.raises(Unreachable) as unreachable:
        heatmap(world, ["UP"], Wanted())
    assert "--group" in unreachable.value.hint


def test_columns_say_what_names_do_not(world: Connections, redis: Proxied) -> None:
    rng = np.random.default_rng(0)
    perts = tuple(f"G{number}" for number in range(30) for _ in range(3))
    split = rng.standard_normal((90, 128))
    split /= np.linalg.norm(split, axis=1, keepdims=True)
    split[0:3] = split[0]
    redis.run("DEL", "newer:genes_normalized")
    redis.run("SET", "newer:a_normalized", frame(GENES, vectors()))
    redis.run("SET", "newer:b_normalized", frame(perts, split, ["E1", "E2", "E3"] * 30))
    found = consistency(world, ["G0", "G1"], Wanted(split=True))
    assert found.frames == ("b_normalized",)
    assert "a_normalized was passed over" in found.warnings[0]
    same, random = found.replicates
    assert (same.verdict, same.mean) == ("agree", pytest.approx(1))
    assert random.verdict == "disagree"
    assert random.chance is not None
    assert random.chance.p > 0.05
