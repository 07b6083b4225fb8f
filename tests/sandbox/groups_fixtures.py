"""Two layers on real servers, filled by hand: what the tests of groups' frames share."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bucket_fixtures import NAME, part
from numpy.typing import NDArray
from redis_fixtures import TOKEN, Proxied

from toolkit.environments import model
from toolkit.sandbox.storage.api import StorageServer
from toolkit.secret import Secret
from toolkit.systems.connections import Connections

DIMENSION = 128
GENES = ("BRCA1", "BRCA2", "TP53", "MTOR", *(f"GENE{number}" for number in range(60)))
COMPOUNDS = tuple((f"REC-{number:07d}", step) for number in range(20) for step in (0.3, 1.0, 3.0))


class Layers:
    """Two layers, and the connections to them."""

    def __init__(self, redis: Proxied, storage: StorageServer) -> None:
        self.redis = redis
        self.storage = storage
        self._opened: list[Connections] = []

    def connections(self, **cache: object) -> Connections:
        settings = {"frames_per_group": 0, "groups_in_redis": 1, "vector_length": DIMENSION, **cache}
        environment = model.Environment(
            name="test",
            redis=self.redis.part(),
            bucket=part(self.storage),
            cache=model.Cache(**settings),  # type: ignore[arg-type]
        )
        connections = Connections(environment, model.Settings())
        connections._token = Secret(TOKEN)
        self._opened.append(connections)
        return connections

    def l2(self, group: str, name: str, content: bytes) -> None:
        self.redis.run("SET", f"{group}:{name}", content)
        self.redis.run("ZADD", "available-groups", "1700000000", group)

    def l3(self, group: str, name: str, content: bytes) -> None:
        self.storage.put(NAME, f"{group}/{name}.parquet", content)

    def both(self, group: str, name: str, content: bytes) -> None:
        self.l2(group, name, content)
        self.l3(group, name, content)

    def close(self) -> None:
        for connections in self._opened:
            connections.close()


def vectors(rows: int, seed: int = 0) -> NDArray[np.float32]:
    """(rows, 128) of length 1."""
    drawn = np.random.default_rng(seed).standard_normal((rows, DIMENSION)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def table(
    perts: Sequence[str] | Sequence[tuple[str, float]],
    values: NDArray[np.float32] | None = None,
    experiments: Sequence[str] | None = None,
) -> pa.Table:
    """A frame of genes, or of compounds as (name, µM)."""
    pairs = [(pert, None) if isinstance(pert, str) else pert for pert in perts]
    values = vectors(len(pairs)) if values is None else values
    columns = {
        "pert": [pert for pert, _ in pairs],
        "kind": ["gene" if concentration is None else "compound" for _, concentration in pairs],
        "concentration": pa.array([concentration for _, concentration in pairs], pa.float64()),
    }
    if experiments is not None:
        columns["experiment"] = list(experiments)
    flat = pa.array(values.reshape(-1), pa.float32())
    columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return pa.table(columns)


def parquet(frame: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(frame, sink, compression="zstd", row_group_size=50)
    return sink.getvalue()


def split(
    perts: Sequence[str] | Sequence[tuple[str, float]], values: NDArray[np.float32], experiments: int = 3
) -> tuple[pa.Table, NDArray[np.float32]]:
    """The frame split by experiment whose replicates scatter around `values`, and their means (rows, 128)."""
    scatter = vectors(len(perts) * experiments, 99).reshape(len(perts), experiments, DIMENSION) * np.float32(0.2)
    single = values[:, None, :] + scatter
    single /= np.linalg.norm(single, axis=2, keepdims=True)
    means = single.mean(axis=1)
    names = [pert for pert in perts for _ in range(experiments)]
    labels = [f"EXP-{number}" for _ in perts for number in range(experiments)]
    frame = table(names, single.reshape(-1, DIMENSION), labels)  # type: ignore[arg-type]
    return frame, means / np.linalg.norm(means, axis=1, keepdims=True)
