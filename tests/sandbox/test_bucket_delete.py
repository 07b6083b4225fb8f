"""Deleting and restoring many objects, with all that may go wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bucket_fixtures import NAME, bucket, fill, part, permit, server

from toolkit.errors import Interrupted, NotAllowed, NotFound, Refused
from toolkit.permit import Permit
from toolkit.progress import Advanced, Event, Progress
from toolkit.sandbox.storage.api import StorageServer
from toolkit.systems.bucket import Bucket, ObjectInfo

__all__ = ["bucket", "permit", "server"]


def test_a_folder_of_many_goes_and_nothing_beside_it(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 1250, "group-1/")
    beside = fill(server, 3, "group-10/")
    events: list[Event] = []
    result = bucket.delete(bucket.objects("group-1/"), permit, Progress(tell=events.append))
    assert (len(result.done), result.failed, result.already_gone, result.stopped) == (1250, (), 0, "")
    assert server.list(NAME) == beside
    assert server.requests["POST batch"] == 13
    assert server.requests["DELETE object"] == 0
    assert events[-1] == Advanced("deleted", 1250, None, "objects")


def test_nothing_to_delete(bucket: Bucket, permit: Permit) -> None:
    assert bucket.delete([], permit).done == ()


def test_a_permit_that_was_taken_back_changes_nothing(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 3)
    permit.revoke()
    objects = list(bucket.objects())
    for change in (bucket.delete, bucket.restore):
        with pytest.raises(Refused, match="already been carried out"):
            change(objects, permit)
    assert len(server.list(NAME)) == 3


def test_some_that_fail_are_listed_with_their_reason(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    names = fill(server, 250)
    server.faults.fail_objects("*-00007.parquet", 403)
    server.faults.fail_objects("*-00123.parquet", 503)
    result = bucket.delete(list(bucket.objects()), permit)
    assert len(result.done) == 248
    assert {item.path: why for item, why in result.failed} == {
        names[7]: "not allowed: storage.objects.delete is missing (403)",
        names[123]: "answered with 503, also when asked again",
    }
    assert server.list(NAME) == [names[7], names[123]]


@pytest.mark.parametrize("status", [429, 503])
def test_what_fails_in_passing_is_asked_again(
    bucket: Bucket, server: StorageServer, permit: Permit, status: int
) -> None:
    fill(server, 120)
    server.faults.fail_objects("*", status, times=40)
    server.faults.fail_next(1, status)
    objects = list(bucket.objects())
    server.faults.fail_next(1, status)
    result = bucket.delete(objects, permit)
    assert (len(result.done), result.failed) == (120, ())
    assert not server.list(NAME)


def test_what_is_gone_already_counts_as_gone(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    names = fill(server, 5)
    objects = list(bucket.objects())
    server.delete(NAME, names[2])
    result = bucket.delete(objects, permit)
    assert (len(result.done), result.already_gone, result.failed) == (5, 1, ())


def test_what_was_written_anew_is_left_and_said(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    names = fill(server, 5)
    objects = list(bucket.objects())
    server.put(NAME, names[2], b"newer")
    result = bucket.delete(objects, permit)
    assert [(item.path, why) for item, why in result.failed] == [
        (names[2], "it was written anew after it was listed; left as it is")
    ]
    assert server.read(NAME, names[2]) == b"newer"


def test_answers_in_another_order_go_to_the_right_objects(
    bucket: Bucket, server: StorageServer, permit: Permit
) -> None:
    names = fill(server, 10)
    server.faults.shuffle = True
    server.faults.fail_objects(names[0], 403)
    result = bucket.delete(list(bucket.objects()), permit)
    assert [item.path for item, _ in result.failed] == [names[0]]


def test_a_batch_whose_answer_never_comes_is_settled_by_asking_again(
    bucket: Bucket, server: StorageServer, permit: Permit
) -> None:
    fill(server, 100)
    server.faults.mute = 1
    result = bucket.delete(list(bucket.objects()), permit)
    assert (len(result.done), result.failed) == (100, ())
    assert not server.list(NAME)


def test_no_permission_at_all_ends_it_early(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 6000)
    objects = list(bucket.objects())
    server.faults.deny(NAME, "storage.objects.delete")
    with pytest.raises(NotAllowed, match=r"storage\.objects\.delete on gs://rp006-l3-cache"):
        bucket.delete(objects, permit)
    assert len(server.list(NAME)) == 6000
    assert server.requests["POST batch"] < 60


def test_a_bucket_that_went_away(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 3)
    objects = list(bucket.objects())
    other = Bucket(part(server, name="gone"))
    result = other.delete(objects, permit)
    assert not result.done
    assert all("bucket does not exist" in why for _, why in result.failed)
    other.close()


def test_storage_that_goes_away_half_way(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 3000)
    objects = list(bucket.objects())

    def tell(event: Event) -> None:
        if isinstance(event, Advanced) and event.done >= 300:
            server.stop()

    result = bucket.delete(objects, permit, Progress(tell=tell))
    server.start()
    assert 300 <= len(result.done) < 3000
    assert "cannot be reached" in result.stopped
    assert len(result.done) + len(result.failed) == 3000
    left = server.list(NAME)
    assert {item.path for item, _ in result.failed} >= set(left)
    again = bucket.delete([item for item, _ in result.failed], permit)
    assert again.failed == ()
    assert not server.list(NAME)


def test_storage_that_is_away_from_the_start(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 3)
    objects = list(bucket.objects())
    server.stop()
    result = bucket.delete(objects, permit)
    assert not result.done
    assert "cannot be reached" in result.stopped
    assert len(result.failed) == 3


def test_a_listing_that_breaks_while_it_is_read(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 300)
    objects = list(bucket.objects())

    def broken() -> Iterator[ObjectInfo]:
        yield from objects[:150]
        raise NotFound("The listing broke.")

    result = bucket.delete(broken(), permit)
    assert len(result.done) == 150
    assert result.stopped == "The listing broke."


def test_stopped_on_request_says_what_was_not_tried(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 5000)
    objects = list(bucket.objects())
    progress = Progress(tell=lambda event: progress.stop.set())
    result = bucket.delete(objects, permit, progress)
    assert 0 < len(result.done) < 5000
    assert len(result.done) + len(result.failed) == 5000
    assert set(server.list(NAME)) == {item.path for item, _ in result.failed}
    assert {why for _, why in result.failed} == {"not tried: stopped on request"}


def test_what_was_deleted_comes_back(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    names = fill(server, 120, content=b"the frame")
    before = list(bucket.objects())
    bucket.delete(before, permit)
    kept = list(bucket.soft_deleted("group-1/"))
    assert {(item.path, item.generation) for item in kept} == {(item.path, item.generation) for item in before}
    assert all(item.soft_deleted_at for item in kept)
    result = bucket.restore(before, permit)
    assert (len(result.done), result.failed, result.already_back) == (120, (), 0)
    assert server.list(NAME) == names
    assert server.read(NAME, names[5]) == b"the frame"


def test_restoring_twice_is_the_same_as_once(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 5)
    before = list(bucket.objects())
    bucket.delete(before, permit)
    bucket.restore(before, permit)
    again = bucket.restore(before, permit)
    assert (len(again.done), again.already_back, again.failed) == (5, 5, ())


def test_a_newer_object_is_not_overwritten_unless_named(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    names = fill(server, 2)
    before = list(bucket.objects())
    bucket.delete(before, permit)
    newer = server.put(NAME, names[0], b"newer")
    result = bucket.restore(before, permit)
    assert [(item.path, why) for item, why in result.failed] == [
        (names[0], "a newer object of that name is there; left as it is")
    ]
    assert server.read(NAME, names[0]) == b"newer"
    result = bucket.restore(before[:1], permit, replacing={names[0]: newer.generation})
    assert result.failed == ()
    assert server.read(NAME, names[0]) == b"frame"
    assert newer.generation in {item.generation for item in bucket.soft_deleted()}


def test_restoring_through_passing_troubles(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    names = fill(server, 10)
    before = list(bucket.objects())
    bucket.delete(before, permit)
    server.faults.fail_objects(names[1], 503, times=2)
    server.faults.fail_objects(names[2], 500)
    result = bucket.restore(before, permit)
    assert [(item.path, why) for item, why in result.failed] == [(names[2], "answered with 500, also when asked again")]
    assert len(server.list(NAME)) == 9


def test_what_is_not_kept_any_more_is_said(server: StorageServer, permit: Permit) -> None:
    server.add_bucket("plain", soft_delete_seconds=0)
    server.put("plain", "x", b"x")
    bucket = Bucket(part(server, name="plain"))
    before = list(bucket.objects())
    bucket.delete(before, permit)
    result = bucket.restore(before, permit)
    assert [why for _, why in result.failed] == ["it is not kept any more"]
    bucket.close()


def test_restoring_without_permission(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 200)
    before = list(bucket.objects())
    bucket.delete(before, permit)
    server.faults.deny(NAME, "storage.objects.restore")
    with pytest.raises(NotAllowed, match=r"storage\.objects\.restore"):
        bucket.restore(before, permit)
    assert server.requests["POST restore"] < 200


def test_restoring_stopped_on_request(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 300)
    before = list(bucket.objects())
    bucket.delete(before, permit)
    progress = Progress(tell=lambda event: progress.stop.set())
    result = bucket.restore(before, permit, progress)
    assert 0 < len(result.done) < 300
    assert len(result.done) + len(result.failed) == 300
    assert set(server.list(NAME)) == {item.path for item in result.done}


def test_stopped_before_anything_was_changed(bucket: Bucket, server: StorageServer, permit: Permit) -> None:
    fill(server, 3)
    objects = list(bucket.objects())
    progress = Progress()
    progress.stop.set()
    for change in (bucket.delete, bucket.restore):
        with pytest.raises(Interrupted, match="nothing was"):
            change(objects, permit, progress)
    assert len(server.list(NAME)) == 3
