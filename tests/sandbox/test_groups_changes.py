"""Deleting, flushing and restoring groups in a real Redis: planned, kept safe first, done, and undone exactly."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from redis_fixtures import TOKEN, Proxied, needs_real_redis, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.actions import gate
from toolkit.actions.gate import Consent
from toolkit.actions.groups import backup as groups_backup
from toolkit.actions.groups.delete import DeleteGroups
from toolkit.actions.groups.flush import FlushRedis
from toolkit.actions.groups.restore import RestoreGroups
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Action, Damage, Plan, Result
from toolkit.checks.finding import Status
from toolkit.environments import model
from toolkit.errors import Failed, Interrupted, NotAllowed, NotFound, Refused, ToolkitError, UsageError
from toolkit.permit import Permit
from toolkit.progress import Advanced, Event, Progress
from toolkit.sandbox.redis.tcp_proxy import Refuse
from toolkit.secret import Secret
from toolkit.systems.connections import Connections
from toolkit.systems.redis_proxy import CHUNK, RedisProxy

INDEX = "available-groups"
FRAMES = ("genes", "compounds")


class World:
    """A Redis with two groups in it, and connections to it."""

    def __init__(self, redis: Proxied) -> None:
        self.redis = redis
        environment = model.Environment(
            name="test", redis=redis.part(), cache=model.Cache(frames_per_group=2, groups_in_redis=2)
        )
        self.connections = Connections(environment, model.Settings())
        self.connections._token = Secret(TOKEN)
        for score, group in ((1_700_000_000.5, "older"), (1_710_000_000, "newer:with colon")):
            redis.run("ZADD", INDEX, repr(score), group)
            for number, frame in enumerate(FRAMES):
                redis.run("SET", f"{group}:{frame}", bytes(range(256)) * (number + 1) * 10)

    def carry_out(self, action: Action, progress: Progress | None = None) -> gate.Done:
        environment = self.connections.environment
        return gate.carry_out(
            action, environment, Consent(yes=True), Journal(), progress or Progress(), read_only=False
        )

    def everything(self) -> dict[str, object]:
        """All that is in Redis."""
        client = self.connections.redis
        found: dict[str, object] = {"index": client.index(INDEX)}
        for key in client.scan():
            if key != INDEX:
                found[key] = b"".join(client.value(key))
        return found


@pytest.fixture
def world(redis: Proxied) -> Iterator[World]:
    world = World(redis)
    yield world
    world.connections.close()


def told(plan: Plan) -> str:
    return "\n".join([plan.title, plan.undo, *plan.by_hand, *(f"{fact.label}: {fact.value}" for fact in plan.facts)])


class TestDelete:
    def test_plan_says_all_and_changes_nothing(self, world: World) -> None:
        before = world.everything()
        plan = DeleteGroups(world.connections, ["older"]).plan()
        (change,) = plan.changes
        assert (change.verb, change.target, change.count, change.unit, change.bytes) == (
            "delete", "older", 2, "keys", 2560 + 5120,
        )  # fmt: skip
        assert plan.damage is Damage.LARGE
        assert plan.confirm == "test"
        assert "toolkit cache rebuild --env test" in plan.undo
        text = told(plan)
        assert f"zrem {INDEX} older" in text
        assert "unlink older:compounds older:genes" in text
        assert "REDISCLI_AUTH" in text
        assert TOKEN not in text
        assert "not known whether one is running" in text  # no cluster is configured here
        assert world.everything() == before

    def test_deletes_exactly_that_group(self, world: World) -> None:
        world.redis.run("SET", "older:2:genes", "of another group, older:2")
        world.redis.run("ZADD", INDEX, "3", "older:2")
        world.redis.run("SET", "unrelated", "stays")
        before = world.everything()
        done = world.carry_out(DeleteGroups(world.connections, ["older"]))
        assert done.outcome.result is Result.DONE
        assert [finding.status for finding in done.findings] == [Status.OK]
        after = world.everything()
        assert set(before) - set(after) == {"older:genes", "older:compounds"}
        assert after["index"] == [("newer:with colon", 1_710_000_000.0), ("older:2", 3.0)]
        assert f"redis-cli ZADD {INDEX} 1700000000.5 older" in "\n".join(done.outcome.details)
        assert done.outcome.undo == ("toolkit cache rebuild --env test",)

    def test_default_group_is_said(self, world: World) -> None:
        text = told(DeleteGroups(world.connections, ["newer:with colon"]).plan())
        assert "default group: newer:with colon now, older afterwards" in text

    def test_several_at_once(self, world: World) -> None:
        done = world.carry_out(DeleteGroups(world.connections, ["older", "newer:with colon", "older"]))
        assert done.well
        assert world.everything() == {"index": []}

    def test_group_that_is_not_there(self, world: World) -> None:
        with pytest.raises(NotFound) as problem:
            DeleteGroups(world.connections, ["oldr"]).plan()
        assert "Did you mean 'older'?" in problem.value.hint

    def test_no_group_named(self, world: World) -> None:
        with pytest.raises(UsageError):
            DeleteGroups(world.connections, [])

    def test_group_of_which_only_frames_are_left_can_be_deleted(self, world: World) -> None:
        world.redis.run("ZREM", INDEX, "older")
        action = DeleteGroups(world.connections, ["older"])
        assert "only frames of it are left" in told(action.plan())
        assert world.carry_out(action).well
        assert "older:genes" not in world.everything()

    def test_group_of_which_only_the_name_is_left_can_be_deleted(self, world: World) -> None:
        world.redis.run("DEL", "older:genes", "older:compounds")
        assert world.carry_out(DeleteGroups(world.connections, ["older"])).well
        assert world.connections.redis.index(INDEX) == [("newer:with colon", 1_710_000_000.0)]

    def test_key_of_another_kind_goes_too(self, world: World) -> None:
        world.redis.run("HSET", "older:odd", "a", "b")
        action = DeleteGroups(world.connections, ["older"])
        assert "1 keys hold no plain value" in told(action.plan())
        assert world.carry_out(action).well
        assert "older:odd" not in world.connections.redis.scan()

    @pytest.mark.parametrize(
        "moved",
        [
            lambda redis: redis.run("APPEND", "older:genes", "x"),
            lambda redis: redis.run("ZADD", INDEX, "1700000001", "older"),
            lambda redis: redis.run("DEL", "older:genes"),
            lambda redis: redis.run("SET", "older:new", "x"),
        ],
    )
    def test_world_that_moves_makes_another_plan(self, world: World, moved: Callable[[Proxied], object]) -> None:
        action = DeleteGroups(world.connections, ["older"])
        before = action.plan()
        assert action.plan().hash == before.hash
        moved(world.redis)
        assert action.plan().hash != before.hash

    def test_cut_short_after_the_index_can_be_carried_on(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            real = RedisProxy.unlink

            def breaks(self: RedisProxy, keys: list[str], permit: Permit, progress: Progress) -> int:
                real(self, keys[:1], permit, progress)
                raise Failed("the line went dead.")

            patch.setattr(RedisProxy, "unlink", breaks)
            done = world.carry_out(DeleteGroups(world.connections, ["older"]))
        assert done.outcome.result is Result.PARTIAL
        assert not done.well
        assert done.outcome.left == ("older:genes",)
        assert "toolkit groups delete older --env test" in "\n".join(done.outcome.details)
        assert world.carry_out(DeleteGroups(world.connections, ["older"])).well

    def test_names_that_look_like_patterns_delete_nothing_else(self, world: World) -> None:
        world.redis.run("ZADD", INDEX, "5", "*")
        world.redis.run("SET", "*:genes", "x")
        before = world.everything()
        assert world.carry_out(DeleteGroups(world.connections, ["*"])).well
        after = world.everything()
        assert set(before) - set(after) == {"*:genes"}
        assert after["index"] == [item for item in before["index"] if item[0] != "*"]  # type: ignore[attr-defined]

    @needs_real_redis
    def test_not_allowed(self, world: World) -> None:
        world.redis.run("ACL", "SETUSER", "reader", "on", ">" + TOKEN, "~*", "+@read", "+ping", "+dbsize")
        world.connections._redis = world.redis.client(username="reader")
        before = world.everything()
        with pytest.raises(NotAllowed, match="ZREM"):
            world.carry_out(DeleteGroups(world.connections, ["older"]))
        assert world.everything() == before
        world.redis.run("ACL", "DELUSER", "reader")


class TestFlush:
    def test_plan_counts_everything(self, world: World) -> None:
        world.redis.run("SET", "unrelated", "stays?")
        plan = FlushRedis(world.connections).plan()
        assert plan.title == "Flush Redis: 6 keys in all"
        assert [(change.target, change.count, change.bytes) for change in plan.changes] == [
            ("newer:with colon", 2, 7680),
            ("older", 2, 7680),
            (INDEX, 2, None),
            ("all other keys", 1, 6),
        ]
        assert (plan.damage, plan.confirm) == (Damage.LARGE, "test")
        text = told(plan)
        assert "older: score 1700000000.5, built 2023-11-14 22:13Z" in text
        assert "the map stays empty until a rebuild" in text
        assert "flushall" in text
        assert "toolkit cache rebuild --env test" in plan.undo

    def test_empties_it(self, world: World) -> None:
        done = world.carry_out(FlushRedis(world.connections))
        assert done.well
        assert world.redis.run("DBSIZE") == b":0"
        (line,) = done.outcome.details
        assert line == (f"the index as it was: redis-cli ZADD {INDEX} 1710000000 'newer:with colon' 1700000000.5 older")

    def test_empty_already(self, world: World) -> None:
        world.redis.run("FLUSHALL")
        assert FlushRedis(world.connections).plan().empty
        assert "Nothing to do" in world.carry_out(FlushRedis(world.connections)).outcome.summary

    def test_other_databases_are_said(self, world: World) -> None:
        client = world.redis.client()._client()
        connection = client.connection_pool.get_connection()
        for words in (("SELECT", "3"), ("SET", "elsewhere", "x"), ("SELECT", "0")):
            connection.send_command(*words)
            connection.read_response()
        client.connection_pool.release(connection)
        plan = FlushRedis(world.connections).plan()
        assert ("database 3", 1) in [(change.target, change.count) for change in plan.changes]
        assert "FLUSHALL empties the others too" in told(plan)

    @pytest.mark.parametrize(
        "moved",
        [
            lambda redis: redis.run("SET", "newer:with colon:genes", "another length"),
            lambda redis: redis.run("SET", "new", "x"),
            lambda redis: redis.run("ZADD", INDEX, "1", "another"),
        ],
    )
    def test_world_that_moves_makes_another_plan(self, world: World, moved: Callable[[Proxied], object]) -> None:
        action = FlushRedis(world.connections)
        before = action.plan()
        moved(world.redis)
        assert action.plan().hash != before.hash

    @needs_real_redis
    def test_switched_off(self, world: World) -> None:
        world.redis.run("ACL", "SETUSER", "noflush", "on", ">" + TOKEN, "~*", "+@all", "-flushall")
        world.connections._redis = world.redis.client(username="noflush")
        with pytest.raises(NotAllowed, match="FLUSHALL"):
            world.carry_out(FlushRedis(world.connections))
        assert world.redis.run("DBSIZE") == b":5"
        world.redis.run("ACL", "DELUSER", "noflush")

    def test_answer_that_got_lost(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        real = RedisProxy.flush

        def loses(self: RedisProxy, permit: Permit) -> None:
            real(self, permit)
            raise Failed("the answer got lost.")

        monkeypatch.setattr(RedisProxy, "flush", loses)
        assert world.carry_out(FlushRedis(world.connections)).well

    def test_not_there(self, world: World) -> None:
        world.redis.fault(Refuse())
        with pytest.raises(ToolkitError):
            FlushRedis(world.connections).plan()


class TestBackup:
    def test_flush_and_restore_bring_back_every_byte(self, world: World, tmp_path: Path) -> None:
        world.redis.run("SET", b"older:big\xff", bytes(range(256)) * (CHUNK // 256 + 5))
        world.redis.run("SET", "unrelated", "saved too")
        world.redis.run("SET", "short-lived", "x", "PX", "600000")
        before = world.everything()
        directory = tmp_path / "backups" / "before the flush"
        done = world.carry_out(FlushRedis(world.connections, directory))
        assert done.well
        assert done.outcome.undo[0] == f"toolkit groups restore '{directory}' --env test"
        assert world.redis.run("DBSIZE") == b":0"
        assert directory.stat().st_mode & 0o077 == 0
        restored = world.carry_out(RestoreGroups(world.connections, directory))
        assert restored.well
        assert world.everything() == before
        assert (world.connections.redis.expiries(["short-lived"])["short-lived"] or 0) > 500_000
        assert world.connections.redis.expiries(["older:genes"])["older:genes"] is None

    def test_delete_and_restore_one_group(self, world: World, tmp_path: Path) -> None:
        before = world.everything()
        action = DeleteGroups(world.connections, ["older"], tmp_path / "saved")
        assert [change.verb for change in action.plan().changes] == ["save", "delete"]
        assert world.carry_out(action).well
        assert world.everything() != before
        assert world.carry_out(RestoreGroups(world.connections, tmp_path / "saved")).well
        assert world.everything() == before

    def test_progress_is_told_in_bytes(self, world: World, tmp_path: Path) -> None:
        events: list[Event] = []
        world.carry_out(FlushRedis(world.connections, tmp_path / "saved"), Progress(events.append))
        saved = [event for event in events if isinstance(event, Advanced) and event.what == "backup"]
        assert saved[-1].done == saved[-1].total == 15360

    def test_directory_that_exists_is_never_touched(self, world: World, tmp_path: Path) -> None:
        (tmp_path / "saved").mkdir()
        (tmp_path / "saved" / "mine").write_text("keep")
        with pytest.raises(Refused, match="exists already"):
            FlushRedis(world.connections, tmp_path / "saved").plan()
        assert (tmp_path / "saved" / "mine").read_text() == "keep"

    def test_too_small_a_disk_is_seen_before_anything_is_done(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = shutil.disk_usage(tmp_path)._replace(free=10_000)
        monkeypatch.setattr(groups_backup.shutil, "disk_usage", lambda path: usage)
        with pytest.raises(Refused, match="free"):
            DeleteGroups(world.connections, ["older"], tmp_path / "saved").plan()

    def test_disk_that_fills_up_deletes_nothing_and_leaves_nothing(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = world.everything()

        def full(handle: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(groups_backup, "os", SimpleNamespace(**{**vars(os), "fsync": full}))
        with pytest.raises(Failed, match=r"No space left on device\. Nothing was deleted"):
            world.carry_out(FlushRedis(world.connections, tmp_path / "at" / "saved"))
        monkeypatch.undo()
        assert world.everything() == before
        assert list((tmp_path / "at").iterdir()) == []

    def test_stopped_while_saving_deletes_nothing_and_leaves_nothing(self, world: World, tmp_path: Path) -> None:
        before = world.everything()
        progress = Progress(lambda event: progress.stop.set())
        with pytest.raises(Interrupted):
            world.carry_out(FlushRedis(world.connections, tmp_path / "at" / "saved"), progress)
        assert world.everything() == before
        assert list((tmp_path / "at").iterdir()) == []

    def test_redis_that_changes_while_it_is_saved_is_not_flushed(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = groups_backup.save

        def meanwhile(*args: object, **more: object) -> object:
            world.redis.run("SET", "newer:with colon:extra", "written meanwhile")
            return real(*args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(groups_backup, "save", meanwhile)
        with pytest.raises(Refused, match="changed while it was being saved"):
            world.carry_out(FlushRedis(world.connections, tmp_path / "saved"))
        assert world.redis.run("DBSIZE") == b":6"

    def test_keys_that_cannot_be_listed_cannot_be_saved(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(RedisProxy, "scan", lambda self, match="*": ["older:genes"])
        with pytest.raises(Refused, match="SCAN saw 1 of 5"):
            FlushRedis(world.connections, tmp_path / "saved").plan()

    def test_what_is_no_value_is_said_to_be_lost(self, world: World, tmp_path: Path) -> None:
        world.redis.run("HSET", "hash", "a", "b")
        assert "not saved: 1 keys that hold no plain value" in told(
            FlushRedis(world.connections, tmp_path / "s").plan()
        )


class TestRestore:
    @pytest.fixture
    def saved(self, world: World, tmp_path: Path) -> Path:
        assert world.carry_out(FlushRedis(world.connections, tmp_path / "saved")).well
        return tmp_path / "saved"

    def test_plan(self, world: World, saved: Path) -> None:
        plan = RestoreGroups(world.connections, saved).plan()
        assert (plan.changes[0].verb, plan.changes[0].count) == ("write", 4)
        assert plan.damage is Damage.SMALL
        assert "zadd available-groups 1710000000 'newer:with colon' 1700000000.5 older" in told(plan)

    @needs_real_redis
    def test_plan_says_whether_there_is_room(self, world: World, saved: Path) -> None:
        assert "free in Redis" in told(RestoreGroups(world.connections, saved).plan())

    def test_overwriting_needs_the_name_typed(self, world: World, saved: Path) -> None:
        world.redis.run("SET", "older:genes", "something newer")
        plan = RestoreGroups(world.connections, saved).plan()
        assert plan.damage is Damage.LARGE
        assert "1 keys exist now" in told(plan)

    def test_twice_is_the_same(self, world: World, saved: Path) -> None:
        assert world.carry_out(RestoreGroups(world.connections, saved)).well
        before = world.everything()
        assert world.carry_out(RestoreGroups(world.connections, saved)).well
        assert world.everything() == before

    def test_damaged_value_is_not_restored_and_the_index_stays_empty(self, world: World, saved: Path) -> None:
        file = saved / "000003.value"
        content = bytearray(file.read_bytes())
        content[100] ^= 1
        file.write_bytes(content)
        done = world.carry_out(RestoreGroups(world.connections, saved))
        assert done.outcome.result is Result.PARTIAL
        assert "checksum" in done.outcome.summary
        assert len(done.outcome.left) == 2
        found = world.everything()
        assert found["index"] == []
        assert len(found) == 3

    def test_file_cut_short(self, world: World, saved: Path) -> None:
        (saved / "000001.value").write_bytes(b"short")
        with pytest.raises(Failed, match="instead of"):
            RestoreGroups(world.connections, saved)

    def test_file_missing(self, world: World, saved: Path) -> None:
        (saved / "000001.value").unlink()
        with pytest.raises(Failed, match="not whole"):
            RestoreGroups(world.connections, saved)

    def test_other_environment(self, world: World, saved: Path) -> None:
        manifest = json.loads((saved / "manifest.json").read_text())
        (saved / "manifest.json").write_text(json.dumps({**manifest, "environment": "rp006"}))
        with pytest.raises(Refused, match="backup of 'rp006'"):
            RestoreGroups(world.connections, saved)

    @pytest.mark.parametrize(
        "content", ["", "[]", "{", '{"kind": "toolkit groups backup", "version": 1}', '{"kind": "else"}', "\x00"]
    )
    def test_manifest_that_is_none(self, world: World, tmp_path: Path, content: str) -> None:
        (tmp_path / "manifest.json").write_text(content)
        with pytest.raises(UsageError):
            RestoreGroups(world.connections, tmp_path)

    def test_no_backup_there(self, world: World, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match="There is no backup"):
            RestoreGroups(world.connections, tmp_path / "none")

    def test_file_names_stay_inside_the_backup(self, world: World, saved: Path) -> None:
        manifest = json.loads((saved / "manifest.json").read_text())
        manifest["values"][0]["file"] = "../../outside"
        (saved / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(Failed, match="not whole"):
            RestoreGroups(world.connections, saved)

    def test_values_first_then_the_index(self, world: World, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(*_: object) -> None:
            raise Failed("no.")

        monkeypatch.setattr(RedisProxy, "set_members", fails)
        done = world.carry_out(RestoreGroups(world.connections, saved))
        assert done.outcome.result is Result.PARTIAL
        assert len(world.connections.redis.scan()) == 4
