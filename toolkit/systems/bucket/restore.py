"""Bringing soft-deleted objects back, side by side, each checked.

Every restore says what must live under its name (nothing, or exactly the generation that may be replaced), so asking
again is safe, and nothing newer is ever overwritten unseen.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.errors import Interrupted, ToolkitError, Unreachable
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.bucket.connection import StorageConnection, backoff
from toolkit.systems.bucket.errors import Question, passing, status, translated, troubles
from toolkit.systems.bucket.names import shown
from toolkit.systems.bucket.objects import ObjectInfo, RestoreResult
from toolkit.systems.side_by_side import side_by_side

SIDE_BY_SIDE = 32
TRIES = 5
PERMISSION = "storage.objects.restore"
_NOT_TRIED = "not tried"


def restore(
    connection: StorageConnection,
    objects: Sequence[ObjectInfo],
    replacing: Mapping[str, int],
    permit: Permit,
    progress: Progress,
) -> RestoreResult:
    """Bring `objects` back, each from exactly its generation; `replacing` are live generations that may be replaced.

    Raises ToolkitError only while nothing has been changed; after that, what went wrong is in the result.
    """
    permit.check()
    connection.session  # noqa: B018 - opened here, so that a missing login is said before threads start
    done: list[ObjectInfo] = []
    failed: list[tuple[ObjectInfo, str]] = []
    already_back = 0
    broken: ToolkitError | None = None
    source = iter(objects)

    def stop() -> bool:
        return progress.stop.is_set() or broken is not None

    def work(item: ObjectInfo) -> bool | ToolkitError | str:
        return _NOT_TRIED if stop() else _restore_one(connection, item, replacing.get(item.path, 0), permit, progress)

    for item, outcome in side_by_side(source, work, workers=SIDE_BY_SIDE, stop=stop):
        if isinstance(outcome, str):
            failed.append((item, outcome))
        elif isinstance(outcome, ToolkitError):
            failed.append((item, outcome.message))
            broken = broken or outcome
        else:
            done.append(item)
            already_back += outcome
            progress.advance("restored", len(done), len(objects), "objects")
    if broken is not None and not done and not isinstance(broken, Unreachable):
        raise broken
    if progress.stop.is_set() and not done and all(why == _NOT_TRIED for _, why in failed):
        raise Interrupted("Stopped on request; nothing was restored.")
    stopped = broken.message if broken is not None else "stopped on request" if progress.stop.is_set() else ""
    failed += [(item, _NOT_TRIED) for item in source]
    told = tuple((item, f"{why}: {stopped}" if why == _NOT_TRIED else why) for item, why in failed)
    return RestoreResult(tuple(done), told, already_back, stopped)


def _restore_one(
    connection: StorageConnection, item: ObjectInfo, replaces: int, permit: Permit, progress: Progress
) -> bool | ToolkitError | str:
    """False: restored. True: it was back already. A text: why not. An error: the others will not fare better."""
    question = Question(f"restore {shown(item.path)}", PERMISSION)
    end = time.monotonic() + connection.part.timeout_seconds
    last: ToolkitError | str = _NOT_TRIED
    for attempt in range(1, TRIES + 1):
        if attempt > 1:
            progress.stop.wait(backoff(attempt - 1))
        permit.check()
        try:
            connection.bucket.restore_blob(
                item.path,
                generation=item.generation,
                if_generation_match=replaces,
                retry=None,
                timeout=connection.timeout,
            )
            return False
        except troubles() as error:
            told = translated(error, connection.part, question)
            code = status(error)
            if code == 404 and "No such object" in str(error):
                return "it is not kept any more"
            if code == 412:
                return _is_back(connection, item) or "a newer object of that name is there; left as it is"
            if code in (403, 404):
                return told
            if not passing(error):
                return told.message
            last = told if code is None else f"answered with {code}, also when asked again"
            if time.monotonic() > end or progress.stop.is_set():
                break
    return last


def _is_back(connection: StorageConnection, item: ObjectInfo) -> bool:
    """Whether what lives under that name has the same content."""
    question = Question(f"look at {shown(item.path)}", "storage.objects.get")

    def look() -> Any:
        return connection.bucket.get_blob(item.path, retry=None, timeout=connection.timeout)

    try:
        live = connection.ask(question, look)
    except ToolkitError:
        return False
    return live is not None and bool(item.crc32c) and live.crc32c == item.crc32c and live.size == item.bytes
