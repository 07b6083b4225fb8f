"""Many objects of one folder, named one by one: only those are removed, restored and fetched, with few questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from bucket_fixtures import NAME, fill, server
from test_bucket_actions import World, carry_out, facts, undone, world

from toolkit.actions.bucket.get import get
from toolkit.actions.bucket.remove import RemoveFromBucket
from toolkit.actions.bucket.restore import RestoreInBucket
from toolkit.checks.finding import Status
from toolkit.errors import NotFound
from toolkit.progress import Progress
from toolkit.sandbox.storage.api import StorageServer
from toolkit.systems.bucket.names import Target

__all__ = ["server", "world"]


def only(names: Sequence[str]) -> list[Target]:
    return [Target(name, only=True) for name in names]


def test_many_of_a_folder_go_and_come_back_and_the_others_are_not_touched(world: World, server: StorageServer) -> None:
    names = fill(server, 60, content=b"the frame")
    chosen, others = names[:40], names[40:]
    inside = f"{chosen[3]}/inside"  # an object whose folder has the name of a chosen one
    server.put(NAME, inside, b"another")
    action = RemoveFromBucket(world, only(chosen))
    before = len(server.log)
    plan = action.plan()
    assert [(c.verb, c.target, c.count, c.bytes) for c in plan.changes] == [
        ("delete", "gs://rp006-l3-cache/group-1/ (of its objects, by name)", 40, 40 * 9)
    ]
    assert plan.confirm == "rp006"
    assert plan.by_hand[0] == f"gcloud storage rm gs://rp006-l3-cache/{chosen[0]}"
    assert plan.by_hand[-1] == "# … and 20 more, which the manifest names"
    assert len(server.log) - before < 20  # the folder is listed, not each name asked for
    done = carry_out(action, world)
    assert done.well
    assert [finding.status for finding in done.findings] == [Status.OK]
    assert server.list(NAME, "group-1/") == sorted([*others, inside])
    back = undone(done, world)
    assert back.well
    assert back.outcome.summary == "40 of 40 objects are back in gs://rp006-l3-cache."
    assert server.list(NAME, "group-1/") == sorted([*names, inside])
    assert server.read(NAME, chosen[7]) == b"the frame"
    again = undone(back, world)
    assert again.well
    assert server.list(NAME, "group-1/") == sorted([*others, inside])


def test_many_generations_are_restored_by_name_and_those_deleted_beside_them_stay_deleted(
    world: World, server: StorageServer
) -> None:
    names = fill(server, 50)
    older = {name: server.put(NAME, name, b"newer of " + name.encode()).generation for name in names}
    assert carry_out(RemoveFromBucket(world, ["group-1"]), world).well
    chosen = names[10:40]
    action = RestoreInBucket(world, [Target(name, older[name], only=True) for name in chosen])
    plan = action.plan()
    assert [(c.target, c.count) for c in plan.changes] == [
        ("gs://rp006-l3-cache/group-1/ (of its objects, by name)", 30)
    ]
    assert carry_out(action, world).well
    assert server.list(NAME, "group-1/") == chosen
    assert server.read(NAME, chosen[0]) == b"newer of " + chosen[0].encode()
    plan = RestoreInBucket(world, [Target(name, older[name], only=True) for name in chosen]).plan()
    assert plan.empty
    assert facts(plan)["back already"][0] == "30 objects live with the same content"


def test_some_of_many_that_are_gone_are_said_and_none_at_all_is_not_found(world: World, server: StorageServer) -> None:
    names = fill(server, 30)
    plan = RemoveFromBucket(world, only([*names[:28], "group-1/gone"])).plan()
    assert plan.changes[0].count == 28
    assert facts(plan)["group-1/gone"] == ("nothing is there", Status.WARN)
    with pytest.raises(NotFound, match="There is nothing at"):
        RemoveFromBucket(world, only([f"group-1/x{n}" for n in range(30)])).plan()


@pytest.mark.parametrize("count", [1, 30])
def test_an_object_alone_is_never_the_folder_of_its_name(world: World, server: StorageServer, count: int) -> None:
    names = [f"group-1/frame-{n}" for n in range(count)]
    for name in names:
        server.put(NAME, name, b"alone")
        server.put(NAME, f"{name}/inside", b"inside")
    plan = RemoveFromBucket(world, only(names)).plan()
    assert sum(change.count for change in plan.changes) == count
    assert not any("**" in line for line in plan.by_hand)
    assert carry_out(RemoveFromBucket(world, only(names)), world).well
    assert server.list(NAME, "group-1/") == sorted(f"{name}/inside" for name in names)
    with pytest.raises(NotFound):
        RemoveFromBucket(world, only(names)).plan()
    assert carry_out(RestoreInBucket(world, only(names)), world).well
    assert len(server.list(NAME, "group-1/")) == 2 * count


def test_many_of_a_folder_are_fetched_and_nothing_else(world: World, server: StorageServer, tmp_path: Path) -> None:
    names = fill(server, 40)
    result = get(world, only(names[:30]), tmp_path, Progress())
    assert not result.failed
    assert sorted(file.name for file in result.done) == [name.rpartition("/")[2] for name in names[:30]]
