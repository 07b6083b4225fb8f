"""Deleting objects, many and surely: batches of a hundred side by side, each answer looked at.

Every deletion names the generation that was listed. So asking again is safe, whatever became of the first request,
and an object that was written anew in between is left alone, and said.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from toolkit.errors import Interrupted, NotFound, ToolkitError, Unreachable
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.bucket.batch import Answer, Malformed, decoded, delete_call, encoded
from toolkit.systems.bucket.connection import StorageConnection, backoff
from toolkit.systems.bucket.errors import Question, passing, permission_in, translated, troubles
from toolkit.systems.bucket.names import shown
from toolkit.systems.bucket.objects import DeleteResult, ObjectInfo
from toolkit.systems.side_by_side import side_by_side

BATCH = 100  # Google's limit
SIDE_BY_SIDE = 12
TRIES = 5
PERMISSION = "storage.objects.delete"
STOPPED = "stopped on request"
_NOT_TRIED = "not tried"

Failure = tuple[ObjectInfo, str]


@dataclass
class _Outcome:
    """What became of one batch. `broken` is set where the next batch will not fare better."""

    done: list[ObjectInfo] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    already_gone: int = 0
    broken: ToolkitError | None = None


def delete(
    connection: StorageConnection, objects: Iterable[ObjectInfo], permit: Permit, progress: Progress
) -> DeleteResult:
    """Delete `objects`, each in exactly the generation it has there; the iterable may be a listing under way.

    Raises ToolkitError only while nothing has been changed; after that, what went wrong is in the result.
    """
    permit.check()
    connection.session  # noqa: B018 - opened here, so that a missing login is said before threads start
    total = len(objects) if isinstance(objects, Sequence) else None
    source = _Source(objects)
    all_of_it = _Outcome()

    def stop() -> bool:
        return progress.stop.is_set() or all_of_it.broken is not None

    def work(batch: list[ObjectInfo]) -> _Outcome:
        return _delete_batch(connection, batch, permit, progress, stop)

    for _, outcome in side_by_side(source.batches(), work, workers=SIDE_BY_SIDE, stop=stop):
        all_of_it.done += outcome.done
        all_of_it.failed += outcome.failed
        all_of_it.already_gone += outcome.already_gone
        all_of_it.broken = all_of_it.broken or outcome.broken
        progress.advance("deleted", len(all_of_it.done), total, "objects")
    broken = all_of_it.broken or source.trouble
    if broken is not None and not all_of_it.done and not isinstance(broken, Unreachable):
        raise broken
    if progress.stop.is_set() and not all_of_it.done and all(why == _NOT_TRIED for _, why in all_of_it.failed):
        raise Interrupted("Stopped on request; nothing was deleted.")
    stopped = broken.message if broken is not None else STOPPED if progress.stop.is_set() else ""
    if stopped and total is not None:
        all_of_it.failed += [(item, _NOT_TRIED) for item in source.rest()]
    failed = tuple((item, f"{why}: {stopped}" if why == _NOT_TRIED else why) for item, why in all_of_it.failed)
    return DeleteResult(tuple(all_of_it.done), failed, all_of_it.already_gone, stopped)


class _Source:
    """The objects in batches. A listing that breaks while it is read ends them; its trouble is kept."""

    def __init__(self, objects: Iterable[ObjectInfo]) -> None:
        self._objects = iter(objects)
        self.trouble: ToolkitError | None = None

    def batches(self) -> Iterator[list[ObjectInfo]]:
        batch: list[ObjectInfo] = []
        try:
            for item in self._objects:
                batch.append(item)
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        except ToolkitError as error:
            self.trouble = error
        if batch:
            yield batch

    def rest(self) -> Iterator[ObjectInfo]:
        return self._objects


def _delete_batch(
    connection: StorageConnection,
    batch: list[ObjectInfo],
    permit: Permit,
    progress: Progress,
    stop: Callable[[], bool],
) -> _Outcome:
    outcome = _Outcome()
    waiting: list[Failure] = [(item, _NOT_TRIED) for item in batch]
    end = time.monotonic() + connection.part.timeout_seconds
    for attempt in range(1, TRIES + 1):
        if attempt > 1:
            progress.stop.wait(backoff(attempt - 1))
        if stop():
            break
        permit.check()
        try:
            answers = _send(connection, [item for item, _ in waiting])
        except troubles() as error:
            told = translated(error, connection.part, _question(connection))
            waiting = [(item, told.message) for item, _ in waiting]
            if not passing(error) or attempt == TRIES or time.monotonic() > end:
                outcome.broken = told
                break
            continue
        again: list[Failure] = []
        for (item, _), answer in zip(waiting, answers, strict=True):
            if not _settled(connection, outcome, item, answer):
                again.append((item, _why(answer)))
        waiting = again
        if not waiting:
            break
    outcome.failed += waiting
    if outcome.failed and not outcome.done and all(PERMISSION in why for _, why in outcome.failed):
        outcome.broken = outcome.broken or _refused(connection)
    return outcome


def _settled(connection: StorageConnection, outcome: _Outcome, item: ObjectInfo, answer: Answer | None) -> bool:
    """Write down what the answer means; False where it is worth asking again."""
    if answer is None or answer.status in (408, 429) or answer.status >= 500:
        return False
    if 200 <= answer.status < 300:
        outcome.done.append(item)
    elif answer.status == 404 and not answer.message.startswith("The specified bucket"):
        outcome.done.append(item)
        outcome.already_gone += 1
    elif answer.status == 412:
        _look(connection, outcome, item)
    else:
        outcome.failed.append((item, _why(answer)))
    return True


def _look(connection: StorageConnection, outcome: _Outcome, item: ObjectInfo) -> None:
    """The object is not in the generation that was listed: is it gone, or was it written anew?"""
    question = Question(f"look at {shown(item.path)}", "storage.objects.get")
    try:
        live = connection.ask(
            question,
            lambda: connection.bucket.get_blob(item.path, retry=None, timeout=connection.timeout),
        )
    except NotFound:
        live = None
    except ToolkitError:
        outcome.failed.append((item, "it is not as it was listed any more; left as it is"))
        return
    if live is None:
        outcome.done.append(item)
        outcome.already_gone += 1
    else:
        outcome.failed.append((item, "it was written anew after it was listed; left as it is"))


def _send(connection: StorageConnection, batch: Sequence[ObjectInfo]) -> list[Answer | None]:
    from google.api_core import exceptions

    boundary = f"batch_{uuid.uuid4().hex}"
    response = connection.session.post(
        f"{connection.address}/batch/storage/v1",
        data=encoded([delete_call(connection.name, item.path, item.generation) for item in batch], boundary),
        headers={"Content-Type": f"multipart/mixed; boundary={boundary}"},
        timeout=connection.timeout,
    )
    if not response.ok:
        raise exceptions.from_http_response(response)
    try:
        return decoded(response.headers.get("Content-Type", ""), response.content, len(batch))
    except Malformed as error:
        raise ConnectionError(f"the answer to a batch cannot be read: {error}") from error


def _question(connection: StorageConnection) -> Question:
    return Question(f"delete objects in gs://{connection.name}", PERMISSION)


def _refused(connection: StorageConnection) -> ToolkitError:
    from google.api_core import exceptions

    return translated(exceptions.Forbidden(f"Permission '{PERMISSION}' denied"), connection.part, _question(connection))


def _why(answer: Answer | None) -> str:
    """The reason in few words."""
    if answer is None:
        return "no answer came; whether it is deleted is not known"
    missing = permission_in(answer.message)
    if answer.status == 403 and missing:
        return f"not allowed: {missing} is missing (403)"
    if answer.status in (408, 429) or answer.status >= 500:
        return f"answered with {answer.status}, also when asked again"
    return f"answered with {answer.status}: {answer.message or 'no reason given'}"
