"""Downloading a group: from either layer, whole or not at all, resumed, and told later what it was."""

from __future__ import annotations

import errno
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from bucket_fixtures import NAME, part, server  # noqa: F401
from filelock import FileLock
from redis_fixtures import TOKEN, Proxied, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.cache.download import FrameFile, GroupDownload, Layer, download
from toolkit.environments import model
from toolkit.errors import Failed, Interrupted, NotFound, Refused, Unreachable
from toolkit.progress import Advanced, Event, Progress
from toolkit.sandbox.redis.tcp_proxy import Cut, Refuse
from toolkit.sandbox.storage.api import StorageServer
from toolkit.secret import Secret
from toolkit.systems.bucket.part import CHUNK, PartFile
from toolkit.systems.connections import Connections
from toolkit.systems.redis_proxy import RedisProxy

if TYPE_CHECKING:
    from conftest import Sandbox

ON = ("--env", "sandbox")
BLOCK = os.urandom(1 << 20)
LARGE = b"PAR1" + BLOCK * 20  # three chunks of what looks like Parquet
OTHER = b"PAR1" + bytes(reversed(BLOCK)) * 20
SMALL = b"PAR1" + BLOCK[:1000]


class World:
    """One group in both layers, and where it is downloaded to."""

    def __init__(self, redis: Proxied, storage: StorageServer, to: Path) -> None:
        self.redis, self.storage, self.to = redis, storage, to
        self.folder = to / "g"
        environment = model.Environment(
            name="test", redis=redis.part(), bucket=part(storage), cache=model.Cache(frames_per_group=2)
        )
        self.connections = Connections(environment, model.Settings())
        self.connections._token = Secret(TOKEN)
        redis.run("ZADD", "available-groups", "1700000000", "g")

    def l2(self, frame: str, content: bytes) -> None:
        self.redis.run("SET", f"g:{frame}", content)

    def l3(self, frame: str, content: bytes) -> None:
        self.storage.put(NAME, f"g/{frame}.parquet", content)

    def get(self, layer: Layer = "L3", *frames: str, progress: Progress | None = None, **more: bool) -> GroupDownload:
        return download(self.connections, "g", self.to, layer, frames, progress or Progress(), **more)

    def frame(self, layer: Layer, frame: str) -> FrameFile:
        """What becomes of one frame."""
        (found,) = self.get(layer, frame).frames
        return found

    def files(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir())

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return found


@pytest.fixture
def world(redis: Proxied, server: StorageServer, tmp_path: Path) -> Iterator[World]:  # noqa: F811
    world = World(redis, server, tmp_path / "to")
    yield world
    world.connections.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many bytes Redis gave since the last call."""
    counted = [0]
    read = RedisProxy.get_range

    def counting(redis: RedisProxy, key: str, start: int, end: int) -> bytes:
        content = read(redis, key, start, end)
        counted[0] += len(content)
        return content

    monkeypatch.setattr(RedisProxy, "get_range", counting)

    def since() -> int:
        count, counted[0] = counted[0], 0
        return count

    return since


@pytest.fixture
def cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, int]]:
    """Downloads genes from Redis, which is lost before the last chunk, but after one of the others: the chunks here."""
    note = world.folder / "genes.parquet.part.json"

    def done() -> dict[str, int]:
        found: dict[str, int] = json.loads(note.read_text())["done"]
        return found

    def cut_off() -> dict[str, int]:
        read = RedisProxy.get_range

        def losing(redis: RedisProxy, key: str, start: int, end: int) -> bytes:
            if start >= 2 * CHUNK:
                while not done():
                    pass
                world.redis.fault(Refuse())
            return read(redis, key, start, end)

        with monkeypatch.context() as patched:
            patched.setattr(RedisProxy, "get_range", losing)
            frame = world.frame("L2", "genes")
        world.redis.fault(None)
        assert frame.outcome == "failed"
        assert "is refused" in frame.why or "dropped the connection" in frame.why
        assert not (world.folder / "genes.parquet").exists()
        return done()

    return cut_off


class TestWhatComes:
    def test_files_are_called_as_pandas_opens_them(self, world: World) -> None:
        frame = pandas.DataFrame({"pert": ["BRCA1", "TP53"], "replicates": [3, 4]})
        table = pa.Table.from_pandas(frame)
        pickled = pickle.dumps(frame)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        world.l3("parquet", sink.getvalue().to_pybytes())
        sink = pa.BufferOutputStream()
        feather.write_feather(table, sink)
        world.l3("feather", sink.getvalue().to_pybytes())
        world.l3("pickle", pickled)
        packed = pa.BufferOutputStream()
        with pa.CompressedOutputStream(packed, "zstd") as stream:
            stream.write(pickled)
        world.l3("packed", packed.getvalue().to_pybytes())
        world.l3("damaged", b"nonsense")
        assert world.get().well
        names = ["damaged.bin", "feather.arrow", "manifest.json", "packed.pkl.zst", "parquet.parquet", "pickle.pkl"]
        assert world.files() == names
        for read, name in (
            (pandas.read_parquet, "parquet.parquet"),
            (pandas.read_feather, "feather.arrow"),
            (pandas.read_pickle, "pickle.pkl"),
        ):
            assert read(world.folder / name).equals(frame)

    def test_manifest_tells_it_later(self, world: World) -> None:
        world.l3("genes", SMALL)
        world.l2("compounds", SMALL)
        world.get("L3", "genes")
        world.get("L2", "compounds")
        found = world.manifest()
        assert (found["environment"], found["group"]) == ("test", "g")
        compounds, genes = found["frames"]
        info = world.connections.bucket.find("g/genes.parquet")
        assert info is not None
        assert genes["source"] == f"gs://{NAME}/g/genes.parquet"
        assert (genes["generation"], genes["crc32c"], genes["bytes"]) == (info.generation, info.crc32c, len(SMALL))
        assert (compounds["layer"], compounds["source"], compounds["generation"]) == ("L2", "g:compounds", None)
        assert compounds["crc32c"] == info.crc32c
        assert genes["format"] == compounds["format"] == "parquet"

    @pytest.mark.parametrize("layer", ["L2", "L3"])
    def test_a_second_time_nothing_comes(self, world: World, layer: Layer, sent: Callable[[], int]) -> None:
        world.l2("genes", LARGE)
        world.l3("genes", LARGE)
        assert world.frame(layer, "genes").outcome == "downloaded"
        assert (world.folder / "genes.parquet").read_bytes() == LARGE
        before = world.storage.bytes_sent
        sent()
        assert world.frame(layer, "genes").outcome == "already there"
        assert sent() + world.storage.bytes_sent - before < 10_000

    def test_values_are_compared_with_the_bucket(self, world: World) -> None:
        for frame, content in (("equal", SMALL), ("differs", bytes(reversed(SMALL))), ("longer", SMALL + b"more")):
            world.l2(frame, content)
            world.l3(frame, SMALL)
        world.l2("alone", SMALL)
        said = {frame.frame: frame.in_bucket for frame in world.get("L2").frames}
        assert said["equal"] == "equal"
        assert said["differs"] == "differs"
        assert said["longer"] == f"not comparable: the bucket's has {len(SMALL):,} bytes"
        assert said["alone"] == "not comparable: the bucket has no such frame"

    def test_dry_run_writes_nothing(self, world: World) -> None:
        world.l3("genes", SMALL)
        (frame,) = world.get(dry_run=True).frames
        assert (frame.outcome, frame.file) == ("to come", "genes.parquet")
        assert not world.folder.exists()

    def test_what_is_not_there(self, world: World) -> None:
        world.l3("genes", SMALL)
        with pytest.raises(NotFound, match="gens") as problem:
            world.get("L3", "gens")
        assert "'genes'" in problem.value.hint
        with pytest.raises(NotFound, match="Redis holds no frame") as problem:
            world.get("L2")
        assert "--layer l3" in problem.value.hint
        assert world.get().notes == ("The bucket holds only 1 of the usual 2 frames of this group.",)

    def test_a_layer_that_cannot_be_reached(self, world: World) -> None:
        world.l3("genes", SMALL)
        world.redis.fault(Refuse())
        assert world.get("L3").well
        with pytest.raises(Unreachable):
            world.get("L2")


class TestResuming:
    def test_from_redis_after_it_was_lost(
        self, world: World, cut_off: Callable[[], dict[str, int]], sent: Callable[[], int]
    ) -> None:
        world.l2("genes", LARGE)
        there = cut_off()
        sent()
        assert world.frame("L2", "genes").outcome == "downloaded"
        assert sent() < len(LARGE) - len(there) * CHUNK + 10_000
        assert (world.folder / "genes.parquet").read_bytes() == LARGE
        assert world.files() == ["genes.parquet", "manifest.json"]

    def test_over_a_line_that_is_cut_again_and_again(self, world: World) -> None:
        world.l2("genes", LARGE)
        world.redis.fault(Cut(3_000_000))
        for _ in range(10):
            if world.frame("L2", "genes").outcome != "failed":
                break
        assert (world.folder / "genes.parquet").read_bytes() == LARGE

    @pytest.mark.parametrize("layer", ["L2", "L3"])
    def test_stopped_on_request_and_gone_on_with(self, world: World, layer: Layer, sent: Callable[[], int]) -> None:
        for frame in ("a", "b", "c", "d"):
            world.l2(frame, LARGE)
            world.l3(frame, LARGE)

        def tell(event: Event) -> None:
            if isinstance(event, Advanced) and event.done > 2 * CHUNK:
                progress.stop.set()

        progress = Progress(tell=tell)
        with pytest.raises(Interrupted) as stopped:
            world.get(layer, progress=progress)
        assert "goes on where it stopped" in stopped.value.hint
        for file in world.folder.glob("*.parquet"):
            assert file.read_bytes() == LARGE
        before = world.storage.bytes_sent
        sent()
        assert world.get(layer).well
        assert sent() + world.storage.bytes_sent - before < 4 * len(LARGE) - CHUNK  # two were there, and headers count
        assert len(world.files()) == 5

    def test_killed_in_the_middle(self, world: World) -> None:
        world.l3("genes", LARGE)
        world.l3("compounds", SMALL)
        world.storage.faults.cut_downloads(after=4_000_000, times=1000)  # so that it is never done
        program = (
            "import sys\nfrom pathlib import Path\n"
            "from toolkit.cache.download import download\nfrom toolkit.environments import model\n"
            "from toolkit.systems.connections import Connections\n"
            f"part = model.Bucket(name={NAME!r}, endpoint=sys.argv[1], timeout_seconds=60)\n"
            "nowhere = model.Redis(address='127.0.0.1:1', timeout_seconds=0.1)\n"
            "environment = model.Environment(name='test', bucket=part, redis=nowhere)\n"
            "download(Connections(environment, model.Settings()), 'g', Path(sys.argv[2]))\n"
        )
        process = subprocess.Popen([sys.executable, "-c", program, world.storage.url, str(world.to)])
        try:
            while not (world.folder / "genes.parquet.part").exists() and process.poll() is None:
                pass
            assert process.poll() is None
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert not (world.folder / "genes.parquet").exists()
        world.storage.faults.heal()
        assert world.get().well
        assert (world.folder / "genes.parquet").read_bytes() == LARGE
        assert world.files() == ["compounds.parquet", "genes.parquet", "manifest.json"]


class TestNothingWrong:
    """Nothing wrong gets a frame's name, whatever happens meanwhile."""

    def test_a_value_that_is_replaced_meanwhile(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.l2("genes", LARGE)
        read = RedisProxy.get_range
        replaced: list[str] = []

        def replacing(redis: RedisProxy, key: str, start: int, end: int) -> bytes:
            content = read(redis, key, start, end)
            if start == 0 and end > 100 and not replaced:
                replaced.append(key)
                world.l2("genes", OTHER)
            return content

        monkeypatch.setattr(RedisProxy, "get_range", replacing)
        frame = world.frame("L2", "genes")
        assert replaced
        assert (frame.outcome, frame.why) == ("failed", "it was deleted or written anew while it was downloaded")
        assert not (world.folder / "genes.parquet").exists()
        assert world.frame("L2", "genes").outcome == "downloaded"
        assert (world.folder / "genes.parquet").read_bytes() == OTHER

    def test_half_of_an_earlier_value_is_not_mixed_in(
        self, world: World, cut_off: Callable[[], dict[str, int]]
    ) -> None:
        world.l2("genes", LARGE)
        assert cut_off()
        world.l2("genes", OTHER)
        assert world.frame("L2", "genes").outcome == "downloaded"
        assert (world.folder / "genes.parquet").read_bytes() == OTHER

    def test_a_part_that_was_damaged_on_the_disk(self, world: World, cut_off: Callable[[], dict[str, int]]) -> None:
        world.l2("genes", LARGE)
        there = cut_off()
        with (world.folder / "genes.parquet.part").open("r+b") as file:
            file.seek(int(next(iter(there))) * CHUNK + 1000)
            file.write(b"damage")
        assert "not what arrived" in world.frame("L2", "genes").why
        assert world.files() == []
        assert world.frame("L2", "genes").outcome == "downloaded"

    def test_a_wrong_byte_from_the_bucket(self, world: World) -> None:
        world.l3("genes", SMALL)
        world.l3("compounds", SMALL)
        world.storage.faults.corrupt = 4  # two of them tell the formats
        result = world.get()
        assert {frame.why for frame in result.frames} == {
            "its checksum (CRC32C) is wrong; what had arrived was thrown away"
        }
        assert world.files() == []

    def test_a_group_that_is_built_anew_meanwhile(self, world: World) -> None:
        world.l3("a", SMALL)
        world.l3("b", LARGE)

        def tell(event: Event) -> None:
            if isinstance(event, Advanced) and event.done == event.total:
                world.l3("a", OTHER)

        result = world.get(progress=Progress(tell=tell))
        assert {frame.frame: bool(frame.why) for frame in result.frames} == {"a": True, "b": False}
        assert not result.well

    def test_one_at_a_time(self, world: World) -> None:
        world.l3("genes", SMALL)
        world.folder.mkdir(parents=True)
        with (
            FileLock(world.folder / ".download.lock"),
            pytest.raises(Refused, match="Another process is downloading"),
        ):
            world.get()
        assert world.get().well
        assert world.files() == ["genes.parquet", "manifest.json"]

    def test_a_file_of_ones_own_stays(self, world: World) -> None:
        world.l2("genes", SMALL)
        world.folder.mkdir(parents=True)
        (world.folder / "genes.parquet").write_bytes(b"mine")
        assert "--overwrite" in world.frame("L2", "genes").why
        assert (world.folder / "genes.parquet").read_bytes() == b"mine"
        assert world.get("L2", overwrite=True).well
        assert (world.folder / "genes.parquet").read_bytes() == SMALL

    @pytest.mark.parametrize("content", [b"{}", b"\xff", b'{"kind": "toolkit groups backup", "version": 1}'])
    def test_the_manifest_of_something_else_stays(self, world: World, content: bytes) -> None:
        world.l3("genes", SMALL)
        world.folder.mkdir(parents=True)
        (world.folder / "manifest.json").write_bytes(content)
        with pytest.raises(Refused, match="manifest"):
            world.get()
        assert world.files() == ["manifest.json"]
        assert world.get(overwrite=True).well

    def test_a_disk_that_fills_up(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.l3("genes", LARGE)
        write = PartFile.write

        def full(part: PartFile, number: int, content: bytes) -> None:
            if number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(part, number, content)

        monkeypatch.setattr(PartFile, "write", full)
        assert world.frame("L3", "genes").why == "its file cannot be written: No space left on device"
        monkeypatch.setattr(PartFile, "write", write)
        assert world.frame("L3", "genes").outcome == "downloaded"

    def test_a_folder_that_cannot_be_made(self, world: World) -> None:
        world.l3("genes", SMALL)
        world.to.write_text("a file")
        with pytest.raises(Failed, match="Nothing can be written into") as problem:
            world.get()
        assert "--to" in problem.value.hint


class TestCommand:
    def test_json_is_what_scripts_rely_on(self, sandbox: Sandbox, tmp_path: Path) -> None:
        group = sandbox.run("groups", "list", *ON, "-o", "json").json()[0]["name"]
        typed = ("groups", "download", group, "--to", str(tmp_path), *ON)
        found = sandbox.run(*typed, "--layer", "l2", "-o", "json").json()
        assert found["folder"] == str(tmp_path / group)
        assert (found["environment"], found["group"], found["layer"]) == ("sandbox", group, "L2")
        assert len(found["frames"]) == 8
        for frame in found["frames"]:
            assert (frame["outcome"], frame["in_bucket"], frame["why"]) == ("downloaded", "equal", "")
            assert Path(found["folder"], frame["file"]).stat().st_size == frame["bytes"]
        again = sandbox.run(*typed, "--frame", "genes")
        assert "1 file there already, with the same content" in again.out
        assert "In pandas: pd.read_parquet(" in again.err

    def test_exit_codes(self, sandbox: Sandbox, tmp_path: Path) -> None:
        group = sandbox.run("groups", "list", *ON, "-o", "json").json()[0]["name"]
        typed = ("groups", "download", group, "--to", str(tmp_path), "--frame", "genes", *ON)
        (tmp_path / group).mkdir()
        (tmp_path / group / "genes.parquet").write_text("mine")
        plain = sandbox.run(*typed, "-o", "plain", code=1).out.split("\t")
        assert plain[:2] == ["genes", "failed"]
        sandbox.run("groups", "download", "nobody", *ON, code=1)
        sandbox.run(*typed, "--layer", "l1", code=2)
        with FileLock(tmp_path / group / ".download.lock"):
            sandbox.run(*typed, code=5)
