"""The groups as Redis and the bucket hold them: whole, half, in one layer only, and with one that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from bucket_fixtures import NAME, part, server  # noqa: F401
from redis_fixtures import TOKEN, Proxied, needs_real_redis, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.cache import groups
from toolkit.cache.groups import Group, Overview, overview, show
from toolkit.environments import model
from toolkit.errors import NotFound, ToolkitError, Unreachable
from toolkit.sandbox.redis.tcp_proxy import Refuse
from toolkit.sandbox.storage.api import StorageServer
from toolkit.secret import Secret
from toolkit.systems.connections import Connections
from toolkit.systems.redis_proxy import RedisProxy

FRAMES = ("genes", "compounds", "genes_normalized")
NOW = datetime.now(UTC).replace(microsecond=0)


class World:
    """Both layers, and the connections to them."""

    def __init__(self, redis: Proxied, storage: StorageServer) -> None:
        self.redis = redis
        self.storage = storage
        self.opened: list[Connections] = []

    def connections(self, prefix: str = "", **cache: object) -> Connections:
        environment = model.Environment(
            name="test",
            redis=self.redis.part(),
            bucket=part(self.storage, prefix=prefix),
            cache=model.Cache(**{"frames_per_group": len(FRAMES), "groups_in_redis": 2, **cache}),  # type: ignore[arg-type]
        )
        connections = Connections(environment, model.Settings())
        connections._token = Secret(TOKEN)
        self.opened.append(connections)
        return connections

    def overview(self, prefix: str = "", **cache: object) -> Overview:
        return overview(self.connections(prefix, **cache))

    def index(self, group: str | bytes, score: object) -> None:
        self.redis.run("ZADD", "available-groups", str(score), group)

    def l2(self, group: str, *frames: str) -> None:
        for frame in frames or FRAMES:
            self.redis.run("SET", f"{group}:{frame}", b"x" * 100)

    def l3(self, group: str, *frames: str, prefix: str = "") -> None:
        for frame in frames or FRAMES:
            self.storage.put(NAME, f"{prefix}{group}/{frame}.parquet", b"y" * 1000)

    def healthy(self) -> None:
        for age, name in enumerate(("newer", "older")):
            self.index(name, (NOW - timedelta(days=7 * age + 1)).timestamp())
            self.l2(name)
        for name in ("newer", "older", "oldest"):
            self.l3(name)


@pytest.fixture
def world(redis: Proxied, server: StorageServer) -> Iterator[World]:  # noqa: F811
    world = World(redis, server)
    yield world
    for connections in world.opened:
        connections.close()


def by_name(found: Overview) -> dict[str, Group]:
    return {group.name: group for group in found.groups}


configured = pytest.mark.parametrize("frames", [(), FRAMES], ids=["found", "configured"])


@configured
def test_healthy(world: World, frames: tuple[str, ...]) -> None:
    world.healthy()
    found = world.overview(frames=frames)
    assert [(group.name, group.rank, group.default) for group in found.groups] == [
        ("newer", 1, True),
        ("older", 2, False),
        ("oldest", None, False),
    ]
    newer, older, oldest = found.groups
    assert newer.built_at == NOW - timedelta(days=1)
    assert older.built_at == NOW - timedelta(days=8)
    assert (newer.l2.present, newer.l2.frames, newer.l2.bytes, newer.l2.expected) == (True, 3, 300, 3)
    assert (newer.l3.present, newer.l3.frames, newer.l3.bytes, newer.l3.complete) == (True, 3, 3000, True)
    assert (oldest.l2.present, oldest.l2.frames, oldest.l2.bytes) == (False, 0, 0)
    assert oldest.l3.present
    assert all(group.notes == () for group in found.groups)
    assert found.notes == ()


@configured
def test_half_written_group_names_what_is_missing(world: World, frames: tuple[str, ...]) -> None:
    world.healthy()
    world.redis.run("DEL", "newer:compounds")
    world.storage.delete(NAME, "older/genes.parquet")
    found = by_name(world.overview(frames=frames))
    assert found["newer"].l2.complete is False
    assert found["newer"].notes == ("incomplete in Redis: 2 of 3 frames (missing: compounds)",)
    assert found["older"].notes == ("incomplete in the bucket: 2 of 3 frames (missing: genes)",)


@configured
def test_evicted_group(world: World, frames: tuple[str, ...]) -> None:
    world.healthy()
    world.redis.run("DEL", *(f"older:{frame}" for frame in FRAMES))
    older = by_name(world.overview(frames=frames))["older"]
    assert older.l2.present is False
    assert older.rank == 2
    assert older.notes == ("in the index, but Redis holds none of its frames",)


@configured
def test_frames_without_an_index_entry(world: World, frames: tuple[str, ...]) -> None:
    world.healthy()
    world.l2("orphan:2024")
    orphan = by_name(world.overview(frames=frames))["orphan:2024"]
    assert orphan.rank is None
    assert orphan.l2.frames == 3
    assert "not in the index" in orphan.notes[0]


def test_flushed(world: World) -> None:
    world.l3("a")
    world.redis.run("SET", "session:42", "x")
    found = world.overview()
    assert [(group.name, group.rank, group.l2.present, group.l3.present) for group in found.groups] == [
        ("a", None, False, True)
    ]
    assert "A flush without a rebuild?" in found.notes[0]


def test_nothing_at_all(world: World) -> None:
    assert world.overview().groups == ()


def test_not_in_the_bucket(world: World) -> None:
    world.index("a", NOW.timestamp())
    world.l2("a")
    assert "not in the bucket" in by_name(world.overview())["a"].notes


def test_other_keys_and_objects_are_no_groups(world: World) -> None:
    world.healthy()
    world.redis.run("SET", "session:42", "x")
    world.storage.put(NAME, "newer/_SUCCESS", b"")
    found = world.overview()
    assert set(by_name(found)) == {"newer", "older", "oldest"}
    assert "Keys in Redis that belong to no group: 1, e.g. 'session:42'." in found.notes
    assert "Objects in the bucket that are no frames: 1, e.g. 'newer/_SUCCESS'." in found.notes


def test_frame_that_is_not_configured(world: World) -> None:
    world.healthy()
    world.l2("newer", "extra")
    newer = by_name(world.overview(frames=FRAMES))["newer"]
    assert newer.l2.frames == 3
    assert newer.notes == ("Redis also holds 'extra' of it, which cache.frames does not name",)


def test_frame_that_is_no_plain_value(world: World) -> None:
    world.healthy()
    world.redis.run("DEL", "newer:genes")
    world.redis.run("HSET", "newer:genes", "a", "b")
    found = world.overview()
    assert by_name(found)["newer"].l2.frames == 2
    assert "'newer:genes' in Redis is named like a frame, but holds another kind of data." in found.notes


@pytest.mark.parametrize("name", ["a:b", "a/b", "a*[b]?", "group with spaces", "{group}", "ünï☃", "a\\b", "-x"])
def test_names_that_look_like_something_else(world: World, name: str) -> None:
    world.healthy()
    world.index(name, NOW.timestamp())
    world.l2(name)
    world.l3(name)
    group = by_name(world.overview())[name]
    assert (group.rank, group.l2.frames, group.l3.frames, group.notes) == (1, 3, 3, ())


def test_names_that_are_no_text_are_written_out(world: World) -> None:
    world.index(b"a\xff\x1b[31m", NOW.timestamp())
    (group,) = world.overview().groups
    assert group.name.isprintable()
    group.name.encode()
    assert show(world.connections(), group.name).group.rank == 1


def test_prefix_of_the_bucket(world: World) -> None:
    world.l3("inside", prefix="maps/l3/")
    world.l3("outside")
    assert [group.name for group in world.overview("/maps/l3").groups] == ["inside"]


def test_equal_scores(world: World) -> None:
    for name in ("a", "b"):
        world.index(name, 1_700_000_000)
        world.l2(name)
    found = world.overview()
    assert [group.name for group in found.groups] == ["b", "a"]
    assert any("same score" in note for note in found.notes)


@pytest.mark.parametrize("score", ["inf", "-inf", "0", "3", "1e300", "99999999999"])
def test_absurd_score(world: World, score: str) -> None:
    world.index("a", score)
    (group,) = world.overview().groups
    assert group.built_at is None
    assert "is no time in seconds" in group.notes[0]


def test_score_in_milliseconds(world: World) -> None:
    world.index("a", int(NOW.timestamp() * 1000))
    assert "milliseconds?" in world.overview().groups[0].notes[0]


def test_built_at_keeps_fractions() -> None:
    assert groups.built_at(1_700_000_000.5) == datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)


def test_redis_cannot_be_read(world: World) -> None:
    world.healthy()
    world.redis.fault(Refuse())
    found = world.overview()
    assert set(by_name(found)) == {"newer", "older", "oldest"}
    newer = by_name(found)["newer"]
    assert (newer.rank, newer.l2.present, newer.l2.frames, newer.l2.bytes) == (None, None, None, None)
    assert "does not answer" in newer.l2.reason
    assert newer.l3.frames == 3
    assert found.notes[0].startswith("Redis (L2) could not be read")


def test_bucket_cannot_be_read(world: World) -> None:
    world.healthy()
    connections = world.connections()
    connections._bucket = None
    connections.environment = model.Environment(
        name="test",
        redis=connections.environment.redis,
        bucket=part(world.storage, name="another"),
        cache=connections.environment.cache,
    )
    found = overview(connections)
    assert [group.name for group in found.groups] == ["newer", "older"]
    assert found.groups[0].l3.present is None
    assert found.groups[0].l3.reason
    assert found.groups[0].l2.frames == 3


def test_neither_can_be_read(world: World) -> None:
    world.redis.fault(Refuse())
    world.storage.stop()
    with pytest.raises(Unreachable) as problem:
        world.overview()
    assert "Nor could the bucket be read" in problem.value.hint


def test_scan_that_misses_keys_is_said_and_frames_are_found_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.healthy()
    real = RedisProxy.scan
    monkeypatch.setattr(RedisProxy, "scan", lambda self, match="*": real(self, match)[:2])
    found = world.overview()
    assert "SCAN through the proxy is unreliable: saw 2 of 7 keys." in found.notes
    assert by_name(found)["newer"].l2.frames == 3
    assert by_name(found)["older"].l2.frames == 3


@needs_real_redis
def test_scan_that_is_not_allowed(world: World) -> None:
    world.healthy()
    world.redis.run("ACL", "SETUSER", "noscan", "on", ">" + TOKEN, "~*", "+@all", "-scan")
    connections = world.connections()
    connections._redis = world.redis.client(username="noscan")
    found = overview(connections)
    assert by_name(found)["newer"].l2.frames == 3
    assert any("Keys cannot be listed" in note and "SCAN" in note for note in found.notes)
    world.redis.run("ACL", "DELUSER", "noscan")


def test_show(world: World) -> None:
    world.healthy()
    world.redis.run("DEL", "newer:genes")
    detail = show(world.connections(), "newer")
    assert detail.group.rank == 1
    frames = {frame.name: frame for frame in detail.frames}
    assert sorted(frames) == sorted(FRAMES)
    assert frames["genes"].l2_bytes is None
    assert frames["genes"].l3_bytes == 1000
    assert frames["compounds"].l2_bytes == 100
    assert frames["compounds"].generation
    assert frames["compounds"].updated


def test_show_a_group_that_is_not_there(world: World) -> None:
    world.healthy()
    with pytest.raises(NotFound) as problem:
        show(world.connections(), "newr")
    assert problem.value.hint == "Did you mean 'newer'?"


def test_pattern_that_cannot_work(world: World) -> None:
    with pytest.raises(ToolkitError, match=r"cache\.frame_key"):
        world.overview(frame_key="{group}")
