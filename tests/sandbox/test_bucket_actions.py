"""Removing from the bucket and restoring in it, through the gate: plan, manifest, apply, verify, undo."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bucket_fixtures import NAME, fill, part, server

from toolkit import paths
from toolkit.actions import gate
from toolkit.actions.bucket import manifest as bucket_manifest
from toolkit.actions.bucket.remove import RemoveFromBucket
from toolkit.actions.bucket.restore import RestoreInBucket
from toolkit.actions.gate import Consent, Done
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Action, Damage, Plan, Result
from toolkit.checks.finding import Status
from toolkit.environments.model import Environment, Settings
from toolkit.errors import Failed, NotFound, Refused, ToolkitError, Unreachable, UsageError
from toolkit.permit import Permit
from toolkit.progress import Advanced, Event, Progress
from toolkit.sandbox.storage.api import StorageServer
from toolkit.systems.connections import Connections

__all__ = ["server"]


class Index:
    """Redis, as far as it is asked here: the index of groups."""

    def __init__(self, *groups: str) -> None:
        self.groups = groups
        self.problem: ToolkitError | None = None

    def index(self, key: str) -> list[tuple[str, float]]:
        assert key == "available-groups"
        if self.problem:
            raise self.problem
        return [(name, float(1000 - rank)) for rank, name in enumerate(self.groups)]


class World(Connections):
    """An environment whose bucket is the server's, and whose Redis holds an index and nothing else."""

    def __init__(self, server: StorageServer, prefix: str = "", name: str = NAME) -> None:
        environment = Environment(name="rp006", bucket=part(server, prefix=prefix, name=name))
        super().__init__(environment, Settings())
        self.index = Index()

    @property
    def redis(self) -> Any:
        return self.index


@pytest.fixture
def world(server: StorageServer) -> Iterator[World]:
    world = World(server)
    yield world
    world.close()


def carry_out(action: Action, world: World, progress: Progress | None = None) -> Done:
    consent = Consent(ask=lambda plan: plan.confirm if plan.damage is Damage.LARGE else "y")
    return gate.carry_out(action, world.environment, consent, Journal(), progress or Progress(), read_only=False)


def facts(plan: Plan) -> dict[str, tuple[str, Status]]:
    return {fact.label: (fact.value, fact.status) for fact in plan.facts}


def manifests() -> list[Path]:
    folder = paths.state() / "manifests"
    return sorted(folder.iterdir()) if folder.exists() else []


def undone(done: Done, world: World) -> Done:
    """What the outcome says to type, carried out."""
    (command,) = done.outcome.undo
    words = shlex.split(command)
    assert words[:2] == ["toolkit", "bucket"]
    assert words[-2:] == ["--env", "rp006"]
    file = Path(words[words.index("--manifest") + 1])
    action = RestoreInBucket(world, manifest=file) if words[2] == "restore" else RemoveFromBucket(world, manifest=file)
    return carry_out(action, world)


def test_the_plan_shows_folders_objects_and_bytes_and_changes_nothing(world: World, server: StorageServer) -> None:
    fill(server, 8, "group-1/", b"12345")
    server.put(NAME, "note.txt", b"note")
    server.put(NAME, "keep", b"keep")
    before = server.list(NAME)
    plan = RemoveFromBucket(world, ["group-1", "gs://rp006-l3-cache/note.txt"]).plan()
    assert [(c.verb, c.target, c.count, c.unit, c.bytes) for c in plan.changes] == [
        ("delete", "gs://rp006-l3-cache/group-1/", 8, "objects", 40),
        ("delete", "gs://rp006-l3-cache/note.txt", 1, "object", 4),
    ]
    assert (plan.damage, plan.confirm) == (Damage.LARGE, "rp006")
    assert plan.undo.startswith("For 7 days: toolkit bucket restore --manifest ")
    assert plan.by_hand == (
        "gcloud storage rm 'gs://rp006-l3-cache/group-1/**'",
        "gcloud storage rm gs://rp006-l3-cache/note.txt",
    )
    assert server.list(NAME) == before
    assert manifests() == []
    assert not any(line.startswith(("POST", "DELETE", "PUT")) for line in server.log)


def test_the_plan_is_the_same_as_long_as_the_world_is(world: World, server: StorageServer) -> None:
    fill(server, 8)
    server.put(NAME, "other", b"x")
    plan = RemoveFromBucket(world, ["group-1"]).plan()
    assert RemoveFromBucket(world, ["group-1"]).plan().hash == plan.hash
    server.put(NAME, "group-1/frame-00003.parquet", b"frame")
    assert RemoveFromBucket(world, ["group-1"]).plan().hash != plan.hash


def test_removed_verified_and_undone(world: World, server: StorageServer) -> None:
    names = fill(server, 250, content=b"the frame")
    fill(server, 3, "group-10/")
    done = carry_out(RemoveFromBucket(world, ["group-1"]), world)
    assert done.well
    assert done.outcome.result is Result.DONE
    assert done.outcome.summary == "250 of 250 objects deleted from gs://rp006-l3-cache."
    assert [finding.status for finding in done.findings] == [Status.OK]
    assert server.list(NAME, "group-1/") == []
    assert len(server.list(NAME, "group-10/")) == 3
    back = undone(done, world)
    assert back.well
    assert server.list(NAME, "group-1/") == names
    assert server.read(NAME, names[7]) == b"the frame"
    again = undone(back, world)
    assert again.well
    assert server.list(NAME, "group-1/") == []


def test_the_manifest_is_there_before_the_first_object_goes(world: World, server: StorageServer) -> None:
    fill(server, 3)
    server.faults.fail_objects("*", 403)
    done = carry_out(_no_raise(RemoveFromBucket(world, ["group-1"])), world)
    assert done.outcome.result is Result.FAILED
    (file,) = manifests()
    manifest = bucket_manifest.read(file)
    assert [item.path for item in manifest.objects] == server.list(NAME)
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o077 == 0


def test_without_a_manifest_nothing_is_deleted(world: World, server: StorageServer) -> None:
    fill(server, 3)
    (paths.state() / "manifests").write_text("a file where the folder should be")
    with pytest.raises(Failed, match="could not be written: File exists"):
        carry_out(RemoveFromBucket(world, ["group-1"]), world)
    assert len(server.list(NAME)) == 3


def test_some_that_fail_are_left_listed_and_the_rest_can_be_done_later(world: World, server: StorageServer) -> None:
    names = fill(server, 250)
    server.faults.fail_objects("*-00007.parquet", 403)
    server.faults.fail_objects("*-00123.parquet", 503)
    done = carry_out(RemoveFromBucket(world, ["group-1"]), world)
    assert done.outcome.result is Result.PARTIAL
    assert not done.well
    assert done.outcome.left == (
        f"gs://rp006-l3-cache/{names[7]}: not allowed: storage.objects.delete is missing (403)",
        f"gs://rp006-l3-cache/{names[123]}: answered with 503, also when asked again",
    )
    assert done.findings[0].status is Status.FAIL
    assert done.findings[0].hint.startswith("toolkit bucket rm --manifest ")
    server.faults.heal()
    file = Path(shlex.split(done.findings[0].hint)[4])
    rest = RemoveFromBucket(world, manifest=file)
    plan = rest.plan()
    assert plan.changes[0].count == 2
    again = carry_out(rest, world)
    assert again.well
    assert server.list(NAME) == []
    assert undone(again, world).well
    assert server.list(NAME) == names


def test_the_same_paths_again_do_the_rest_too(world: World, server: StorageServer) -> None:
    fill(server, 10)
    server.faults.fail_objects("*-00007.parquet", 403)
    carry_out(RemoveFromBucket(world, ["group-1"]), world)
    server.faults.heal()
    done = carry_out(RemoveFromBucket(world, ["group-1"]), world)
    assert done.outcome.summary == "1 of 1 objects deleted from gs://rp006-l3-cache."
    assert server.list(NAME) == []


def test_a_manifest_all_of_whose_objects_are_gone_is_nothing_to_do(world: World, server: StorageServer) -> None:
    fill(server, 3)
    carry_out(RemoveFromBucket(world, ["group-1"]), world)
    fill(server, 3)
    (file,) = manifests()
    assert RemoveFromBucket(world, manifest=file).plan().empty
    assert len(server.list(NAME)) == 3


def test_ctrl_c_in_the_middle_leaves_the_rest_and_says_how_to_go_on(world: World, server: StorageServer) -> None:
    fill(server, 2500)

    def tell(event: Event) -> None:
        if isinstance(event, Advanced):
            progress.stop.set()

    progress = Progress(tell=tell)
    done = carry_out(RemoveFromBucket(world, ["group-1"]), world, progress)
    assert done.outcome.result is Result.PARTIAL
    assert "stopped on request" in done.outcome.summary
    left = server.list(NAME)
    assert 0 < len(left) < 2500
    assert done.outcome.left[0].endswith(": not tried: stopped on request")
    assert done.outcome.left[-1] == f"(100 of {len(left):,} objects shown: not tried: stopped on request)"
    (file,) = manifests()
    assert any("bucket rm --manifest" in line for line in done.outcome.details)
    assert carry_out(RemoveFromBucket(world, manifest=file), world).well
    assert server.list(NAME) == []
    assert RestoreInBucket(world, manifest=file).plan().changes[0].count == 2500


def test_what_is_written_while_we_delete_is_left_and_said(world: World, server: StorageServer) -> None:
    names = fill(server, 5)
    action = RemoveFromBucket(world, ["group-1"])
    plan = action.plan()
    server.put(NAME, names[2], b"newer")
    server.put(NAME, "group-1/another", b"newer")
    outcome = action.apply(plan, Permit(plan.hash), Progress())
    assert outcome.left == (f"gs://rp006-l3-cache/{names[2]}: it was written anew after it was listed; left as it is",)
    assert server.list(NAME) == ["group-1/another", names[2]]
    findings = action.verify(plan, outcome)
    assert [finding.status for finding in findings] == [Status.OK, Status.WARN]
    assert "2 objects there are newer" in findings[1].summary


def test_a_world_that_moves_while_it_is_confirmed_gives_a_new_plan(world: World, server: StorageServer) -> None:
    names = fill(server, 5)

    def ask(plan: Plan) -> str:
        server.put(NAME, names[2], b"newer")
        return plan.confirm

    with pytest.raises(gate.PlanMoved):
        gate.carry_out(
            RemoveFromBucket(world, ["group-1"]),
            world.environment,
            Consent(ask=ask),
            Journal(),
            Progress(),
            read_only=False,
        )
    assert server.list(NAME) == names


@pytest.mark.parametrize("path", ["", "/", f"gs://{NAME}", f"gs://{NAME}/"])
def test_all_of_the_bucket_takes_the_buckets_name(world: World, server: StorageServer, path: str) -> None:
    fill(server, 3, "group-1/")
    fill(server, 2, "group-2/")
    server.put(NAME, "note", b"x")
    action = RemoveFromBucket(world, [path])
    plan = action.plan()
    assert plan.confirm == NAME
    assert [(c.target, c.count) for c in plan.changes] == [
        (f"gs://{NAME}/group-1/", 3),
        (f"gs://{NAME}/group-2/", 2),
        (f"gs://{NAME}/note", 1),
    ]
    assert plan.by_hand == (f"gcloud storage rm 'gs://{NAME}/**'",)
    with pytest.raises(Refused, match="Not confirmed"):
        gate.carry_out(
            action, world.environment, Consent(ask=lambda _: "rp006"), Journal(), Progress(), read_only=False
        )
    assert len(server.list(NAME)) == 6
    assert carry_out(action, world).well
    assert server.list(NAME) == []
    assert server.store.bucket(NAME)


def test_naming_every_folder_is_all_of_it_too(world: World, server: StorageServer) -> None:
    fill(server, 3, "group-1/")
    fill(server, 2, "group-2/")
    assert RemoveFromBucket(world, ["group-1", "group-2"]).plan().confirm == NAME
    assert RemoveFromBucket(world, ["group-1"]).plan().confirm == "rp006"


def test_the_folder_of_all_groups_is_all_of_it(server: StorageServer) -> None:
    world = World(server, prefix="l3/cache")
    fill(server, 3, "l3/cache/group-1/")
    fill(server, 3, "l3/cache/group-2/")
    fill(server, 3, "else/")
    for path in ("l3", "l3/cache", "l3/cache/", "/"):
        assert RemoveFromBucket(world, [path]).plan().confirm == NAME
    assert RemoveFromBucket(world, ["l3/cache/group-1"]).plan().confirm == "rp006"
    with pytest.raises(NotFound) as raised:
        RemoveFromBucket(world, ["group-1"]).plan()
    assert "Did you mean l3/cache/group-1?" in raised.value.hint
    world.close()


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("grup-1", "Did you mean group-1/"),
        ("group", "2 names only begin like that: group-1/"),
        ("group-*", "no special meaning"),
        ("nothing/at/all", "bucket ls"),
    ],
)
def test_a_path_that_means_nothing_is_not_found(world: World, server: StorageServer, path: str, hint: str) -> None:
    fill(server, 1, "group-1/")
    fill(server, 1, "group-10/")
    with pytest.raises(NotFound, match="There is nothing at") as raised:
        RemoveFromBucket(world, [path]).plan()
    assert hint in raised.value.hint


def test_one_of_several_that_means_nothing_is_a_warning(world: World, server: StorageServer) -> None:
    fill(server, 1, "group-1/")
    plan = RemoveFromBucket(world, ["group-1", "group-2"]).plan()
    assert facts(plan)["group-2"] == ("nothing is there", Status.WARN)


def test_paths_that_overlap_count_once(world: World, server: StorageServer) -> None:
    fill(server, 4, "group-1/")
    plan = RemoveFromBucket(world, ["group-1/frame-00001.parquet", "group-1", "group-1/"]).plan()
    assert [change.count for change in plan.changes] == [1, 3]
    assert carry_out(RemoveFromBucket(world, ["group-1", "group-1/"]), world).well


def test_groups_in_use_are_warned_about(world: World, server: StorageServer) -> None:
    world.index.groups = ("group-1", "group-2", "group-3", "group-4")
    for number in (1, 3, 4):
        fill(server, 2, f"group-{number}/")
    plan = RemoveFromBucket(world, ["/"]).plan()
    assert [fact.value for fact in plan.facts if fact.label == "in use"] == [
        "group-1 is rank 1 in Redis, the default group",
        "group-3 is rank 3 in Redis",
    ]
    assert {fact.status for fact in plan.facts if fact.label == "in use"} == {Status.WARN}


def test_redis_being_down_does_not_stop_it(world: World, server: StorageServer) -> None:
    fill(server, 2)
    world.index.problem = Unreachable("The proxy does not answer.")
    action = RemoveFromBucket(world, ["group-1"])
    value, status = facts(action.plan())["Redis"]
    assert status is Status.UNKNOWN
    assert "The proxy does not answer." in value
    assert carry_out(action, world).well


def test_soft_delete_that_is_off_means_it_cannot_be_undone(server: StorageServer) -> None:
    server.add_bucket("plain", soft_delete_seconds=0)
    world = World(server, name="plain")
    server.put("plain", "group-1/frame", b"x")
    server.put("plain", "keep", b"x")
    action = RemoveFromBucket(world, ["group-1"])
    plan = action.plan()
    assert plan.undo == "Cannot be undone: soft delete is off in this bucket."
    assert facts(plan)["soft delete"][1] is Status.WARN
    assert carry_out(action, world).outcome.undo == ()
    world.close()


def test_soft_delete_that_is_too_short_is_said(server: StorageServer) -> None:
    server.add_bucket("short", soft_delete_seconds=3 * 3600)
    world = World(server, name="short")
    server.put("short", "group-1/frame", b"x")
    plan = RemoveFromBucket(world, ["group-1"]).plan()
    assert plan.undo.startswith("Cannot be undone for long: deleted objects are kept for only 3 hours.")
    world.close()


def test_versioned_buckets_are_undone_otherwise(server: StorageServer) -> None:
    server.add_bucket("versions", versioning=True)
    world = World(server, name="versions")
    server.put("versions", "group-1/frame", b"x")
    assert "noncurrent versions" in RemoveFromBucket(world, ["group-1"]).plan().undo
    world.close()


def test_a_policy_that_may_not_be_read_is_said(world: World, server: StorageServer) -> None:
    fill(server, 2)
    server.faults.deny(NAME, "storage.buckets.get")
    plan = RemoveFromBucket(world, ["group-1"]).plan()
    assert plan.undo.startswith("It is not known whether this can be undone")
    assert facts(plan)["soft delete"][1] is Status.UNKNOWN


def test_missing_permissions_are_seen_in_the_plan(world: World, server: StorageServer) -> None:
    fill(server, 2)
    server.faults.deny(NAME, "storage.objects.delete")
    plan = RemoveFromBucket(world, ["group-1"]).plan()
    assert facts(plan)["permission"] == (f"you have not storage.objects.delete on gs://{NAME}", Status.FAIL)


def test_a_manifest_of_another_place_is_refused(world: World, server: StorageServer) -> None:
    fill(server, 1)
    carry_out(RemoveFromBucket(world, ["group-1"]), world)
    (file,) = manifests()
    server.add_bucket("other")
    other = World(server, name="other")
    for action in (RemoveFromBucket, RestoreInBucket):
        with pytest.raises(Refused, match="is about gs://rp006-l3-cache of rp006"):
            action(other, manifest=file)
        with pytest.raises(UsageError, match="either paths or a manifest"):
            action(world, ["x"], file)
        with pytest.raises(UsageError, match="either paths or a manifest"):
            action(world)
    other.close()


def test_a_plan_of_another_action_is_not_applied(world: World, server: StorageServer) -> None:
    fill(server, 1)
    plan = RemoveFromBucket(world, ["group-1"]).plan()
    with pytest.raises(Refused, match="was not made here"):
        RemoveFromBucket(world, ["group-1"]).apply(plan, Permit(plan.hash), Progress())
    with pytest.raises(Refused, match="was not made here"):
        RestoreInBucket(world, ["group-1"]).apply(plan, Permit(plan.hash), Progress())


def test_restoring_by_path_takes_the_newest_kept_generation(world: World, server: StorageServer) -> None:
    for content in (b"first", b"second", b"third"):
        server.put(NAME, "group-1/frame", content)
    server.delete(NAME, "group-1/frame")
    action = RestoreInBucket(world, ["group-1"])
    plan = action.plan()
    assert plan.damage is Damage.SMALL
    assert plan.by_hand == ("gcloud storage restore 'gs://rp006-l3-cache/group-1/**'",)
    assert carry_out(action, world).well
    assert server.read(NAME, "group-1/frame") == b"third"


def test_restoring_an_exact_generation(world: World, server: StorageServer) -> None:
    first = server.put(NAME, "frame", b"first")
    server.put(NAME, "frame", b"second")
    action = RestoreInBucket(world, [f"gs://{NAME}/frame#{first.generation}"])
    assert action.plan().empty
    assert "stays" in facts(action.plan())["in the way"][0]
    action = RestoreInBucket(world, [f"gs://{NAME}/frame#{first.generation}"], overwrite=True)
    plan = action.plan()
    assert (plan.damage, plan.confirm) == (Damage.LARGE, "rp006")
    done = carry_out(action, world)
    assert done.well
    assert server.read(NAME, "frame") == b"first"
    assert any(line.startswith("replaced, and kept for a while: gs://") for line in done.outcome.details)


def test_restoring_what_is_back_already_is_nothing_to_do(world: World, server: StorageServer) -> None:
    fill(server, 3)
    done = carry_out(RemoveFromBucket(world, ["group-1"]), world)
    assert undone(done, world).well
    plan = RestoreInBucket(world, ["group-1"]).plan()
    assert plan.empty
    assert facts(plan)["back already"][0] == "3 objects live with the same content"


def test_restoring_what_the_bucket_lost_is_said(world: World, server: StorageServer) -> None:
    fill(server, 2)
    carry_out(RemoveFromBucket(world, ["group-1"]), world)
    server.store.bucket(NAME).soft.popitem()
    plan = RestoreInBucket(world, manifest=manifests()[0]).plan()
    assert plan.changes[0].count == 1
    assert facts(plan)["lost"][1] is Status.FAIL


def test_restoring_what_never_was_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="keeps nothing deleted at group-7"):
        RestoreInBucket(world, ["group-7"]).plan()


def test_restoring_half_way_lists_the_rest(world: World, server: StorageServer) -> None:
    names = fill(server, 5)
    carry_out(RemoveFromBucket(world, ["group-1"]), world)
    server.faults.fail_objects(names[1], 500)
    done = carry_out(RestoreInBucket(world, ["group-1"]), world)
    assert done.outcome.result is Result.PARTIAL
    assert done.outcome.left == (f"gs://{NAME}/{names[1]}: answered with 500, also when asked again",)
    assert "Run the same command again" in done.findings[0].hint
    server.faults.heal()
    assert carry_out(RestoreInBucket(world, ["group-1"]), world).well
    assert server.list(NAME) == names


def test_the_journal_names_the_manifest_and_no_contents(world: World, server: StorageServer) -> None:
    fill(server, 2, content=b"TOP-SECRET-CONTENT")
    carry_out(RemoveFromBucket(world, ["group-1"]), world)
    text = (paths.state() / "journal.jsonl").read_text("utf-8")
    assert str(manifests()[0]) in text
    assert "TOP-SECRET-CONTENT" not in text
    assert json.loads(text.splitlines()[0])["action"] == "bucket.remove"


class _no_raise:  # noqa: N801
    """The action; an error of apply becomes a FAILED outcome, so that what it left behind can be looked at."""

    def __init__(self, action: RemoveFromBucket) -> None:
        self._action = action
        self.name = action.name
        self.plan = action.plan

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Any:
        from toolkit.actions.plan import Outcome

        try:
            return self._action.apply(plan, permit, progress)
        except ToolkitError as error:
            return Outcome(Result.FAILED, error.message)

    def verify(self, plan: Plan, outcome: Any) -> Any:
        return self._action.verify(plan, outcome)
