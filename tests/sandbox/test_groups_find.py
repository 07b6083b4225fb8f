"""Is a pert in the cache data? Over real servers: what is found, what is read for it, and what is noticed."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from bucket_fixtures import NAME, part, server  # noqa: F401
from redis_fixtures import TOKEN, Proxied, needs_real_redis, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.cache.find import Answers, Found, find
from toolkit.environments import model
from toolkit.errors import ConfigurationError, Interrupted, NotFound
from toolkit.progress import Progress
from toolkit.sandbox.redis.tcp_proxy import Refuse
from toolkit.sandbox.storage.api import StorageServer
from toolkit.secret import Secret
from toolkit.systems.connections import Connections

if TYPE_CHECKING:
    from conftest import Sandbox

ON = ("--env", "sandbox")


def frame(rows: Sequence[tuple[str, float | None]], seed: int = 0) -> bytes:
    """A small Parquet frame of (pert, concentration), with vectors that depend on `seed`."""
    vectors = pa.array([[float(seed + row)] * 128 for row in range(len(rows))], pa.list_(pa.float32(), 128))
    table = pa.table(
        {
            "pert": [pert for pert, _ in rows],
            "kind": ["gene" if concentration is None else "compound" for _, concentration in rows],
            "concentration": pa.array([concentration for _, concentration in rows], pa.float64()),
            "replicates": pa.array([4] * len(rows), pa.int32()),
            "vector": vectors,
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", row_group_size=50)
    return sink.getvalue()


GENES = frame([("BRCA1", None), ("BRCA2", None), ("TP53", None), *((f"GENE{n}", None) for n in range(200))])
COMPOUNDS = frame([("REC-0000123", 0.3), ("REC-0000123", 1.0), ("REC-0000123", 3.0), ("REC-0000124", 1.0)])


class World:
    """Two layers with a few groups, and the connections to them."""

    def __init__(self, redis: Proxied, storage: StorageServer) -> None:
        self.redis = redis
        self.storage = storage
        self._opened: list[Connections] = []

    def connections(self, **cache: object) -> Connections:
        environment = model.Environment(
            name="test",
            redis=self.redis.part(),
            bucket=part(self.storage),
            cache=model.Cache(**{"frames_per_group": 2, "groups_in_redis": 1, **cache}),  # type: ignore[arg-type]
        )
        connections = Connections(environment, model.Settings())
        connections._token = Secret(TOKEN)
        self._opened.append(connections)
        return connections

    def l2(self, group: str, name: str, content: bytes) -> None:
        self.redis.run("SET", f"{group}:{name}", content)

    def l3(self, group: str, name: str, content: bytes) -> None:
        self.storage.put(NAME, f"{group}/{name}.parquet", content)

    def healthy(self) -> None:
        self.redis.run("ZADD", "available-groups", "1700000000", "newer")
        for name, content in (("genes", GENES), ("compounds", COMPOUNDS)):
            self.l2("newer", name, content)
            self.l3("newer", name, content)
            self.l3("older", name, content)

    def ask(self, *queries: str, group: str | None = None, **cache: object) -> Answers:
        return find(self.connections(**cache), queries, group)

    def find(self, query: str, **cache: object) -> Found:
        (found,) = self.ask(query, **cache).found
        return found

    def close(self) -> None:
        for connections in self._opened:
            connections.close()


@pytest.fixture
def world(redis: Proxied, server: StorageServer) -> Iterator[World]:  # noqa: F811
    world = World(redis, server)
    world.healthy()
    yield world
    world.close()


def places(found: Found) -> list[tuple[str, str, str]]:
    return [(match.group, match.layer, match.frame) for match in found.matches]


class TestAnswer:
    def test_gene(self, world: World) -> None:
        found = world.find("BRCA1")
        assert places(found) == [("newer", "L2", "genes"), ("newer", "L3", "genes"), ("older", "L3", "genes")]
        assert all(match.exact and match.kind == "gene" and match.replicates == 4 for match in found.matches)
        assert [(absent.group, absent.layer, absent.frames) for absent in found.absent_from] == [("older", "L2", 0)]
        assert found.near == ()
        assert found.exact

    def test_compound_with_its_concentrations(self, world: World) -> None:
        found = world.find("REC-0000123")
        assert {match.concentrations for match in found.matches} == {(0.3, 1.0, 3.0)}
        assert {match.replicates for match in found.matches} == {12}

    @pytest.mark.parametrize("typed", ["REC-0000123 at 3", "REC-0000123@3.0uM", "REC-0000123 300 nM"])
    def test_concentration_that_is_there(self, world: World, typed: str) -> None:
        assert world.find(typed).exact

    @pytest.mark.parametrize("typed", ["REC-0000123 at 3.3", "REC-0000123@3.3uM"])
    def test_wrong_concentration(self, world: World, typed: str) -> None:
        found = world.find(typed)
        assert found.matches == ()
        (near,) = found.near
        assert (near.pert, near.concentration) == ("REC-0000123", 3.0)
        assert "not at 3.3 µM: at 0.3, 1, 3 µM" in near.why
        assert {absent.why for absent in found.absent_from if absent.frames} == {
            "there, but not at 3.3 µM: at 0.3, 1, 3 µM"
        }

    def test_concentration_that_one_group_lacks(self, world: World) -> None:
        world.l3("older", "compounds", frame([("REC-0000123", 0.3)]))
        found = world.find("REC-0000123 at 3")
        assert {group for group, _, _ in places(found)} == {"newer"}
        assert {absent.group: absent.why for absent in found.absent_from if absent.layer == "L3"} == {
            "older": "there, but not at 3 µM: at 0.3 µM"
        }
        assert found.near == ()

    def test_misspelled(self, world: World) -> None:
        found = world.find("BRAC1")
        assert found.matches == ()
        assert found.near[0].pert == "BRCA1"
        assert len(found.absent_from) == 4

    def test_written_otherwise_is_found_but_not_exactly(self, world: World) -> None:
        found = world.find("brca-1")
        assert {(match.pert, match.how) for match in found.matches} == {("BRCA1", "space")}
        assert not found.exact

    def test_alias(self, world: World, tmp_path: Path) -> None:
        file = tmp_path / "genes.csv"
        file.write_text("TP53,p53,LFS1\n")
        assert world.find("LFS1").matches == ()
        found = world.find("LFS1", aliases_file=str(file))
        assert {(match.pert, match.how, match.exact) for match in found.matches} == {("TP53", "alias", False)}
        with pytest.raises(ConfigurationError, match="aliases_file"):
            world.find("LFS1", aliases_file=str(tmp_path / "missing.csv"))

    def test_one_group(self, world: World) -> None:
        (found,) = world.ask("BRCA1", group="older").found
        assert places(found) == [("older", "L3", "genes")]
        with pytest.raises(NotFound, match="oldr") as problem:
            world.ask("BRCA1", group="oldr")
        assert "older" in problem.value.hint

    def test_nothing_there(self, world: World) -> None:
        world.redis.run("FLUSHALL")
        for path in ("newer/genes", "newer/compounds", "older/genes", "older/compounds"):
            world.storage.delete(NAME, f"{path}.parquet")
        found = world.find("BRCA1")
        assert (found.matches, found.absent_from, found.near, found.bytes_total) == ((), (), (), 0)


class TestReading:
    def test_second_question_reads_no_frame_byte(self, world: World) -> None:
        first = world.find("BRCA1")
        assert 0 < first.bytes_read <= first.bytes_total
        assert first.frames_read == 6
        second = world.find("TP53")
        assert (second.bytes_read, second.frames_read) == (0, 0)
        assert second.bytes_total == first.bytes_total
        assert places(second) == places(first)

    def test_many_questions_read_once(self, world: World) -> None:
        one = world.find("BRCA1")
        many = world.ask("BRCA1", "TP53", "REC-0000124 at 1", "nobody").found
        assert [found.exact for found in many] == [True, True, True, False]
        assert {found.bytes_read for found in many} == {0}
        assert many[0].matches == one.matches

    def test_kind_of_file_is_told_by_its_content(self, world: World) -> None:
        sink = io.BytesIO()
        feather.write_feather(pq.read_table(io.BytesIO(GENES)), sink, compression="lz4")
        world.l2("newer", "genes", sink.getvalue())
        world.l3("older", "genes", gzip.compress(GENES))
        found = world.find("BRCA1")
        assert found.unreadable == ()
        assert places(found) == [("newer", "L2", "genes"), ("newer", "L3", "genes"), ("older", "L3", "genes")]

    def test_value_that_changed_in_redis_is_noticed(self, world: World) -> None:
        world.find("BRCA1")
        changed = frame([("XRCA1", None), ("BRCA2", None), ("TP53", None), *((f"GENE{n}", None) for n in range(200))])
        world.l2("newer", "genes", changed.ljust(len(GENES), b" ") if len(changed) < len(GENES) else changed)
        found = world.find("BRCA1")
        assert ("newer", "L2", "genes") not in places(found)
        assert ("newer", "L3", "genes") in places(found)
        assert found.frames_read == 1

    def test_value_of_the_same_length_is_noticed(self, world: World) -> None:
        rows = [(f"GENE{n}", None) for n in range(2000)]
        before, after = frame([("BRCA1", None), *rows], seed=1), frame([("BRCA9", None), *rows], seed=1)
        assert len(before) == len(after)
        world.l2("newer", "genes", before)
        assert ("newer", "L2", "genes") in places(world.find("BRCA1"))
        world.l2("newer", "genes", after)
        assert ("newer", "L2", "genes") not in places(world.find("BRCA1"))

    def test_new_generation_in_the_bucket_is_noticed(self, world: World) -> None:
        assert ("older", "L3", "genes") in places(world.find("BRCA1"))
        world.l3("older", "genes", frame([("TP53", None)]))
        found = world.find("BRCA1")
        assert ("older", "L3", "genes") not in places(found)
        assert found.frames_read == 1

    def test_value_that_is_replaced_while_it_is_read(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        from toolkit.systems.redis_proxy import RedisProxy

        read = RedisProxy.get_range
        replaced: list[str] = []

        def replacing(redis: RedisProxy, key: str, start: int, end: int) -> bytes:
            content = read(redis, key, start, end)
            if key == "newer:genes" and not replaced:
                replaced.append(key)
                world.l2("newer", "genes", frame([("NEW1", None), *((f"GENE{n}", None) for n in range(500))]))
            return content

        monkeypatch.setattr(RedisProxy, "get_range", replacing)
        found = world.find("NEW1")
        assert replaced
        assert places(found) == [("newer", "L2", "genes")]
        assert places(world.find("NEW1")) == [("newer", "L2", "genes")]

    def test_stops_on_request(self, world: World) -> None:
        progress = Progress()
        progress.stop.set()
        with pytest.raises(Interrupted):
            find(world.connections(), ["BRCA1"], progress=progress)

    def test_nothing_heavy_is_imported_for_a_second_question(self, sandbox: Sandbox) -> None:
        sandbox.run("groups", "find", "BRCA1", *ON)
        program = (
            "import sys\nfrom toolkit.__main__ import run\n"
            "status = run(['groups', 'find', 'BRCA1', '--env', 'sandbox', '-o', 'json'])\n"
            "heavy = {'pyarrow', 'numpy', 'pandas', 'rapidfuzz', 'rich', 'dask', 'distributed'} & sys.modules.keys()\n"
            "sys.exit(f'{heavy} {status}' if heavy or status else 0)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr


class TestBadDays:
    @pytest.mark.parametrize("content", [b"", b"nonsense", GENES[:-100], b"PAR1" + b"\0" * 500 + b"PAR1"])
    def test_unreadable_frame_is_named_and_the_others_are_searched(self, world: World, content: bytes) -> None:
        world.l3("older", "genes", content)
        for _ in range(2):  # what could not be read is not taken for known
            answers = world.ask("BRCA1")
            (found,) = answers.found
            (unreadable,) = found.unreadable
            assert (unreadable.group, unreadable.layer, unreadable.frame) == ("older", "L3", "genes")
            assert unreadable.why
            assert places(found) == [("newer", "L2", "genes"), ("newer", "L3", "genes")]
            (absent,) = [absent for absent in found.absent_from if (absent.group, absent.layer) == ("older", "L3")]
            assert (absent.frames, absent.unread) == (1, 1)
            assert absent.why == "not in the one frame that could be searched; 1 could not be read"
            assert answers.problems == ()

    def test_other_kind_of_data_under_a_frames_key(self, world: World) -> None:
        world.redis.run("DEL", "newer:genes")
        world.redis.run("SADD", "newer:genes", "x")
        (unreadable,) = world.find("BRCA1").unreadable
        assert (unreadable.layer, unreadable.frame) == ("L2", "genes")

    def test_without_redis_the_bucket_is_searched(self, world: World) -> None:
        world.redis.fault(Refuse())
        answers = world.ask("BRCA1")
        (found,) = answers.found
        assert {layer for _, layer, _ in places(found)} == {"L3"}
        assert len(answers.problems) == 1
        assert not any(absent.layer == "L2" for absent in found.absent_from)


class TestCommand:
    def test_json_is_what_scripts_rely_on(self, sandbox: Sandbox) -> None:
        found = sandbox.run("groups", "find", "BRCA1", *ON, "-o", "json").json()
        assert {"query", "matches", "absent_from", "near", "bytes_read", "bytes_total", "unreadable"} <= found.keys()
        keys = {"group", "layer", "frame", "pert", "kind", "concentrations", "exact"}
        assert all(keys <= match.keys() for match in found["matches"])
        assert {match["layer"] for match in found["matches"]} == {"L2", "L3"}
        assert len({match["group"] for match in found["matches"]}) == 5
        assert found["bytes_total"] > 1_000_000
        assert found["unreadable"] == []
        again = sandbox.run("groups", "find", "BRCA1", *ON, "-o", "json").json()
        assert again["bytes_read"] == 0
        assert again["matches"] == found["matches"]

    def test_table(self, sandbox: Sandbox) -> None:
        ran = sandbox.run("groups", "find", "BRCA1", *ON)
        assert "BRCA1: in 5 of 5 groups" in ran.out
        assert sum("4 frames" in line for line in ran.out.splitlines()) == 5
        assert " of " in ran.err
        assert "known from the last time" in sandbox.run("groups", "find", "BRCA1", *ON).err

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("BRAC1", "did you mean BRCA1?"),
            ("brca1", "not under this name; BRCA1 is in 5 of 5 groups"),
            ("REC-0000123 at 3.3", "did you mean REC-0000123 at 3 µM?"),
        ],
    )
    def test_not_found_exactly(self, sandbox: Sandbox, typed: str, said: str) -> None:
        assert said in sandbox.run("groups", "find", typed, *ON, code=1).out
        assert sandbox.run("groups", "find", typed, *ON, "-o", "json", code=1).json()["query"] == typed

    def test_many_from_a_file(self, sandbox: Sandbox, tmp_path: Path) -> None:
        file = tmp_path / "perts.txt"
        file.write_text("# asked for by the screen\nBRCA1\n\nREC-0000123 at 3  # the top one\nBRAC1\n")
        ran = sandbox.run("groups", "find", "--from", str(file), *ON, "-o", "json", code=1)
        assert [found["query"] for found in ran.json()] == ["BRCA1", "REC-0000123 at 3", "BRAC1"]
        lines = sandbox.run("groups", "find", "--from", str(file), *ON, "-o", "jsonl", code=1).out.splitlines()
        assert [json.loads(line)["query"] for line in lines] == ["BRCA1", "REC-0000123 at 3", "BRAC1"]
        assert "did you mean BRCA1?" in sandbox.run("groups", "find", "--from", str(file), *ON, code=1).out
        plain = sandbox.run("groups", "find", "--from", str(file), *ON, "-o", "plain", code=1).out.splitlines()
        assert plain[0].split("\t")[0] == "BRCA1"
        assert {len(line.split("\t")) for line in plain} == {8}

    def test_nothing_asked(self, sandbox: Sandbox, tmp_path: Path) -> None:
        sandbox.run("groups", "find", *ON, code=2)
        assert "cannot be read" in sandbox.run("groups", "find", "--from", str(tmp_path / "no"), *ON, code=2).err

    def test_unknown_group(self, sandbox: Sandbox) -> None:
        assert "No group is called" in sandbox.run("groups", "find", "BRCA1", "--group", "nobody", *ON, code=1).err

    @needs_real_redis
    def test_token_rotated(self, sandbox: Sandbox) -> None:
        sandbox.scenario("token-rotated")
        ran = sandbox.run("groups", "find", "BRCA1", *ON, "-o", "json", code=4)
        assert {match["layer"] for match in ran.json()["matches"]} == {"L3"}

    def test_flushed(self, sandbox: Sandbox) -> None:
        sandbox.scenario("redis-flushed")
        found = sandbox.run("groups", "find", "BRCA1", *ON, "-o", "json").json()
        assert {match["layer"] for match in found["matches"]} == {"L3"}
        assert {absent["why"] for absent in found["absent_from"]} == {"Redis holds none of this group's frames"}
